//! A request against its operation.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::api::{Api, Location, Matched, Media, Operation, Parameter, Violation};
use super::coerce::Coerce;
use super::deep;
use super::form::{self, Field};
use super::media::{essence, find_media, is_json, is_unstructured, is_xml, is_yaml};
use super::sequence::Sequence;
use super::xml;
use crate::exchange::{Body, Pairs, Request, header, parse_query};
use crate::schema::{Direction, Fault, NodeId, Problem, Types};
use crate::spec::from_yaml;

impl Api {
    /// Checks parameters and body of a request. Credentials are not looked at.
    pub fn validate_request(&self, matched: &Matched<'_>, request: &Request<'_>) -> Vec<Violation> {
        self.check_request(matched, request, true)
    }

    /// `whole_body` is false where the recorded body is only a part, which says nothing.
    pub(super) fn check_request(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
        whole_body: bool,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for parameter in &matched.operation.parameters {
            self.parameter(parameter, matched, request, &mut violations);
        }
        if let Some(body) = matched.operation.request_body.as_ref().filter(|_| whole_body) {
            if !request.body.is_empty() {
                let message = Message {
                    headers: &request.headers,
                    body: &request.body,
                    direction: Direction::Request,
                };
                self.check_body(&body.content, &message, &mut violations);
            } else if body.required {
                let operation = matched.operation;
                violations.push(Violation::absent(
                    "body",
                    "",
                    operation,
                    "requestBody",
                    Value::Null,
                ));
            }
        }
        violations
    }

    /// Checks the parameters that are listed for all operations of a path.
    pub(super) fn check_parameters_of_path(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for parameter in matched.operation.parameters.iter().filter(|p| p.of_path) {
            self.parameter(parameter, matched, request, &mut violations);
        }
        violations
    }

    fn parameter(
        &self,
        parameter: &Parameter,
        matched: &Matched<'_>,
        request: &Request<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let coerce = Coerce { set: &self.schemas, direction: Direction::Request };
        let name = parameter.name.as_str();
        let (place, value) = match parameter.location {
            Location::Path => {
                let found = matched.path_values.iter().find(|(key, _)| *key == name);
                let value = found.map(|(_, text)| {
                    let raw = raw_segment(&matched.operation.template, name, &request.pathname);
                    self.path_value(parameter, Text { text, raw }, coerce)
                });
                if let Some(None) = value {
                    let why = format!("is not written in the style {}", parameter.style);
                    return violations.push(Violation::new("path", name, &why));
                }
                ("path", value.flatten())
            }
            Location::Query => ("query", self.query_value(parameter, matched, request, coerce)),
            Location::Querystring => ("query", self.querystring(parameter, &request.query, coerce)),
            Location::Header => {
                // OpenAPI says that these are ignored: other parts of the document tell them.
                if matches!(name, "accept" | "content-type" | "authorization") {
                    return;
                }
                ("header", self.header_value(parameter, &request.headers, coerce))
            }
            Location::Cookie => {
                let cookies = cookies(&request.headers);
                let found = cookies.iter().find(|(key, _)| *key == name);
                (
                    "cookie",
                    found.map(|(_, text)| self.simple(parameter, Text::of(text), ',', coerce)),
                )
            }
        };
        let Some(value) = value else {
            // A path parameter that the template does not have cannot be given.
            if parameter.required && parameter.location != Location::Path {
                let what = json!([place, name]);
                let operation = matched.operation;
                violations.push(Violation::absent(place, name, operation, "parameters", what));
            }
            return;
        };
        if parameter.allow_empty && value == Value::String(String::new()) {
            return;
        }
        let schema = match &parameter.content {
            Some((_, schema)) => *schema,
            None => parameter.schema,
        };
        let Some(schema) = schema else { return };
        for problem in self.schemas.check(schema, &value, Direction::Request) {
            // The query as a whole has no name of its own.
            let name = if parameter.location == Location::Querystring { "" } else { name };
            let at = format!("{name}{}", problem.pointer);
            violations.push(Violation::of_problem(place, at, problem));
        }
    }

    fn types_of(&self, schema: Option<NodeId>) -> Types {
        schema.map_or(Types(0x7f), |id| self.schemas.types(id))
    }

    /// `None` where the text does not begin as its style wants it.
    fn path_value(
        &self,
        parameter: &Parameter,
        text: Text<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        Some(match parameter.style.as_str() {
            "label" => {
                let text = text.after(".")?;
                let separator = if parameter.explode { '.' } else { ',' };
                self.simple(parameter, text, separator, coerce)
            }
            "matrix" => {
                let prefix = format!(";{}=", parameter.name);
                if parameter.explode && self.types_of(parameter.schema).has(Types::ARRAY) {
                    let texts = text.text.strip_prefix(prefix.as_str())?.split(prefix.as_str());
                    return Some(coerce.array(parameter.schema, texts));
                }
                if parameter.explode && self.types_of(parameter.schema).has(Types::OBJECT) {
                    return Some(self.simple(parameter, text.after(";")?, ';', coerce));
                }
                self.simple(parameter, text.after(&prefix)?, ',', coerce)
            }
            _ => self.simple(parameter, text, ',', coerce),
        })
    }

    /// A value in one text: `content`, scalar, array `a,b` or object `k,v` or `k=v`.
    fn simple(
        &self,
        parameter: &Parameter,
        text: Text<'_>,
        separator: char,
        coerce: Coerce<'_>,
    ) -> Value {
        let Text { text, raw } = text;
        if let Some((media, schema)) = &parameter.content {
            return match serde_json::from_str(text) {
                Ok(value) if is_json(media) => value,
                _ => coerce.scalar(*schema, text),
            };
        }
        let Some(schema) = parameter.schema else { return text.into() };
        let scalar = coerce.scalar(Some(schema), text);
        let types = self.schemas.types(schema);
        let accepts = |value: &Value| self.schemas.accepts(schema, value, Direction::Request);
        if !types.has(Types::ARRAY.with(Types::OBJECT)) || accepts(&scalar) {
            return scalar;
        }
        let value = |parts: &[Cow<'_, str>]| {
            let parts = parts.iter().map(|part| part.trim()).filter(|_| !text.is_empty());
            if types.has(Types::ARRAY) {
                return coerce.array(Some(schema), parts);
            }
            let pairs: Vec<(&str, &str)> = if parameter.explode {
                parts.filter_map(|part| part.split_once('=')).collect()
            } else {
                let flat: Vec<&str> = parts.collect();
                flat.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
            };
            coerce.object(Some(schema), &pairs)
        };
        // A delimiter that is percent-encoded belongs to a value (RFC 6570, section 3.2.1). Many clients encode all of
        // them all the same, so that the other reading stands where this one is not accepted.
        if let Some(raw) = raw {
            let parts: Vec<Cow<'_, str>> = raw.split(separator).map(decoded).collect();
            let value = value(&parts);
            if accepts(&value) {
                return value;
            }
        }
        value(&text.split(separator).map(Cow::Borrowed).collect::<Vec<_>>())
    }

    fn query_value(
        &self,
        parameter: &Parameter,
        matched: &Matched<'_>,
        request: &Request<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let query = &request.query;
        let name = parameter.name.as_str();
        let types = self.types_of(parameter.schema);
        let raw = || raw_value(matched.raw_query.as_deref()?, name);
        if let ("deepObject", Some(schema)) = (parameter.style.as_str(), parameter.schema) {
            let pairs = query.iter().map(|(key, text)| (key.as_ref(), text.as_ref()));
            if let Some(deep) = deep::value(coerce, schema, name, pairs) {
                return Some(deep);
            }
        } else if parameter.schema.is_some() && types.has(Types::OBJECT) {
            let object = self.query_object(parameter, query, raw(), coerce);
            if object.is_some() || !types.has(Types(0x7f & !Types::OBJECT.0)) {
                return object;
            }
        }
        let texts: Vec<&str> =
            query.iter().filter(|(key, _)| key == name).map(|(_, text)| text.as_ref()).collect();
        match texts.as_slice() {
            [] => None,
            [text] if parameter.content.is_some() || !parameter.explode => {
                let text = Text { text, raw: raw() };
                Some(self.simple(parameter, text, separator(parameter), coerce))
            }
            _ => Some(coerce.repeated(parameter.schema, &texts)),
        }
    }

    /// An object in one text, or the properties as names of their own (`form`, exploded).
    fn query_object(
        &self,
        parameter: &Parameter,
        query: &Pairs<'_>,
        raw: Option<&str>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let schema = parameter.schema?;
        let pairs: Vec<(&str, &str)> = if parameter.style == "form" && parameter.explode {
            query
                .iter()
                .filter(|(key, _)| self.schemas.property(schema, key).is_some())
                .map(|(key, value)| (key.as_ref(), value.as_ref()))
                .collect()
        } else {
            let (_, text) = query.iter().find(|(key, _)| *key == parameter.name)?;
            let text = Text { text, raw };
            return Some(self.simple(parameter, text, separator(parameter), coerce));
        };
        (!pairs.is_empty()).then(|| coerce.object(Some(schema), &pairs))
    }

    /// The query as one value: a form, or a text in another type.
    fn querystring(
        &self,
        parameter: &Parameter,
        query: &Pairs<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let (media, schema) = parameter.content.as_ref().filter(|_| !query.is_empty())?;
        if media == "application/x-www-form-urlencoded" {
            let fields: Vec<Field<'_>> = query
                .iter()
                .map(|(name, text)| Field::new(name.as_ref().into(), text.as_ref().into()))
                .collect();
            return Some(form::object(coerce, (*schema)?, None, &fields));
        }
        // It was taken apart where it has signs of a form.
        let pair = |(name, text): &(Cow<'_, str>, Cow<'_, str>)| {
            if text.is_empty() { name.to_string() } else { format!("{name}={text}") }
        };
        let text = query.iter().map(pair).collect::<Vec<_>>().join("&");
        Some(match serde_json::from_str(&text) {
            Ok(value) if is_json(media) => value,
            _ => coerce.scalar(*schema, &text),
        })
    }

    fn header_value(
        &self,
        parameter: &Parameter,
        headers: &Pairs<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let text = joined(headers, &parameter.name)?;
        Some(self.simple(parameter, Text::of(&text), ',', coerce))
    }

    /// Checks a body that is not empty against the `content` of its message.
    pub(super) fn check_body(
        &self,
        content: &[(String, Media)],
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let content_type = header(message.headers, "content-type");
        let Some((key, media)) = find_media(content, content_type) else {
            let declared: Vec<&str> = content.iter().map(|(key, _)| key.as_str()).collect();
            let text = match (content_type, declared.as_slice()) {
                (_, []) => "is not declared, but there is a body".to_owned(),
                (Some(found), _) => format!("is {found:?}, not {}", declared.join(" or ")),
                (None, _) => format!("is missing; declared are {}", declared.join(" and ")),
            };
            return violations.push(Violation::new("content-type", "", &text));
        };
        // A range says nothing of the body's syntax, the header does.
        let kind = essence(content_type.unwrap_or(key));
        if let Some(sequence) = Sequence::of(&kind) {
            return self.check_sequence(sequence, media, message, violations);
        }
        let Some(schema) = media.schema else { return };
        let value = if is_json(&kind) {
            match parse_json(message.body) {
                Ok(value) => value,
                Err(Unparsed::TooDeep) => return,
                Err(Unparsed::Invalid(why)) => {
                    // The schema may allow anything; else the text is at least not what it asks for.
                    let text = String::from_utf8_lossy(message.body.as_bytes()).into_owned();
                    if !self.schemas.accepts(schema, &text.into(), message.direction) {
                        let why = format!("is not valid JSON: {why}");
                        violations.push(Violation::new("body", "", &why));
                    }
                    return;
                }
            }
        } else {
            let kind = Kind { essence: &kind, content_type, of_range: key.ends_with("/*") };
            match self.other_syntax(&kind, media, schema, message) {
                Ok(Some(value)) => value,
                Ok(None) => return,
                Err(why) => return violations.push(Violation::new("body", "", &why)),
            }
        };
        for problem in self.schemas.check(schema, &value, message.direction) {
            let at = problem.pointer.clone();
            violations.push(Violation::of_problem("body", at, problem));
        }
    }

    /// Checks a sequence of values: each against `itemSchema`, all as one list against `schema`. Before there was
    /// `itemSchema`, authors wrote what each value is, or that the whole is a text, as `schema`.
    fn check_sequence(
        &self,
        sequence: Sequence,
        media: &Media,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let types = self.types_of(media.schema);
        let whole = media.schema.filter(|_| types.has(Types::ARRAY));
        let each = media.item_schema.or(media.schema.filter(|_| whole.is_none()));
        if each.is_none() && whole.is_none() || media.schema.is_some() && types.has(Types::STRING) {
            return;
        }
        let read = message.body.as_str().ok_or_else(|| "it is not UTF-8".to_owned());
        let values = match read.and_then(|text| sequence.read(text)) {
            Ok(values) => values,
            Err(why) => {
                let why = format!("is no sequence of values: {why}");
                return violations.push(Violation::new("body", "", &why));
            }
        };
        for (at, value) in values.iter().enumerate() {
            for problem in
                each.iter().flat_map(|id| self.schemas.check(*id, value, message.direction))
            {
                let at = format!("/{at}{}", problem.pointer);
                violations.push(Violation::of_problem("body", at, problem));
            }
        }
        if let Some(schema) = whole {
            for problem in self.schemas.check(schema, &Value::Array(values), message.direction) {
                let at = problem.pointer.clone();
                violations.push(Violation::of_problem("body", at, problem));
            }
        }
    }

    /// The value of a body that is no JSON; `None` where nothing can be said of it.
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
            let Some(text) = message.body.as_str() else { return Ok(None) };
            let pairs = parse_query(text).into_iter();
            let fields: Vec<Field<'_>> = pairs.map(|(name, text)| Field::new(name, text)).collect();
            return Ok(Some(form::object(coerce, schema, encoding, &fields)));
        }
        if kind.starts_with("multipart/") && types.has(Types::OBJECT) {
            let fields = form::parts(message.body.as_bytes(), content_type.unwrap_or_default())
                .map_err(|why| format!("is no {kind}: it {why}"))?;
            // Only the parts of a form must have names.
            let named = kind == "multipart/form-data" || !fields.is_empty();
            return Ok(named.then(|| form::object(coerce, schema, encoding, &fields)));
        }
        if is_xml(kind) && structured {
            let Some(text) = message.body.as_str() else { return Ok(None) };
            let value = xml::value(coerce, schema, text);
            return value.map(Some).map_err(|why| format!("is not well-formed XML: {why}"));
        }
        if is_yaml(kind) && !types.has(Types::STRING) {
            let Some(text) = message.body.as_str() else {
                return Err("is not valid YAML: it is not UTF-8".to_owned());
            };
            return value_of_yaml(text).map_err(|why| format!("is not valid YAML: {why}"));
        }
        let scalars = Types::STRING.with(Types::INTEGER).with(Types::NUMBER).with(Types::BOOLEAN);
        if of_range && structured && !types.has(scalars) {
            // A range means any syntax that can say what the schema wants. JSON is what clients send under a name of
            // another; what else there is may be read by those who know its type.
            return match parse_json(message.body) {
                Ok(value) => Ok(Some(value)),
                Err(Unparsed::Invalid(_)) if is_unstructured(kind) => {
                    Err(format!("is {kind}, which is neither object nor list"))
                }
                Err(_) => Ok(None),
            };
        }
        // Other syntaxes are checked as text where the schema takes a text at all.
        Ok(match message.body.as_str() {
            Some(text) if kind.starts_with("text/") && types.has(scalars) => {
                Some(coerce.scalar(Some(schema), text))
            }
            _ => None,
        })
    }

    /// Checks the value of a response header.
    pub(super) fn check_header(&self, schema: NodeId, text: &str) -> Vec<Problem> {
        let coerce = Coerce { set: &self.schemas, direction: Direction::Response };
        let scalar = coerce.scalar(Some(schema), text);
        let problems = self.schemas.check(schema, &scalar, Direction::Response);
        if problems.is_empty() || !self.schemas.types(schema).has(Types::ARRAY) {
            return problems;
        }
        let array = coerce.array(Some(schema), text.split(',').map(str::trim));
        self.schemas.check(schema, &array, Direction::Response)
    }
}

/// The text of a parameter.
#[derive(Clone, Copy)]
struct Text<'t> {
    /// Its percent-encoding undone.
    text: &'t str,
    /// As on the wire, where that is known and differs.
    raw: Option<&'t str>,
}

impl<'t> Text<'t> {
    fn of(text: &'t str) -> Self {
        Text { text, raw: None }
    }

    /// What follows a prefix.
    fn after(self, prefix: &str) -> Option<Self> {
        let raw = self.raw.and_then(|raw| raw.strip_prefix(prefix));
        Some(Text { text: self.text.strip_prefix(prefix)?, raw })
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// The segment of a path that is a parameter and nothing else, as on the wire; `None` where nothing in it is encoded.
fn raw_segment<'p>(template: &str, name: &str, path: &'p str) -> Option<&'p str> {
    if !path.contains('%') {
        return None;
    }
    let is =
        |segment: &str| segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) == Some(name);
    // The path may have a base path before it.
    let from_end = template.trim_end_matches('/').rsplit('/').position(is)?;
    let segment = path.trim_end_matches('/').rsplit('/').nth(from_end)?;
    segment.contains('%').then_some(segment)
}

/// The value of a name in a query, as on the wire.
fn raw_value<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.find(|(key, _)| decoded(key) == name).map(|(_, value)| value)?;
    // A plus sign is a space there, which the other reading knows.
    (value.contains('%') && !value.contains('+')).then_some(value)
}

/// What stands between the values of one text in a query.
fn separator(parameter: &Parameter) -> char {
    match parameter.style.as_str() {
        "spaceDelimited" => ' ',
        "pipeDelimited" => '|',
        _ => ',',
    }
}

/// What of a message its body is judged by.
pub(super) struct Message<'m> {
    pub(super) headers: &'m Pairs<'m>,
    pub(super) body: &'m Body<'m>,
    pub(super) direction: Direction,
}

/// The type of a body.
struct Kind<'m> {
    /// Without parameters, in lower case.
    essence: &'m str,
    /// As the header has it.
    content_type: Option<&'m str>,
    /// Whether the document declares a range of types, of which this is one.
    of_range: bool,
}

enum Unparsed {
    /// Valid perhaps, but nested deeper than the parser goes: taken as opaque.
    TooDeep,
    Invalid(String),
}

fn parse_json(body: &Body<'_>) -> Result<Value, Unparsed> {
    serde_json::from_slice(body.as_bytes()).map_err(|error| {
        let text = error.to_string();
        // The parser has no kind of its own for this.
        if text.starts_with("recursion limit exceeded") {
            Unparsed::TooDeep
        } else {
            Unparsed::Invalid(text)
        }
    })
}

/// `None` where it is nested deeper than the parser goes: taken as opaque.
fn value_of_yaml(text: &str) -> Result<Option<Value>, String> {
    match from_yaml(text, &mut Vec::new()) {
        Ok(value) => Ok(Some(value)),
        Err(why) if why.contains("nested deeper") => Ok(None),
        Err(why) => Err(why),
    }
}

/// All lines of a header as one, as RFC 9110 section 5.3 joins them.
pub(super) fn joined<'h>(headers: &'h Pairs<'_>, name: &str) -> Option<Cow<'h, str>> {
    let mut lines = headers.iter().filter(|(key, _)| key == name).map(|(_, text)| text.as_ref());
    let first = lines.next()?;
    Some(lines.fold(Cow::Borrowed(first), |all, line| Cow::Owned(format!("{all}, {line}"))))
}

fn cookies<'h>(headers: &'h Pairs<'_>) -> Vec<(&'h str, Cow<'h, str>)> {
    headers
        .iter()
        .filter(|(name, _)| name == "cookie")
        .flat_map(|(_, line)| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy()))
        .collect()
}

impl Violation {
    pub(super) fn new(location: &'static str, at: &str, message: &str) -> Self {
        Violation { location, at: at.to_owned(), message: message.to_owned(), fault: None }
    }

    pub(super) fn of_problem(location: &'static str, at: String, problem: Problem) -> Self {
        let fault = Some(Box::new(problem.fault));
        Violation { location, at, message: problem.message, fault }
    }

    /// Something that an operation asks for is not there.
    pub(super) fn absent(
        location: &'static str,
        at: &str,
        operation: &Operation,
        keyword: &'static str,
        value: Value,
    ) -> Self {
        let fault = Fault { schema: operation.pointer.clone(), keyword, value };
        Violation { fault: Some(Box::new(fault)), ..Violation::new(location, at, "is required") }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.location)?;
        if !self.at.is_empty() {
            write!(f, " {}", self.at)?;
        }
        write!(f, " {}", self.message)
    }
}
