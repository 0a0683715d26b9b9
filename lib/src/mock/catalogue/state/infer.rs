//! Finds collections and their items by the shape of paths and schemas. `beside` finds other
//! operations with state: singletons, searches, actions, and paths below an item.

mod beside;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::conform::{Api, Operation, OperationId, Parameter, StatusKey};
use crate::exchange::Method;
use crate::schema::NodeId;

use super::super::super::world::{IdKind, Initial, KindRule};
use super::names::{IDS, id_property, plain, same_name, same_noun, singular};
use super::operation::{columns, id_kind, operation_of};
use super::places;
use super::plan::{KindPlan, PathPlan, Role, StatePlan};
use super::target::target;
use super::templates::{Shape, parameter_names};

/// Adds operations without annotations.
pub(super) fn add(plan: &mut StatePlan, api: &Api, root: &Value) {
    let mut finder = Finder::new(api, root);
    finder.collections(plan);
    finder.singletons(plan);
    finder.searches(plan);
    finder.actions(plan);
    finder.parents(plan);
    columns(plan);
    drop_barren(plan, api, root, &finder.creatable);
}

/// The location of the entities of a kind.
struct Home {
    kind: usize,
    /// See [`PathPlan::scope`].
    scope: Option<(usize, usize)>,
}

struct Finder<'a> {
    api: &'a Api,
    root: &'a Value,
    /// The operations of each shape, in the order of the document.
    paths: BTreeMap<Shape, Vec<OperationId>>,
    /// Collections, and the kinds in them.
    homes: BTreeMap<Shape, Home>,
    /// The shapes of items, and their collections.
    items: BTreeMap<Shape, Shape>,
    /// Kinds that clients can add entities to, by their index.
    creatable: Vec<bool>,
}

impl<'a> Finder<'a> {
    fn new(api: &'a Api, root: &'a Value) -> Self {
        let mut paths: BTreeMap<Shape, Vec<OperationId>> = BTreeMap::new();
        for (number, operation) in (0_u32..).zip(&api.operations) {
            let shape = Shape::of(&operation.template);
            if operation.method.is_some() && shape.is_simple() {
                paths.entry(shape).or_default().push(OperationId(number));
            }
        }
        let (homes, items, creatable) = Default::default();
        Finder { api, root, paths, homes, items, creatable }
    }

    fn at(&self, shape: &Shape) -> Vec<(OperationId, &'a Operation)> {
        let ids = self.paths.get(shape).map_or(&[][..], Vec::as_slice);
        ids.iter().map(|id| (*id, self.api.operation(*id))).collect()
    }

    fn with(&self, shape: &Shape, method: Method) -> Option<&'a Operation> {
        self.at(shape)
            .into_iter()
            .map(|(_, operation)| operation)
            .find(|own| own.method == Some(method))
    }

    /// The list that a GET of a path returns.
    fn list_at(&self, shape: &Shape) -> Option<NodeId> {
        let operation = self.with(shape, Method::Get)?;
        let schemas = places::successes(operation).into_iter();
        schemas
            .filter_map(|schema| places::list_in(&self.api.schemas, schema, shape.noun()))
            .map(|(_, list)| list)
            .next()
    }

    /// The entity that a request to a path returns.
    fn item_at(&self, shape: &Shape, method: Method, noun: &str) -> Option<NodeId> {
        let operation = self.with(shape, method)?;
        let schemas = places::successes(operation).into_iter();
        schemas
            .filter_map(|schema| places::item_in(&self.api.schemas, schema, noun))
            .map(|(_, item)| item)
            .next()
    }

    /// True if a GET of the path returns something other than an object.
    fn is_no_item(&self, shape: &Shape, noun: &str) -> bool {
        self.with(shape, Method::Get).is_some_and(|operation| {
            let found = places::successes(operation);
            let schemas = &self.api.schemas;
            let is_item = |schema: &NodeId| {
                places::item_in(schemas, *schema, noun).is_some()
                    && !places::is_list(schemas, *schema, noun)
            };
            !found.is_empty() && !found.iter().any(is_item)
        })
    }

    /// True if a GET of an item returns a list that contains the item.
    fn is_list_of_one(&self, shape: &Shape, collection: &Shape) -> bool {
        let schemas = &self.api.schemas;
        let item = |shape: &Shape| {
            let found = places::successes(self.with(shape, Method::Get)?);
            let lists = found.into_iter();
            let list =
                lists.filter_map(|id| places::list_in(schemas, id, collection.noun())).next();
            schemas.item(list?.1).map(|item| target(schemas, item))
        };
        let changes = [Method::Put, Method::Patch, Method::Delete, Method::Post];
        let names_it = || {
            let name = self.id_parameter(shape).map(|parameter| plain(&parameter.name));
            let noun = singular(&plain(collection.noun()));
            name.is_some_and(|name| {
                let rest = name.strip_prefix(&noun).unwrap_or(&name);
                rest.is_empty() || IDS.iter().any(|id| plain(id) == rest)
            })
        };
        (changes.iter().any(|method| self.with(shape, *method).is_some()) || names_it())
            && item(shape).is_some_and(|one| item(collection) == Some(one))
    }

    fn collections(&mut self, plan: &mut StatePlan) {
        // The item shape of each collection.
        let mut found: BTreeMap<Shape, Option<Shape>> = BTreeMap::new();
        let acts = [Method::Get, Method::Put, Method::Patch, Method::Delete];
        for shape in self.paths.keys() {
            if shape.is_item() {
                let Some(collection) = shape.parent().filter(Shape::is_simple) else { continue };
                let acted = acts.iter().any(|method| self.with(shape, *method).is_some());
                let is_item = !self.is_no_item(shape, collection.noun())
                    || self.is_list_of_one(shape, &collection);
                if acted && is_item {
                    found.insert(collection, Some(shape.clone()));
                }
            } else if self.list_at(shape).is_some() && self.with(shape, Method::Post).is_some() {
                found.entry(shape.clone()).or_default();
            }
        }
        let mut found: Vec<(Shape, Option<Shape>)> = found.into_iter().collect();
        // A nested collection may hold entities of one that is not nested.
        found.sort_by_key(|(collection, _)| collection.parameters());
        for (collection, item) in found {
            self.collection(plan, &collection, item.as_ref());
        }
    }

    fn collection(&mut self, plan: &mut StatePlan, collection: &Shape, item: Option<&Shape>) {
        let noun = collection.noun();
        let all = self.at(collection).into_iter();
        let all = all.chain(item.into_iter().flat_map(|item| self.at(item)));
        let ids: Vec<OperationId> = all.map(|(id, _)| id).collect();
        if ids.iter().all(|id| plan.operation(*id).is_some()) {
            // Annotations are complete.
            return self.annotated(plan, collection, item, &ids);
        }
        let schema = self.entity_schema(collection, item);
        let kind = self.known(plan, collection, schema).unwrap_or_else(|| {
            let rule = self.rule(plan, collection, item, schema);
            self.add_kind(plan, rule, schema, item)
        });
        let parameters = collection.parameters();
        let scope = (parameters > 0).then(|| {
            let property = self.scope_property(collection, &plan.kinds[kind].members);
            let rule = &mut plan.kinds[kind].rule;
            rule.scopes.push(property);
            (rule.scopes.len() - 1, parameters)
        });
        if plan.kinds[kind].item_template.is_none()
            && let Some(item) = item
            && parameters == 0
        {
            let template = self.at(item).first().map(|(_, operation)| operation.template.clone());
            plan.kinds[kind].item_template = template;
        }
        let path = PathPlan { scope, id: None, parents: Vec::new() };
        for (id, operation) in self.at(collection) {
            let Some(method) = operation.method else { continue };
            let role = match method {
                Method::Get if self.list_at(collection).is_some() => Role::List,
                Method::Post => Role::Create,
                Method::Put if self.is_entity(plan, kind, operation) => Role::ReplaceByBody,
                Method::Delete => Role::DeleteAll,
                _ => continue,
            };
            self.creatable[kind] |= role == Role::Create;
            self.assign(plan, id, operation, kind, role, &path, noun);
        }
        let Some(item) = item else {
            self.homes.insert(collection.clone(), Home { kind, scope });
            return;
        };
        let path = PathPlan { scope, id: Some(parameters), parents: Vec::new() };
        for (id, operation) in self.at(item) {
            let Some(method) = operation.method else { continue };
            let role = match method {
                Method::Get => Role::Read,
                Method::Put => Role::Replace,
                Method::Patch => Role::Update,
                Method::Delete => Role::Delete,
                Method::Post if self.shares_members(plan, kind, operation) => Role::Update,
                Method::Post => Role::Action,
                _ => continue,
            };
            let makes = method == Method::Put
                && operation.responses.iter().any(|(key, _)| *key == StatusKey::Code(201));
            self.creatable[kind] |= makes;
            self.assign(plan, id, operation, kind, role, &path, noun);
        }
        self.homes.insert(collection.clone(), Home { kind, scope });
        self.items.insert(item.clone(), collection.clone());
    }

    /// A collection whose operations are all annotated. The paths below it need its entities too.
    fn annotated(
        &mut self,
        plan: &StatePlan,
        collection: &Shape,
        item: Option<&Shape>,
        ids: &[OperationId],
    ) {
        let kind = ids.iter().find_map(|id| plan.operation(*id)).map(|operation| operation.kind);
        if let Some(kind) = kind.filter(|_| collection.parameters() == 0) {
            self.homes.insert(collection.clone(), Home { kind, scope: None });
            if let Some(item) = item {
                self.items.insert(item.clone(), collection.clone());
            }
        }
    }

    /// The schema of a collection's entities: that of an item, else that of the items of a list,
    /// else that of a request body.
    fn entity_schema(&self, collection: &Shape, item: Option<&Shape>) -> Option<NodeId> {
        let noun = collection.noun();
        let schemas = &self.api.schemas;
        let of_item = |method| item.and_then(|item| self.item_at(item, method, noun));
        let sent = |shape: &Shape, method| {
            let schema = places::request_schema(self.with(shape, method)?)?;
            places::item_in(schemas, schema, noun).map(|(_, item)| item)
        };
        of_item(Method::Get)
            .filter(|_| item.is_none_or(|item| !self.is_no_item(item, noun)))
            .or_else(|| self.list_at(collection).and_then(|list| schemas.item(list)))
            .or_else(|| self.item_at(collection, Method::Post, noun))
            .or_else(|| of_item(Method::Put))
            .or_else(|| of_item(Method::Patch))
            .or_else(|| sent(collection, Method::Post))
            .or_else(|| item.and_then(|item| sent(item, Method::Put)))
            .filter(|schema| !schemas.properties(*schema).is_empty())
    }

    /// A kind that a collection shares with another collection: nested entities that also have
    /// their own collection, or annotated ones.
    fn known(&self, plan: &StatePlan, collection: &Shape, schema: Option<NodeId>) -> Option<usize> {
        let schemas = &self.api.schemas;
        let schema = target(schemas, schema?);
        let same = |kind: &KindPlan| {
            kind.schema.is_some_and(|own| target(schemas, own) == schema)
                && !kind.rule.keyed_by_scope
        };
        let mut homes = self.homes.iter();
        let found = homes.find(|(shape, home)| {
            same(&plan.kinds[home.kind])
                && collection.parameters() > 0
                && home.scope.is_none()
                && plain(shape.noun()) == plain(collection.noun())
        });
        found.map(|(_, home)| home.kind).or_else(|| {
            let named = plan.kinds.iter().position(|kind| kind.annotated && same(kind));
            named.filter(|_| collection.parameters() == 0)
        })
    }

    fn rule(
        &self,
        plan: &StatePlan,
        collection: &Shape,
        item: Option<&Shape>,
        schema: Option<NodeId>,
    ) -> KindRule {
        let schemas = &self.api.schemas;
        let properties: Vec<&str> = schema
            .map(|schema| schemas.properties(schema))
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let parameter = item.and_then(|item| self.id_parameter(item));
        let name = parameter.map(|parameter| parameter.name.as_str());
        let id = id_property(&properties, name, collection.noun()).unwrap_or("id");
        KindRule {
            name: self.name(plan, collection, schema).into(),
            id_path: vec![id.to_owned()],
            id: IdKind::Uuid,
            filters: Vec::new(),
            scopes: Vec::new(),
            keyed_by_scope: collection.parameters() > 0,
        }
    }

    /// The parameter at the end of an item's path.
    fn id_parameter(&self, item: &Shape) -> Option<&'a Parameter> {
        self.at(item).into_iter().find_map(|(_, operation)| {
            let name = *parameter_names(&operation.template).last()?;
            operation
                .parameters
                .iter()
                .find(|own| own.location == crate::conform::Location::Path && own.name == name)
        })
    }

    fn add_kind(
        &mut self,
        plan: &mut StatePlan,
        mut rule: KindRule,
        schema: Option<NodeId>,
        item: Option<&Shape>,
    ) -> usize {
        let parameter = item.and_then(|item| self.id_parameter(item)?.schema);
        rule.id = id_kind(self.api, &rule, schema, parameter);
        plan.kinds.push(KindPlan::new(self.api, rule, schema, parameter));
        self.creatable.resize(plan.kinds.len(), false);
        plan.kinds.len() - 1
    }

    /// The name of a kind: that of its initial data, else that of its schema, else that of its
    /// path.
    fn name(&self, plan: &StatePlan, collection: &Shape, schema: Option<NodeId>) -> String {
        let taken = |name: &str| plan.kinds.iter().any(|kind| &*kind.rule.name == name);
        let component = schema.and_then(|schema| {
            let node = self.api.schemas.node(target(&self.api.schemas, schema));
            let name = node.pointer.strip_prefix("/components/schemas/")?;
            (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
        });
        let data = self.root.get("x-hmt-data").and_then(Value::as_object);
        let named = data.into_iter().flat_map(|data| data.keys()).find(|key| {
            component.as_deref() == Some(key.as_str()) || same_noun(key, collection.noun())
        });
        let candidates = [named.cloned(), component, Some(collection.noun().to_owned())];
        let free = candidates.into_iter().flatten().find(|name| !taken(name));
        free.unwrap_or_else(|| {
            let literals = collection.literals();
            let numbered = (2..).map(|number| format!("{literals} {number}"));
            std::iter::once(literals.clone())
                .chain(numbered)
                .find(|name| !taken(name))
                .unwrap_or_default()
        })
    }

    /// The member of an entity that names its parent.
    fn scope_property(&self, collection: &Shape, members: &[String]) -> Option<String> {
        let parent = collection.ancestors().find(Shape::is_item)?;
        let (_, operation) = self.at(collection).into_iter().next()?;
        let names = parameter_names(&operation.template);
        let parameter = names.get(parent.parameters() - 1).copied();
        let noun = singular(&plain(parent.noun()));
        let named = [format!("{noun}id"), format!("{noun}uuid"), noun];
        let ids = ["id", "uuid", "key"];
        let named = named.iter().map(String::as_str);
        // `/users/{id}/things`: the `id` of a thing is not that of the user.
        parameter
            .filter(|name| !ids.contains(&plain(name).as_str()))
            .into_iter()
            .chain(named)
            .find_map(|name| members.iter().find(|member| same_name(member, name)))
            .cloned()
    }

    /// True if an operation takes an entity with its id.
    fn is_entity(&self, plan: &StatePlan, kind: usize, operation: &Operation) -> bool {
        let Some(schema) = places::request_schema(operation) else { return false };
        let kind = &plan.kinds[kind];
        let id = kind.rule.id_path.first();
        id.is_some_and(|id| self.api.schemas.property(schema, id).is_some())
    }

    /// True if an operation takes members of an entity, in its body or its query.
    fn shares_members(&self, plan: &StatePlan, kind: usize, operation: &Operation) -> bool {
        let members = &plan.kinds[kind].members;
        let known = |name: &str| members.iter().any(|member| member == name);
        let schema = places::request_schema(operation);
        let sent = schema.map(|schema| self.api.schemas.properties(schema)).unwrap_or_default();
        let query = operation
            .parameters
            .iter()
            .filter(|own| own.location == crate::conform::Location::Query);
        sent.iter().any(|(name, _)| known(name)) || query.into_iter().any(|own| known(&own.name))
    }

    #[expect(clippy::too_many_arguments, reason = "all that an operation is about")]
    fn assign(
        &self,
        plan: &mut StatePlan,
        id: OperationId,
        operation: &Operation,
        kind: usize,
        role: Role,
        path: &PathPlan,
        noun: &str,
    ) {
        if plan.operation(id).is_some() {
            return;
        }
        let own = operation_of(self.api, plan, operation, kind, role, path.clone(), noun);
        plan.operations[id.0 as usize] = Some(own);
    }
}

/// Removes the state of kinds that cannot have entities: their answers are better generated.
fn drop_barren(plan: &mut StatePlan, api: &Api, root: &Value, creatable: &[bool]) {
    let documents = [root].into_iter();
    let mut initial = Initial::of_documents(documents).unwrap_or_default();
    plan.seed(api, root, &mut initial);
    let lives: Vec<bool> = plan
        .kinds
        .iter()
        .enumerate()
        .map(|(number, kind)| {
            kind.annotated
                || creatable.get(number).copied().unwrap_or(false)
                || initial.entities.get(&*kind.rule.name).is_some_and(|seeds| !seeds.is_empty())
        })
        .collect();
    for slot in &mut plan.operations {
        let Some(own) = slot else { continue };
        own.path.parents.retain(|parent| lives[parent.kind]);
        if lives[own.kind] {
            continue;
        }
        if own.path.parents.is_empty() {
            *slot = None;
        } else {
            // Entities below an item are removed with it, even if they were generated.
            own.role = Role::Below;
        }
    }
    if !lives.contains(&true) {
        plan.kinds.clear();
    }
}
