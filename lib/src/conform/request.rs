//! A request against its operation.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::api::{Api, Location, Matched, Media, Operation, Parameter, Violation};
use super::coerce::Coerce;
use super::deep;
use super::form::{self, Field};
use super::media::{essence, find_media, is_json, is_xml};
use super::xml;
use crate::exchange::{Body, Pairs, Request, header, parse_query};
use crate::schema::{Direction, Fault, NodeId, Problem, Types};

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
                let value = found.map(|(_, text)| self.path_value(parameter, text, coerce));
                if let Some(None) = value {
                    let why = format!("is not written in the style {}", parameter.style);
                    return violations.push(Violation::new("path", name, &why));
                }
                ("path", value.flatten())
            }
            Location::Query => ("query", self.query_value(parameter, &request.query, coerce)),
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
                ("cookie", found.map(|(_, text)| self.simple(parameter, text, ',', coerce)))
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
            let at = format!("{name}{}", problem.pointer);
            violations.push(Violation::of_problem(place, at, problem));
        }
    }

    fn types_of(&self, schema: Option<NodeId>) -> Types {
        schema.map_or(Types(0x7f), |id| self.schemas.types(id))
    }

    /// `None` where the text does not begin as its style wants it.
    fn path_value(&self, parameter: &Parameter, text: &str, coerce: Coerce<'_>) -> Option<Value> {
        Some(match parameter.style.as_str() {
            "label" => {
                let text = text.strip_prefix('.')?;
                let separator = if parameter.explode { '.' } else { ',' };
                self.simple(parameter, text, separator, coerce)
            }
            "matrix" => {
                let prefix = format!(";{}=", parameter.name);
                if parameter.explode && self.types_of(parameter.schema).has(Types::ARRAY) {
                    let texts = text.strip_prefix(prefix.as_str())?.split(prefix.as_str());
                    return Some(coerce.array(parameter.schema, texts));
                }
                if parameter.explode && self.types_of(parameter.schema).has(Types::OBJECT) {
                    let text = text.strip_prefix(';')?;
                    return Some(self.simple(parameter, text, ';', coerce));
                }
                let text = text.strip_prefix(prefix.as_str())?;
                self.simple(parameter, text, ',', coerce)
            }
            _ => self.simple(parameter, text, ',', coerce),
        })
    }

    /// A value in one text: `content`, scalar, array `a,b` or object `k,v` or `k=v`.
    fn simple(
        &self,
        parameter: &Parameter,
        text: &str,
        separator: char,
        coerce: Coerce<'_>,
    ) -> Value {
        if let Some((media, schema)) = &parameter.content {
            return match serde_json::from_str(text) {
                Ok(value) if is_json(media) => value,
                _ => coerce.scalar(*schema, text),
            };
        }
        let Some(schema) = parameter.schema else { return text.into() };
        let scalar = coerce.scalar(Some(schema), text);
        let types = self.schemas.types(schema);
        if !types.has(Types::ARRAY.with(Types::OBJECT))
            || self.schemas.accepts(schema, &scalar, Direction::Request)
        {
            return scalar;
        }
        let parts = || text.split(separator).map(str::trim).filter(|_| !text.is_empty());
        if types.has(Types::ARRAY) {
            return coerce.array(Some(schema), parts());
        }
        let pairs: Vec<(&str, &str)> = if parameter.explode {
            parts().filter_map(|part| part.split_once('=')).collect()
        } else {
            let flat: Vec<&str> = parts().collect();
            flat.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
        };
        coerce.object(Some(schema), &pairs)
    }

    fn query_value(
        &self,
        parameter: &Parameter,
        query: &Pairs<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let name = parameter.name.as_str();
        let types = self.types_of(parameter.schema);
        if let ("deepObject", Some(schema)) = (parameter.style.as_str(), parameter.schema) {
            let pairs = query.iter().map(|(key, text)| (key.as_ref(), text.as_ref()));
            if let Some(deep) = deep::value(coerce, schema, name, pairs) {
                return Some(deep);
            }
        } else if parameter.schema.is_some() && types.has(Types::OBJECT) {
            let object = self.query_object(parameter, query, coerce);
            if object.is_some() || !types.has(Types(0x7f & !Types::OBJECT.0)) {
                return object;
            }
        }
        let texts: Vec<&str> =
            query.iter().filter(|(key, _)| key == name).map(|(_, text)| text.as_ref()).collect();
        match texts.as_slice() {
            [] => None,
            [text] if parameter.content.is_some() || !parameter.explode => {
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
            return Some(self.simple(parameter, text, separator(parameter), coerce));
        };
        (!pairs.is_empty()).then(|| coerce.object(Some(schema), &pairs))
    }

    fn header_value(
        &self,
        parameter: &Parameter,
        headers: &Pairs<'_>,
        coerce: Coerce<'_>,
    ) -> Option<Value> {
        let text = joined(headers, &parameter.name)?;
        Some(self.simple(parameter, &text, ',', coerce))
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
        let Some(schema) = media.schema else { return };
        // A range says nothing of the body's syntax, the header does.
        let kind = essence(content_type.unwrap_or(key));
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
            match self.other_syntax(&kind, content_type, media, schema, message) {
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

    /// The value of a body that is no JSON; `None` where nothing can be said of it.
    fn other_syntax(
        &self,
        kind: &str,
        content_type: Option<&str>,
        media: &Media,
        schema: NodeId,
        message: &Message<'_>,
    ) -> Result<Option<Value>, String> {
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
        if kind == "multipart/form-data" && types.has(Types::OBJECT) {
            let fields = form::parts(message.body.as_bytes(), content_type.unwrap_or_default())
                .map_err(|why| format!("is no multipart/form-data: it {why}"))?;
            return Ok(Some(form::object(coerce, schema, encoding, &fields)));
        }
        if is_xml(kind) && structured {
            let Some(text) = message.body.as_str() else { return Ok(None) };
            let value = xml::value(coerce, schema, text);
            return value.map(Some).map_err(|why| format!("is not well-formed XML: {why}"));
        }
        // Other syntaxes are checked as text where the schema takes a text at all.
        let scalars = Types::STRING.with(Types::INTEGER).with(Types::NUMBER).with(Types::BOOLEAN);
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
