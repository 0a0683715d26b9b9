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
    asked.chain(answered).filter_map(|(_, body)| body.json.as_deref())
}

/// The places of bodies in the graph.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    slots: BTreeMap<(Method, Part, String), SlotId>,
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
            if let Some(json) = body.json.as_ref().filter(|_| body.is_described()) {
                let slot = graph.add(json, noun, part.side());
                self.slots.insert((method, part, media.to_owned()), slot);
            }
        }
    }

    pub(super) fn slot(&self, method: Method, part: Part, media: &str) -> Option<SlotId> {
        self.slots.get(&(method, part, media.to_owned())).copied()
    }
}
