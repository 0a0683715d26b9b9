//! Merges parameter lists.

use serde_json::{Map, Value};

use super::context::{Context, Roots};
use super::target::target;

/// A parameter in a list.
#[derive(Clone)]
pub(super) struct Listed {
    /// The parameter as written, possibly a reference.
    pub(super) written: Value,
    pub(super) location: String,
    pub(super) name: String,
}

impl Listed {
    /// The parameters of a path item or operation. Invalid ones are kept without a name.
    pub(super) fn all(owner: &Map<String, Value>, root: &Value) -> Vec<Listed> {
        let list = owner.get("parameters").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .map(|written| {
                let parameter = target(written, root);
                let text = |key: &str| {
                    parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                Listed { written: written.clone(), location: text("in"), name: text("name") }
            })
            .collect()
    }

    fn is(&self, other: &Listed) -> bool {
        self.location == other.location
            && if self.location == "header" {
                self.name.eq_ignore_ascii_case(&other.name)
            } else {
                self.name == other.name
            }
    }

    /// Sorts by the usual order of locations, then by name.
    fn order(&self) -> (usize, &str) {
        let locations = ["path", "query", "header", "cookie"];
        let rank = locations.iter().position(|l| *l == self.location).unwrap_or(locations.len());
        (rank, &self.name)
    }

    /// The parameter if requests of the other document do not have it.
    fn optional(&self, root: &Value) -> Value {
        let parameter = target(&self.written, root);
        if self.location == "path" || parameter.get("required") != Some(&Value::Bool(true)) {
            return self.written.clone();
        }
        let mut parameter = parameter.clone();
        if let Value::Object(map) = &mut parameter {
            map.shift_remove("required");
        }
        parameter
    }
}

impl Context {
    /// Unites the parameters of two operations.
    pub(super) fn parameters(
        &mut self,
        at: &str,
        a: &[Listed],
        b: &[Listed],
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Vec<Value> {
        let mut all: Vec<(&Listed, Value)> = a
            .iter()
            .map(|ours| {
                let united = match b.iter().find(|theirs| theirs.is(ours)) {
                    Some(theirs) => {
                        let at = format!("{at} ({} {})", ours.location, ours.name);
                        self.parameter(&at, &ours.written, &theirs.written, roots)
                    }
                    None if self.keeps_ours() => ours.written.clone(),
                    None => ours.optional(root_a),
                };
                (ours, united)
            })
            .collect();
        for theirs in b {
            if !a.iter().any(|ours| ours.is(theirs)) {
                all.push((theirs, theirs.optional(root_b)));
            }
        }
        let sorted = |list: &[Listed]| list.is_sorted_by(|x, y| x.order() <= y.order());
        if sorted(a) && sorted(b) {
            all.sort_by(|(x, _), (y, _)| x.order().cmp(&y.order()));
        }
        all.into_iter().map(|(_, value)| value).collect()
    }
}

/// Moves the parameters of a path item into its operations, which may override them.
pub(super) fn push_down(item: &mut Map<String, Value>, root: &Value) {
    let shared = Listed::all(item, root);
    item.shift_remove("parameters");
    for method in crate::spec::METHODS {
        let Some(Value::Object(operation)) = item.get_mut(method) else { continue };
        let own = Listed::all(operation, root);
        let mut all: Vec<Value> = shared
            .iter()
            .filter(|parameter| !own.iter().any(|other| other.is(parameter)))
            .map(|parameter| parameter.written.clone())
            .collect();
        all.extend(own.into_iter().map(|parameter| parameter.written));
        if !all.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(all));
        }
    }
}
