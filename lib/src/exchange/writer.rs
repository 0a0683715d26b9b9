//! An [`Exchange`] to one line of JSON that the http-types schema allows.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::key::wire_path;
use super::model::{Body, Exchange, Meta, Pairs, Request, Response, Side};
use super::timestamp::canonical;

/// Appends the exchange as one line of JSON and a newline.
///
/// `path`, `pathname` and `query` are all there; what the schema has no place for stands under `meta.hmt`;
/// a timestamp that is no RFC 3339 time is left out, all others come in UTC with microseconds.
pub fn write_line(exchange: &Exchange<'_>, out: &mut Vec<u8>) {
    let mut line = Object::open(out);
    write_meta(exchange, &mut line);
    write_request(&exchange.request, line.object("request"));
    if let Some(response) = &exchange.response {
        write_response(response, line.object("response"));
    }
    line.close();
    out.push(b'\n');
}

fn write_request(request: &Request<'_>, mut object: Object<'_>) {
    object.value("method", request.method.as_str());
    object.value("protocol", request.protocol.as_str());
    if !request.host.is_empty() {
        object.value("host", &request.host);
    }
    object.value("path", &wire_path(&request.pathname, &request.query));
    object.value("pathname", &request.pathname);
    object.pairs("query", &request.query, Case::Kept);
    object.pairs("headers", &request.headers, Case::Lower);
    if let Body::Text(text) = &request.body {
        object.value("body", text.as_str());
    }
    if let Some(time) = request.timestamp.as_deref().and_then(canonical) {
        object.value("timestamp", &time);
    }
    object.close();
}

fn write_response(response: &Response<'_>, mut object: Object<'_>) {
    object.value("statusCode", &response.status);
    object.pairs("headers", &response.headers, Case::Lower);
    if let Body::Text(text) = &response.body {
        object.value("body", text.as_str());
    }
    if let Some(time) = response.timestamp.as_deref().and_then(canonical) {
        object.value("timestamp", &time);
    }
    object.close();
}

fn write_meta(exchange: &Exchange<'_>, line: &mut Object<'_>) {
    let request_body = binary(&exchange.request.body);
    let response_body = exchange.response.as_ref().and_then(|response| binary(&response.body));
    let meta = &exchange.meta;
    if request_body.is_none() && response_body.is_none() && *meta == Meta::default() {
        return;
    }
    let mut outer = line.object("meta");
    let mut hmt = outer.object("hmt");
    hmt.value("v", &1);
    hmt.option("run", meta.run.as_ref());
    hmt.option("seq", meta.seq);
    hmt.option("connection", meta.connection);
    hmt.option("durationMs", meta.duration_ms.filter(|ms| ms.is_finite()));
    hmt.option("error", meta.error.as_ref());
    hmt.option("scope", meta.scope.as_ref());
    if meta.truncated_request.is_some() || meta.truncated_response.is_some() {
        let mut truncated = hmt.object("truncated");
        truncated.option("request", meta.truncated_request);
        truncated.option("response", meta.truncated_response);
        truncated.close();
    }
    hmt.option(
        "incomplete",
        meta.incomplete.map(|side| match side {
            Side::Client => "client",
            Side::Upstream => "upstream",
        }),
    );
    if !meta.chunks.is_empty() {
        hmt.value("chunks", &meta.chunks);
    }
    if !meta.trailers.is_empty() {
        hmt.pairs("trailers", &meta.trailers, Case::Lower);
    }
    if !meta.violations.is_empty() {
        hmt.value("violations", &meta.violations);
    }
    if !meta.redacted.is_empty() {
        hmt.value("redacted", &meta.redacted);
    }
    hmt.option("requestBodyBase64", request_body);
    hmt.option("responseBodyBase64", response_body);
    hmt.close();
    outer.close();
}

fn binary(body: &Body<'_>) -> Option<String> {
    match body {
        Body::Binary(bytes) => Some(STANDARD.encode(bytes)),
        Body::Empty | Body::Text(_) => None,
    }
}

/// Whether names are written as they are, or in lower case.
#[derive(Clone, Copy)]
enum Case {
    Kept,
    Lower,
}

/// A JSON object that is being written; serde_json escapes the strings.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Object { out, empty: true }
    }

    fn close(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        json(self.out, key);
        self.out.push(b':');
    }

    fn value<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.key(key);
        json(self.out, value);
    }

    fn option<T: Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.value(key, &value);
        }
    }

    fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key);
        Object::open(self.out)
    }

    /// An object of names; a name that comes several times has an array.
    fn pairs(&mut self, key: &str, pairs: &Pairs<'_>, case: Case) {
        let mut object = self.object(key);
        for (name, values) in grouped(pairs, case) {
            object.value(&name, &values);
        }
        object.close();
    }
}

/// Up to so many names are compared one by one, which is faster than hashing them.
const FEW: usize = 48;

/// The values of each name, names in the order of their first appearance.
fn grouped<'p>(pairs: &'p Pairs<'_>, case: Case) -> Vec<(Cow<'p, str>, Values<'p>)> {
    let mut groups: Vec<(Cow<'p, str>, Values<'p>)> = Vec::with_capacity(pairs.len());
    let mut places: HashMap<Cow<'p, str>, usize> = HashMap::new();
    let few = pairs.len() <= FEW;
    for (name, value) in pairs {
        let name = match case {
            Case::Lower if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(name.to_ascii_lowercase())
            }
            Case::Kept | Case::Lower => Cow::Borrowed(name.as_ref()),
        };
        let place = if few {
            groups.iter().position(|(known, _)| *known == name)
        } else {
            places.get(&name).copied()
        };
        match place {
            Some(place) => groups[place].1.push(value),
            None => {
                if !few {
                    places.insert(name.clone(), groups.len());
                }
                groups.push((name, Values::One(value)));
            }
        }
    }
    groups
}

/// A string, or an array of strings.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'p> {
    One(&'p str),
    Many(Vec<&'p str>),
}

impl<'p> Values<'p> {
    fn push(&mut self, value: &'p str) {
        match self {
            Values::One(first) => *self = Values::Many(vec![first, value]),
            Values::Many(values) => values.push(value),
        }
    }
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // A Vec takes every write, and strings, numbers and lists of them are all JSON.
    serde_json::to_writer(out, value).expect("strings and finite numbers always serialise");
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
