//! Decides which path items of two documents are the same path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::context::{Context, Roots};
use super::servers;
use super::side::SourceSpec;
use super::subsume::Templates;
use super::target::target;
use crate::schema::unite_keys;
use crate::spec::{METHODS, join_pointer, order};

type Object = Map<String, Value>;

/// A path item of the result.
#[derive(Clone)]
struct Item {
    template: String,
    item: Object,
    servers: Vec<Value>,
}

impl<'v> SourceSpec<'v> {
    pub(super) fn new(root: &'v Value, servers: Vec<Value>) -> Self {
        SourceSpec { root, servers }
    }

    fn paths(&self, key: &str) -> Object {
        match self.root.get(key) {
            Some(Value::Object(paths)) => paths.clone(),
            _ => Object::new(),
        }
    }
}

/// The names of a template's parameters, in order.
pub(super) fn names(template: &str) -> Vec<String> {
    let pieces = template.split('{').skip(1);
    pieces.filter_map(|piece| Some(piece.split_once('}')?.0.to_owned())).collect()
}

/// The template with other parameter names, if their number is equal.
fn with_names(template: &str, names: &[String]) -> String {
    let mut out = String::new();
    let mut names = names.iter();
    let mut rest = template;
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        out.push_str(before);
        out.push('{');
        out.push_str(names.next().map_or("", String::as_str));
        out.push('}');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Two templates with the same structure are the same path: parameter names do not count, nor does
/// a trailing slash.
pub(super) fn structure(template: &str, exact: bool) -> String {
    let bare = with_names(template, &[]);
    match bare.strip_suffix('/') {
        Some(rest) if !exact && !rest.is_empty() => rest.to_owned(),
        _ => bare,
    }
}

/// The structures for which a document has both spellings, with and without a trailing slash.
fn spelled_twice(paths: &Object) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let bare = paths.keys().map(|template| structure(template, false));
    bare.filter(|structure| !seen.insert(structure.clone())).collect()
}

impl Context {
    /// Unites the paths of two documents; `all` are the servers of the result.
    pub(super) fn paths(
        &mut self,
        key: &str,
        a: &SourceSpec<'_>,
        b: &SourceSpec<'_>,
        all: &[Value],
    ) -> Object {
        let (ours, theirs) = (a.paths(key), b.paths(key));
        let mut twice = spelled_twice(&ours);
        twice.extend(spelled_twice(&theirs));
        let under_ours = Templates::new(a, key, &ours, b, &theirs);
        let under_theirs = Templates::new(b, key, &theirs, a, &ours);
        let identity = |template: &str| {
            let exact = key == "webhooks" || twice.contains(&structure(template, false));
            structure(template, exact)
        };
        let mut items: BTreeMap<String, Item> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        // First the separate paths, then the literal paths that are united with templates.
        for (side, paths, upper) in [(a, &ours, &under_theirs), (b, &theirs, &under_ours)] {
            for (template, item) in paths {
                let Value::Object(item) = item else { continue };
                if template.starts_with("x-") || upper.of(template).is_some() {
                    continue;
                }
                let identity = identity(template);
                let item = Item {
                    template: template.clone(),
                    servers: servers::own(item).unwrap_or_else(|| side.servers.clone()),
                    item: item.clone(),
                };
                match items.remove(&identity) {
                    None => {
                        order.push(identity.clone());
                        items.insert(identity, item);
                    }
                    Some(known) => {
                        let united = self.unite(key, known, item, (a.root, side.root));
                        items.insert(identity, united);
                    }
                }
            }
        }
        for (side, paths, upper) in [(a, &ours, &under_theirs), (b, &theirs, &under_ours)] {
            for (literal, item) in paths {
                let (Value::Object(item), Some(template)) = (item, upper.of(literal)) else {
                    continue;
                };
                let identity = identity(template);
                let Some(known) = items.remove(&identity) else { continue };
                let mut item = Item {
                    template: known.template.clone(),
                    servers: servers::own(item).unwrap_or_else(|| side.servers.clone()),
                    item: item.clone(),
                };
                if literal.ends_with('/') != known.template.ends_with('/') {
                    item.item.insert("x-hmt-trailing-slash".to_owned(), json!("both"));
                }
                // Only the template has path parameters.
                if let Some(parameters) = known.item.get("parameters") {
                    item.item.insert("parameters".to_owned(), parameters.clone());
                }
                let side_of_template = if std::ptr::eq(side.root, a.root) { b } else { a };
                let united = self.unite(key, known, item, (side_of_template.root, side.root));
                items.insert(identity, united);
            }
        }
        let mut paths = Object::new();
        for identity in order {
            let Some(Item { template, mut item, servers }) = items.remove(&identity) else {
                continue;
            };
            if servers::same(&servers, all) {
                item.shift_remove("servers");
            } else if item.get("servers") != Some(&Value::Array(servers.clone())) {
                item.insert("servers".to_owned(), Value::Array(servers));
                item = order::path_item(item);
            }
            paths.insert(template, Value::Object(item));
        }
        if ours.keys().is_sorted() && theirs.keys().is_sorted() {
            paths.sort_keys();
        }
        let extensions = |paths: &Object| -> Object {
            let extensions =
                paths.iter().filter(|(key, value)| key.starts_with("x-") || !value.is_object());
            extensions.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let (x, y) = (extensions(&ours), extensions(&theirs));
        for name in unite_keys(&x, &y) {
            let value = match (x.get(name), y.get(name)) {
                (Some(x), Some(y)) => self.any(&join_pointer("/paths", name), x, y),
                (Some(value), None) | (None, Some(value)) => value.clone(),
                (None, None) => continue,
            };
            paths.insert(name.to_owned(), value);
        }
        paths
    }

    fn unite(&mut self, key: &str, a: Item, b: Item, roots @ (root_a, root_b): Roots<'_>) -> Item {
        let (names_a, names_b) = (names(&a.template), names(&b.template));
        let wanted = names_a.clone().min(names_b.clone());
        let mut item_a = with_parameters_named(a.item, &names_a, &wanted, root_a);
        let mut item_b = with_parameters_named(b.item, &names_b, &wanted, root_b);
        tell_servers(&mut item_a, &a.servers, &item_b);
        tell_servers(&mut item_b, &b.servers, &item_a);
        let (template_a, template_b) =
            (with_names(&a.template, &wanted), with_names(&b.template, &wanted));
        let at = join_pointer(&format!("/{key}"), &a.template);
        let mut item = self.path_item(&at, &item_a, &item_b, roots);
        if template_a != template_b {
            item.insert("x-hmt-trailing-slash".to_owned(), json!("both"));
            item = order::path_item(item);
        }
        Item {
            // The shorter one of `/a` and `/a/`.
            template: template_a.min(template_b),
            item,
            servers: servers::unite(&a.servers, &b.servers),
        }
    }
}

/// Writes the servers into operations that the other document serves elsewhere; otherwise the
/// servers of the other document would apply.
fn tell_servers(item: &mut Object, servers: &[Value], other: &Object) {
    for method in METHODS {
        let told = other.get(method).is_some_and(|operation| operation.get("servers").is_some());
        if let Some(Value::Object(operation)) = item.get_mut(method).filter(|_| told) {
            operation.entry("servers").or_insert_with(|| Value::Array(servers.to_vec()));
        }
    }
}

/// The path item with renamed path parameters. A reference to a renamed parameter is replaced with
/// its target.
pub(super) fn with_parameters_named(
    mut item: Object,
    from: &[String],
    to: &[String],
    root: &Value,
) -> Object {
    if from == to {
        return item;
    }
    let renamed = |list: &mut Value| {
        for parameter in list.as_array_mut().into_iter().flatten() {
            let found = target(parameter, root);
            if found.get("in").and_then(Value::as_str) != Some("path") {
                continue;
            }
            let name = found.get("name").and_then(Value::as_str);
            let Some(index) = from.iter().position(|old| Some(old.as_str()) == name) else {
                continue;
            };
            let Some(new) = to.get(index).filter(|new| Some(new.as_str()) != name) else {
                continue;
            };
            let mut own = found.clone();
            own["name"] = json!(new);
            *parameter = own;
        }
    };
    if let Some(list) = item.get_mut("parameters") {
        renamed(list);
    }
    for method in METHODS {
        if let Some(list) =
            item.get_mut(method).and_then(|operation| operation.get_mut("parameters"))
        {
            renamed(list);
        }
    }
    item
}
