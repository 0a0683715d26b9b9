//! The plans that generate values, by their schemas.

use std::collections::HashMap;
use std::sync::Arc;

use crate::conform::Api;
use crate::fake::{Plan, plain_text};
use crate::schema::{Direction, NodeId, SchemaSet};

/// How a value is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) struct Making {
    /// New data throughout, instead of samples.
    pub(in crate::mock) dynamic: bool,
    pub(in crate::mock) seed: u64,
}

impl Making {
    pub(super) fn json(self, plan: &Plan, out: &mut Vec<u8>) {
        if self.dynamic { plan.generate(self.seed, out) } else { plan.compose(self.seed, out) }
    }

    pub(super) fn text(self, plan: &Plan) -> String {
        let mut out = Vec::new();
        self.json(plan, &mut out);
        plain_text(&out)
    }

    /// The same seed for another value, because two dates should differ.
    pub(in crate::mock) fn at(self, place: u64) -> Making {
        Making { seed: self.seed.wrapping_add(place), ..self }
    }
}

/// Compiles plans, one for each schema: many operations share their errors.
pub(super) struct SchemaPlans<'a> {
    pub(super) schemas: &'a SchemaSet,
    known: HashMap<NodeId, Arc<Plan>>,
}

impl<'a> SchemaPlans<'a> {
    /// The plans of all bodies, compiled together, because they have much in common.
    pub(super) fn of_bodies(api: &'a Api) -> Self {
        let responses = api.operations.iter().flat_map(|operation| &operation.responses);
        let media = responses.flat_map(|(_, response)| &response.content);
        let schemas =
            media.flat_map(|(_, media)| [media.schema, media.item_schema, media.data_schema]);
        let schemas = schemas.flatten();
        let mut bodies: Vec<NodeId> = schemas.map(|id| api.schemas.target(id)).collect();
        bodies.sort_unstable();
        bodies.dedup();
        let plans = Plan::compile_all(&api.schemas, &bodies, Direction::Response);
        let known = bodies.into_iter().zip(plans.into_iter().map(Arc::new)).collect();
        SchemaPlans { schemas: &api.schemas, known }
    }

    pub(super) fn of(&mut self, schema: NodeId) -> Arc<Plan> {
        let schemas = self.schemas;
        let schema = schemas.target(schema);
        let plan = self
            .known
            .entry(schema)
            .or_insert_with(|| Arc::new(Plan::compile(schemas, schema, Direction::Response)));
        Arc::clone(plan)
    }

    /// All compiled plans, in any order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Plan> {
        self.known.values().map(Arc::as_ref)
    }
}
