//! Three-way merging of the changes of two sides since a common base, pointer by pointer.
//!
//! The elements of lists are identified by name: parameters by location and name, servers by URL,
//! tags by name, branches of a combination by their reference or type, and others, such as
//! `required`, by their value. A list whose elements cannot be identified is a single value. The
//! names of a path's parameters do not matter, and a renamed schema is recognised by the references
//! to it. If both sides changed a value, ours is kept unless the policy says otherwise, and the
//! conflict is reported.

mod align;
mod conflict;
mod elements;

pub use conflict::Conflict;

use serde_json::{Map, Value};

use super::context::{ConflictPolicy, MergeError};
use super::rebuild::{BASE, Base};
use super::root::{documents_of_one_version, verify};
use crate::schema::{Dialect, unite_keys};
use crate::spec::{Below, Document, Keys, below, join_pointer};

/// Merges into `ours` what `theirs` changed since `base`; see the module. None may have broken
/// references.
///
/// # Errors
/// With [`ConflictPolicy::Error`], if both sides changed the same value.
pub fn three_way(
    base: &Document,
    ours: &Document,
    theirs: &Document,
    policy: ConflictPolicy,
) -> Result<(Document, Vec<Conflict>), MergeError> {
    let ([mut old, mut a, mut b], dialect) = documents_of_one_version([base, ours, theirs]);
    let written = base_of_both(&mut old, &mut a, &mut b);
    align::paths(&mut old, &mut a, &mut b);
    align::components(&mut old, &a, &mut b);
    let mut merge = ThreeWay { policy, conflicts: Vec::new(), roots: [&old, &a, &b] };
    let merged = merge.value("", Keys::Words, "", [Some(&old), Some(&a), Some(&b)]);
    let mut conflicts = merge.conflicts;
    let mut root = merged.unwrap_or(Value::Null);
    align::restore(&mut root, [&a, &b], &mut conflicts);
    if policy == ConflictPolicy::Error && !conflicts.is_empty() {
        return Err(MergeError::Conflict {
            source_name: theirs.source.clone(),
            pointers: conflicts.iter().map(Conflict::to_string).collect(),
        });
    }
    // A converted document must declare its new version.
    let versions = [&old, &a, &b].map(|root| root.get("openapi").and_then(Value::as_str));
    if let (Value::Object(map), Some(latest)) = (&mut root, versions.into_iter().flatten().max())
        && dialect == Dialect::V3_1
    {
        map.insert("openapi".to_owned(), latest.into());
    }
    if let (Value::Object(map), Some(written)) = (&mut root, written) {
        map.insert(BASE.to_owned(), written);
    }
    let version = ours.version.max(theirs.version).max(base.version);
    let root = verify(root, dialect)?;
    Ok((Document { root, source: ours.source.clone(), version, warnings: Vec::new() }, conflicts))
}

/// Removes the stored bases, which are not content; returns the union of the later two.
fn base_of_both(old: &mut Value, a: &mut Value, b: &mut Value) -> Option<Value> {
    let [_, a, b] = [old, a, b].map(|root| root.as_object_mut()?.shift_remove(BASE));
    match (a, b) {
        (Some(a), Some(b)) => Some(Base::united(&a, &b)),
        (a, b) => a.or(b),
    }
}

struct ThreeWay<'v> {
    policy: ConflictPolicy,
    conflicts: Vec<Conflict>,
    /// Base, ours and theirs.
    roots: [&'v Value; 3],
}

/// The values of base, ours and theirs at one location.
type Three<'v> = [Option<&'v Value>; 3];

impl ThreeWay<'_> {
    fn value(&mut self, at: &str, keys: Keys, key: &str, three: Three<'_>) -> Option<Value> {
        let [old, a, b] = three;
        if a == b || b == old {
            return a.cloned();
        }
        if a == old {
            return b.cloned();
        }
        let below = if at.is_empty() { Below::Words } else { below(keys, key, a.or(b)?) };
        match (a, b) {
            (Some(Value::Object(x)), Some(Value::Object(y))) if below != Below::Data => {
                let keys = if below == Below::Words { Keys::Words } else { Keys::Names };
                if keys == Keys::Words && types_part(three) {
                    return self.conflict(at, a, b);
                }
                Some(self.objects(at, keys, old, x, y))
            }
            (Some(Value::Array(x)), Some(Value::Array(y)))
                if keys == Keys::Words && (below != Below::Data || is_set(key)) =>
            {
                match self.lists(at, key, old, x, y) {
                    Some(list) => Some(Value::Array(list)),
                    None => self.conflict(at, a, b),
                }
            }
            _ => self.conflict(at, a, b),
        }
    }

    fn objects(
        &mut self,
        at: &str,
        keys: Keys,
        old: Option<&Value>,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
    ) -> Value {
        let old = old.and_then(Value::as_object);
        let merged = unite_keys(a, b).into_iter().filter_map(|key| {
            let three = [old.and_then(|old| old.get(key)), a.get(key), b.get(key)];
            Some((key.to_owned(), self.value(&join_pointer(at, key), keys, key, three)?))
        });
        Value::Object(merged.collect())
    }

    fn conflict(
        &mut self,
        at: &str,
        ours: Option<&Value>,
        theirs: Option<&Value>,
    ) -> Option<Value> {
        self.conflicts.push(Conflict {
            pointer: at.to_owned(),
            ours: ours.cloned(),
            theirs: theirs.cloned(),
        });
        if self.policy == ConflictPolicy::Last { theirs.cloned() } else { ours.cloned() }
    }
}

/// Data lists that are sets nevertheless.
fn is_set(key: &str) -> bool {
    matches!(key, "enum" | "x-hmt-replay")
}

/// True if one side changed the type of a schema and the other changed anything: keywords of one
/// type are meaningless for another.
fn types_part([old, a, b]: Three<'_>) -> bool {
    let kind = |value: Option<&Value>| {
        let kind = value?.get("type")?;
        (kind.is_string() || kind.is_array()).then(|| kind.clone())
    };
    let (old, a, b) = (kind(old), kind(a), kind(b));
    old.is_some() && a.is_some() && b.is_some() && a != b
}

#[cfg(test)]
mod tests;
