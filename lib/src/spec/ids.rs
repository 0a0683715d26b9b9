//! `$id`: schemas in a document that references name by URI (JSON Schema 2020-12, section 8.2).

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::refs::{Below, Keys, below, escape};

/// References into the document by the URI of their schema.
pub(super) type Ids = BTreeMap<String, String>;

/// Adds the `$id`s of the value at `prefix` (`#`, or a pointer after it); true if there are any.
pub(super) fn collect(value: &Value, prefix: &str, base: &str, ids: &mut Ids) -> bool {
    let before = ids.len();
    find(value, Keys::Words, prefix, base, ids);
    ids.len() > before
}

fn find(value: &Value, keys: Keys, pointer: &str, base: &str, ids: &mut Ids) {
    match value {
        Value::Object(map) => {
            let own = id_of(value, keys).map(|id| join(base, id));
            if let Some(own) = &own {
                ids.entry(own.clone()).or_insert_with(|| pointer.to_owned());
            }
            let base = own.as_deref().unwrap_or(base);
            for (key, child) in map {
                let below = match below(keys, key, child) {
                    Below::Names => Keys::Names,
                    Below::Words => Keys::Words,
                    Below::Data | Below::Examples => continue,
                };
                if child.is_object() || child.is_array() {
                    find(child, below, &child_pointer(pointer, key), base, ids);
                }
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                find(child, Keys::Words, &format!("{pointer}/{index}"), base, ids);
            }
        }
        _ => {}
    }
}

/// Rewrites references relative to an `$id` as references into the document. `snapshot` is the
/// original `value`.
pub(super) fn rewrite(value: &mut Value, snapshot: &Value, prefix: &str, base: &str, ids: &Ids) {
    let walk = Walk { ids };
    walk.value(value, Keys::Words, prefix, base, Some((snapshot, prefix)));
}

struct Walk<'i> {
    ids: &'i Ids,
}

impl Walk<'_> {
    /// `resource` is the nearest enclosing schema with an `$id`, and its pointer.
    fn value(
        &self,
        value: &mut Value,
        keys: Keys,
        pointer: &str,
        base: &str,
        resource: Option<(&Value, &str)>,
    ) {
        // The original value at this location; the value itself changes.
        let own = id_of(value, keys).map(|id| join(base, id));
        let snapshot = own.as_ref().map(|_| value.clone());
        let resource = match &snapshot {
            Some(snapshot) => Some((snapshot, pointer)),
            None => resource,
        };
        let base = own.as_deref().unwrap_or(base);
        match value {
            Value::Object(map) => {
                if keys == Keys::Words
                    && let Some(Value::String(reference)) = map.get_mut("$ref")
                    && let Some(new) = self.target(reference, base, resource)
                {
                    *reference = new;
                }
                for (key, child) in map.iter_mut() {
                    let below = match below(keys, key, child) {
                        Below::Names => Keys::Names,
                        Below::Words => Keys::Words,
                        Below::Data | Below::Examples => continue,
                    };
                    if child.is_object() || child.is_array() {
                        let pointer = child_pointer(pointer, key);
                        self.value(child, below, &pointer, base, resource);
                    }
                }
            }
            Value::Array(items) => {
                for (index, child) in items.iter_mut().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    self.value(child, Keys::Words, &pointer, base, resource);
                }
            }
            _ => {}
        }
    }

    fn target(
        &self,
        reference: &str,
        base: &str,
        resource: Option<(&Value, &str)>,
    ) -> Option<String> {
        if let Some(fragment) = reference.strip_prefix('#') {
            let (snapshot, pointer) = resource.filter(|(_, pointer)| *pointer != "#")?;
            let decoded = percent_decode_str(fragment).decode_utf8_lossy();
            let is_own = fragment.is_empty() || fragment.starts_with('/');
            let found = is_own && snapshot.pointer(&decoded).is_some();
            return found.then(|| format!("{pointer}{fragment}"));
        }
        let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let known = self.ids.get(&join(base, target)).or_else(|| self.ids.get(target))?;
        // An anchor is usually unique in a document.
        let is_anchor = !fragment.is_empty() && !fragment.starts_with('/');
        Some(if is_anchor { format!("#{fragment}") } else { format!("{known}{fragment}") })
    }
}

fn id_of(value: &Value, keys: Keys) -> Option<&str> {
    let id = value.get("$id").filter(|_| keys == Keys::Words)?.as_str()?;
    let id = id.split('#').next().unwrap_or_default();
    (!id.is_empty()).then_some(id)
}

/// Keys in pointers of references are percent-encoded if a `%` would be read as an escape.
fn child_pointer(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", escape(key).replace('%', "%25"))
}

/// Resolves a URI relative to another one (RFC 3986, section 5.2, for the forms that occur in
/// `$id`).
pub(super) fn join(base: &str, target: &str) -> String {
    if target.contains("://") || target.starts_with("urn:") || base.is_empty() {
        return target.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    let (host, path) = match rest.find('/') {
        Some(at) if !scheme.is_empty() => rest.split_at(at),
        _ if scheme.is_empty() => ("", rest),
        _ => (rest, ""),
    };
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        parts.clear();
    } else if !path.ends_with('/') {
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if scheme.is_empty() { path } else { format!("{scheme}://{host}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_joined() {
        for (base, target, joined) in [
            ("https://a.test/x/y", "z", "https://a.test/x/z"),
            ("https://a.test/x/y", "../z", "https://a.test/z"),
            ("https://a.test/x/y", "/z", "https://a.test/z"),
            ("https://a.test", "z", "https://a.test/z"),
            ("https://a.test/x", "https://b.test/z", "https://b.test/z"),
            ("", "z", "z"),
        ] {
            assert_eq!(join(base, target), joined, "{base} {target}");
        }
    }
}
