//! The shared state of a merge: the policy for differing values, and the conflicts found.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::schema::{self, Dialect, unite_keys};
use crate::spec::join_pointer;

/// How differing values are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// Schemas are joined. If other values differ, the one that sorts first is kept, regardless of
    /// its document.
    #[default]
    Union,
    /// Schemas are joined. If other values differ, those of the first document are kept, because
    /// people wrote them, and traffic is only added.
    Widen,
    /// The value of the first document is kept.
    First,
    /// The value of the last document is kept.
    Last,
    /// Merging fails and names each location.
    Error,
}

impl ConflictPolicy {
    /// True if the result describes everything that either document describes.
    pub(super) fn joins(self) -> bool {
        matches!(self, ConflictPolicy::Union | ConflictPolicy::Widen)
    }
}

impl FromStr for ConflictPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "union" => Ok(ConflictPolicy::Union),
            "first" => Ok(ConflictPolicy::First),
            "last" => Ok(ConflictPolicy::Last),
            "error" => Ok(ConflictPolicy::Error),
            _ => Err(format!("{text:?} must be union, first, last or error")),
        }
    }
}

/// Why documents cannot be merged.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum MergeError {
    #[error("nothing to merge")]
    Nothing,
    #[error(
        "{source_name} differs from the documents before it; select a value with --conflict union, first or last:\n  {}",
        pointers.join("\n  ")
    )]
    Conflict { source_name: String, pointers: Vec<String> },
    #[error("the merged document has broken references, which is a bug in hmt-merge:\n  {}", pointers.join("\n  "))]
    References { pointers: Vec<String> },
}

/// Inferred data about the components of a checked document.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// The schema inferred for all locations of each component.
    pub(super) inferred: BTreeMap<String, Value>,
    /// The inferred components in the locations of each component.
    pub(super) met: BTreeMap<String, BTreeSet<String>>,
}

/// The documents that contain the two values being merged, for their references.
pub(super) type Roots<'r> = (&'r Value, &'r Value);

/// The state of merging two documents.
pub(super) struct Context {
    pub(super) policy: ConflictPolicy,
    pub(super) dialect: Dialect,
    pub(super) conflicts: Vec<String>,
    /// The components of both documents.
    pub(super) schemas: [Value; 2],
    /// Set if the first document was checked against the traffic behind the second: it is only
    /// added to.
    pub(super) kept: Option<Kept>,
}

impl Context {
    /// True if the first document is only added to.
    pub(super) fn keeps_ours(&self) -> bool {
        self.kept.is_some()
    }

    /// Chooses one of two values that cannot both be kept.
    pub(super) fn choose(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        if a == b {
            return a.clone();
        }
        match self.policy {
            ConflictPolicy::Union => {
                let (text, other) = (a.to_string(), b.to_string());
                if text <= other { a.clone() } else { b.clone() }
            }
            ConflictPolicy::First | ConflictPolicy::Widen => a.clone(),
            ConflictPolicy::Last => b.clone(),
            ConflictPolicy::Error => {
                self.conflicts.push(at.to_owned());
                a.clone()
            }
        }
    }

    /// Merges two schemas.
    pub(super) fn schema(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        // If no body could be read on one side, only the other side is known.
        if schema::is_unread(b) {
            return a.clone();
        }
        if schema::is_unread(a) {
            return b.clone();
        }
        match self.policy {
            ConflictPolicy::Union => schema::join(a, b, self.dialect),
            ConflictPolicy::Widen if self.kept.is_some() => self.extend(a, b),
            ConflictPolicy::Widen => {
                let (a, b) = self.both_in_place(a, b);
                schema::join(a, b, self.dialect)
            }
            _ => self.choose(at, a, b),
        }
    }

    /// Keeps an inline schema of a user: if the other side is a reference, that reference is
    /// followed. A union keeps both, because its result must not depend on the order, and the
    /// target may still change.
    fn both_in_place<'v>(&'v self, a: &'v Value, b: &'v Value) -> (&'v Value, &'v Value) {
        let [ours, theirs] = &self.schemas;
        match (a.get("$ref").is_some(), b.get("$ref").is_some()) {
            (true, false) => (followed(ours, a), b),
            (false, true) => (a, followed(theirs, b)),
            _ => (a, b),
        }
    }

    /// Merges two values of any kind: objects key by key, lists as unions, others with
    /// [`Context::choose`].
    pub(super) fn any(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                Value::Object(self.maps(at, a, b, |this, at, _, a, b| this.any(at, a, b)))
            }
            (Value::Array(a), Value::Array(b)) => Value::Array(unite_lists(a, b)),
            _ => self.choose(at, a, b),
        }
    }

    /// Merges two objects: a key of only one of them is copied; `both` merges the others.
    pub(super) fn maps(
        &mut self,
        at: &str,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
        mut both: impl FnMut(&mut Self, &str, &str, &Value, &Value) -> Value,
    ) -> Map<String, Value> {
        let keys = unite_keys(a, b);
        keys.into_iter()
            .filter_map(|key| {
                let value = match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => both(self, &join_pointer(at, key), key, a, b),
                    (Some(value), None) | (None, Some(value)) => value.clone(),
                    (None, None) => return None,
                };
                Some((key.to_owned(), value))
            })
            .collect()
    }
}

/// The target of a reference to a component, or the value itself.
fn followed<'v>(schemas: &'v Value, value: &'v Value) -> &'v Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
        .and_then(|name| schemas.get(name))
        .unwrap_or(value)
}

/// The union of two lists: sorted by text if both are, otherwise the first list followed by new
/// elements.
pub(super) fn unite_lists(a: &[Value], b: &[Value]) -> Vec<Value> {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|value| !a.contains(value)).cloned());
    let sorted = |list: &[Value]| list.is_sorted_by_key(Value::to_string);
    if sorted(a) && sorted(b) {
        all.sort_by_key(Value::to_string);
    }
    all
}
