//! Answers with one entity.

use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use crate::schema::NodeId;

use super::super::super::answer::media::{self, Notation};
use super::super::super::answer::{Answer, AnswerSource};
use super::super::super::catalogue::{EntityPlace, ItemPlace, ListPlace, target};
use super::super::super::operation::UNRESERVED;
use super::super::super::world::Item;
use super::super::fill::fill;
use super::super::made;
use super::super::negotiation::Choice;
use super::entity::Fitting;
use super::{Asked, Refusal};

/// An entity as JSON, valid by the schema of its kind.
pub(super) struct Entity {
    pub(super) key: String,
    pub(super) json: Vec<u8>,
}

impl<'a> Asked<'a> {
    /// An entity of the storage, which may come from a callback or from initial data.
    pub(super) fn entity_for_reply(&self, key: &str, item: &Item) -> Entity {
        let number = self.context.catalogue.number();
        if item.is_valid_for(number) {
            return Entity { key: key.to_owned(), json: item.json().to_vec() };
        }
        let value = item.value();
        let reply = self.reply_of(key, &value);
        if reply.json == item.json() {
            item.set_valid_for(number);
        }
        reply
    }

    /// An entity that may be invalid.
    pub(super) fn reply_of(&self, key: &str, value: &Value) -> Entity {
        let json = match self.kind.schema {
            Some(schema) => self.fitted(value.clone(), schema, key, false).to_string().into_bytes(),
            None => value.to_string().into_bytes(),
        };
        Entity { key: key.to_owned(), json }
    }

    fn fitted(&self, value: Value, schema: NodeId, key: &str, declared_only: bool) -> Value {
        let mut fitting = Fitting { schemas: self.schemas, schema, declared_only };
        let id = self.kind.rule.id_of(&value);
        let id = id.unwrap_or_else(|| key.rsplit('\0').next().unwrap_or_default().to_owned());
        let composed = || self.composed(self.plan.plan(self.schemas, schema), key);
        fitting.fit(value, None, &composed, &|made| self.set_id(made, &self.id_value(&id)))
    }

    /// An entity as JSON by the schema of a response.
    pub(super) fn as_schema(&self, entity: &Entity, schema: Option<NodeId>) -> Vec<u8> {
        let own = self.kind.schema.map(|own| target(self.schemas, own));
        match schema {
            Some(schema) if own != Some(target(self.schemas, schema)) => {
                let value = serde_json::from_slice(&entity.json).unwrap_or_default();
                let declared_only = !self.schemas.properties(schema).is_empty();
                let value = self.fitted(value, schema, &entity.key, declared_only);
                value.to_string().into_bytes()
            }
            _ => entity.json.clone(),
        }
    }

    /// The place of entities in the body of a response.
    pub(super) fn place(&self, choice: &Choice<'_>) -> Option<&'a EntityPlace> {
        let (response, media) = (choice.response?, choice.media.as_ref()?);
        let number = response.media.iter().position(|own| std::ptr::eq(own, media.plan))?;
        let mut places = self.own.places.iter();
        places
            .find(|(key, own, _)| *key == response.key && *own == number)
            .map(|(_, _, place)| place)
    }

    /// The answer with an entity. If the response has no place for it, the answer is generated from
    /// its schema.
    pub(super) fn reply(&self, choice: &Choice<'_>, entity: &Entity) -> Answer {
        let mut answer = match (&choice.media, self.place(choice)) {
            (None, _) => made::head(self.context, self.call, choice),
            (Some(_), None) => fill(self.context, self.call, self.operation, choice),
            (Some(_), Some(EntityPlace::Item(place))) => {
                let json = self.as_schema(entity, Some(place.schema));
                self.with_item(choice, place, &json)
            }
            (Some(_), Some(EntityPlace::List(place))) => {
                self.with_items(choice, place, std::slice::from_ref(entity))
            }
        };
        answer.source = Some(AnswerSource::State);
        if self.declares(choice, &ETAG)
            && let Ok(tag) = HeaderValue::from_str(&tag(&entity.json))
        {
            answer.headers.insert(ETAG, tag);
        }
        answer
    }

    fn with_item(&self, choice: &Choice<'_>, place: &ItemPlace, json: &[u8]) -> Answer {
        let mut answer = made::head(self.context, self.call, choice);
        let Some(media) = &choice.media else { return answer };
        if place.path.is_empty() && media.plan.notation == Notation::Json {
            answer.body = json.to_vec().into();
            return answer;
        }
        let envelope = if place.path.is_empty() { Value::Null } else { self.envelope(choice) };
        answer.body = self.write(choice, envelope, &place.path, json);
        answer
    }

    /// Several entities, in the list of a response.
    pub(super) fn with_items(
        &self,
        choice: &Choice<'_>,
        place: &ListPlace,
        entities: &[Entity],
    ) -> Answer {
        let mut answer = made::head(self.context, self.call, choice);
        let json = self.joined(place, entities);
        let envelope = if place.path.is_empty() { Value::Null } else { self.envelope(choice) };
        answer.body = self.write(choice, envelope, &place.path, &json);
        answer
    }

    /// Entities as a JSON array.
    pub(super) fn joined(&self, place: &ListPlace, entities: &[Entity]) -> Vec<u8> {
        let mut json =
            Vec::with_capacity(2 + entities.iter().map(|e| e.json.len() + 1).sum::<usize>());
        json.push(b'[');
        for (number, entity) in entities.iter().enumerate() {
            if number > 0 {
                json.push(b',');
            }
            json.extend_from_slice(&self.as_schema(entity, place.item));
        }
        json.push(b']');
        json
    }

    /// A body generated from the schema of a response, in which entities are inserted.
    pub(super) fn envelope(&self, choice: &Choice<'_>) -> Value {
        let plan = choice.media.as_ref().and_then(|media| media.plan.composer());
        self.composed(plan, "")
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// An envelope in the syntax of the response, with JSON at a place.
    pub(super) fn write(
        &self,
        choice: &Choice<'_>,
        mut envelope: Value,
        path: &[String],
        json: &[u8],
    ) -> bytes::Bytes {
        let Some(chosen) = &choice.media else { return bytes::Bytes::new() };
        if chosen.plan.notation == Notation::Json {
            ensure(&mut envelope, path);
            let mut out = Vec::with_capacity(json.len() + 256);
            write_at(&envelope, path, json, &mut out);
            return out.into();
        }
        let value: Value = serde_json::from_slice(json).unwrap_or_default();
        *ensure(&mut envelope, path) = value;
        media::write(&envelope, chosen.plan.notation, self.schemas, chosen.plan.schema).into()
    }

    pub(super) fn declares(&self, choice: &Choice<'_>, name: &HeaderName) -> bool {
        choice.response.is_some_and(|own| own.headers.iter().any(|header| header.name == *name))
    }

    /// The 304 for a client that already has the entity, if the operation declares it.
    pub(super) fn not_modified(&self, entity: &Entity) -> Option<Answer> {
        let sent = self.call.parts.headers.get(IF_NONE_MATCH)?;
        let declared = super::super::negotiation::exact_error(
            self.call,
            self.operation,
            StatusCode::NOT_MODIFIED,
        )?;
        if !matches_tag(sent, &tag(&entity.json)) {
            return None;
        }
        let mut answer = made::head(self.context, self.call, &declared);
        answer.source = Some(AnswerSource::State);
        answer.headers.remove(http::header::CONTENT_TYPE);
        if let Ok(tag) = HeaderValue::from_str(&tag(&entity.json)) {
            answer.headers.insert(ETAG, tag);
        }
        Some(answer)
    }

    /// Checks `If-Match` and `If-None-Match` before a change, if the operation declares 412.
    /// `entity` is the current one.
    pub(super) fn precondition(&self, entity: Option<&Item>) -> Result<(), Refusal> {
        let declares = |code: u16| {
            let status = StatusCode::from_u16(code).unwrap_or_default();
            super::super::negotiation::exact_error(self.call, self.operation, status).is_some()
        };
        let headers = &self.call.parts.headers;
        let (matching, unless) = (headers.get(IF_MATCH), headers.get(IF_NONE_MATCH));
        if matching.is_none() && unless.is_none() {
            let required = entity.is_some() && declares(428);
            return if required { Err(Refusal::NoPrecondition) } else { Ok(()) };
        }
        if !declares(412) {
            return Ok(());
        }
        let current = entity.map(|item| tag(&self.entity_for_reply("", item).json));
        let is = |sent: &HeaderValue| current.as_deref().is_some_and(|tag| matches_tag(sent, tag));
        if matching.is_some_and(|sent| !is(sent)) {
            return Err(Refusal::Precondition("If-Match"));
        }
        if unless.is_some_and(is) {
            return Err(Refusal::Precondition("If-None-Match"));
        }
        Ok(())
    }

    /// Adds the URI of a new entity.
    pub(super) fn set_location(&self, answer: &mut Answer, id: &str) {
        if self.call.parts.method != Method::POST && self.call.parts.method != Method::PUT {
            return;
        }
        let path = self.call.path_and_query.split('?').next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        let id = utf8_percent_encode(id, UNRESERVED).to_string();
        let uri = if self.own.path.id.is_some() {
            Some(path.to_owned())
        } else if let Some(template) = &self.kind.item_template {
            let own = self.operation.matched.operation.template.trim_matches('/');
            let segments = own.split('/').count();
            let base = path.rsplitn(segments + 1, '/').nth(segments).unwrap_or_default();
            let (before, after) = template.split_once('{').unwrap_or((template, ""));
            let after = after.split_once('}').map_or("", |(_, after)| after);
            Some(format!("{base}{before}{id}{after}"))
        } else {
            self.plan.has_items(self.own).then(|| format!("{path}/{id}"))
        };
        if let Some(uri) = uri.and_then(|uri| HeaderValue::from_str(&uri).ok()) {
            answer.headers.insert(LOCATION, uri);
        }
    }
}

/// The entity tag of an entity (RFC 9110, section 8.8.3).
pub(super) fn tag(json: &[u8]) -> String {
    format!("\"{:016x}\"", XxHash3_64::oneshot(json))
}

/// True if a header lists an entity tag, or `*`.
fn matches_tag(sent: &HeaderValue, tag: &str) -> bool {
    let sent = sent.to_str().unwrap_or_default();
    sent.trim() == "*"
        || sent.split(',').any(|one| {
            let one = one.trim();
            one.strip_prefix("W/").unwrap_or(one) == tag || one == tag.trim_matches('"')
        })
}

/// The value at a path, which is created if missing.
pub(super) fn ensure<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    let Some((first, rest)) = path.split_first() else { return value };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(members) => ensure(members.entry(first.clone()).or_insert(Value::Null), rest),
        other => other,
    }
}

/// Writes a value with other JSON at a path.
fn write_at(value: &Value, path: &[String], json: &[u8], out: &mut Vec<u8>) {
    let (Some((first, rest)), Some(members)) = (path.split_first(), value.as_object()) else {
        return out.extend_from_slice(json);
    };
    out.push(b'{');
    for (number, (name, value)) in members.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
        out.push(b':');
        if name == first {
            write_at(value, rest, json, out);
        } else {
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_put_into_an_envelope() {
        let mut envelope = json!({"a": 1, "_embedded": {"b": 2}});
        let path = ["_embedded".to_owned(), "things".to_owned()];
        ensure(&mut envelope, &path);
        let mut out = Vec::new();
        write_at(&envelope, &path, b"[7]", &mut out);
        assert_eq!(out, br#"{"a":1,"_embedded":{"b":2,"things":[7]}}"#);
    }

    #[test]
    fn entity_tags_are_compared() {
        let own = tag(b"{}");
        for (sent, expected) in [
            ("*", true),
            (own.as_str(), true),
            ("\"x\"", false),
            (&format!("\"x\", W/{own}"), true),
        ] {
            assert_eq!(matches_tag(&sent.parse().unwrap(), &own), expected, "{sent}");
        }
    }
}
