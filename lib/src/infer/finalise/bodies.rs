//! The JSON bodies of all operations, collected in one graph before schemas are written.

use std::collections::BTreeMap;

use super::graph::{Graph, Side, SlotId};
use crate::exchange::Method;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Body, Json, Operation};

/// The position of a body: in requests, or in responses of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BodyPosition {
    Request,
    FailedRequest,
    Response(u16),
}

impl BodyPosition {
    /// Only bodies of the same side are united, because requests and responses have different
    /// required properties, and failed requests do not show which values are valid.
    fn side(self) -> Side {
        match self {
            BodyPosition::Request => Side::Request,
            BodyPosition::FailedRequest => Side::Failed,
            BodyPosition::Response(_) => Side::Response,
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

/// The slots of bodies in the graph.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// By media type and form part; the body itself has an empty part name.
    slots: BTreeMap<(Method, BodyPosition, String, String), SlotId>,
}

impl Bodies {
    /// Adds the bodies of a path's operations. `noun` is the subject of the path.
    pub(super) fn add(
        operations: &BTreeMap<Method, Box<Operation>>,
        noun: &str,
        graph: &mut Graph<'_>,
    ) -> Self {
        let mut bodies = Bodies::default();
        for (method, operation) in operations {
            bodies.add_all(*method, BodyPosition::Request, &operation.ok.bodies, noun, graph);
            bodies.add_all(
                *method,
                BodyPosition::FailedRequest,
                &operation.failed.bodies,
                noun,
                graph,
            );
            for (status, answered) in &operation.responses {
                // Errors are a separate kind.
                let noun = if *status >= 400 { "error" } else { noun };
                bodies.add_all(
                    *method,
                    BodyPosition::Response(*status),
                    &answered.bodies,
                    noun,
                    graph,
                );
            }
        }
        bodies
    }

    fn add_all(
        &mut self,
        method: Method,
        part: BodyPosition,
        bodies: &CappedMap<Body>,
        noun: &str,
        graph: &mut Graph<'_>,
    ) {
        for (media, body) in bodies.sorted() {
            if !body.is_described() {
                continue;
            }
            // A body is either a single JSON text or a sequence.
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

    pub(super) fn slot(&self, method: Method, part: BodyPosition, media: &str) -> Option<SlotId> {
        self.field(method, part, media, "")
    }

    /// The slot of the parts with this name in forms.
    pub(super) fn field(
        &self,
        method: Method,
        part: BodyPosition,
        media: &str,
        name: &str,
    ) -> Option<SlotId> {
        self.slots.get(&(method, part, media.to_owned(), name.to_owned())).copied()
    }
}
