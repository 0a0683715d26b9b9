//! The JSON bodies of all operations, brought into one graph before any schema is written.

use std::collections::BTreeMap;

use super::graph::{Graph, Side, SlotId};
use crate::exchange::Method;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Body, Json, Operation};

/// Where a body stands: in requests, or in responses of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Request,
    FailedRequest,
    Response(u16),
}

impl Part {
    /// What is asked and what is answered differ in what is required, and requests that failed are no evidence of what is
    /// valid: only bodies of one side are ever united.
    fn side(self) -> Side {
        match self {
            Part::Request => Side::Request,
            Part::FailedRequest => Side::Failed,
            Part::Response(_) => Side::Response,
        }
    }
}

/// The JSON bodies of an operation.
pub(super) fn of_operation(operation: &Operation) -> impl Iterator<Item = &Json> {
    let asked = [&operation.ok, &operation.failed, &operation.unanswered];
    let asked = asked.into_iter().flat_map(|asked| asked.bodies.iter());
    let answered = operation.responses.values().flat_map(|answered| answered.bodies.iter());
    asked.chain(answered).flat_map(|(_, body)| {
        let parts = body.parts.iter().flat_map(|parts| parts.fields.iter());
        let whole = [body.json.as_deref(), body.items.as_deref()].into_iter().flatten();
        whole.chain(parts.filter_map(|(_, part)| part.json.as_deref()))
    })
}

/// The places of bodies in the graph.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// By the media type, and the name of the part of a form; the name of the body itself is empty.
    slots: BTreeMap<(Method, Part, String, String), SlotId>,
}

impl Bodies {
    /// Adds the bodies of a path's operations. `noun` is what the path is about.
    pub(super) fn add(
        operations: &BTreeMap<Method, Box<Operation>>,
        noun: &str,
        graph: &mut Graph<'_>,
    ) -> Self {
        let mut bodies = Bodies::default();
        for (method, operation) in operations {
            bodies.add_all(*method, Part::Request, &operation.ok.bodies, noun, graph);
            bodies.add_all(*method, Part::FailedRequest, &operation.failed.bodies, noun, graph);
            for (status, answered) in &operation.responses {
                // What a server says of errors is its own kind of thing.
                let noun = if *status >= 400 { "error" } else { noun };
                bodies.add_all(*method, Part::Response(*status), &answered.bodies, noun, graph);
            }
        }
        bodies
    }

    fn add_all(
        &mut self,
        method: Method,
        part: Part,
        bodies: &CappedMap<Body>,
        noun: &str,
        graph: &mut Graph<'_>,
    ) {
        for (media, body) in bodies.sorted() {
            if !body.is_described() {
                continue;
            }
            // A sequence is never one JSON text besides.
            if let Some(json) = body.json.as_ref().or(body.items.as_ref()) {
                let slot = graph.add(json, noun, part.side());
                self.slots.insert((method, part, media.to_owned(), String::new()), slot);
            }
            for (name, field) in body.parts.iter().flat_map(|parts| parts.fields.sorted()) {
                if let Some(json) = &field.json {
                    let slot = graph.add(json, name, part.side());
                    self.slots.insert((method, part, media.to_owned(), name.to_owned()), slot);
                }
            }
        }
    }

    pub(super) fn slot(&self, method: Method, part: Part, media: &str) -> Option<SlotId> {
        self.field(method, part, media, "")
    }

    /// The place of the parts of a name in forms.
    pub(super) fn field(
        &self,
        method: Method,
        part: Part,
        media: &str,
        name: &str,
    ) -> Option<SlotId> {
        self.slots.get(&(method, part, media.to_owned(), name.to_owned())).copied()
    }
}
