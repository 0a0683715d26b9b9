//! The initial entities: those of `x-hmt-data`, else those of examples and recordings.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::conform::{
    Api, BasePathRule, Found, Location, Media, Operation, OperationId, StatusKey,
};
use crate::exchange::Method;

use super::super::super::world::{Initial, Scopes, Seed, id_text};
use super::places::EntityPlace;
use super::plan::{KindPlan, PathPlan, Role, StateOperation, StatePlan};
use super::query::{QueryRole, role_of};
use super::target::target;

/// Adds the kinds of a document and their entities.
pub(super) fn add(plan: &StatePlan, api: &Api, root: &Value, initial: &mut Initial) {
    let mut found = Entities::default();
    // Lists often contain only parts of their items, so complete items come later.
    for role in [Role::List, Role::Read] {
        examples(plan, api, role, &mut found);
        recordings(plan, api, root, role, &mut found);
    }
    for (number, kind) in plan.kinds.iter().enumerate() {
        initial.rules.push(kind.rule.clone());
        if let Some(seeds) = initial.entities.get_mut(&*kind.rule.name) {
            for seed in seeds {
                let scopes = || kind.rule.scopes_of(&seed.entity);
                seed.scopes = kind.rule.keyed_by_scope.then(scopes);
            }
            continue;
        }
        let seeds: Vec<Seed> = found.0.remove(&number).unwrap_or_default();
        if !seeds.is_empty() {
            initial.entities.insert(kind.rule.name.to_string(), seeds);
        }
    }
}

/// Entities by the index of their kind.
#[derive(Default)]
struct Entities(BTreeMap<usize, Vec<Seed>>);

impl Entities {
    /// Adds the entities in a body. `values` are those of the path's parameters.
    fn add(
        &mut self,
        plan: &StatePlan,
        own: &StateOperation,
        place: &EntityPlace,
        body: &Value,
        values: &[Option<String>],
    ) {
        let kind = plan.kind(own);
        let Some(scopes) = scopes(&own.path, kind, values) else { return };
        let within = |path: &[String]| path.iter().try_fold(body, |value, name| value.get(name));
        match place {
            EntityPlace::Item(place) => {
                let id = own.path.id.and_then(|number| values.get(number)?.clone());
                let id = if own.singleton { Some(String::new()) } else { id };
                if let Some(entity) = within(&place.path) {
                    self.add_entity(own.kind, kind, entity, id, scopes);
                }
            }
            EntityPlace::List(place) => {
                let items = within(&place.path).and_then(Value::as_array);
                for entity in items.into_iter().flatten() {
                    self.add_entity(own.kind, kind, entity, None, scopes.clone());
                }
            }
        }
    }

    fn add_entity(
        &mut self,
        number: usize,
        kind: &KindPlan,
        entity: &Value,
        id: Option<String>,
        scopes: Option<Scopes>,
    ) {
        let Some(members) = entity.as_object() else { return };
        let mut members = members.clone();
        members.retain(|name, _| !kind.write_only.contains(name));
        let Some(id) = kind.rule.id_of(entity).or(id) else { return };
        let seeds = self.0.entry(number).or_default();
        let same = |seed: &&mut Seed| {
            seed.id.as_deref() == Some(&id) && (seed.scopes == scopes || !kind.rule.keyed_by_scope)
        };
        match seeds.iter_mut().find(same) {
            Some(known) => {
                if let Some(before) = known.entity.as_object_mut() {
                    before.extend(members);
                }
                known.scopes = known.scopes.take().or(scopes);
            }
            None => seeds.push(Seed { entity: Value::Object(members), id: Some(id), scopes }),
        }
    }
}

/// The parents of the entities at a path; `None` if they are unknown.
#[expect(clippy::option_option, reason = "unknown is not the same as none")]
fn scopes(path: &PathPlan, kind: &KindPlan, values: &[Option<String>]) -> Option<Option<Scopes>> {
    let Some((number, parents)) = path.scope else { return Some(None) };
    let known: Option<Vec<String>> = values.get(..parents)?.iter().cloned().collect();
    let mut scopes: Scopes = vec![None; kind.rule.scopes.len()];
    *scopes.get_mut(number)? = Some(known?.join("\u{1}").into());
    Some(Some(scopes))
}

/// The places of an operation's entities in one response.
fn places(own: &StateOperation, key: StatusKey) -> impl Iterator<Item = (usize, &EntityPlace)> {
    let places = own.places.iter().filter(move |(known, _, _)| *known == key);
    places.map(|(_, number, place)| (*number, place))
}

fn examples(plan: &StatePlan, api: &Api, role: Role, found: &mut Entities) {
    for (number, operation) in (0_u32..).zip(&api.operations) {
        let Some(own) = plan.operation(OperationId(number)).filter(|own| own.role == role) else {
            continue;
        };
        let values = path_examples(api, operation);
        for (key, response) in &operation.responses {
            for (media, place) in places(own, *key) {
                let Some((_, media)) = response.content.get(media) else { continue };
                for example in examples_of(api, media) {
                    found.add(plan, own, place, &example, &values);
                }
            }
        }
    }
}

/// The examples of a media type. Texts that contain JSON are parsed.
fn examples_of(api: &Api, media: &Media) -> Vec<Value> {
    let own = media.example.iter().chain(media.examples.iter().map(|(_, value)| value));
    let mut all: Vec<Value> = own.cloned().collect();
    if all.is_empty()
        && let Some(schema) = media.schema
    {
        let target = target(&api.schemas, schema);
        all.extend(api.schemas.node(target).example.clone());
    }
    for value in &mut all {
        if let Value::String(text) = value
            && let Ok(parsed) = serde_json::from_str::<Value>(text)
        {
            *value = parsed;
        }
    }
    all
}

/// The examples of an operation's path parameters, in the order of its template.
fn path_examples(api: &Api, operation: &Operation) -> Vec<Option<String>> {
    super::templates::parameter_names(&operation.template)
        .into_iter()
        .map(|name| {
            let own = operation
                .parameters
                .iter()
                .find(|own| own.location == Location::Path && own.name == name)?;
            let of_schema = || {
                let schema = own.schema?;
                let target = target(&api.schemas, schema);
                let node = api.schemas.node(schema);
                node.example.as_ref().or(api.schemas.node(target).example.as_ref())
            };
            let first = own.examples.first().map(|(_, value)| value);
            id_text(own.example.as_ref().or(first).or_else(of_schema)?)
        })
        .collect()
}

/// The number of query parameters of a recording that are not about pages, and the start of its
/// page.
fn place_of(path: &str) -> (usize, u64) {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let (mut others, mut start) = (0, 0);
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        match (role_of(&name, &[], text.parse::<u64>().is_ok()), text.parse()) {
            (Some(QueryRole::Page | QueryRole::Offset), Ok(number)) => start = number,
            (Some(QueryRole::Size), _) => {}
            _ => others += 1,
        }
    }
    (others, start)
}

fn recordings(plan: &StatePlan, api: &Api, root: &Value, role: Role, found: &mut Entities) {
    let entries = root.get("x-hmt-replay").and_then(Value::as_array);
    let gets = entries.into_iter().flatten().filter_map(|entry| {
        let key = |name: &str| entry.get("key").and_then(|key| key.get(name)?.as_str());
        let path = key("path").filter(|_| matches!(key("method"), Some("get" | "GET")))?;
        Some((path, entry))
    });
    let mut gets: Vec<(&str, &Value)> = gets.collect();
    // The entities have the order of the unfiltered list, page by page.
    gets.sort_by_cached_key(|(path, _)| place_of(path));
    for (path, entry) in gets {
        let path = path.split('?').next().unwrap_or(path);
        let Found::Operation(matched) = api.find(Method::Get, path, BasePathRule::Optional) else {
            continue;
        };
        let Some(own) = plan.operation(matched.id).filter(|own| own.role == role) else {
            continue;
        };
        let values: Vec<Option<String>> =
            matched.path_values.iter().map(|(_, value)| Some(value.clone())).collect();
        let answers = entry.get("answers").and_then(Value::as_array);
        for answer in answers.into_iter().flatten() {
            let is_ok = answer.get("status").and_then(Value::as_u64) == Some(200);
            let body = answer.get("body").and_then(Value::as_str).filter(|_| is_ok);
            let Some(body) = body.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
                continue;
            };
            let keys = [StatusKey::Code(200), StatusKey::Range(2), StatusKey::Default];
            let place = keys.into_iter().find_map(|key| places(own, key).next());
            if let Some((_, place)) = place {
                found.add(plan, own, place, &body, &values);
            }
        }
    }
}
