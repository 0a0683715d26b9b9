//! The plans of the operations that keep state, and of their kinds of entities.

use std::collections::HashMap;

use serde_json::Value;

use crate::conform::{Api, OperationId, StatusKey};
use crate::fake::Plan;
use crate::schema::{Direction, NodeId, SchemaSet};

use super::super::super::world::{Initial, KindRule};
use super::names;
use super::places::{self, EntityPlace};
use super::query::QueryPlan;
use super::target::target;

/// The stateful part of a document.
#[derive(Debug)]
pub(in crate::mock) struct StatePlan {
    pub(in crate::mock) kinds: Vec<KindPlan>,
    /// By the index of the operation.
    pub(super) operations: Vec<Option<StateOperation>>,
    /// The plans that generate what clients do not send, by the schemas of entities, ids and
    /// responses.
    pub(super) plans: HashMap<NodeId, Plan>,
}

/// A kind of entities, and how they are made.
#[derive(Debug)]
pub(in crate::mock) struct KindPlan {
    pub(in crate::mock) rule: KindRule,
    /// The schema of an entity; `None` if any is valid.
    pub(in crate::mock) schema: Option<NodeId>,
    pub(in crate::mock) id: IdPlan,
    /// All members that the schema declares.
    pub(in crate::mock) members: Vec<String>,
    /// Members that only the server sets.
    pub(in crate::mock) read_only: Vec<String>,
    /// Members that responses must not contain.
    pub(in crate::mock) write_only: Vec<String>,
    /// Members with defaults.
    pub(in crate::mock) defaults: Vec<(String, Value)>,
    /// Members with the times when an entity was created and last changed.
    pub(in crate::mock) created: Vec<(String, NodeId)>,
    pub(in crate::mock) updated: Vec<(String, NodeId)>,
    /// True if annotations declare it.
    pub(in crate::mock) annotated: bool,
    /// The template of the item path, if the id is its only parameter.
    pub(in crate::mock) item_template: Option<String>,
}

/// The ids of a kind.
#[derive(Debug, Default)]
pub(in crate::mock) struct IdPlan {
    /// Schemas that ids must satisfy: of the member and of the path parameter.
    pub(in crate::mock) schemas: Vec<NodeId>,
    /// True if the entity has the id as a member.
    pub(in crate::mock) is_member: bool,
}

/// The action of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Role {
    /// The entities of a collection.
    List,
    /// One entity.
    Read,
    /// Adds one or several entities.
    Create,
    /// Replaces an entity.
    Replace,
    /// Replaces the entity whose id is in the body.
    ReplaceByBody,
    /// Changes members of an entity.
    Update,
    /// Adds an entity, or merges it with the existing one (annotated).
    Upsert,
    /// Removes an entity.
    Delete,
    /// Removes all entities of a collection.
    DeleteAll,
    /// Does something with an entity whose effect is unknown.
    Action,
    /// Requires an entity, but has no other state.
    Below,
}

/// An operation that keeps state.
#[derive(Debug)]
pub(in crate::mock) struct StateOperation {
    /// Index of its kind.
    pub(in crate::mock) kind: usize,
    pub(in crate::mock) role: Role,
    pub(in crate::mock) path: PathPlan,
    /// Where the entity is in the request body.
    pub(in crate::mock) body: Vec<String>,
    /// Where entities are in the bodies of responses, for each status and media type.
    pub(in crate::mock) places: Vec<(StatusKey, usize, EntityPlace)>,
    pub(in crate::mock) query: QueryPlan,
    /// True if the entity always exists, as settings do.
    pub(in crate::mock) singleton: bool,
}

/// The meaning of the parameters of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mock) struct PathPlan {
    /// The number of the scope, and of the path parameters that name the parents.
    pub(in crate::mock) scope: Option<(usize, usize)>,
    /// Index of the path parameter with the id.
    pub(in crate::mock) id: Option<usize>,
    /// Entities that must exist.
    pub(in crate::mock) parents: Vec<Parent>,
}

/// An entity above a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct Parent {
    pub(in crate::mock) kind: usize,
    pub(in crate::mock) scope: Option<(usize, usize)>,
    pub(in crate::mock) id: usize,
}

impl StatePlan {
    /// Compiles the plans together, because they have much in common.
    pub(super) fn compile_plans(&mut self, schemas: &SchemaSet) {
        let of_kinds = self
            .kinds
            .iter()
            .flat_map(|kind| kind.schema.into_iter().chain(kind.id.schemas.iter().copied()));
        let places = self.operations.iter().flatten().flat_map(|own| &own.places);
        let of_places = places.filter_map(|(_, _, place)| match place {
            EntityPlace::Item(place) => Some(place.schema),
            EntityPlace::List(place) => place.item,
        });
        let mut all: Vec<NodeId> =
            of_kinds.chain(of_places).map(|id| target(schemas, id)).collect();
        all.sort_unstable();
        all.dedup();
        let plans = Plan::compile_all(schemas, &all, Direction::Response);
        self.plans = all.into_iter().zip(plans).collect();
    }

    /// Makes values of a schema of entities, ids or responses.
    pub(in crate::mock) fn plan(&self, schemas: &SchemaSet, schema: NodeId) -> Option<&Plan> {
        self.plans.get(&target(schemas, schema))
    }

    /// Renames kinds whose names are used in another document. Annotated kinds are the same in all
    /// documents.
    pub(in crate::mock) fn rename_taken(&mut self, initial: &Initial, source: &str) {
        for kind in self.kinds.iter_mut().filter(|kind| !kind.annotated) {
            if initial.rules.iter().any(|rule| rule.name == kind.rule.name) {
                kind.rule.name = format!("{} of {source}", kind.rule.name).into();
            }
        }
    }

    /// The plan of an operation, if it keeps state.
    pub(in crate::mock) fn operation(&self, id: OperationId) -> Option<&StateOperation> {
        self.operations.get(id.0 as usize)?.as_ref()
    }

    /// True if the entities of a collection have their own paths below it.
    pub(in crate::mock) fn has_items(&self, collection: &StateOperation) -> bool {
        self.operations.iter().flatten().any(|own| {
            own.kind == collection.kind
                && own.path.id.is_some()
                && own.path.scope == collection.path.scope
        })
    }

    /// The scopes of entities that are below those of a kind: the index of their kind, the number
    /// of the scope, and of the path parameters that name the parent.
    pub(in crate::mock) fn below(&self, kind: usize) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for own in self.operations.iter().flatten() {
            if let Some((number, _)) = own.path.scope
                && self.kinds[own.kind].rule.keyed_by_scope
                && let Some(parent) = own.path.parents.iter().find(|parent| parent.kind == kind)
                && own.kind != kind
                && !found.contains(&(own.kind, number, parent.id + 1))
            {
                found.push((own.kind, number, parent.id + 1));
            }
        }
        found
    }

    pub(in crate::mock) fn kind(&self, operation: &StateOperation) -> &KindPlan {
        &self.kinds[operation.kind]
    }
}

impl KindPlan {
    /// Prepares a kind for entities of a schema.
    pub(super) fn new(
        api: &Api,
        rule: KindRule,
        schema: Option<NodeId>,
        parameter: Option<NodeId>,
    ) -> Self {
        let schemas = &api.schemas;
        let of = |test: &dyn Fn(NodeId) -> bool| -> Vec<(String, NodeId)> {
            let all = schema.map(|schema| schemas.properties(schema)).unwrap_or_default();
            let all = all.into_iter().filter(|(_, id)| test(*id));
            all.map(|(name, id)| (name.to_owned(), id)).collect()
        };
        let names =
            |found: Vec<(String, NodeId)>| found.into_iter().map(|(name, _)| name).collect();
        let flag = |id: NodeId, read: bool| {
            let node = schemas.node(id);
            let target = schemas.node(target(schemas, id));
            if read {
                node.read_only || target.read_only
            } else {
                node.write_only || target.write_only
            }
        };
        let id_member = match rule.id_path.as_slice() {
            [] => None,
            path => path
                .iter()
                .try_fold(schema, |at, name| Some(Some(schemas.property(at?, name)?)))
                .flatten(),
        };
        let open = schema.is_none_or(|schema| !places::is_closed(schemas, schema));
        let id = IdPlan {
            schemas: id_member.into_iter().chain(parameter).collect(),
            is_member: !rule.id_path.is_empty() && (id_member.is_some() || open),
        };
        let id_name = rule.id_path.first().cloned().unwrap_or_default();
        let defaults = of(&|_| true).into_iter().filter_map(|(name, id)| {
            let target = schemas.node(target(schemas, id));
            let default = schemas.node(id).default.clone().or_else(|| target.default.clone())?;
            (name != id_name).then_some((name, default))
        });
        KindPlan {
            schema,
            id,
            members: names(of(&|_| true)),
            read_only: names(of(&|id| flag(id, true))),
            write_only: names(of(&|id| flag(id, false))),
            defaults: defaults.collect(),
            created: of(&|_| true)
                .into_iter()
                .filter(|(name, _)| names::is_created(name))
                .collect(),
            updated: of(&|_| true)
                .into_iter()
                .filter(|(name, _)| names::is_updated(name))
                .collect(),
            annotated: false,
            item_template: None,
            rule,
        }
    }
}
