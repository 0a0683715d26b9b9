//! Names operations: `tags`, `summary` and `operationId`.

mod operation_ids;
mod segments;
mod shape;
mod summaries;
mod verbs;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{Operation, Tag};

use crate::exchange::Method;
use crate::infer::state::ObservedOperation;
use operation_ids::{UnnamedOperation, operation_ids};
use segments::subject;
use shape::{PathShape, Siblings};
use summaries::summary;
use wording::Wording;

/// A path with its operations.
pub(crate) struct Labelled<'a> {
    /// The path, with `{}` for each parameter.
    pub(crate) key: &'a str,
    pub(crate) parameters: Vec<&'a str>,
    pub(crate) operations: &'a BTreeMap<Method, Box<ObservedOperation>>,
}

/// The names of all operations of a document.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    of: BTreeMap<(String, Method), Label>,
}

#[derive(Debug)]
struct Label {
    id: String,
    summary: String,
    tag: Option<String>,
}

impl Labels {
    /// Names all operations.
    pub(crate) fn of(paths: &[Labelled<'_>]) -> Labels {
        let keys: BTreeSet<&str> = paths.iter().map(|path| path.key).collect();
        let mut wordings = Vec::new();
        for path in paths {
            let siblings = Siblings::of(path.key, &keys);
            for (method, operation) in path.operations {
                let shape = PathShape::of(path.key, operation, siblings);
                wordings.push((path, *method, Wording::of(path.key, *method, shape)));
            }
        }
        let named = wordings.iter().map(|(path, method, wording)| UnnamedOperation {
            key: path.key,
            method: *method,
            parameters: path.parameters.clone(),
            wording,
        });
        let mut ids = operation_ids(named.collect());
        let label = |(path, method, wording): (&Labelled<'_>, Method, Wording)| {
            let name = (path.key.to_owned(), method);
            let id = ids.remove(&name).unwrap_or_default();
            (name, Label { id, summary: summary(&wording), tag: subject(path.key) })
        };
        Labels { of: wordings.into_iter().map(label).collect() }
    }

    /// Writes the names of an operation.
    pub(crate) fn write(&self, key: &str, method: Method, operation: &mut Operation) {
        let Some(label) = self.of.get(&(key.to_owned(), method)) else { return };
        operation.tags.extend(label.tag.clone());
        operation.summary = Some(label.summary.clone());
        operation.operation_id = Some(label.id.clone());
    }

    /// `tags` of the document: all tags, sorted by name.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        let names: BTreeSet<&String> =
            self.of.values().filter_map(|label| label.tag.as_ref()).collect();
        names.into_iter().map(|name| Tag { name: name.clone(), ..Tag::default() }).collect()
    }
}
