//! Documents, paths and operations.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Impact::{Breaking, Compatible, Unknown};
use super::Walk;
use crate::spec::{Document, METHODS, Place};

/// An operation, with the parts of its path item that apply to all operations.
#[derive(Clone)]
pub(super) struct ComparedOperation<'v> {
    method: String,
    pub(super) template: &'v str,
    pub(super) item: Place<'v>,
    pub(super) place: Place<'v>,
}

impl Walk {
    pub(super) fn documents(&mut self, old: &Document, new: &Document) {
        let (old, new) = (Place::root(&old.root), Place::root(&new.root));
        self.servers(&old, &new);
        self.security_schemes(&old, &new);
        self.operations(&old, &new, "paths");
        self.operations(&old, &new, "webhooks");
    }

    fn operations(&mut self, old: &Place<'_>, new: &Place<'_>, key: &str) {
        let is_webhook = key == "webhooks";
        let (before, after) = (operations(old, key), operations(new, key));
        for was in &before {
            let is = after.iter().find(|is| is.is_same(was));
            self.method.clone_from(&was.method);
            self.path = was.template.to_owned();
            if let Some(is) = is {
                self.path = is.template.to_owned();
                self.operation(was, is, (old, new));
                continue;
            }
            let whole = !after.iter().any(|is| is.path_key() == was.path_key());
            let deprecated = was.place.flag("deprecated");
            let (verdict, rule) = match (is_webhook, whole, deprecated) {
                (true, ..) => (Breaking, "webhook-removed"),
                (_, true, false) => (Breaking, "api-path-removed-without-deprecation"),
                (_, true, true) => (Compatible, "api-path-removed-with-deprecation"),
                (_, false, false) => (Breaking, "api-removed-without-deprecation"),
                (_, false, true) => (Compatible, "api-removed-with-deprecation"),
            };
            let text = if whole { "the path was removed" } else { "the operation was removed" };
            self.add(verdict, rule, &was.place.pointer, text);
        }
        for is in &after {
            if !before.iter().any(|was| is.is_same(was)) {
                self.method.clone_from(&is.method);
                self.path = is.template.to_owned();
                let rule = if is_webhook { "webhook-added" } else { "endpoint-added" };
                self.add(Compatible, rule, &is.place.pointer, "the operation was added");
            }
        }
        self.method.clear();
        self.path.clear();
    }

    fn operation(
        &mut self,
        old: &ComparedOperation<'_>,
        new: &ComparedOperation<'_>,
        (old_root, new_root): (&Place<'_>, &Place<'_>),
    ) {
        let pointer = &new.place.pointer;
        match (old.place.flag("deprecated"), new.place.flag("deprecated")) {
            (false, true) => {
                self.add(
                    Compatible,
                    "endpoint-deprecated",
                    pointer,
                    "the operation is deprecated now",
                );
            }
            (true, false) => {
                let text = "the operation is not deprecated any more";
                self.add(Compatible, "endpoint-reactivated", pointer, text);
            }
            _ => {}
        }
        match (old.place.text("operationId"), new.place.text("operationId")) {
            (Some(was), is) if is != Some(was) => {
                let text = format!("the operationId {was} was removed");
                self.add(Compatible, "api-operation-id-removed", pointer, text);
            }
            (None, Some(is)) => {
                let text = format!("the operationId {is} was added");
                self.add(Compatible, "api-operation-id-added", pointer, text);
            }
            _ => {}
        }
        self.tags(old, new);
        self.security((old_root, old), (new_root, new));
        self.parameters(old, new);
        self.request_body(old, new);
        self.responses(old, new);
    }

    fn tags(&mut self, old: &ComparedOperation<'_>, new: &ComparedOperation<'_>) {
        let tags = |operation: &ComparedOperation<'_>| -> BTreeSet<String> {
            let tags = operation.place.value.get("tags").and_then(Value::as_array);
            tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (before, after) = (tags(old), tags(new));
        for tag in before.difference(&after) {
            let text = format!("the tag {tag} was removed");
            self.add(Compatible, "api-tag-removed", &new.place.pointer, text);
        }
        for tag in after.difference(&before) {
            let text = format!("the tag {tag} was added");
            self.add(Compatible, "api-tag-added", &new.place.pointer, text);
        }
    }

    fn security(
        &mut self,
        (old_root, old): (&Place<'_>, &ComparedOperation<'_>),
        (new_root, new): (&Place<'_>, &ComparedOperation<'_>),
    ) {
        let (before, after) =
            (alternatives(old_root, &old.place), alternatives(new_root, &new.place));
        let pointer = &new.place.pointer;
        for asked in after.difference(&before) {
            // A further alternative changes nothing for clients. The first one requires credentials
            // that clients of the old spec do not send.
            let verdict = if before.is_empty() { Unknown } else { Compatible };
            let text = format!("the security requirement {asked} was added");
            self.add(verdict, "api-security-added", pointer, text);
        }
        for asked in before.difference(&after) {
            let verdict = if after.is_empty() { Compatible } else { Unknown };
            let text = format!("the security requirement {asked} was removed");
            self.add(verdict, "api-security-removed", pointer, text);
        }
    }

    fn servers(&mut self, old: &Place<'_>, new: &Place<'_>) {
        let urls = |root: &Place<'_>| -> Vec<String> {
            let servers = root.get("servers");
            let servers = servers.iter().flat_map(Place::items);
            servers.filter_map(|server| server.text("url").map(str::to_owned)).collect()
        };
        let (before, after) = (urls(old), urls(new));
        for url in before.iter().filter(|url| !after.contains(url)) {
            self.add(
                Unknown,
                "server-removed",
                "/servers",
                format!("the server {url} was removed"),
            );
        }
        for url in after.iter().filter(|url| !before.contains(url)) {
            self.add(Compatible, "server-added", "/servers", format!("the server {url} was added"));
        }
    }

    fn security_schemes(&mut self, old: &Place<'_>, new: &Place<'_>) {
        let (before, after) = (schemes(old), schemes(new));
        let find = |all: &Option<Place<'_>>, name: &str| {
            all.as_ref().and_then(|all| all.value.get(name)).cloned()
        };
        for (name, place) in before.iter().flat_map(Place::members) {
            match find(&after, name) {
                None => {
                    let text = format!("the security scheme {name} was removed");
                    self.add(Compatible, "api-security-component-removed", &place.pointer, text);
                }
                Some(is) if is.get("type") != place.value.get("type") => {
                    let text = format!("the type of the security scheme {name} has changed");
                    let rule = "api-security-component-type-changed";
                    self.add(Compatible, rule, &place.pointer, text);
                }
                Some(_) => {}
            }
        }
        for (name, place) in after.iter().flat_map(Place::members) {
            if find(&before, name).is_none() {
                let text = format!("the security scheme {name} was added");
                self.add(Compatible, "api-security-component-added", &place.pointer, text);
            }
        }
    }
}

impl ComparedOperation<'_> {
    fn is_same(&self, other: &ComparedOperation<'_>) -> bool {
        self.method == other.method && self.path_key() == other.path_key()
    }

    /// The path without the names of its parameters and without a trailing slash, which do not
    /// change requests.
    fn path_key(&self) -> String {
        let mut key = String::new();
        let mut within = false;
        for c in self.template.trim_end_matches('/').chars() {
            match c {
                '{' => within = true,
                '}' => within = false,
                _ if within => continue,
                _ => {}
            }
            key.push(c);
        }
        key
    }

    /// The names of the parameters of the path, in their order.
    pub(super) fn path_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut rest = self.template;
        while let Some((_, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            names.push(name);
            rest = after;
        }
        names
    }
}

/// All operations of `paths` or `webhooks`.
fn operations<'v>(root: &Place<'v>, key: &str) -> Vec<ComparedOperation<'v>> {
    let mut found = Vec::new();
    for (template, item) in root.get(key).iter().flat_map(Place::members) {
        let Ok(item) = item.target() else { continue };
        let mut add = |method: &str, place: Place<'v>| {
            if place.value.is_object() {
                let method = method.to_ascii_lowercase();
                found.push(ComparedOperation { method, template, item: item.clone(), place });
            }
        };
        for method in METHODS.iter().copied().chain(["query"]) {
            if let Some(place) = item.get(method) {
                add(method, place);
            }
        }
        for (method, place) in item.get("additionalOperations").iter().flat_map(Place::members) {
            add(method, place);
        }
    }
    found
}

/// The security schemes of a document.
fn schemes<'v>(root: &Place<'v>) -> Option<Place<'v>> {
    root.get("components")?.get("securitySchemes")
}

/// The alternatives of a security requirement, each as the names of the schemes that are sent
/// together. Empty if no credentials are required.
fn alternatives(root: &Place<'_>, operation: &Place<'_>) -> BTreeSet<String> {
    let own = operation.value.get("security").or_else(|| root.value.get("security"));
    let list = own.and_then(Value::as_array);
    let mut all: BTreeSet<String> = list
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|schemes| {
            let mut names: Vec<&str> = schemes.keys().map(String::as_str).collect();
            names.sort_unstable();
            names.join(" and ")
        })
        .collect();
    // An alternative can be empty.
    if all.remove("") {
        all.clear();
    }
    all
}
