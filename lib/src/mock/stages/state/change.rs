//! Adds, changes and removes entities.

use serde_json::{Map, Value};

use super::super::super::answer::{Answer, AnswerSource};
use super::super::super::catalogue::{EntityPlace, Role, same_name};
use super::super::super::world::{Contents, Item, Kind, StorageChange, id_text};
use super::super::fill::fill;
use super::super::{made, negotiation};
use super::reply::Entity;
use super::{Asked, PARENTS, Refusal};

/// The entities that a request made or changed, each with its id.
struct Made {
    entities: Vec<(String, Entity)>,
    /// An entity was added.
    is_new: bool,
}

impl Asked<'_> {
    /// Adds one entity, or those of a list.
    pub(super) fn create(&self) -> Result<Answer, Refusal> {
        let bodies = match self.body() {
            Some(Value::Array(items)) => items,
            Some(body) => vec![body],
            None => vec![Value::Object(Map::new())],
        };
        let refuses = self.kind.annotated || self.declares_conflict();
        let made = self.storage.change(|contents| {
            let result = self.create_all(contents, bodies, refuses);
            match result {
                Ok((changes, made)) => (changes, Ok(made)),
                Err(refusal) => (Vec::new(), Err(refusal)),
            }
        })??;
        let mut answer = self.answer_with(&[201], &made);
        if let ([(id, _)], 201) = (&made.entities[..], answer.status.as_u16()) {
            self.set_location(&mut answer, id);
        }
        Ok(answer)
    }

    fn create_all(
        &self,
        contents: &Contents,
        bodies: Vec<Value>,
        refuses: bool,
    ) -> Result<(Vec<StorageChange>, Made), Refusal> {
        self.require_parents(contents)?;
        let entities = self.entities(contents);
        // Entities of one request also need different ids.
        let mut own: Option<Kind> = None;
        let (mut changes, mut made) = (Vec::new(), Vec::new());
        let many = bodies.len() > 1;
        for body in bodies {
            let sent = self.kind.rule.id_of(&body).filter(|_| self.may_choose_id());
            let members = self.received(body);
            let known = |id: &str| {
                let key = self.key(id);
                let of = |kind: Option<&Kind>| kind.is_some_and(|kind| kind.get(&key).is_some());
                of(entities) || of(own.as_ref())
            };
            if let Some(id) = sent.as_deref().filter(|id| refuses && known(id)) {
                return Err(Refusal::Taken(format!("{} {id}", self.kind.rule.name)));
            }
            let id = match sent {
                Some(id) => self.id_value(&id),
                None => match (&own, entities) {
                    (Some(own), Some(entities)) => self.new_id_beside(entities, own),
                    (own, entities) => self.new_id(own.as_ref().or(entities)),
                },
            };
            let text = id_text(&id).unwrap_or_default();
            let entity = self.new_entity(members, &id);
            if many {
                let own = own.get_or_insert_with(|| Kind::new(self.kind.rule.clone()));
                own.put(&self.key(&text), &entity, self.scopes());
            }
            let (change, reply) = self.put(&text, entity);
            changes.push(change);
            made.push((text, reply));
        }
        Ok((changes, Made { entities: made, is_new: true }))
    }

    /// An id that neither the storage nor the request has.
    fn new_id_beside(&self, entities: &Kind, own: &Kind) -> Value {
        let of_own = self.new_id(Some(own));
        let text = id_text(&of_own).unwrap_or_default();
        if entities.get(&self.key(&text)).is_none() {
            return of_own;
        }
        let of_all = self.new_id(Some(entities));
        match of_all.as_u64() {
            Some(number) => (number..)
                .map(Value::from)
                .find(|id| own.get(&self.key(&id.to_string())).is_none())
                .unwrap_or(of_all),
            None => of_all,
        }
    }

    /// True unless only the server sets the id.
    fn may_choose_id(&self) -> bool {
        let id = self.kind.rule.id_path.first();
        id.is_some_and(|id| !self.kind.read_only.contains(id))
    }

    fn declares_conflict(&self) -> bool {
        let keys = self.operation.plan.responses.iter().map(|response| response.key);
        keys.into_iter().any(|key| {
            use crate::conform::StatusKey;
            matches!(key, StatusKey::Code(409) | StatusKey::Range(4))
        })
    }

    /// The change that stores an entity, and the entity for the answer.
    fn put(&self, id: &str, entity: Value) -> (StorageChange, Entity) {
        let key = self.key(id);
        let reply = Entity { key: key.clone(), json: entity.to_string().into_bytes() };
        let kind = self.kind.rule.name.to_string();
        (StorageChange::Put { kind, key, entity, scopes: self.scopes() }, reply)
    }

    /// Changes one entity: `change` gets the current entity, and whether it is an unchanged
    /// singleton, and returns the new one.
    fn change_one(
        &self,
        id: &str,
        change: impl FnOnce(Option<&Item>, bool) -> Result<Value, Refusal>,
    ) -> Result<Made, Refusal> {
        self.storage.change(|contents| {
            let result = (|| {
                self.require_parents(contents)?;
                let key = self.key(id);
                let present = self.present(contents, &key);
                self.precondition(present)?;
                let untouched = self.is_untouched(contents, &key);
                let is_new = present.is_none() && !untouched;
                let (change, reply) = self.put(id, change(present, untouched)?);
                Ok((change, Made { entities: vec![(id.to_owned(), reply)], is_new }))
            })();
            match result {
                Ok((change, made)) => (vec![change], Ok(made)),
                Err(refusal) => (Vec::new(), Err(refusal)),
            }
        })?
    }

    /// Replaces an entity, or adds it if the operation declares 201.
    pub(super) fn replace(&self) -> Result<Answer, Refusal> {
        let body = self.body().unwrap_or_default();
        let id = match self.own.role {
            Role::ReplaceByBody => self.kind.rule.id_of(&body).unwrap_or_default(),
            _ => self.path_id().to_owned(),
        };
        let has_body = body.is_object();
        let members = self.received(body);
        let made = self.change_one(&id, |present, _| match present {
            Some(item) => {
                let before = item.value();
                let mut members = match has_body {
                    true => members,
                    false => before.as_object().cloned().unwrap_or_default(),
                };
                self.set_defaults(&mut members);
                Ok(self.changed_entity(members, &before))
            }
            None if self.creates() => Ok(self.new_entity(members, &self.id_value(&id))),
            None => Err(Refusal::Missing(format!("{} {id}", self.kind.rule.name))),
        })?;
        let codes: &[u16] = if made.is_new { &[201] } else { &[200, 204] };
        let mut answer = self.answer_with(codes, &made);
        if answer.status == http::StatusCode::CREATED {
            self.set_location(&mut answer, &id);
        }
        Ok(answer)
    }

    /// True if a PUT of a missing entity adds it.
    fn creates(&self) -> bool {
        let created = http::StatusCode::CREATED;
        self.own.singleton || negotiation::exact_error(self.call, self.operation, created).is_some()
    }

    /// Changes members of an entity.
    pub(super) fn update(&self) -> Result<Answer, Refusal> {
        let id = self.path_id();
        let content_type = crate::exchange::header(&self.call.request.headers, "content-type");
        let is_json_patch = content_type.is_some_and(|kind| kind.contains("json-patch+json"));
        let patch = self.body();
        let made = self.change_one(id, |present, untouched| {
            let before = match present {
                Some(item) => item.value(),
                None if untouched => self.unmade_singleton(),
                None => return Err(self.missing()),
            };
            let mut changed = before.clone();
            match patch {
                Some(Value::Array(operations)) if is_json_patch => {
                    apply_json_patch(&mut changed, operations)?;
                    changed = Value::Object(self.received(changed));
                }
                Some(patch @ Value::Object(_)) => {
                    let patch = Value::Object(self.received(patch));
                    json_patch::merge(&mut changed, &patch);
                }
                _ => {}
            }
            self.merge_query(&mut changed);
            let members = changed.as_object_mut().map(std::mem::take).unwrap_or_default();
            Ok(self.changed_entity(members, &before))
        })?;
        Ok(self.answer_with(&[200, 204], &made))
    }

    /// Sets the members in the query of an update.
    fn merge_query(&self, entity: &mut Value) {
        if self.call.parts.method != http::Method::POST {
            return;
        }
        let declared = &self.operation.matched.operation.parameters;
        for (name, text) in &self.call.request.query {
            let is_declared = declared.iter().any(|own| own.name == *name);
            let Some(schema) = self.kind.schema.filter(|_| is_declared) else { continue };
            let Some(member) = self.kind.members.iter().find(|own| same_name(own, name)) else {
                continue;
            };
            let Some(property) = self.schemas.property(schema, member) else { continue };
            let typed = serde_json::from_str::<Value>(text).ok();
            let fits = |value: &Value| {
                self.schemas.accepts(property, value, crate::schema::Direction::Response)
            };
            let value = [Some(Value::from(text.as_ref())), typed].into_iter().flatten().find(fits);
            if let (Some(value), Some(members)) = (value, entity.as_object_mut()) {
                members.insert(member.clone(), value);
            }
        }
    }

    /// Adds an entity, or merges it with the existing one.
    pub(super) fn upsert(&self) -> Result<Answer, Refusal> {
        let body = self.body().unwrap_or_default();
        let sent = self.kind.rule.id_of(&body);
        let id = match self.own.path.id {
            Some(_) => Some(self.path_id().to_owned()),
            None => sent,
        };
        let members = self.received(body);
        let id = id.unwrap_or_else(|| {
            self.storage
                .read(|contents| id_text(&self.new_id(self.entities(contents))).unwrap_or_default())
        });
        let made = self.change_one(&id, |present, _| match present {
            Some(item) => {
                let before = item.value();
                let mut merged = before.clone();
                merge(&mut merged, Value::Object(members));
                let members = merged.as_object_mut().map(std::mem::take).unwrap_or_default();
                Ok(self.changed_entity(members, &before))
            }
            None => Ok(self.new_entity(members, &self.id_value(&id))),
        })?;
        let codes: &[u16] = if made.is_new { &[201, 200] } else { &[200, 204] };
        let mut answer = self.answer_with(codes, &made);
        if answer.status == http::StatusCode::CREATED {
            self.set_location(&mut answer, &id);
        }
        Ok(answer)
    }

    /// Removes an entity, and all entities below it.
    pub(super) fn delete(&self) -> Result<Answer, Refusal> {
        let key = self.path_key();
        let removed = self.storage.change(|contents| {
            let result = (|| {
                self.require_parents(contents)?;
                let untouched = self.is_untouched(contents, &key);
                let present = self.present(contents, &key);
                self.precondition(present)?;
                match present {
                    Some(item) => Ok(self.entity_for_reply(&key, item)),
                    None if untouched => Ok(self.reply_of(&key, &self.unmade_singleton())),
                    None => Err(self.missing()),
                }
            })();
            match result {
                Ok(entity) => (self.removal(contents, &key), Ok(entity)),
                Err(refusal) => (Vec::new(), Err(refusal)),
            }
        })??;
        let id = self.path_id().to_owned();
        Ok(self.answer_with(&[204], &Made { entities: vec![(id, removed)], is_new: false }))
    }

    /// The changes that remove an entity.
    fn removal(&self, contents: &Contents, key: &str) -> Vec<StorageChange> {
        let kind = self.kind.rule.name.to_string();
        if self.own.singleton {
            // If it were just missing, it would be generated again.
            let scopes = self.scopes();
            return vec![StorageChange::Put {
                kind,
                key: key.to_owned(),
                entity: Value::Null,
                scopes,
            }];
        }
        let mut changes = vec![StorageChange::Delete { kind, key: key.to_owned() }];
        let values: Vec<&str> =
            (0..=self.own.path.id.unwrap_or(0)).map(|number| self.path_value(number)).collect();
        let parents = values.join(PARENTS);
        for (kind, number, _) in self.plan.below(self.own.kind) {
            let name = &self.plan.kinds[kind].rule.name;
            let Some(entities) = contents.kind(name).filter(|kind| !kind.is_empty()) else {
                continue;
            };
            let is_below = |item: &Item| {
                let own = item.scopes().get(number).and_then(|own| own.as_deref());
                own.and_then(|own| own.strip_prefix(&*parents))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(PARENTS))
            };
            if !entities.items().any(is_below) {
                continue;
            }
            for (key, item) in entities.entries() {
                if is_below(item) {
                    changes.push(StorageChange::Delete {
                        kind: name.to_string(),
                        key: key.to_owned(),
                    });
                }
            }
        }
        changes
    }

    /// Removes the entities of a collection that the query selects.
    pub(super) fn delete_all(&self) -> Result<Answer, Refusal> {
        let query = self.query();
        self.storage.change(|contents| {
            if let Err(refusal) = self.require_parents(contents) {
                return (Vec::new(), Err(refusal));
            }
            let Some(entities) = self.entities(contents) else { return (Vec::new(), Ok(())) };
            let slots = query.select(entities);
            let entries = entities.entries().into_iter();
            let numbers: std::collections::HashSet<u64> =
                slots.iter().filter_map(|slot| Some(entities.at(*slot)?.number())).collect();
            let removed = entries.filter(|(_, item)| numbers.contains(&item.number()));
            let kind = self.kind.rule.name.to_string();
            let changes = removed
                .map(|(key, _)| StorageChange::Delete { kind: kind.clone(), key: key.to_owned() })
                .collect();
            (changes, Ok(()))
        })??;
        Ok(self.answer_with(&[204], &Made { entities: Vec::new(), is_new: false }))
    }

    /// The answer with the new entities: one, a list, or whatever the schema requires.
    fn answer_with(&self, codes: &[u16], made: &Made) -> Answer {
        let Some(choice) = self.success(codes) else {
            let status = codes.first().and_then(|code| http::StatusCode::from_u16(*code).ok());
            let mut answer = Answer::empty(status.unwrap_or_default());
            answer.source = Some(AnswerSource::State);
            return answer;
        };
        let mut answer = match (&made.entities[..], self.place(&choice)) {
            ([(_, entity)], _) => self.reply(&choice, entity),
            ([_, ..], Some(EntityPlace::List(place))) => {
                let (_, entities): (Vec<_>, Vec<Entity>) = made
                    .entities
                    .iter()
                    .map(|(id, entity)| {
                        let (key, json) = (entity.key.clone(), entity.json.clone());
                        (id, Entity { key, json })
                    })
                    .unzip();
                self.with_items(&choice, place, &entities)
            }
            ([(_, entity), ..], Some(_)) => self.reply(&choice, entity),
            _ if choice.media.is_none() => made::head(self.context, self.call, &choice),
            _ => fill(self.context, self.call, self.operation, &choice),
        };
        answer.source = Some(AnswerSource::State);
        answer
    }
}

/// Merges members into a value, recursively.
fn merge(value: &mut Value, other: Value) {
    match (value, other) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, other) in others {
                match members.get_mut(&name) {
                    Some(own) => merge(own, other),
                    None => drop(members.insert(name, other)),
                }
            }
        }
        (value, other) => *value = other,
    }
}

/// Applies a JSON Patch (RFC 6902) as a whole.
fn apply_json_patch(value: &mut Value, operations: Vec<Value>) -> Result<(), Refusal> {
    let wrong = |why: String| Refusal::Body(format!("the JSON Patch {why}"));
    let patch: json_patch::Patch = serde_json::from_value(Value::Array(operations))
        .map_err(|error| wrong(format!("is malformed: {error}")))?;
    json_patch::patch(value, &patch).map_err(|error| wrong(format!("cannot be applied: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_merged() {
        let mut value = json!({"a": {"b": 1, "c": [1]}, "d": 2});
        merge(&mut value, json!({"a": {"c": [2], "e": null}, "f": 3}));
        assert_eq!(value, json!({"a": {"b": 1, "c": [2], "e": null}, "d": 2, "f": 3}));
    }
}
