//! A made answer reflects its request, within its schema: values of the path, members of the body
//! that was sent, the size of a page, and the URI of a new item.
//!
//! A value is used only if the schema accepts it, both alone and in the whole answer. The answer is
//! JSON that was just written, so it is changed as text: parsing it would cost more than generating
//! it.

mod branch;
mod edit;
mod location;
mod spans;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use crate::conform::is_json;
use crate::exchange::header;
use crate::schema::{Direction, NodeId, SchemaSet, Types};

use edit::{Edits, Object};
use spans::Span;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::catalogue::{PAGE_SIZES, same_name};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;

/// Query parameters for the start of a page. An envelope often repeats them.
const PLACES: [&str; 6] = ["page", "offset", "skip", "start", "pagenumber", "startindex"];
/// Properties that identify an item.
const IDS: [&str; 5] = ["id", "uuid", "guid", "key", "slug"];
/// Properties that hold the item or the items of an envelope.
const ENVELOPES: [&str; 6] = ["data", "result", "results", "item", "items", "response"];

/// True if an answer may contain values of the request.
fn reflects(context: &Context<'_>, choice: &Choice<'_>) -> bool {
    context.settings.reflect && choice.status.as_u16() < 400
}

/// A generated body, as JSON, with the values of the request.
pub(super) fn body(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: Bytes,
) -> Bytes {
    let schema = choice.media.as_ref().and_then(|media| media.plan.schema);
    let (Some(schema), true) = (schema, reflects(context, choice)) else { return json };
    let Some(request) = Reflected::of(call, operation) else { return json };
    let schemas = &operation.spec.api.schemas;
    let of_branch = request.body.as_ref().and_then(|body| {
        let branch = branch::named(schemas, schema, body)?;
        branch::filled(schemas, branch, &json, body)
    });
    let json = of_branch.map_or(json, Bytes::from);
    let mut filling = Filling { schemas, json: &json, edits: Edits::default(), plain: true };
    filling.whole(&request, schema);
    let Filling { edits, plain, .. } = filling;
    let Some(changed) = edits.apply(&json) else { return json };
    // Each part is valid by its own schema, but the whole may be invalid because of a `oneOf` or a
    // dependency.
    let accepted = plain
        || serde_json::from_slice::<Value>(&changed).is_ok_and(|value| {
            // A discriminator decides, even if other branches match too.
            let members = value.as_object();
            let branch = members.and_then(|m| branch::named(schemas, schema, m));
            schemas.accepts(branch.unwrap_or(schema), &value, Direction::Response)
        });
    if accepted { changed.into() } else { json }
}

/// Sets the URI of a new item, which `json` describes; it is empty if the body does not.
pub(super) fn locate(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: &[u8],
    answer: &mut Answer,
) {
    if reflects(context, choice) {
        location::set(call, operation, choice, json, answer);
    }
}

/// The values of a request that its answer can contain.
struct Reflected<'a> {
    /// Values of path parameters, by name.
    path: &'a [(&'a str, String)],
    /// The value of the parameter that the path ends in.
    item: Option<&'a str>,
    /// Members of the body.
    body: Option<Cow<'a, Map<String, Value>>>,
    /// Names and values of query parameters about pages.
    paging: Vec<(&'a str, &'a str)>,
}

impl<'a> Reflected<'a> {
    /// `None` if there are none.
    fn of(call: &'a Call<'_>, operation: &'a MatchedOperation<'_>) -> Option<Reflected<'a>> {
        let path = operation.matched.path_values.as_slice();
        let item = operation.matched.operation.template.ends_with('}');
        let item = path.last().filter(|_| item).map(|(_, value)| value.as_str());
        let method = &call.parts.method;
        let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        let body = if writes { members(call, operation) } else { None };
        let pages =
            |name: &str| PAGE_SIZES.iter().chain(&PLACES).any(|known| same_name(known, name));
        let query = call.request.query.iter();
        let paging: Vec<(&str, &str)> = query
            .filter(|(name, _)| pages(name))
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        let nothing = path.is_empty() && body.is_none() && paging.is_empty() && !writes;
        (!nothing).then_some(Reflected { path, item, body, paging })
    }
}

/// The members of a body: of JSON, a form, XML or YAML.
fn members<'a>(
    call: &'a Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Cow<'a, Map<String, Value>>> {
    let members = match header(&call.request.headers, "content-type") {
        Some(other) if !is_json(other) => {
            let value = operation.spec.api.body_value(&operation.matched, &call.request)?;
            let Value::Object(members) = value else { return None };
            Cow::Owned(members)
        }
        _ => Cow::Borrowed(call.json_body()?.as_object()?),
    };
    Some(members).filter(|members| !members.is_empty())
}

/// An answer that gets values of the request.
struct Filling<'a> {
    schemas: &'a SchemaSet,
    json: &'a [u8],
    edits: Edits,
    /// True if only the schema of a changed part restricts it.
    plain: bool,
}

impl Filling<'_> {
    fn whole(&mut self, request: &Reflected<'_>, schema: NodeId) {
        let all = 0..self.json.len();
        match self.json.first() {
            Some(b'[') => self.list(request, schema, all),
            Some(b'{') => self.envelope(request, schema, all),
            _ => {}
        }
    }

    /// Changes an object that is an item, or that contains one or several.
    fn envelope(&mut self, request: &Reflected<'_>, schema: NodeId, at: Range<usize>) {
        let json = self.json;
        let Some(mut object) = Object::read(json, at) else { return };
        for (name, text) in &request.paging {
            self.set_text(schema, &mut object, name, text);
        }
        match enveloped(self.json, &object, request.body.as_deref()) {
            Some(index) => {
                for (name, text) in request.path {
                    self.set_text(schema, &mut object, name, text);
                }
                let member = &object.members[index];
                let span = member.span.clone().filter(|_| member.new.is_none());
                let within = self.schemas.property(schema, &member.name);
                self.keep(schema, object);
                if let (Some(within), Some(Span { value, .. })) = (within, span) {
                    match self.json.get(value.start) {
                        Some(b'[') => self.list(request, within, value),
                        Some(b'{') => {
                            if let Some(mut item) = Object::read(self.json, value) {
                                self.item(request, within, &mut item);
                                self.keep(within, item);
                            }
                        }
                        _ => {}
                    }
                }
            }
            None => {
                self.item(request, schema, &mut object);
                self.keep(schema, object);
            }
        }
    }

    fn item(&self, request: &Reflected<'_>, schema: NodeId, object: &mut Object) {
        for (name, value) in request.body.iter().flat_map(|body| body.iter()) {
            let property = self.schemas.property(schema, name);
            let accepted = property.is_some_and(|property| {
                !one_way(self.schemas, property)
                    && !is_inexact(self.schemas, property, value)
                    && self.schemas.accepts(property, value, Direction::Response)
            });
            if let (true, Some(property)) = (accepted, property) {
                let mut value = value.clone();
                hide(self.schemas, property, &mut value);
                object.set(name, value.to_string());
            }
        }
        for (name, text) in request.path {
            self.set_text(schema, object, name, text);
        }
        if let Some(text) = request.item
            && let Some(id) = IDS.iter().find(|id| object.has(id))
        {
            self.set_text(schema, object, id, text);
        }
    }

    fn list(&mut self, request: &Reflected<'_>, schema: NodeId, at: Range<usize>) {
        let Some(mut items) = spans::items(self.json, at.clone()) else { return };
        let sizes = |name: &str| PAGE_SIZES.iter().any(|known| same_name(known, name));
        let limit = request
            .paging
            .iter()
            .find_map(|(name, text)| sizes(name).then(|| text.parse::<usize>().ok()).flatten());
        if let Some(limit) = limit.filter(|limit| *limit < items.len()) {
            let end = limit.checked_sub(1).map_or(at.start + 1, |last| items[last].end);
            let mut cut = self.json[at.start..end].to_vec();
            cut.push(b']');
            let accepted = serde_json::from_slice(&cut)
                .is_ok_and(|cut| self.schemas.accepts(schema, &cut, Direction::Response));
            if accepted {
                self.edits.replace(end..at.end - 1, String::new());
                items.truncate(limit);
                self.plain &= is_plain(self.schemas, schema, 0);
            }
        }
        let Some(item) = self.schemas.item(schema) else { return };
        if request.path.is_empty() {
            return;
        }
        for span in items.into_iter().filter(|span| self.json[span.start] == b'{') {
            let Some(mut object) = Object::read(self.json, span) else { return };
            for (name, text) in request.path {
                self.set_text(item, &mut object, name, text);
            }
            self.plain &= !object.changed() || is_plain(self.schemas, schema, 0);
            self.keep(item, object);
        }
    }

    /// Notes the changes of an object.
    fn keep(&mut self, schema: NodeId, object: Object) {
        if object.changed() {
            self.plain &= is_plain(self.schemas, schema, 0);
            object.write(&mut self.edits);
        }
    }

    /// Sets the property with this name, in any spelling, to a text, or to the text converted to
    /// the property's type.
    fn set_text(&self, schema: NodeId, object: &mut Object, name: &str, text: &str) {
        let Some(member) = object.members.iter().position(|member| same_name(&member.name, name))
        else {
            return;
        };
        let Some(property) = self.schemas.property(schema, &object.members[member].name) else {
            return;
        };
        let typed = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_string());
        let accepted = [Some(Value::from(text)), typed]
            .into_iter()
            .flatten()
            .find(|value| self.schemas.accepts(property, value, Direction::Response));
        if let Some(value) = accepted {
            // Large numbers keep their digits.
            let written = if value.is_string() { value.to_string() } else { text.to_owned() };
            object.members[member].new = Some(written);
        }
    }
}

/// True for an integer that is too large to be kept with all its digits.
fn is_inexact(schemas: &SchemaSet, property: NodeId, value: &Value) -> bool {
    value.is_f64() && !schemas.types(property).has(Types::NUMBER)
}

/// Removes what only requests or only the server have from a value that was sent.
fn hide(schemas: &SchemaSet, schema: NodeId, value: &mut Value) {
    match value {
        Value::Object(members) => members.retain(|name, member| {
            let Some(property) = schemas.property(schema, name) else { return true };
            hide(schemas, property, member);
            !one_way(schemas, property)
        }),
        Value::Array(items) => {
            if let Some(item) = schemas.item(schema) {
                items.iter_mut().for_each(|value| hide(schemas, item, value));
            }
        }
        _ => {}
    }
}

/// True for a property that is `readOnly` or `writeOnly`.
fn one_way(schemas: &SchemaSet, mut property: NodeId) -> bool {
    for _ in 0..16 {
        let node = schemas.node(property);
        if node.read_only || node.write_only {
            return true;
        }
        match node.reference {
            Some(target) => property = target,
            None => return false,
        }
    }
    false
}

/// True if an object or list is valid whenever all its declared parts are valid, whichever optional
/// parts it has.
fn is_plain(schemas: &SchemaSet, schema: NodeId, depth: u32) -> bool {
    let node = schemas.node(schema);
    if let Some(target) = node.reference {
        return depth < 16 && is_plain(schemas, target, depth + 1);
    }
    node.enumeration.is_none()
        && node.any_of.is_empty()
        && node.one_of.is_empty()
        && node.not.is_none()
        && node.if_then_else.is_none()
        && node.dependent_required.is_empty()
        && node.dependent_schemas.is_empty()
        && node.pattern_properties.is_empty()
        && node.property_names.is_none()
        && node.unevaluated_properties.is_none()
        && node.unevaluated_items.is_none()
        && node.max_properties.is_none()
        && node.prefix_items.is_empty()
        && node.contains.is_none()
        && !node.unique_items
        && node.all_of.iter().all(|part| {
            // A part that does not accept other properties rejects those of its siblings.
            depth < 16
                && schemas.rest(*part).is_none()
                && is_plain(schemas, *part, depth + 1)
        })
        // If two parts declare a property, only one of the schemas would be checked.
        && (node.all_of.len() + usize::from(!node.properties.is_empty()) < 2
            || each_declared_once(schemas, schema))
}

fn each_declared_once(schemas: &SchemaSet, schema: NodeId) -> bool {
    let mut known = std::collections::HashSet::new();
    let mut open = vec![(schema, 0)];
    while let Some((id, depth)) = open.pop() {
        let node = schemas.node(id);
        if depth > 16 || !node.properties.iter().all(|(name, _)| known.insert(name.as_str())) {
            return false;
        }
        open.extend(node.reference.iter().chain(&node.all_of).map(|id| (*id, depth + 1)));
    }
    true
}

/// Index of the one property that holds the item or the items. An object with properties that were
/// sent is the item itself.
fn enveloped(json: &[u8], object: &Object, sent: Option<&Map<String, Value>>) -> Option<usize> {
    let starts = |index: usize, signs: &[u8]| {
        let span = object.members[index].span.as_ref();
        span.and_then(|span| json.get(span.value.start)).is_some_and(|sign| signs.contains(sign))
    };
    let all = 0..object.members.len();
    let names_it =
        |index: &usize| ENVELOPES.iter().any(|name| same_name(name, &object.members[*index].name));
    let is_sent =
        |index: usize| sent.is_some_and(|sent| sent.contains_key(&*object.members[index].name));
    let is_item = all.clone().any(is_sent);
    // A list in an item is one of its properties.
    let signs: &[u8] = if is_item { b"{" } else { b"[{" };
    let named =
        all.clone().find(|index| names_it(index) && !is_sent(*index) && starts(*index, signs));
    let of_objects = |index: usize| {
        let span = object.members[index].span.as_ref();
        let list = span.and_then(|span| json.get(span.value.clone())).unwrap_or_default();
        matches!(list, [b'[', b'{' | b']', ..])
    };
    let only_list = || {
        let has_id = IDS.iter().any(|id| object.has(id));
        let mut lists = all.clone().filter(|index| starts(*index, b"["));
        let only = lists.next().filter(|_| !has_id && !is_item && lists.next().is_none());
        only.filter(|index| of_objects(*index))
    };
    let only_item = || (object.members.len() == 1 && !is_item && starts(0, b"{")).then_some(0);
    named.or_else(only_item).or_else(only_list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn envelopes_are_found() {
        for (value, expected) in [
            (json!({"data": {"id": 1}, "meta": {}}), Some("data")),
            (json!({"items": [], "total": 1}), Some("items")),
            (json!({"pets": [], "next": null}), Some("pets")),
            (json!({"pet": {"id": 1}}), Some("pet")),
            (json!({"id": 1, "tags": []}), None),
            (json!({"a": [], "b": []}), None),
            (json!({"name": "x"}), None),
            (json!({"name": "x", "tags": ["a"]}), None),
        ] {
            let text = value.to_string();
            let object = Object::read(text.as_bytes(), 0..text.len()).unwrap();
            let found =
                enveloped(text.as_bytes(), &object, None).map(|at| &*object.members[at].name);
            assert_eq!(found, expected, "{value}");
        }
        for (value, expected) in [
            // The tags, lines and address of an item are no envelope.
            (json!({"name": "x", "tags": ["a"]}), None),
            (json!({"name": "x", "items": [{"n": 1}]}), None),
            (json!({"name": "x", "lines": [{"n": 1}]}), None),
            (json!({"name": "x", "data": {"name": "y"}}), Some("data")),
            (json!({"users": [{"id": 1}]}), Some("users")),
        ] {
            let text = value.to_string();
            let object = Object::read(text.as_bytes(), 0..text.len()).unwrap();
            let sent = json!({"name": "z"});
            let found = enveloped(text.as_bytes(), &object, sent.as_object());
            assert_eq!(found.map(|at| &*object.members[at].name), expected, "{value}");
        }
    }

    #[test]
    fn spellings_are_one() {
        assert!(same_name("page[size]", "pageSize") && same_name("$top", "top"));
        assert!(!same_name("tops", "top") && !same_name("to", "top"));
    }

    #[test]
    fn nested_secrets_do_not_come_back_and_numbers_keep_their_digits() {
        let schema = json!({"type": "object", "properties": {
            "id": {"type": "integer"}, "size": {"type": "integer"},
            "users": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "password": {"type": "string", "writeOnly": true}}}}}});
        let body = json!({"users": [{"name": "a", "password": "p"}], "size": 1.5e30});
        let Value::Object(body) = body else { return };
        let path = [("id", "67263651846617525375184404480".to_owned())];
        let body = Some(Cow::Borrowed(&body));
        let request = Reflected { path: &path, item: None, body, paging: Vec::new() };
        let mut schemas = SchemaSet::default();
        let id = schemas.add(&schema, "").expect("a schema");
        let json = br#"{"id":1,"size":2,"users":[]}"#;
        let mut filling = Filling { schemas: &schemas, json, edits: Edits::default(), plain: true };
        filling.whole(&request, id);
        let changed = filling.edits.apply(json).expect("changes");
        let expected = r#"{"id":67263651846617525375184404480,"size":2,"users":[{"name":"a"}]}"#;
        assert_eq!(String::from_utf8_lossy(&changed), expected);
    }

    /// Fills one answer, and says whether its parts decide its validity.
    fn fill_one(schema: &Value, answer: &Value, request: &Reflected<'_>) -> (Value, bool) {
        let mut schemas = SchemaSet::default();
        let id = schemas.add(schema, "").expect("a schema");
        let text = answer.to_string();
        let mut filling = Filling {
            schemas: &schemas,
            json: text.as_bytes(),
            edits: Edits::default(),
            plain: true,
        };
        filling.whole(request, id);
        let Filling { edits, plain, .. } = filling;
        let changed = edits.apply(text.as_bytes()).unwrap_or_else(|| text.into_bytes());
        (serde_json::from_slice(&changed).expect("JSON"), plain)
    }

    fn request<'a>(path: &'a [(&'a str, String)], paging: &[(&'a str, &'a str)]) -> Reflected<'a> {
        Reflected { path, item: None, body: None, paging: paging.to_vec() }
    }

    #[test]
    fn lists_are_cut_and_their_items_have_values_of_the_path() {
        let item = json!({"type": "object", "properties": {"id": {"type": "integer"}, "n": {}}});
        let schema = json!({"type": "object", "properties": {
            "limit": {"type": "integer"}, "items": {"type": "array", "minItems": 1, "items": item}}});
        let answer = json!({"items": [{"id": 5, "n": "]}"}, {"id": 6}, {"id": 7}], "limit": 3});
        let path = [("id", "9".to_owned())];
        let (filled, plain) = fill_one(&schema, &answer, &request(&path, &[("limit", "2")]));
        assert_eq!(filled, json!({"items": [{"id": 9, "n": "]}"}, {"id": 9}], "limit": 2}));
        assert!(plain);
        // Fewer than the schema takes.
        let (filled, _) = fill_one(&schema, &answer, &request(&[], &[("limit", "0")]));
        assert_eq!(filled["items"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn members_of_the_body_come_back_where_the_schema_has_them() {
        let schema = json!({"type": "object", "oneOf": [{}], "properties": {
            "id": {"type": "integer", "readOnly": true}, "name": {"type": "string"}, "age": {"type": "integer"}}});
        let Value::Object(body) = json!({"id": 3, "name": "\u{e9}\"", "age": "old", "x": 1}) else {
            return;
        };
        let request = Reflected {
            path: &[],
            item: Some("8"),
            body: Some(Cow::Borrowed(&body)),
            paging: Vec::new(),
        };
        let (filled, plain) = fill_one(&schema, &json!({"id": 1}), &request);
        assert_eq!(filled, json!({"id": 8, "name": "\u{e9}\""}));
        assert!(!plain);
    }
}
