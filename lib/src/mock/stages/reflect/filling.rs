//! Writes the values of a request into an answer.

use std::ops::Range;

use serde_json::Value;

use super::edit::{Edits, Object};
use super::envelope::{IDS, enveloped};
use super::reflected::Reflected;
use super::spans::{self, Span};
use super::within::{hide, is_inexact, is_plain, one_way};
use crate::mock::catalogue::{PAGE_SIZES, same_name};
use crate::schema::{Direction, NodeId, SchemaSet};

/// An answer that gets values of the request.
pub(super) struct Filling<'a> {
    schemas: &'a SchemaSet,
    json: &'a [u8],
    edits: Edits,
    /// True if checking the changed parts is enough.
    plain: bool,
}

impl<'a> Filling<'a> {
    /// Returns the changed answer, or `None` if nothing changed. The flag is true if checking the
    /// changed parts is enough.
    pub(super) fn of(
        schemas: &'a SchemaSet,
        json: &'a [u8],
        request: &Reflected<'_>,
        schema: NodeId,
    ) -> (Option<Vec<u8>>, bool) {
        let mut filling = Filling { schemas, json, edits: Edits::default(), plain: true };
        filling.whole(request, schema);
        (filling.edits.apply(json), filling.plain)
    }

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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    #[test]
    fn nested_secrets_do_not_come_back_and_numbers_keep_their_digits() {
        let schema = json!({"type": "object", "properties": {
            "id": {"type": "integer"}, "size": {"type": "integer"},
            "users": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "password": {"type": "string", "writeOnly": true}}}}}});
        let body = json!({"users": [{"name": "a", "password": "p"}], "size": 1.5e30});
        let Value::Object(body) = body else { panic!("an object") };
        let path = [("id", "67263651846617525375184404480".to_owned())];
        let body = Some(Cow::Borrowed(&body));
        let request = Reflected { path: &path, item: None, body, paging: Vec::new() };
        let mut schemas = SchemaSet::default();
        let id = schemas.add(&schema, "").expect("a schema");
        let json = br#"{"id":1,"size":2,"users":[]}"#;
        let (changed, _) = Filling::of(&schemas, json, &request, id);
        let changed = changed.expect("changes");
        let expected = r#"{"id":67263651846617525375184404480,"size":2,"users":[{"name":"a"}]}"#;
        assert_eq!(String::from_utf8_lossy(&changed), expected);
    }

    /// Fills one answer, and returns the flag of [`Filling::of`].
    fn fill_one(schema: &Value, answer: &Value, request: &Reflected<'_>) -> (Value, bool) {
        let mut schemas = SchemaSet::default();
        let id = schemas.add(schema, "").expect("a schema");
        let text = answer.to_string();
        let (changed, plain) = Filling::of(&schemas, text.as_bytes(), request, id);
        let changed = changed.unwrap_or_else(|| text.into_bytes());
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
            panic!("an object")
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
