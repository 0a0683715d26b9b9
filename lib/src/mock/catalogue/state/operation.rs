//! The plan of one operation: the kind of its entities, and where these are in its messages.

use serde_json::Value;

use crate::conform::{Api, Operation};
use crate::schema::{Direction, NodeId, Types};

use super::super::super::world::{IdKind, KindRule};
use super::places::{self, Wanted};
use super::plan::{PathPlan, Role, StateOperation, StatePlan};
use super::query::QueryPlan;
use super::target::target;

/// The plan of an operation.
pub(super) fn operation_of(
    api: &Api,
    plan: &StatePlan,
    operation: &Operation,
    kind: usize,
    role: Role,
    path: PathPlan,
    noun: &str,
) -> StateOperation {
    let own = &plan.kinds[kind];
    let id = own.rule.id_path.first().map_or("", String::as_str);
    let exactly = own.annotated;
    let wanted = Wanted { schema: own.schema, members: &own.members, id, noun, exactly };
    let is_list = matches!(role, Role::List | Role::DeleteAll);
    let mut places = places::of_responses(api, operation, &wanted, is_list);
    if places.is_empty() && role == Role::Create {
        places = places::of_responses(api, operation, &wanted, true);
    }
    StateOperation {
        kind,
        role,
        path,
        body: places::of_request(&api.schemas, operation, &wanted),
        places,
        query: QueryPlan::compile(api, operation, &own.members),
        singleton: false,
    }
}

/// The kind of ids that both the schema of a member and that of a path parameter accept.
pub(super) fn id_kind(
    api: &Api,
    rule: &KindRule,
    schema: Option<NodeId>,
    parameter: Option<NodeId>,
) -> IdKind {
    let schemas = &api.schemas;
    let mut member = schema;
    for name in &rule.id_path {
        member = member.and_then(|at| schemas.property(at, name));
    }
    let all: Vec<NodeId> = member.into_iter().chain(parameter).collect();
    let Some(first) = all.first() else { return IdKind::Uuid };
    let types = schemas.types(*first);
    if types.has(Types::INTEGER) && types.0 != 0x7f {
        return IdKind::Integer;
    }
    let accepted = |text: &str| {
        let fits = |schema: &NodeId| {
            let value = Value::from(text);
            !schemas.types(*schema).has(Types::STRING)
                || schemas.accepts(*schema, &value, Direction::Response)
        };
        all.iter().all(fits)
    };
    let numeric = |schema: &NodeId| {
        let target = schemas.node(target(schemas, *schema));
        let example = schemas.node(*schema).example.as_ref().or(target.example.as_ref());
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        example.and_then(Value::as_str).is_some_and(digits)
            || !schemas.types(*schema).has(Types::STRING)
    };
    let uuid = "0b5c9f3a-7d1e-4c2b-9a3f-5e6d7c8b9a01";
    match (accepted("1"), accepted(uuid)) {
        (true, true) if all.iter().any(numeric) => IdKind::Digits,
        (true, false) => IdKind::Digits,
        _ => IdKind::Uuid,
    }
}

/// Tells each kind which members its lists filter by.
pub(super) fn columns(plan: &mut StatePlan) {
    for own in plan.operations.iter().flatten() {
        if own.role == Role::List {
            let rule = &mut plan.kinds[own.kind].rule;
            for member in own.query.filters() {
                if !rule.filters.iter().any(|known| known == member) {
                    rule.filters.push(member.to_owned());
                }
            }
        }
    }
}
