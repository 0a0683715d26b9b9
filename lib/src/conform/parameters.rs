//! Checks the parameters of a request: path, query, headers and cookies, in their styles.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::api::{Api, Location, Matched, Parameter, Violation};
use super::coerce::Coerce;
use super::deep;
use super::form::{self, Field};
use super::media::is_json;
use crate::exchange::{Pairs, Request};
use crate::schema::{Direction, NodeId, Problem, Types};

impl Api {
    /// Checks the parameters that are declared for all operations of a path.
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

    pub(super) fn parameter(
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
                // OpenAPI says to ignore these, because other parts of the document determine them.
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
            // A path parameter that is not in the template cannot be present.
            if parameter.required && parameter.location != Location::Path {
                let what = json!([place, name]);
                let operation = matched.operation;
                violations.push(Violation::absent(place, name, operation, "parameters", what));
            }
            return;
        };
        let is_empty = |value: &Value| value.as_str() == Some("");
        // If a list is written as repeated names, an empty value is a list of one empty string.
        let only = value.as_array().map_or(&[][..], Vec::as_slice);
        if is_empty(&value) || matches!(only, [only] if is_empty(only)) {
            match parameter.allow_empty {
                Some(true) => return,
                Some(false) if parameter.location == Location::Query => {
                    let why = "is empty, which allowEmptyValue forbids";
                    return violations.push(Violation::new(place, name, why));
                }
                _ => {}
            }
        }
        let schema = match &parameter.content {
            Some((_, schema)) => *schema,
            None => parameter.schema,
        };
        let Some(schema) = schema else { return };
        for problem in self.schemas.check(schema, &value, Direction::Request) {
            // The query as a whole has no name.
            let name = if parameter.location == Location::Querystring { "" } else { name };
            violations.push(Violation::of_problem(place, name, problem));
        }
    }

    pub(super) fn types_of(&self, schema: Option<NodeId>) -> Types {
        schema.map_or(Types(0x7f), |id| self.schemas.types(id))
    }

    /// `None` if the text lacks the prefix of its style.
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
            _ => self.simple(parameter, text, separator(parameter), coerce),
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
        // A percent-encoded delimiter belongs to a value (RFC 6570, section 3.2.1). But many
        // clients encode all delimiters, so the other interpretation counts if this one is not
        // accepted.
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

    /// An object in one text, or with its properties as separate names (`form`, exploded).
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

    /// The query as one value: a form, or a text of another type.
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
        // It was split if it looks like a form.
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
        Some(self.simple(parameter, Text::of(&text), separator(parameter), coerce))
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
    /// Percent-decoded.
    text: &'t str,
    /// As on the wire, if known and different.
    raw: Option<&'t str>,
}

impl<'t> Text<'t> {
    fn of(text: &'t str) -> Self {
        Text { text, raw: None }
    }

    /// The text after a prefix.
    fn after(self, prefix: &str) -> Option<Self> {
        let raw = self.raw.and_then(|raw| raw.strip_prefix(prefix));
        Some(Text { text: self.text.strip_prefix(prefix)?, raw })
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// The segment of a parameter that makes up a whole segment, as on the wire; `None` if nothing in
/// it is encoded.
fn raw_segment<'p>(template: &str, name: &str, path: &'p str) -> Option<&'p str> {
    if !path.contains('%') {
        return None;
    }
    let is =
        |segment: &str| segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) == Some(name);
    // The path may begin with a base path.
    let from_end = template.trim_end_matches('/').rsplit('/').position(is)?;
    let segment = path.trim_end_matches('/').rsplit('/').nth(from_end)?;
    segment.contains('%').then_some(segment)
}

/// The value of a name in a query, as on the wire.
fn raw_value<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value = pairs.find(|(key, _)| decoded(key) == name).map(|(_, value)| value)?;
    // A plus sign is a space, which only the decoded text shows.
    (value.contains('%') && !value.contains('+')).then_some(value)
}

/// The separator between values in one text of a query.
fn separator(parameter: &Parameter) -> char {
    if let Some(delimiter) = parameter.delimiter {
        return delimiter;
    }
    match parameter.style.as_str() {
        "spaceDelimited" => ' ',
        "pipeDelimited" => '|',
        _ => ',',
    }
}

/// All lines of a header, joined as in RFC 9110 section 5.3.
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
