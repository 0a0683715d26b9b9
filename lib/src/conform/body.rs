//! Checks the body of a message against the declared types.

use serde_json::Value;

use super::api::{Api, Matched, Media, Violation};
use super::coerce::Coerce;
use super::form::{self, Field};
use super::media::{essence, find_media, is_unstructured, is_xml, is_yaml};
use super::sequence::Sequence;
use super::xml;
use crate::exchange::{
    Body, NotJson, Pairs, Request, Syntax, body_text, header, json_by_rule, json_error, media_type,
    parse_json, parse_query, type_of_bytes,
};
use crate::schema::{Direction, NodeId, Problem, Types};
use crate::spec::from_yaml;

impl Api {
    /// The body of a request as a value, read by its declared media type; `None` if it is empty,
    /// not declared or malformed.
    pub fn body_value(&self, matched: &Matched<'_>, request: &Request<'_>) -> Option<Value> {
        let content = &matched.operation.request_body.as_ref()?.content;
        if request.body.is_empty() {
            return None;
        }
        let content_type = header(&request.headers, "content-type");
        let content_type = content_type.filter(|text| media_type(text).is_some());
        let (key, media) = find_media(content, content_type).or_else(|| {
            content
                .first()
                .filter(|_| content_type.is_none())
                .map(|(key, media)| (key.as_str(), media))
        })?;
        let declared = content_type.unwrap_or(key);
        if let Some(value) = json_by_rule::<Value>(&request.body, Some(declared)) {
            return value.ok();
        }
        let essence = essence(declared);
        let kind = Kind { essence: &essence, content_type, of_range: key.ends_with("/*") };
        let message = Message {
            headers: &request.headers,
            body: &request.body,
            direction: Direction::Request,
            client: None,
        };
        self.other_syntax(&kind, media, media.schema?, &message).ok().flatten()
    }

    /// Checks a non-empty body against the `content` of its message.
    pub(super) fn check_body(
        &self,
        content: &[(String, Media)],
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let content_type = header(message.headers, "content-type");
        // Most clients send the type as the document spells it.
        if let Some((key, media)) = content.iter().find(|(key, _)| content_type == Some(key)) {
            return self.check_as(key, media, content_type, message, violations);
        }
        // A header without a type counts as absent.
        let content_type = content_type.filter(|text| media_type(text).is_some());
        if content_type.is_none() && !content.is_empty() {
            return self.check_untyped(content, message, violations);
        }
        let Some((key, media)) = find_media(content, content_type) else {
            let declared: Vec<&str> = content.iter().map(|(key, _)| key.as_str()).collect();
            let text = match (content_type, declared.as_slice()) {
                (Some(found), [_, ..]) => format!("is {found:?}, not {}", declared.join(" or ")),
                _ => "is not declared, but there is a body".to_owned(),
            };
            return violations.push(Violation::new("content-type", "", &text));
        };
        self.check_as(key, media, content_type, message, violations);
    }

    /// Checks a body without a type: it is valid if its bytes match any of the declared types.
    fn check_untyped(
        &self,
        content: &[(String, Media)],
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let named = type_of_bytes(message.body);
        let mut nearest: Option<Vec<Violation>> = None;
        for (key, media) in content {
            let mut found = Vec::new();
            self.check_as(key, media, None, message, &mut found);
            if found.is_empty() {
                return;
            }
            // Reports the problem for the type that the bytes look like.
            if nearest.is_none() || essence(key) == named {
                nearest = Some(found);
            }
        }
        violations.extend(nearest.unwrap_or_default());
    }

    /// Checks a body against one of the declared types.
    fn check_as(
        &self,
        key: &str,
        media: &Media,
        content_type: Option<&str>,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        // A range does not determine the syntax, but the header does.
        let kind = essence(content_type.unwrap_or(key));
        if let Some(sequence) = Sequence::of(&kind) {
            return self.check_sequence(sequence, media, message, violations);
        }
        let Some(schema) = media.schema else {
            // Any body is valid, but its depth is limited.
            let declared = content_type.unwrap_or(key);
            let parsed = json_by_rule::<Value>(message.body, Some(declared));
            if let Some(Err(why @ NotJson::Deep)) = parsed {
                let why = self.why_not_json(message, why);
                violations.push(Violation::new("body", "", &why));
            }
            return;
        };
        let of_range = key.ends_with("/*");
        if content_type.is_none() && of_range {
            return self.check_untyped_range(schema, message, violations);
        }
        let declared = content_type.unwrap_or(key);
        let keep = message.client.and_then(|client| client.keep);
        if let Some(streamed) = &self.streamed
            && keep.is_none()
            && Syntax::of(&kind) == Syntax::Json
            // The parser checks neither the depth nor the encoding of values that it ignores.
            && !(message.client.is_some() && is_deep(message.body.as_bytes()))
            && !matches!(message.body, Body::Binary(_))
            && streamed.accepts(&self.schemas, schema, message.body.as_bytes(), message.direction)
        {
            return;
        }
        let mut is_json = false;
        let value = match json_by_rule::<Value>(message.body, Some(declared)) {
            Some(Ok(value)) => {
                is_json = true;
                // A text that is JSON is still a text.
                let is_text = Syntax::of(&kind) == Syntax::Text;
                if is_text && let Some(text) = body_text(message.body, content_type) {
                    let text = Value::from(text.into_owned());
                    if self.schemas.accepts(schema, &text, message.direction) {
                        return;
                    }
                }
                value
            }
            Some(Err(why)) => {
                // If the schema accepts anything, the text is valid; otherwise it violates the
                // schema as a text.
                let text = String::from_utf8_lossy(message.body.as_bytes()).into_owned();
                if why == NotJson::Deep
                    || !self.schemas.accepts(schema, &text.into(), message.direction)
                {
                    let why = self.why_not_json(message, why);
                    violations.push(Violation::new("body", "", &why));
                }
                return;
            }
            None => {
                let kind = Kind { essence: &kind, content_type, of_range };
                if message.client.is_some() {
                    self.check_form(&kind, media, schema, message, violations);
                }
                match self.other_syntax(&kind, media, schema, message) {
                    Ok(Some(value)) => value,
                    Ok(None) => return,
                    Err(why) => return violations.push(Violation::new("body", "", &why)),
                }
            }
        };
        // `format: byte` describes a text in JSON. A text/plain body is sent unencoded.
        let is_text = Syntax::of(&kind) == Syntax::Text;
        let is_plain = |problem: &Problem| {
            is_text && problem.pointer.is_empty() && problem.message == "is not of format byte"
        };
        for problem in self.schemas.check(schema, &value, message.direction) {
            if is_plain(&problem) {
                continue;
            }
            violations.push(Violation::of_problem("body", "", problem));
        }
        if let Some(keep) = keep.filter(|_| is_json) {
            keep(value);
        }
    }

    /// A range of types allows any syntax that can express the schema.
    fn check_untyped_range(
        &self,
        schema: NodeId,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let text = body_text(message.body, None).map(|text| Value::from(text.into_owned()));
        let fits = |value: &Value| self.schemas.accepts(schema, value, message.direction);
        if text.as_ref().is_some_and(fits) {
            return;
        }
        if let Ok(value) = parse_json::<Value>(message.body, None) {
            for problem in self.schemas.check(schema, &value, message.direction) {
                violations.push(Violation::of_problem("body", "", problem));
            }
        }
    }

    fn why_not_json(&self, message: &Message<'_>, why: NotJson) -> String {
        if matches!(why, NotJson::CutShort | NotJson::Other)
            && let Err(error) = serde_json::from_slice::<Value>(message.body.as_bytes())
        {
            return match json_error(&error) {
                why if why.starts_with("not valid") => format!("is {why}"),
                why => format!("is not valid JSON: {why}"),
            };
        }
        format!("is not valid JSON: it is {why}")
    }

    /// Checks a sequence of values: each against `itemSchema`, all as one list against `schema`.
    /// Before `itemSchema` existed, authors described each value, or the whole as a text, with
    /// `schema`.
    fn check_sequence(
        &self,
        sequence: Sequence,
        media: &Media,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        if let Some(schema) = media.data_schema {
            return self.check_data(sequence, schema, message, violations);
        }
        let types = self.types_of(media.schema);
        let whole = media.schema.filter(|_| types.has(Types::ARRAY));
        let each = media.item_schema.or(media.schema.filter(|_| whole.is_none()));
        if each.is_none() && whole.is_none() || media.schema.is_some() && types.has(Types::STRING) {
            return;
        }
        let content_type = header(message.headers, "content-type");
        let read = body_text(message.body, content_type);
        let read = read.ok_or_else(|| "it is not UTF-8".to_owned());
        let values = match read.and_then(|text| sequence.read(&text)) {
            Ok(values) => values,
            Err(why) => {
                let why = format!("is not a sequence of values: {why}");
                return violations.push(Violation::new("body", "", &why));
            }
        };
        for (at, value) in values.iter().enumerate() {
            for problem in
                each.iter().flat_map(|id| self.schemas.check(*id, value, message.direction))
            {
                violations.push(Violation::of_problem("body", &format!("/{at}"), problem));
            }
        }
        if let Some(schema) = whole {
            for problem in self.schemas.check(schema, &Value::Array(values), message.direction) {
                violations.push(Violation::of_problem("body", "", problem));
            }
        }
    }

    /// Checks each value of a sequence against `x-hmt-item-schema`.
    fn check_data(
        &self,
        sequence: Sequence,
        schema: NodeId,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let read = message.body.as_str().ok_or_else(|| "it is not UTF-8".to_owned());
        let values = match read.and_then(|text| sequence.read_data(text)) {
            Ok(values) => values,
            // The schema accepts any text.
            Err(_) if self.schemas.types(schema).0 == 0x7f => return,
            Err(why) => {
                let why = format!("is not a sequence of values: {why}");
                return violations.push(Violation::new("body", "", &why));
            }
        };
        for (at, value) in values.iter().enumerate() {
            for problem in self.schemas.check(schema, value, message.direction) {
                violations.push(Violation::of_problem("body", &format!("/{at}"), problem));
            }
        }
    }

    /// The value of a non-JSON body; `None` if nothing can be checked.
    fn other_syntax(
        &self,
        kind: &Kind<'_>,
        media: &Media,
        schema: NodeId,
        message: &Message<'_>,
    ) -> Result<Option<Value>, String> {
        let Kind { essence: kind, content_type, of_range } = *kind;
        let coerce = Coerce { set: &self.schemas, direction: message.direction };
        let types = self.schemas.types(schema);
        let structured = types.has(Types::OBJECT.with(Types::ARRAY));
        let encoding = media.encoding.as_ref();
        if kind == "application/x-www-form-urlencoded" {
            let Some(text) = body_text(message.body, content_type) else { return Ok(None) };
            let pairs = parse_query(&text).into_iter();
            let fields: Vec<Field<'_>> = pairs.map(|(name, text)| Field::new(name, text)).collect();
            return Ok(Some(form::object(coerce, schema, encoding, &fields)));
        }
        if kind.starts_with("multipart/") && types.has(Types::OBJECT) {
            let body = message.body.as_bytes();
            let fields = match form::parts(body, content_type.unwrap_or_default()) {
                Ok(fields) => fields,
                // The schema accepts any text.
                Err(_) if types.has(Types::STRING) => return Ok(None),
                Err(why) => return Err(format!("is not {kind}: it {why}")),
            };
            // Only the parts of a form must have names.
            let named = kind == "multipart/form-data" || !fields.is_empty();
            return Ok(named.then(|| form::object(coerce, schema, encoding, &fields)));
        }
        if is_xml(kind) && structured {
            let Some(text) = body_text(message.body, content_type) else { return Ok(None) };
            // If a document also accepts texts, some of the bodies from which it was built were not
            // XML.
            let as_text = Value::from(text.as_ref());
            if types.has(Types::STRING) && self.schemas.accepts(schema, &as_text, message.direction)
            {
                return Ok(None);
            }
            let value = xml::value(coerce, schema, &text);
            if value.is_err() && types.has(Types::STRING) {
                return Ok(None);
            }
            return value.map(Some).map_err(|why| format!("is not well-formed XML: {why}"));
        }
        if is_yaml(kind) && !types.has(Types::STRING) {
            let Some(text) = body_text(message.body, content_type) else {
                return Err("is not valid YAML: it is not UTF-8".to_owned());
            };
            return value_of_yaml(&text).map_err(|why| format!("is not valid YAML: {why}"));
        }
        let scalars = Types::STRING.with(Types::INTEGER).with(Types::NUMBER).with(Types::BOOLEAN);
        if of_range && structured && !types.has(scalars) {
            // A range allows any syntax that can express the schema. JSON is checked, because
            // clients send it under many type names. Other syntaxes are not checked.
            return match parse_json(message.body, content_type) {
                Ok(value) => Ok(Some(value)),
                Err(why) if why != NotJson::Deep && is_unstructured(kind) => {
                    Err(format!("is {kind}, but must be an object or an array"))
                }
                Err(_) => Ok(None),
            };
        }
        // Other syntaxes are checked as text if the schema accepts text.
        Ok(match body_text(message.body, content_type) {
            Some(text) if kind.starts_with("text/") && types.has(scalars) => {
                Some(coerce.scalar(Some(schema), &text))
            }
            _ => None,
        })
    }
}

/// The parts of a message that are needed to check its body.
pub(super) struct Message<'m> {
    pub(super) headers: &'m Pairs<'m>,
    pub(super) body: &'m Body<'m>,
    pub(super) direction: Direction,
    /// Set if the message comes from a client of the spec.
    pub(super) client: Option<FromClient<'m>>,
}

/// A request from a client of the spec. Its form is checked too: see [`Api::check_form`]. A spec
/// that was inferred from messages does not describe that.
#[derive(Clone, Copy)]
pub(super) struct FromClient<'m> {
    /// Receives the body if it is JSON.
    pub(super) keep: Option<&'m dyn Fn(Value)>,
}

/// The type of a body.
pub(super) struct Kind<'m> {
    /// Without parameters, in lower case.
    pub(super) essence: &'m str,
    /// As the header has it.
    pub(super) content_type: Option<&'m str>,
    /// Whether the document declares a range of types that includes this one.
    of_range: bool,
}

/// True if a JSON text is nested deeper than the parser allows.
fn is_deep(json: &[u8]) -> bool {
    const LIMIT: usize = 127;
    if memchr::memchr2_iter(b'[', b'{', json).nth(LIMIT).is_none() {
        return false;
    }
    let (mut depth, mut deepest, mut rest) = (0_usize, 0, json);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
                    let is_end = rest[at] == b'"';
                    rest = rest.get(at + if is_end { 1 } else { 2 }..).unwrap_or_default();
                    if is_end {
                        break;
                    }
                }
            }
            _ => (),
        }
        deepest = deepest.max(depth);
    }
    deepest > LIMIT
}

/// `None` if the value is nested deeper than the parser supports. Then it is opaque.
fn value_of_yaml(text: &str) -> Result<Option<Value>, String> {
    match from_yaml(text, &mut Vec::new()) {
        Ok(value) => Ok(Some(value)),
        Err(why) if why.contains("nested deeper") => Ok(None),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_the_parser() {
        for depth in [1, 126, 127, 128, 3000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[\"\\\"]\",", "]")] {
                let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let refused = serde_json::from_str::<Value>(&text).is_err();
                assert_eq!(is_deep(text.as_bytes()), refused, "{depth} {open}");
            }
        }
        let wide = format!("[{}1]", "[],\"[[\",".repeat(500));
        assert!(!is_deep(wide.as_bytes()));
        assert!(!is_deep(b"\"[\\"));
    }
}
