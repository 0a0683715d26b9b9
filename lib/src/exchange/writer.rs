//! Writes an [`Exchange`] as one line of JSON in the http-types schema.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::escape::{push_string, push_string_within};
use super::fit::{self, BodyForm, BodyForms};
use super::model::{Body, Exchange, Meta, Request, Response, Side};
use super::pairs::{BytePairs, Pairs};
use super::query::wire_path;
use super::timestamp::canonical;

/// The name of a member with its punctuation, so that it is written in one piece. The names are
/// constants without characters to escape.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// Maximum length of a line that readers accept, in bytes, without its newline.
pub const MAX_LINE: usize = 64 << 20;

/// Appends the exchange as one line of JSON and a newline.
///
/// The line has all of `path`, `pathname` and `query`. Data without a place in the schema goes
/// under `meta.hmt`. Timestamps are in UTC with microseconds; an invalid one is left out.
///
/// A body is written as text if it is valid UTF-8, its JSON string takes at most twice its bytes,
/// and the line stays within [`MAX_LINE`]; otherwise as base64. If the line would still be too
/// long, bodies are truncated.
pub fn write_line(exchange: &Exchange<'_>, out: &mut Vec<u8>) {
    write_within(exchange, MAX_LINE, out);
}

fn write_within(exchange: &Exchange<'_>, max_line: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let mut forms = BodyForms::default();
    while let Err(side) = try_write(exchange, &forms, out) {
        // The text is mostly escapes. This is rare enough to write the line again.
        out.truncate(start);
        forms.set(side, BodyForm::BASE64);
    }
    if out.len() - start > max_line {
        let forms = fit::shorten(exchange, &forms, out.len() - start, max_line);
        out.truncate(start);
        // These forms do not limit the length of texts.
        let _ = try_write(exchange, &forms, out);
    }
    out.push(b'\n');
}

/// The side whose body takes more than twice its bytes as text.
type TooLong = Side;

fn try_write(exchange: &Exchange<'_>, forms: &BodyForms, out: &mut Vec<u8>) -> Result<(), TooLong> {
    let mut line = ObjectWriter::open(out);
    write_meta(exchange, forms, &mut line);
    write_request(&exchange.request, forms, line.object(key!("request")))?;
    if let Some(response) = &exchange.response {
        write_response(response, forms, line.object(key!("response")))?;
    }
    line.close();
    Ok(())
}

fn write_request(
    request: &Request<'_>,
    forms: &BodyForms,
    mut object: ObjectWriter<'_>,
) -> Result<(), TooLong> {
    object.plain(key!("method"), request.method.as_str());
    object.plain(key!("protocol"), request.protocol.as_str());
    if !request.host.is_empty() {
        object.text(key!("host"), &request.host);
    }
    let wire_query = request.wire_query.as_deref();
    object.text(key!("path"), &wire_path(&request.pathname, &request.query, wire_query));
    object.text(key!("pathname"), &request.pathname);
    object.pairs(key!("query"), &request.query, Case::Kept);
    object.pairs(key!("headers"), &request.headers, Case::Lower);
    object.body(&request.body, forms.request, Side::Client)?;
    if let Some(time) = request.timestamp.as_deref().and_then(canonical) {
        object.plain(key!("timestamp"), &time);
    }
    object.close();
    Ok(())
}

fn write_response(
    response: &Response<'_>,
    forms: &BodyForms,
    mut object: ObjectWriter<'_>,
) -> Result<(), TooLong> {
    object.value(key!("statusCode"), &response.status);
    object.pairs(key!("headers"), &response.headers, Case::Lower);
    object.body(&response.body, forms.response, Side::Upstream)?;
    if let Some(time) = response.timestamp.as_deref().and_then(canonical) {
        object.plain(key!("timestamp"), &time);
    }
    object.close();
    Ok(())
}

fn write_meta(exchange: &Exchange<'_>, forms: &BodyForms, line: &mut ObjectWriter<'_>) {
    let request = &exchange.request.body;
    let response = exchange.response.as_ref().map(|response| &response.body);
    let request_body = base64(request, forms.request);
    let response_body = response.and_then(|body| base64(body, forms.response));
    let meta = &exchange.meta;
    let truncated_request = forms.request.full_size(request, meta.truncated_request);
    let truncated_response = response.map_or(meta.truncated_response, |body| {
        forms.response.full_size(body, meta.truncated_response)
    });
    let truncated = truncated_request.is_some() || truncated_response.is_some();
    let packed = request_body.is_some() || response_body.is_some();
    if !packed && !truncated && *meta == Meta::default() {
        return;
    }
    let mut outer = line.object(key!("meta"));
    let mut hmt = outer.object(key!("hmt"));
    hmt.value(key!("v"), &1);
    if let Some(run) = &meta.run {
        hmt.text(key!("run"), run);
    }
    hmt.option(key!("seq"), meta.seq);
    hmt.option(key!("connection"), meta.connection);
    hmt.option(key!("durationMs"), meta.duration_ms.filter(|ms| ms.is_finite()));
    hmt.option(key!("error"), meta.error.as_ref());
    hmt.option(key!("scope"), meta.scope.as_ref());
    if truncated {
        let mut truncated = hmt.object(key!("truncated"));
        truncated.option(key!("request"), truncated_request);
        truncated.option(key!("response"), truncated_response);
        truncated.close();
    }
    hmt.option(
        key!("incomplete"),
        meta.incomplete.map(|side| match side {
            Side::Client => "client",
            Side::Upstream => "upstream",
        }),
    );
    if !meta.chunks.is_empty() {
        hmt.value(key!("chunks"), &meta.chunks);
    }
    hmt.option(key!("method"), meta.method.as_ref());
    hmt.option(key!("reason"), meta.reason.as_ref());
    hmt.sides(
        key!("headerBytes"),
        &in_base64(&meta.request_header_bytes),
        &in_base64(&meta.response_header_bytes),
    );
    hmt.sides(key!("trailers"), &meta.request_trailers, &meta.trailers);
    if !meta.violations.is_empty() {
        hmt.value(key!("violations"), &meta.violations);
    }
    if !meta.redacted.is_empty() {
        hmt.value(key!("redacted"), &meta.redacted);
    }
    for (key, body) in
        [(key!("requestBodyBase64"), request_body), (key!("responseBodyBase64"), response_body)]
    {
        if let Some(body) = body {
            hmt.plain(key, &body);
        }
    }
    hmt.close();
    outer.close();
}

fn in_base64<'p>(pairs: &'p BytePairs<'_>) -> Pairs<'p> {
    let encode = |(name, bytes): &'p (Cow<'_, str>, Cow<'_, [u8]>)| {
        (Cow::Borrowed(name.as_ref()), Cow::Owned(STANDARD.encode(bytes)))
    };
    pairs.iter().map(encode).collect()
}

/// The body in base64, if that is its form.
fn base64(body: &Body<'_>, form: BodyForm) -> Option<String> {
    let bytes = match body {
        Body::Empty => return None,
        Body::Text(_) if !form.base64 => return None,
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
    };
    let kept = form.kept(bytes);
    (!kept.is_empty()).then(|| STANDARD.encode(kept))
}

/// Whether names are written unchanged or in lower case.
#[derive(Clone, Copy)]
enum Case {
    Kept,
    Lower,
}

/// A JSON object that is being written.
struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> ObjectWriter<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        ObjectWriter { out, empty: true }
    }

    fn close(self) {
        self.out.push(b'}');
    }

    /// Writes the name of a member from `key!`.
    fn key(&mut self, key: &'static str) {
        // The first member has no comma before it.
        let key = if self.empty { &key[1..] } else { key };
        self.empty = false;
        self.out.extend_from_slice(key.as_bytes());
    }

    /// Writes a text without characters to escape.
    fn plain(&mut self, key: &'static str, text: &str) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.key(key);
        push_string(text, self.out);
    }

    /// Writes a body in text form.
    fn body(&mut self, body: &Body<'_>, form: BodyForm, side: Side) -> Result<(), TooLong> {
        let Body::Text(text) = body else { return Ok(()) };
        if form.base64 {
            return Ok(());
        }
        let bytes = form.kept(text.as_bytes());
        // The text is cut at a whole character, so nothing is replaced.
        let kept = match bytes.len() == text.len() {
            true => text.as_str(),
            false => std::str::from_utf8(bytes).unwrap_or_default(),
        };
        if kept.is_empty() {
            return Ok(());
        }
        self.key(key!("body"));
        let limit = if form.kept.is_some() { usize::MAX } else { fit::MAX_GROWTH * kept.len() };
        if push_string_within(kept, limit, self.out) { Ok(()) } else { Err(side) }
    }

    fn value<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.key(key);
        json(self.out, value);
    }

    fn option<T: Serialize>(&mut self, key: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.value(key, &value);
        }
    }

    fn object(&mut self, key: &'static str) -> ObjectWriter<'_> {
        self.key(key);
        ObjectWriter::open(self.out)
    }

    /// Names and values of both messages, if any.
    fn sides(&mut self, key: &'static str, request: &Pairs<'_>, response: &Pairs<'_>) {
        if request.is_empty() && response.is_empty() {
            return;
        }
        let mut sides = self.object(key);
        for (key, pairs) in [(key!("request"), request), (key!("response"), response)] {
            if !pairs.is_empty() {
                sides.pairs(key, pairs, Case::Lower);
            }
        }
        sides.close();
    }

    /// An object of names; a repeated name has an array.
    fn pairs(&mut self, key: &'static str, pairs: &Pairs<'_>, case: Case) {
        let object = self.object(key);
        for (index, (name, values)) in grouped(pairs, case).into_iter().enumerate() {
            if index > 0 {
                object.out.push(b',');
            }
            push_string(&name, object.out);
            object.out.push(b':');
            match values {
                GroupedValues::One(value) => push_string(value, object.out),
                GroupedValues::Many(values) => {
                    for (index, value) in values.into_iter().enumerate() {
                        object.out.push(if index == 0 { b'[' } else { b',' });
                        push_string(value, object.out);
                    }
                    object.out.push(b']');
                }
            }
        }
        object.close();
    }
}

/// Up to this many names, comparing is faster than hashing.
const FEW: usize = 48;

/// The values of each name, in order of first appearance.
fn grouped<'p>(pairs: &'p Pairs<'_>, case: Case) -> Vec<(Cow<'p, str>, GroupedValues<'p>)> {
    let mut groups: Vec<(Cow<'p, str>, GroupedValues<'p>)> = Vec::with_capacity(pairs.len());
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
                groups.push((name, GroupedValues::One(value)));
            }
        }
    }
    groups
}

/// A string, or an array of strings.
enum GroupedValues<'p> {
    One(&'p str),
    Many(Vec<&'p str>),
}

impl<'p> GroupedValues<'p> {
    fn push(&mut self, value: &'p str) {
        match self {
            GroupedValues::One(first) => *self = GroupedValues::Many(vec![first, value]),
            GroupedValues::Many(values) => values.push(value),
        }
    }
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing to a Vec cannot fail, and strings, numbers and lists of them are valid JSON.
    serde_json::to_writer(out, value).expect("strings and finite numbers always serialise");
}

#[cfg(test)]
mod tests;
