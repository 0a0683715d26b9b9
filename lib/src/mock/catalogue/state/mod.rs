//! Compiles the operations that keep state from a document: kinds of entities, and what each
//! operation does with them.
//!
//! `plan` has the types. Kinds are declared by annotations (`annotated`), or found by the shape of
//! paths and schemas (`infer`). `places` finds entities within bodies, `query` interprets the
//! parameters of lists, `page` finds the members of an envelope that describe a page, and `seeds`
//! collects the initial entities.

mod annotated;
mod infer;
mod names;
mod operation;
mod page;
mod places;
mod plan;
mod query;
mod seeds;
mod target;
mod templates;

use std::collections::HashMap;

use serde_json::Value;

use crate::conform::Api;

use super::super::world::Initial;

pub(in crate::mock) use names::same_name;
pub(in crate::mock) use page::{FieldRole, PageField};
pub(in crate::mock) use places::{EntityPlace, ItemPlace, ListPlace};
pub(in crate::mock) use plan::{KindPlan, Role, StateOperation, StatePlan};
pub(in crate::mock) use query::{PAGE_SIZES, QueryPlan, QueryRole, RangeRule, role_of};
pub(in crate::mock) use target::target;

impl StatePlan {
    /// The stateful part of a document; `None` if it has none. `infer`: also find collections that
    /// are not annotated.
    pub(in crate::mock) fn compile(api: &Api, root: &Value, infer: bool) -> Option<StatePlan> {
        let mut plan = StatePlan {
            kinds: Vec::new(),
            operations: api.operations.iter().map(|_| None).collect(),
            plans: HashMap::new(),
        };
        annotated::add(&mut plan, api, root);
        if infer {
            infer::add(&mut plan, api, root);
        }
        if plan.kinds.is_empty() {
            return None;
        }
        plan.compile_plans(&api.schemas);
        Some(plan)
    }

    /// Adds the kinds, and the entities that the document has for them.
    pub(in crate::mock) fn seed(&self, api: &Api, root: &Value, initial: &mut Initial) {
        seeds::add(self, api, root, initial);
    }
}
