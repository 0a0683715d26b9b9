//! Finds operations with state other than those of collections and their items.

use crate::exchange::Method;
use crate::schema::NodeId;

use super::super::super::super::world::{IdKind, KindRule};
use super::super::places;
use super::super::plan::{Parent, PathPlan, Role, StatePlan};
use super::super::templates::Shape;
use super::Finder;

impl Finder<'_> {
    /// `/me`, `/settings`, `/users/{id}/profile`: an object that is read and changed, but is not an
    /// item of a collection.
    pub(super) fn singletons(&mut self, plan: &mut StatePlan) {
        let shapes: Vec<Shape> = self.paths.keys().cloned().collect();
        for shape in shapes {
            let changes = [Method::Put, Method::Patch];
            let is_one = !shape.is_item()
                && !self.homes.contains_key(&shape)
                && self.with(&shape, Method::Get).is_some()
                && changes.iter().any(|method| self.with(&shape, *method).is_some())
                && self.list_at(&shape).is_none();
            let Some(schema) = self.item_at(&shape, Method::Get, shape.noun()).filter(|_| is_one)
            else {
                continue;
            };
            if self.at(&shape).iter().any(|(id, _)| plan.operation(*id).is_some()) {
                continue;
            }
            let parameters = shape.parameters();
            let rule = KindRule {
                name: self.singleton_name(plan, &shape).into(),
                id_path: Vec::new(),
                id: IdKind::Digits,
                filters: Vec::new(),
                scopes: if parameters > 0 { vec![None] } else { Vec::new() },
                keyed_by_scope: parameters > 0,
            };
            let kind = self.add_kind(plan, rule, Some(schema), None);
            self.creatable[kind] = true;
            let scope = (parameters > 0).then_some((0, parameters));
            let path = PathPlan { scope, id: None, parents: Vec::new() };
            for (id, operation) in self.at(&shape) {
                let role = match operation.method {
                    Some(Method::Get) => Role::Read,
                    Some(Method::Put) => Role::Replace,
                    Some(Method::Patch) => Role::Update,
                    Some(Method::Delete) => Role::Delete,
                    _ => continue,
                };
                self.assign(plan, id, operation, kind, role, &path, shape.noun());
                if let Some(own) = &mut plan.operations[id.0 as usize] {
                    own.singleton = true;
                }
            }
        }
    }

    fn singleton_name(&self, plan: &StatePlan, shape: &Shape) -> String {
        let taken = |name: &str| plan.kinds.iter().any(|kind| &*kind.rule.name == name);
        let noun = shape.noun().to_owned();
        if taken(&noun) { shape.literals() } else { noun }
    }

    /// `/pets/findByStatus`, `/users/createWithList`: operations on a collection below its path.
    pub(super) fn searches(&mut self, plan: &mut StatePlan) {
        let shapes: Vec<Shape> = self.paths.keys().cloned().collect();
        for shape in shapes.iter().filter(|shape| !shape.is_item()) {
            let Some(home) = shape.parent().and_then(|parent| self.homes.get(&parent)) else {
                continue;
            };
            let (kind, scope) = (home.kind, home.scope);
            if self.homes.contains_key(shape) {
                continue;
            }
            let Some(entity) = plan.kinds[kind].schema else { continue };
            let schemas = &self.api.schemas;
            let holds = |schema: NodeId| {
                places::exact(schemas, schema, entity).is_some_and(|(_, _, is_list)| is_list)
            };
            let path = PathPlan { scope, id: None, parents: Vec::new() };
            for (id, operation) in self.at(shape) {
                let noun = shape.noun();
                if operation.method == Some(Method::Get)
                    && places::successes(operation).into_iter().any(holds)
                {
                    self.assign(plan, id, operation, kind, Role::List, &path, noun);
                } else if operation.method == Some(Method::Post)
                    && places::request_schema(operation).is_some_and(holds)
                {
                    self.creatable[kind] = true;
                    self.assign(plan, id, operation, kind, Role::Create, &path, noun);
                }
            }
        }
    }

    /// `/orders/{id}/cancel`, and everything else below an item.
    pub(super) fn actions(&mut self, plan: &mut StatePlan) {
        for shape in self.paths.keys() {
            let Some(item) = shape.ancestors().find(|above| self.items.contains_key(above)) else {
                continue;
            };
            let home = &self.homes[&self.items[&item]];
            let is_direct = shape.parent().as_ref() == Some(&item);
            let id = Some(item.parameters() - 1);
            let path = PathPlan { scope: home.scope, id, parents: Vec::new() };
            for (id, operation) in self.at(shape) {
                let acts = !matches!(operation.method, Some(Method::Get | Method::Head));
                let role = if is_direct && acts { Role::Action } else { Role::Below };
                self.assign(plan, id, operation, home.kind, role, &path, item.noun());
            }
        }
    }

    /// The entities that must exist above each path.
    pub(super) fn parents(&self, plan: &mut StatePlan) {
        for (shape, ids) in &self.paths {
            let above: Vec<Parent> = shape
                .ancestors()
                .filter_map(|item| {
                    let home = &self.homes[self.items.get(&item)?];
                    let id = item.parameters() - 1;
                    Some(Parent { kind: home.kind, scope: home.scope, id })
                })
                .collect();
            for id in ids {
                if let Some(own) = &mut plan.operations[id.0 as usize]
                    && !plan.kinds[own.kind].annotated
                {
                    own.path.parents = above.clone();
                }
            }
        }
    }
}
