//! Where entities are within bodies.

use crate::conform::{Api, Media, Operation, StatusKey};
use crate::schema::{NodeId, SchemaSet, Types};

use super::super::super::answer::media::{MediaType, Notation};
use super::names::{ENVELOPES, IDS, same_name, same_noun};
use super::page::{self, PageField};
use super::target::target;

/// Where an entity, or a list of them, is in a body.
#[derive(Debug)]
pub(in crate::mock) enum EntityPlace {
    Item(ItemPlace),
    List(Box<ListPlace>),
}

#[derive(Debug)]
pub(in crate::mock) struct ItemPlace {
    /// The names of the members that lead to it; empty for the whole body.
    pub(in crate::mock) path: Vec<String>,
    pub(in crate::mock) schema: NodeId,
}

#[derive(Debug)]
pub(in crate::mock) struct ListPlace {
    pub(in crate::mock) path: Vec<String>,
    /// The schema of the list.
    pub(in crate::mock) list: NodeId,
    /// The schema of its items; `None` if any is valid.
    pub(in crate::mock) item: Option<NodeId>,
    /// The members of the envelope that describe the page.
    pub(in crate::mock) fields: Vec<PageField>,
}

/// Maximum depth of the search for entities.
const MAX_DEPTH: usize = 4;

/// True if a schema accepts only its own members.
pub(super) fn is_closed(schemas: &SchemaSet, id: NodeId) -> bool {
    schemas.rest(id).is_some_and(|rest| schemas.node(rest).never)
}

fn is_object(schemas: &SchemaSet, id: NodeId) -> bool {
    let types = schemas.types(id);
    types.has(Types::OBJECT) && !schemas.properties(id).is_empty()
        || types.0 & !Types::NULL.0 == Types::OBJECT.0
}

fn is_array(schemas: &SchemaSet, id: NodeId) -> bool {
    schemas.types(id).has(Types::ARRAY)
        && (schemas.item(id).is_some() || schemas.types(id).0 & !Types::NULL.0 == Types::ARRAY.0)
}

/// The media types that can hold entities, with their index.
fn media(content: &[(String, Media)]) -> impl Iterator<Item = (usize, NodeId)> {
    let all = content.iter().enumerate();
    all.filter_map(|(number, (name, media))| {
        let notation = MediaType::parse(name).notation();
        matches!(notation, Notation::Json | Notation::Xml | Notation::Form | Notation::Csv)
            .then_some((number, media.schema?))
    })
}

/// The keys of an operation's successful responses: `default` counts as successful only if there is
/// no other.
fn success_keys(operation: &Operation) -> impl Fn(StatusKey) -> bool + use<> {
    let is_explicit =
        |key: StatusKey| matches!(key, StatusKey::Code(200..300) | StatusKey::Range(2));
    let explicit = operation.responses.iter().any(|(key, _)| is_explicit(*key));
    move |key| is_explicit(key) || !explicit && key == StatusKey::Default
}

/// The schemas of an operation's successful responses, by their status.
pub(super) fn successes(operation: &Operation) -> Vec<NodeId> {
    let is_success = success_keys(operation);
    let mut found = Vec::new();
    for (key, response) in operation.responses.iter().filter(|(key, _)| is_success(*key)) {
        for (_, schema) in media(&response.content) {
            found.push((*key, schema));
        }
    }
    found.sort_by_key(|(key, _)| *key);
    found.into_iter().map(|(_, schema)| schema).collect()
}

/// The schema of an operation's request body.
pub(super) fn request_schema(operation: &Operation) -> Option<NodeId> {
    let content = &operation.request_body.as_ref()?.content;
    media(content).next().map(|(_, schema)| schema)
}

/// The list in a body, and the schema of its items: the body itself, or the member of an envelope.
pub(super) fn list_in(
    schemas: &SchemaSet,
    schema: NodeId,
    noun: &str,
) -> Option<(Vec<String>, NodeId)> {
    if is_array(schemas, schema) {
        return Some((Vec::new(), schema));
    }
    let properties = schemas.properties(schema);
    let lists: Vec<(&str, NodeId)> =
        properties.iter().copied().filter(|(_, id)| is_array(schemas, *id)).collect();
    let named = lists.iter().find(|(name, _)| ENVELOPES.iter().any(|known| same_name(known, name)));
    let noun_list = || lists.iter().find(|(name, _)| same_noun(name, noun));
    let has_id = properties.iter().any(|(name, _)| IDS.iter().any(|id| same_name(id, name)));
    let only = || lists.first().filter(|_| lists.len() == 1 && !has_id);
    if let Some((name, id)) = noun_list().or(named).or_else(only) {
        return Some((vec![(*name).to_owned()], *id));
    }
    // `_embedded.things` of HAL, and `data.things`.
    for (name, id) in &properties {
        let is_holder =
            same_name(name, "embedded") || ENVELOPES.iter().any(|known| same_name(known, name));
        if is_holder && is_object(schemas, *id) && !has_id {
            let inner = schemas.properties(*id);
            let mut lists = inner.iter().filter(|(_, id)| is_array(schemas, *id));
            let found = inner
                .iter()
                .find(|(name, id)| is_array(schemas, *id) && same_noun(name, noun))
                .or_else(|| lists.next().filter(|_| lists.next().is_none()));
            if let Some((within, id)) = found {
                return Some((vec![(*name).to_owned(), (*within).to_owned()], *id));
            }
        }
    }
    None
}

/// True if a body is a list, or an envelope that is named after its content.
pub(super) fn is_list(schemas: &SchemaSet, schema: NodeId, noun: &str) -> bool {
    let has_id = || {
        let properties = schemas.properties(schema);
        properties.iter().any(|(name, _)| IDS.iter().any(|id| same_name(id, name)))
    };
    list_in(schemas, schema, noun).is_some_and(|(path, _)| match path.last() {
        None => true,
        Some(name) => {
            let named = ENVELOPES.iter().any(|known| same_name(known, name));
            (named || path.len() > 1 || same_noun(name, noun)) && !has_id()
        }
    })
}

/// The entity in a body: the body itself, or the member of an envelope.
pub(super) fn item_in(
    schemas: &SchemaSet,
    schema: NodeId,
    noun: &str,
) -> Option<(Vec<String>, NodeId)> {
    if !is_object(schemas, schema) {
        return None;
    }
    let properties = schemas.properties(schema);
    let has_id = properties.iter().any(|(name, _)| IDS.iter().any(|id| same_name(id, name)));
    if !has_id {
        let objects = || properties.iter().filter(|(_, id)| is_object(schemas, *id));
        let by_noun = objects().find(|(name, _)| same_noun(name, noun));
        let named = || {
            let lists = properties.iter().any(|(name, id)| {
                is_array(schemas, *id) && ENVELOPES.iter().any(|known| same_name(known, name))
            });
            objects()
                .find(|(name, _)| ENVELOPES.iter().any(|known| same_name(known, name)))
                .filter(|_| !lists)
        };
        if let Some((name, id)) = by_noun.or_else(named) {
            return Some((vec![(*name).to_owned()], *id));
        }
    }
    Some((Vec::new(), schema))
}

/// The nearest place at which a schema refers to the entity's own schema, directly or in a list.
pub(super) fn exact(
    schemas: &SchemaSet,
    schema: NodeId,
    entity: NodeId,
) -> Option<(Vec<String>, NodeId, bool)> {
    let entity = target(schemas, entity);
    let mut level: Vec<(Vec<String>, NodeId)> = vec![(Vec::new(), schema)];
    for _ in 0..MAX_DEPTH {
        for (path, id) in &level {
            if target(schemas, *id) == entity || alternative(schemas, *id, entity) {
                return Some((path.clone(), *id, false));
            }
            if schemas.item(*id).is_some_and(|item| {
                target(schemas, item) == entity || alternative(schemas, item, entity)
            }) {
                return Some((path.clone(), *id, true));
            }
        }
        let next = level.iter().flat_map(|(path, id)| {
            schemas.properties(*id).into_iter().map(|(name, property)| {
                let mut path = path.clone();
                path.push(name.to_owned());
                (path, property)
            })
        });
        level = next.take(1000).collect();
    }
    None
}

/// True if the entity is one of the alternatives of a schema.
fn alternative(schemas: &SchemaSet, id: NodeId, entity: NodeId) -> bool {
    let node = schemas.node(target(schemas, id));
    node.any_of.iter().chain(&node.one_of).any(|branch| target(schemas, *branch) == entity)
}

/// True if a schema describes the entity, or a part of it: it has the id, or most of its members
/// belong to the entity.
fn resembles(schemas: &SchemaSet, schema: NodeId, members: &[String], id: &str) -> bool {
    let own = schemas.properties(schema);
    let known = |name: &str| members.iter().any(|member| member == name);
    let shared = own.iter().filter(|(name, _)| known(name)).count();
    own.iter().any(|(name, _)| *name == id) && known(id) || shared > 0 && 2 * shared >= own.len()
}

/// The entity that places are found for.
pub(super) struct Wanted<'w> {
    pub(super) schema: Option<NodeId>,
    pub(super) members: &'w [String],
    pub(super) id: &'w str,
    pub(super) noun: &'w str,
    /// True if only references to the entity's own schema count.
    pub(super) exactly: bool,
}

/// The places of entities in each response of an operation.
pub(super) fn of_responses(
    api: &Api,
    operation: &Operation,
    wanted: &Wanted<'_>,
    list: bool,
) -> Vec<(StatusKey, usize, EntityPlace)> {
    let mut places = Vec::new();
    let is_success = success_keys(operation);
    for (key, response) in operation.responses.iter().filter(|(key, _)| is_success(*key)) {
        for (number, schema) in media(&response.content) {
            if let Some(place) = of_schema(api, operation, schema, wanted, list) {
                places.push((*key, number, place));
            }
        }
    }
    places
}

fn of_schema(
    api: &Api,
    operation: &Operation,
    schema: NodeId,
    wanted: &Wanted<'_>,
    list: bool,
) -> Option<EntityPlace> {
    let schemas = &api.schemas;
    let list_place = |path: Vec<String>, id: NodeId| {
        let fields = page::fields(api, operation, schema, &path);
        let item = schemas.item(id);
        EntityPlace::List(Box::new(ListPlace { path, list: id, item, fields }))
    };
    let found = wanted.schema.and_then(|entity| exact(schemas, schema, entity));
    match found {
        Some((path, id, true))
            if list || wanted.exactly || is_list(schemas, schema, wanted.noun) =>
        {
            return Some(list_place(path, id));
        }
        Some((path, id, false)) if !list || wanted.exactly => {
            return Some(EntityPlace::Item(ItemPlace { path, schema: id }));
        }
        _ if wanted.exactly => return None,
        _ => {}
    }
    if list {
        let (path, id) = list_in(schemas, schema, wanted.noun)?;
        return Some(list_place(path, id));
    }
    let (path, id) = item_in(schemas, schema, wanted.noun)?;
    let same = wanted.schema.is_none()
        || wanted.members.is_empty()
        || resembles(schemas, id, wanted.members, wanted.id);
    same.then_some(EntityPlace::Item(ItemPlace { path, schema: id }))
}

/// The place of the entity in a request body.
pub(super) fn of_request(
    schemas: &SchemaSet,
    operation: &Operation,
    wanted: &Wanted<'_>,
) -> Vec<String> {
    let Some(schema) = request_schema(operation) else { return Vec::new() };
    if let Some((path, _, _)) = wanted.schema.and_then(|entity| exact(schemas, schema, entity)) {
        return path;
    }
    let shares = |id: NodeId| {
        schemas.properties(id).iter().any(|(name, _)| wanted.members.iter().any(|m| m == name))
    };
    if wanted.exactly || is_array(schemas, schema) || shares(schema) {
        return Vec::new();
    }
    item_in(schemas, schema, wanted.noun)
        .filter(|(_, id)| wanted.members.is_empty() || shares(*id))
        .map_or_else(Vec::new, |(path, _)| path)
}
