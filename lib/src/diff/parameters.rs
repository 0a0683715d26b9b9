//! Parameters of operations.

use super::Impact::{Breaking, Compatible, Unknown};
use super::Walk;
use super::paths::ComparedOperation;
use super::scope::{Scope, Sender};
use crate::spec::Place;

/// A parameter of an operation or its path item.
struct Parameter<'v> {
    location: &'v str,
    name: &'v str,
    /// Identifies a parameter: header names ignore case, and path parameters are identified by
    /// their order.
    key: String,
    required: bool,
    place: Place<'v>,
}

impl Walk {
    pub(super) fn parameters(&mut self, old: &ComparedOperation<'_>, new: &ComparedOperation<'_>) {
        let (before, after) = (parameters(old), parameters(new));
        for was in &before {
            let same = |is: &&Parameter<'_>| is.location == was.location && is.key == was.key;
            match after.iter().find(same) {
                Some(is) => self.parameter(was, is),
                // A parameter that is no longer in the template is a change of the path.
                None if was.location == "path" => {}
                None => {
                    let (verdict, rule) = if was.place.flag("deprecated") {
                        (Compatible, "request-parameter-removed-with-deprecation")
                    } else {
                        (Unknown, "request-parameter-removed")
                    };
                    self.add(verdict, rule, &was.place.pointer, was.tell("was removed"));
                }
            }
        }
        for is in &after {
            if before.iter().any(|was| is.location == was.location && is.key == was.key) {
                continue;
            }
            let (verdict, rule, text) = match (is.location, is.required) {
                ("path", _) => (Breaking, "new-request-path-parameter", "was added"),
                (_, true) => (Breaking, "new-required-request-parameter", "was added, required"),
                (_, false) => (Compatible, "new-optional-request-parameter", "was added, optional"),
            };
            self.add(verdict, rule, &is.place.pointer, is.tell(text));
        }
    }

    fn parameter(&mut self, was: &Parameter<'_>, is: &Parameter<'_>) {
        let pointer = &is.place.pointer;
        match (was.required, is.required) {
            (false, true) => {
                let text = is.tell("became required");
                self.add(Breaking, "request-parameter-became-required", pointer, text);
            }
            (true, false) => {
                let text = is.tell("became optional");
                self.add(Compatible, "request-parameter-became-optional", pointer, text);
            }
            _ => {}
        }
        match (was.place.flag("deprecated"), is.place.flag("deprecated")) {
            (false, true) => {
                let text = is.tell("is deprecated now");
                self.add(Compatible, "request-parameter-deprecated", pointer, text);
            }
            (true, false) => {
                let text = is.tell("is not deprecated any more");
                self.add(Compatible, "request-parameter-reactivated", pointer, text);
            }
            _ => {}
        }
        if was.style() != is.style() {
            let text = is.tell("is serialised in another style");
            self.add(Breaking, "request-parameter-style-changed", pointer, text);
        }
        let (side, part) = (Sender::Request, "parameter");
        let scope = Scope { side, part, name: is.name_for_people(), way: String::new() };
        self.compared.clear();
        match (was.schema(), is.schema()) {
            (Some(was), Some(is)) => self.schema(&was, &is, &scope),
            (None, Some(schema)) => {
                let text = is.tell("has a schema now");
                self.add(Unknown, "request-parameter-schema-added", &schema.pointer, text);
            }
            (Some(_), None) => {
                let text = is.tell("has no schema any more");
                self.add(Compatible, "request-parameter-schema-removed", pointer, text);
            }
            (None, None) => {}
        }
    }
}

impl<'v> Parameter<'v> {
    fn name_for_people(&self) -> String {
        format!("the {} parameter {}", self.location, self.name)
    }

    fn tell(&self, what: &str) -> String {
        format!("{}: {what}", self.name_for_people())
    }

    fn schema(&self) -> Option<Place<'v>> {
        let content = || {
            let (_, media) = self.place.get("content")?.members().next()?;
            media.get("schema")
        };
        self.place.get("schema").or_else(content)
    }

    /// The style and whether it is exploded, with the defaults of its location.
    fn style(&self) -> (String, bool) {
        let default = if matches!(self.location, "path" | "header") { "simple" } else { "form" };
        let style = self.place.text("style").unwrap_or(default);
        let explode = self.place.value.get("explode").and_then(serde_json::Value::as_bool);
        (style.to_owned(), explode.unwrap_or(style == "form"))
    }
}

/// The parameters of a path item and an operation; those of the operation win.
fn parameters<'v>(operation: &'v ComparedOperation<'v>) -> Vec<Parameter<'v>> {
    let names = operation.path_names();
    let mut found: Vec<Parameter<'v>> = Vec::new();
    for owner in [&operation.item, &operation.place] {
        for place in owner.get("parameters").iter().flat_map(Place::items) {
            let Ok(place) = place.target() else { continue };
            let (Some(location), Some(name)) = (place.text("in"), place.text("name")) else {
                continue;
            };
            let key = match location {
                "header" => name.to_ascii_lowercase(),
                "path" => match names.iter().position(|known| *known == name) {
                    Some(at) => at.to_string(),
                    None => continue,
                },
                _ => name.to_owned(),
            };
            let required = location == "path" || place.flag("required");
            found.retain(|known| known.location != location || known.key != key);
            found.push(Parameter { location, name, key, required, place });
        }
    }
    // OpenAPI ignores these headers, because other keywords describe them.
    let elsewhere = ["accept", "content-type", "authorization"];
    found.retain(|known| known.location != "header" || !elsewhere.contains(&known.key.as_str()));
    found
}
