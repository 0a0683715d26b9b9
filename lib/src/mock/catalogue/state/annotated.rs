//! Operations that annotations make stateful: `x-hmt-entity` on a path item, `x-hmt-operation` on
//! an operation, and `x-hmt-id-path` on the schema of the entity.

use serde_json::Value;

use crate::conform::{Api, Operation, OperationId};
use crate::schema::NodeId;
use crate::spec;

use super::super::super::world::{IdKind, KindRule};
use super::names::id_property;
use super::operation::{columns, id_kind, operation_of};
use super::places::EntityPlace;
use super::plan::{KindPlan, PathPlan, Role, StatePlan};
use super::templates::parameter_names;

/// Adds the annotated operations.
pub(super) fn add(plan: &mut StatePlan, api: &Api, root: &Value) {
    for (template, item) in
        spec::Place::root(root).get("paths").iter().flat_map(spec::Place::members)
    {
        let Ok(item) = item.target() else { continue };
        let Some(entity) = item.text("x-hmt-entity") else { continue };
        for (number, operation) in (0_u32..).zip(&api.operations) {
            if operation.template == template {
                add_operation(plan, api, root, entity, OperationId(number), operation);
            }
        }
    }
    columns(plan);
}

fn add_operation(
    plan: &mut StatePlan,
    api: &Api,
    root: &Value,
    entity: &str,
    id: OperationId,
    operation: &Operation,
) {
    let role = match operation.raw.get("x-hmt-operation").and_then(Value::as_str) {
        Some("read") => Role::Read,
        Some("insert") => Role::Create,
        Some("upsert") => Role::Upsert,
        Some("delete") => Role::Delete,
        _ => return,
    };
    let kind = match plan.kinds.iter().position(|kind| &*kind.rule.name == entity) {
        Some(kind) => kind,
        None => {
            plan.kinds.push(kind_of(api, root, entity));
            plan.kinds.len() - 1
        }
    };
    let names = parameter_names(&operation.template);
    let last = names.len().checked_sub(1);
    let parameter = names.iter().position(|name| *name == "id").or(last);
    let ends = operation.template.trim_end_matches('/').ends_with('}');
    let parameter = parameter.filter(|_| role != Role::Create && (role != Role::Upsert || ends));
    let path = PathPlan { id: parameter, ..PathPlan::default() };
    let mut own = operation_of(api, plan, operation, kind, role, path, entity);
    if role == Role::Read
        && own.places.iter().any(|(_, _, place)| matches!(place, EntityPlace::List(_)))
    {
        own.role = Role::List;
    }
    if ends && names.len() == 1 && plan.kinds[kind].item_template.is_none() {
        plan.kinds[kind].item_template = Some(operation.template.clone());
    }
    plan.operations[id.0 as usize] = Some(own);
}

fn kind_of(api: &Api, root: &Value, entity: &str) -> KindPlan {
    let pointer = format!("/components/schemas/{}", spec::escape(entity));
    let schema: Option<NodeId> = api.schemas.at(&pointer);
    let written = root.pointer(&pointer).and_then(|schema| schema.get("x-hmt-id-path"));
    let properties: Vec<&str> = schema
        .map(|schema| api.schemas.properties(schema))
        .unwrap_or_default()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let id_path = written.and_then(Value::as_str).map(steps).filter(|path| !path.is_empty());
    let id_path = id_path
        .unwrap_or_else(|| vec![id_property(&properties, None, entity).unwrap_or("id").to_owned()]);
    let mut rule = KindRule { id_path, ..KindRule::plain(entity) };
    rule.id = match id_kind(api, &rule, schema, None) {
        // A missing id is a UUID if the schema allows one.
        IdKind::Digits => IdKind::Uuid,
        kind => kind,
    };
    KindPlan { annotated: true, ..KindPlan::new(api, rule, schema, None) }
}

/// The names in a JSONPath (RFC 9535) of members: `$.a.b`, `$['a']["b"]`, or a bare `a`.
fn steps(path: &str) -> Vec<String> {
    let path = path.trim();
    let path = path.strip_prefix('$').unwrap_or(path);
    path.split(['.', '[', ']'])
        .map(|step| step.trim_matches(['\'', '"', ' ']))
        .filter(|step| !step.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_ids_are_read() {
        for path in ["itemId", "$.itemId", "$['itemId']", "$[\"itemId\"]"] {
            assert_eq!(steps(path), ["itemId"], "{path}");
        }
        assert_eq!(steps("$.meta.id"), ["meta", "id"]);
        assert!(steps("$").is_empty());
    }
}
