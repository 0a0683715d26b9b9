//! Makes entities: the data that a client sent, completed with the server's members.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twox_hash::XxHash3_64;

use crate::fake::Plan;
use crate::schema::{Direction, NodeId, SchemaSet, Types};

use super::super::super::catalogue::target;
use super::super::super::world::{IdKind, Kind, id_text};
use super::Asked;

/// Maximum depth at which values are examined.
const MAX_DEPTH: u32 = 32;
/// Maximum number of attempts to make a valid id that is not in use.
const ATTEMPTS: u64 = 100;

impl Asked<'_> {
    /// The data that a client sent, without `readOnly` members and those that responses must not
    /// contain.
    pub(super) fn received(&self, body: Value) -> Map<String, Value> {
        let mut body = match self.kind.schema {
            Some(schema) => stripped(self.schemas, schema, body, 0),
            None => body,
        };
        body.as_object_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A new entity. `id` is that of the path, or a generated one.
    pub(super) fn new_entity(&self, mut members: Map<String, Value>, id: &Value) -> Value {
        self.set_parents(&mut members);
        self.set_defaults(&mut members);
        let now = SystemTime::now();
        for (name, schema) in self.kind.created.iter().chain(&self.kind.updated) {
            if !members.contains_key(name)
                && let Some(time) = self.time(*schema, now)
            {
                members.insert(name.clone(), time);
            }
        }
        let id_text = id_text(id).unwrap_or_default();
        let id_name = self.kind.rule.id_path.first();
        let missing = |name: &&String| !members.contains_key(*name) && id_name != Some(*name);
        let made: Vec<&String> = self.kind.read_only.iter().filter(missing).collect();
        if !made.is_empty()
            && let Some(composed) = self.composed(self.kind_plan(), &id_text)
        {
            for name in made {
                if let Some(value) = composed.get(name) {
                    members.insert(name.clone(), value.clone());
                }
            }
        }
        let mut entity = Value::Object(members);
        self.set_id(&mut entity, id);
        self.completed(entity, &id_text, None)
    }

    /// Sets members that have defaults and were not sent.
    pub(super) fn set_defaults(&self, members: &mut Map<String, Value>) {
        for (name, default) in &self.kind.defaults {
            members.entry(name.clone()).or_insert_with(|| default.clone());
        }
    }

    /// A changed entity: members that only the server sets keep their values.
    pub(super) fn changed_entity(&self, mut members: Map<String, Value>, before: &Value) -> Value {
        for name in &self.kind.read_only {
            match before.get(name) {
                Some(value) => drop(members.insert(name.clone(), value.clone())),
                None => drop(members.remove(name)),
            }
        }
        for (name, _) in &self.kind.created {
            if let (false, Some(value)) = (members.contains_key(name), before.get(name)) {
                members.insert(name.clone(), value.clone());
            }
        }
        for property in self.kind.rule.scopes.iter().flatten() {
            if let Some(value) = before.get(property).filter(|_| self.own.path.scope.is_some()) {
                members.insert(property.clone(), value.clone());
            }
        }
        let now = SystemTime::now();
        for (name, schema) in &self.kind.updated {
            if let Some(time) = self.time(*schema, now) {
                members.insert(name.clone(), time);
            }
        }
        let mut entity = Value::Object(members);
        let mut id = before;
        for name in &self.kind.rule.id_path {
            id = &id[name];
        }
        if !self.kind.rule.id_path.is_empty() && !id.is_null() {
            self.kind.rule.set_id(&mut entity, id.clone());
        }
        let text = self.kind.rule.id_of(before).unwrap_or_default();
        self.completed(entity, &text, Some(before))
    }

    /// A singleton that was not changed yet.
    pub(super) fn unmade_singleton(&self) -> Value {
        let composed = self.composed(self.kind_plan(), &self.path_key());
        let members = composed.and_then(|mut value| value.as_object_mut().map(std::mem::take));
        let mut members = members.unwrap_or_default();
        self.set_parents(&mut members);
        self.completed(Value::Object(members), &self.path_key(), None)
    }

    /// An entity that is valid by the schema of its kind, with members in the order of the schema.
    fn completed(&self, entity: Value, id: &str, before: Option<&Value>) -> Value {
        let mut entity = self.valid(entity, id, before);
        if let Value::Object(members) = &mut entity {
            let mut rest = std::mem::take(members);
            for name in &self.kind.members {
                members.extend(rest.shift_remove(name).map(|value| (name.clone(), value)));
            }
            members.append(&mut rest);
        }
        entity
    }

    fn valid(&self, entity: Value, id: &str, before: Option<&Value>) -> Value {
        let Some(schema) = self.kind.schema else { return entity };
        let mut fitting = Fitting { schemas: self.schemas, schema, declared_only: false };
        let composed = || self.composed(self.kind_plan(), id);
        fitting.fit(entity, before, &composed, &|value| self.set_id(value, &self.id_value(id)))
    }

    /// The value of an id in the type that the schema has.
    pub(super) fn id_value(&self, id: &str) -> Value {
        let text = Value::from(id);
        let number = serde_json::from_str::<Value>(id).ok().filter(Value::is_number);
        let readings = match self.kind.rule.id {
            IdKind::Integer => [number, Some(text.clone())],
            IdKind::Digits | IdKind::Uuid => [Some(text.clone()), number],
        };
        let fits = |value: &Value| {
            self.kind
                .id
                .schemas
                .first()
                .is_none_or(|schema| self.schemas.accepts(*schema, value, Direction::Response))
        };
        readings.into_iter().flatten().find(fits).unwrap_or(text)
    }

    /// Sets the id if entities have it as a member.
    pub(super) fn set_id(&self, entity: &mut Value, id: &Value) {
        if self.kind.id.is_member {
            self.kind.rule.set_id(entity, id.clone());
        }
    }

    /// Sets the members that name the parents in the path.
    fn set_parents(&self, members: &mut Map<String, Value>) {
        let Some((number, count)) = self.own.path.scope else { return };
        let property = self.kind.rule.scopes.get(number).and_then(Option::as_ref);
        let schema =
            property.and_then(|name| Some((name, self.schemas.property(self.kind.schema?, name)?)));
        if let (Some((name, schema)), Some(last)) = (schema, count.checked_sub(1)) {
            let text = self.path_value(last);
            let number = serde_json::from_str::<Value>(text).ok().filter(Value::is_number);
            let fits = |value: &Value| self.schemas.accepts(schema, value, Direction::Response);
            let value = [number, Some(text.into())].into_iter().flatten().find(fits);
            members.extend(value.map(|value| (name.clone(), value)));
        }
    }

    /// An id that is not in use.
    pub(super) fn new_id(&self, entities: Option<&Kind>) -> Value {
        let fits = |id: &Value| {
            let text = id_text(id).unwrap_or_default();
            let taken = entities.is_some_and(|all| all.get(&self.key(&text)).is_some());
            !taken && self.kind.id.schemas.iter().all(|schema| self.id_fits(*schema, id))
        };
        let plain = Kind::new(self.kind.rule.clone());
        let usual = entities.unwrap_or(&plain).new_id();
        if fits(&usual) {
            return usual;
        }
        let made = |_| {
            let plan = self.plan.plan(self.schemas, *self.kind.id.schemas.first()?)?;
            let mut json = Vec::new();
            plan.generate(rand::random(), &mut json);
            serde_json::from_slice::<Value>(&json).ok().filter(|id| id_text(id).is_some())
        };
        (0..ATTEMPTS).filter_map(made).find(fits).unwrap_or(usual)
    }

    /// True if an id is valid, as a value or as the text in a path.
    fn id_fits(&self, schema: NodeId, id: &Value) -> bool {
        let other = match id {
            Value::String(text) => serde_json::from_str::<Value>(text).ok(),
            other => Some(Value::String(other.to_string())),
        };
        let accepts = |value: &Value| self.schemas.accepts(schema, value, Direction::Response);
        accepts(id) || other.is_some_and(|other| accepts(&other))
    }

    /// Makes entities of the operation's kind.
    fn kind_plan(&self) -> Option<&Plan> {
        self.plan.plan(self.schemas, self.kind.schema?)
    }

    /// A value composed from a schema; always the same for one entity.
    pub(super) fn composed(&self, plan: Option<&Plan>, id: &str) -> Option<Value> {
        let text = format!("{}\0{id}", self.kind.rule.name);
        let seed = self.context.settings.seed.unwrap_or(0);
        let mut json = Vec::new();
        plan?.compose(XxHash3_64::oneshot_with_seed(seed, text.as_bytes()), &mut json);
        serde_json::from_slice(&json).ok()
    }

    /// A time in the format of a schema; `None` if the schema is not for times.
    fn time(&self, schema: NodeId, now: SystemTime) -> Option<Value> {
        let node = self.schemas.node(target(self.schemas, schema));
        let since = now.duration_since(UNIX_EPOCH).ok()?;
        let example = node.example.as_ref().and_then(Value::as_f64).unwrap_or(0.0);
        // Numbers of this size are milliseconds: seconds since 1970 reach it only in several
        // thousand years.
        let is_millis = example > 1e11
            || node.minimum.as_ref().and_then(|bound| bound.value.as_f64()).unwrap_or(0.0) > 1e11;
        let number =
            if is_millis { u64::try_from(since.as_millis()).ok()? } else { since.as_secs() };
        let moment = OffsetDateTime::from(now);
        let moment = moment.replace_millisecond(moment.millisecond()).unwrap_or(moment);
        let text = moment.format(&Rfc3339).ok()?;
        let date = text.get(..10)?.to_owned();
        let types = self.schemas.types(schema);
        let readings = [
            types.has(Types::STRING).then(|| Value::from(text)),
            types.has(Types::STRING).then(|| Value::from(date)),
            types.has(Types::INTEGER.with(Types::NUMBER)).then(|| Value::from(number)),
        ];
        let fits = |value: &Value| self.schemas.accepts(schema, value, Direction::Response);
        readings.into_iter().flatten().find(fits)
    }
}

/// A value without `readOnly` and `writeOnly` members, and without members that the schema does not
/// have, because these may be secret.
fn stripped(schemas: &SchemaSet, schema: NodeId, value: Value, depth: u32) -> Value {
    if depth > MAX_DEPTH {
        return value;
    }
    match value {
        Value::Object(members) => {
            let is_open = schemas.properties(schema).is_empty() || schemas.rest(schema).is_some();
            let members = members.into_iter().filter_map(|(name, value)| {
                let Some(property) = schemas.property(schema, &name) else {
                    return is_open.then_some((name, value));
                };
                if is_inexact(schemas, property, &value) {
                    return None;
                }
                let own = schemas.node(property);
                let node = schemas.node(target(schemas, property));
                let one_way = own.read_only || own.write_only || node.read_only || node.write_only;
                (!one_way).then(|| (name, stripped(schemas, property, value, depth + 1)))
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => match schemas.item(schema) {
            Some(item) => items
                .into_iter()
                .filter(|value| !is_inexact(schemas, item, value))
                .map(|value| stripped(schemas, item, value, depth + 1))
                .collect(),
            None => Value::Array(items),
        },
        other => other,
    }
}

/// True for an integer that is too large to be kept exactly. Many clients do not accept a float as
/// an integer.
fn is_inexact(schemas: &SchemaSet, schema: NodeId, value: &Value) -> bool {
    let Value::Number(number) = value else { return false };
    number.is_f64()
        && number.as_f64().is_some_and(|float| float.abs() >= 1e19)
        && !schemas.types(schema).has(Types::NUMBER)
}

/// Makes values valid.
pub(super) struct Fitting<'s> {
    pub(super) schemas: &'s SchemaSet,
    pub(super) schema: NodeId,
    /// Whether members that the schema does not declare are removed.
    pub(super) declared_only: bool,
}

impl Fitting<'_> {
    fn accepts(&self, value: &Value) -> bool {
        self.schemas.accepts(self.schema, value, Direction::Response)
    }

    /// A value with as much of the given one as the schema accepts. Missing parts come from
    /// `before`, else from a composed value that gets the id from `mark`.
    pub(super) fn fit(
        &mut self,
        value: Value,
        before: Option<&Value>,
        composed: &dyn Fn() -> Option<Value>,
        mark: &dyn Fn(&mut Value),
    ) -> Value {
        let value = self.without_hidden(value);
        if self.accepts(&value) {
            return value;
        }
        let mut sources: Vec<Value> = before.cloned().into_iter().collect();
        if let Some(mut made) = composed() {
            mark(&mut made);
            sources.push(made);
        }
        let sources: Vec<&Value> = sources.iter().collect();
        let filled = filled(self.schemas, self.schema, value.clone(), &sources, 0);
        if self.accepts(&filled) {
            return filled;
        }
        // If the schema has alternatives, a composed value decides between them.
        let Some(Value::Object(base)) = sources.last().copied() else { return filled };
        let mut whole = base.clone();
        for (name, value) in value.as_object().into_iter().flatten() {
            let known = self.schemas.property(self.schema, name);
            let fits =
                known.is_some_and(|known| self.schemas.accepts(known, value, Direction::Response));
            if fits {
                let old = whole.insert(name.clone(), value.clone());
                if !self.accepts(&Value::Object(whole.clone())) {
                    match old {
                        Some(old) => drop(whole.insert(name.clone(), old)),
                        None => drop(whole.shift_remove(name)),
                    }
                }
            }
        }
        Value::Object(whole)
    }

    /// Removes members that responses must not contain.
    fn without_hidden(&self, value: Value) -> Value {
        let Value::Object(mut members) = value else { return value };
        members.retain(|name, _| match self.schemas.property(self.schema, name) {
            Some(property) => {
                let node = self.schemas.node(target(self.schemas, property));
                !self.schemas.node(property).write_only && !node.write_only
            }
            None => !self.declared_only,
        });
        Value::Object(members)
    }
}

/// A value with its required members, and without invalid ones. Missing members come from the first
/// source that has a valid one.
fn filled(
    schemas: &SchemaSet,
    schema: NodeId,
    value: Value,
    sources: &[&Value],
    depth: u32,
) -> Value {
    if let (Value::Array(items), Some(item)) = (&value, schemas.item(schema))
        && depth < MAX_DEPTH
    {
        // Each item as sent, with missing members from the first item of a source.
        let firsts: Vec<&Value> = sources.iter().filter_map(|source| source.get(0)).collect();
        let item_of = |value: &Value| filled(schemas, item, value.clone(), &firsts, depth + 1);
        let items = Value::Array(items.iter().map(item_of).collect());
        if schemas.accepts(schema, &items, Direction::Response) {
            return items;
        }
    }
    let Value::Object(mut members) = value else {
        let fits = |value: &&Value| schemas.accepts(schema, value, Direction::Response);
        return sources.iter().copied().find(fits).cloned().unwrap_or(value);
    };
    let names: Vec<String> = members.keys().cloned().collect();
    let mut lacking = required(schemas, schema, 0);
    for name in names {
        let property = schemas.property(schema, &name).or_else(|| schemas.rest(schema));
        let Some(property) = property else { continue };
        if schemas.accepts(property, &members[&name], Direction::Response) {
            continue;
        }
        let Some(value) = members.shift_remove(&name) else { continue };
        if (value.is_object() || value.is_array()) && depth < MAX_DEPTH {
            let within: Vec<&Value> =
                sources.iter().filter_map(|source| source.get(&name)).collect();
            let inner = filled(schemas, property, value, &within, depth + 1);
            if schemas.accepts(property, &inner, Direction::Response) {
                members.insert(name, inner);
                continue;
            }
        }
        if schemas.property(schema, &name).is_some() {
            lacking.push(name);
        }
    }
    for name in lacking {
        if members.contains_key(&name) {
            continue;
        }
        let property = schemas.property(schema, &name);
        let fits = |value: &&Value| {
            property.is_none_or(|id| schemas.accepts(id, value, Direction::Response))
        };
        let found = sources.iter().filter_map(|source| source.get(&name)).find(fits);
        members.extend(found.map(|value| (name, value.clone())));
    }
    Value::Object(members)
}

/// The required members of a schema that a response can have.
fn required(schemas: &SchemaSet, schema: NodeId, hops: u32) -> Vec<String> {
    let node = schemas.node(target(schemas, schema));
    let mut names = node.required.clone();
    if hops < 16 {
        for part in &node.all_of {
            names.extend(required(schemas, *part, hops + 1));
        }
    }
    names.retain(|name| {
        let property = schemas.property(schema, name);
        property.is_none_or(|id| {
            !schemas.node(id).write_only && !schemas.node(target(schemas, id)).write_only
        })
    });
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_way_and_undeclared_members_and_inexact_integers_are_left_out() {
        let mut schemas = SchemaSet::default();
        let root = json!({"type": "object", "properties": {
            "id": {"type": "integer", "readOnly": true},
            "secret": {"type": "string", "writeOnly": true},
            "counts": {"type": "array", "items": {"type": "integer"}},
            "large": {"type": "number"},
        }});
        let schema = schemas.add(&root, "").unwrap();
        let sent = json!({"id": 1, "secret": "x", "counts": [1, 1e22], "large": 1e22, "other": 2});
        let kept = json!({"counts": [1], "large": 1e22});
        assert_eq!(stripped(&schemas, schema, sent, 0), kept);
        // A schema with `additionalProperties` accepts other members.
        let open = json!({"type": "object", "properties": {"id": {"type": "integer"}},
            "additionalProperties": {"type": "integer"}});
        let mut schemas = SchemaSet::default();
        let open = schemas.add(&open, "").unwrap();
        let sent = json!({"id": 1, "other": 2});
        assert_eq!(stripped(&schemas, open, sent.clone(), 0), sent);
    }
}
