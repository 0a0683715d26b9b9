//! The JSON bodies of all operations, collected in one graph before schemas are written.

use std::collections::BTreeMap;

use crate::exchange::Method;
use crate::infer::finalise::schemas::graph::{BodySide, Graph, SlotId};
use crate::infer::sketch::CappedMap;
use crate::infer::state::{ObservedBody, ObservedOperation};

/// The position of a body: in requests, or in responses of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BodyPosition {
    Request,
    FailedRequest,
    Response(u16),
}

impl BodyPosition {
    /// Only bodies of the same side are united, because requests and responses have different
    /// required properties, and failed requests do not show which values are valid.
    fn side(self) -> BodySide {
        match self {
            BodyPosition::Request => BodySide::Request,
            BodyPosition::FailedRequest => BodySide::Failed,
            BodyPosition::Response(_) => BodySide::Response,
        }
    }
}

/// The slots of bodies in the graph.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    /// By media type and form part; the body itself has an empty part name.
    slots: BTreeMap<(Method, BodyPosition, String, String), SlotId>,
}

impl Bodies {
    /// Adds the bodies of a path's operations. `noun` is the subject of the path.
    pub(crate) fn add(
        operations: &BTreeMap<Method, Box<ObservedOperation>>,
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
        bodies: &CappedMap<ObservedBody>,
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

    pub(crate) fn slot(&self, method: Method, part: BodyPosition, media: &str) -> Option<SlotId> {
        self.field(method, part, media, "")
    }

    /// The slot of the parts with this name in forms.
    pub(crate) fn field(
        &self,
        method: Method,
        part: BodyPosition,
        media: &str,
        name: &str,
    ) -> Option<SlotId> {
        self.slots.get(&(method, part, media.to_owned(), name.to_owned())).copied()
    }
}
