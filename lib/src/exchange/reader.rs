//! Parses one line of JSON into an [`Exchange`] that borrows from it.
//!
//! The parser is written by hand for three reasons: the last of duplicate keys counts (derived code
//! rejects them), output of other tools is read tolerantly, and nothing is copied that can be
//! borrowed.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::meta::HmtMeta;
use super::model::{Body, Exchange, Method, Protocol, Request, Response};
use super::pairs::Pairs;
use super::place::{RequestTarget, place};
use super::text::BodyText;
use super::values::{FieldName, LongText, NameValues, Shallow, Status, StrictText, Text};
use super::words::words;

/// Why a line is not a valid exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", place_in_line(*.column))]
pub struct LineError {
    /// The problem, with the name of the field if there is one.
    pub message: String,
    /// The number of bytes read before the error; 0 if it has no position.
    pub column: usize,
    /// True if the line ends early, as when its writer was killed.
    pub cut_short: bool,
}

/// Empty without a position.
fn place_in_line(column: usize) -> String {
    if column == 0 { String::new() } else { format!(" (byte {column})") }
}

impl LineError {
    pub(crate) fn new(message: impl Into<String>, column: usize) -> Self {
        LineError { message: message.into(), column, cut_short: false }
    }
}

/// Reads one line. Accepts everything that the http-types schema allows, and more.
///
/// # Errors
/// The line is not JSON, not an object with a request, or has an invalid method, status or base64
/// body.
pub fn parse_line(line: &[u8]) -> Result<Exchange<'_>, LineError> {
    // One pass over the whole line is cheaper than serde_json's check of each string.
    let text = simdutf8::basic::from_utf8(line).map_err(|_| not_utf8(line))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw = Envelope
        .deserialize(&mut deserializer)
        .and_then(|raw| deserializer.end().map(|()| raw))
        .map_err(|error| from_json(&error))?;
    assemble(raw)
}

fn not_utf8(line: &[u8]) -> LineError {
    let place = std::str::from_utf8(line).err();
    LineError {
        message: "not valid UTF-8".to_owned(),
        column: place.map_or(0, |error| error.valid_up_to()),
        cut_short: place.is_some_and(|error| error.error_len().is_none()),
    }
}

fn from_json(error: &serde_json::Error) -> LineError {
    LineError { message: words(error), column: error.column(), cut_short: error.is_eof() }
}

/// The parsed line, before overlapping fields are combined.
#[derive(Default)]
struct Raw<'de> {
    request: Option<RawRequest<'de>>,
    response: Option<RawResponse<'de>>,
    meta: HmtMeta<'de>,
}

#[derive(Default)]
struct RawRequest<'de> {
    method: Option<Method>,
    protocol: Option<Cow<'de, str>>,
    host: Option<Cow<'de, str>>,
    url: Option<Cow<'de, str>>,
    path: Option<Cow<'de, str>>,
    pathname: Option<Cow<'de, str>>,
    query: Pairs<'de>,
    message: Message<'de>,
}

#[derive(Default)]
struct RawResponse<'de> {
    status: u16,
    message: Message<'de>,
}

/// The fields that requests and responses share.
#[derive(Default)]
struct Message<'de> {
    headers: Pairs<'de>,
    body: Option<BodyText<'de>>,
    body_as_json: Option<&'de RawValue>,
    timestamp: Option<Cow<'de, str>>,
}

fn assemble(raw: Raw<'_>) -> Result<Exchange<'_>, LineError> {
    let Some(request) = raw.request else {
        return Err(LineError::new("no request", 0));
    };
    let Some(method) = request.method else {
        return Err(LineError::new("no request.method", 0));
    };
    let HmtMeta { meta, request_body, response_body } = raw.meta;
    let headers = lower_names(request.message.headers);
    let RequestTarget { protocol, host, pathname, query, wire_query } =
        place(request.url, request.path, request.pathname, request.host, request.query, &headers);
    let protocol = match request.protocol.as_deref() {
        None => protocol.unwrap_or_default(),
        Some(name) if name.eq_ignore_ascii_case("http") => Protocol::Http,
        Some(name) if name.eq_ignore_ascii_case("https") => Protocol::Https,
        Some(name) => {
            let message = format!("request.protocol {name:?} must be http or https");
            return Err(LineError::new(message, 0));
        }
    };
    let request = Request {
        method,
        protocol,
        host,
        pathname: on_wire(pathname),
        query,
        wire_query: wire_query.map(on_wire),
        headers,
        body: body(request.message.body, request.message.body_as_json, request_body, "request")?,
        timestamp: request.message.timestamp,
    };
    let response = match raw.response {
        None => None,
        Some(RawResponse { status, message }) => Some(Response {
            status,
            headers: lower_names(message.headers),
            body: body(message.body, message.body_as_json, response_body, "response")?,
            timestamp: message.timestamp,
        }),
    };
    Ok(Exchange { request, response, meta })
}

/// A path or a query as it is on the wire: other tools also write it decoded, with spaces and other
/// characters that no request line has.
fn on_wire(text: Cow<'_, str>) -> Cow<'_, str> {
    const DECODED: &AsciiSet = &CONTROLS.add(b' ');
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => text,
        false => Cow::Owned(utf8_percent_encode(&text, DECODED).to_string()),
    }
}

fn lower_names(mut headers: Pairs<'_>) -> Pairs<'_> {
    for (name, _) in &mut headers {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.to_mut().make_ascii_lowercase();
        }
    }
    headers
}

/// The exact bytes in base64 take precedence over the text, and the text takes precedence over its
/// parsed copy.
fn body<'de>(
    text: Option<BodyText<'de>>,
    as_json: Option<&'de RawValue>,
    base64: Option<Cow<'de, str>>,
    side: &str,
) -> Result<Body<'de>, LineError> {
    if let Some(base64) = base64 {
        let bytes = STANDARD
            .decode(base64.as_bytes())
            .map_err(|_| LineError::new(format!("meta.hmt.{side}BodyBase64 is not base64"), 0))?;
        return Ok(Body::from_bytes(bytes));
    }
    Ok(match (text, as_json) {
        (Some(text), _) if text.is_empty() => Body::Empty,
        (Some(text), _) => Body::Text(text),
        (None, Some(json)) => Body::Text(json.get().into()),
        (None, None) => Body::Empty,
    })
}

struct Envelope;

impl<'de> DeserializeSeed<'de> for Envelope {
    type Value = Raw<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line must be an object with a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        let mut raw = Raw::default();
        while let Some(FieldName(key)) = map.next_key()? {
            match key.as_ref() {
                "request" => raw.request = map.next_value_seed(RequestSeed)?,
                "response" => raw.response = map.next_value_seed(ResponseSeed)?,
                "meta" => raw.meta = HmtMeta::from_meta(map.next_value::<Shallow<'de>>()?.0),
                _ => {
                    map.next_value::<Shallow<'de>>()?;
                }
            }
        }
        Ok(raw)
    }
}

struct RequestSeed;

impl<'de> DeserializeSeed<'de> for RequestSeed {
    type Value = Option<RawRequest<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RequestSeed {
    type Value = Option<RawRequest<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request must be an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawRequest::default();
        while let Some(FieldName(key)) = map.next_key()? {
            match key.as_ref() {
                "method" => {
                    let text = map.next_value_seed(StrictText("request.method"))?;
                    raw.method = match text {
                        Some(text) => Some(text.parse().map_err(A::Error::custom)?),
                        None => None,
                    };
                }
                "protocol" => raw.protocol = map.next_value_seed(StrictText("request.protocol"))?,
                "host" => raw.host = map.next_value_seed(StrictText("request.host"))?,
                "url" => raw.url = map.next_value_seed(StrictText("request.url"))?,
                "path" => raw.path = map.next_value_seed(StrictText("request.path"))?,
                "pathname" => raw.pathname = map.next_value_seed(StrictText("request.pathname"))?,
                "query" => raw.query = map.next_value_seed(NameValues("request.query"))?,
                other => raw.message.field(
                    other,
                    &mut map,
                    "request.headers",
                    "request.body",
                    "request.timestamp",
                )?,
            }
        }
        Ok(Some(raw))
    }
}

struct ResponseSeed;

impl<'de> DeserializeSeed<'de> for ResponseSeed {
    type Value = Option<RawResponse<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ResponseSeed {
    type Value = Option<RawResponse<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("response must be an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawResponse::default();
        while let Some(FieldName(key)) = map.next_key()? {
            match key.as_ref() {
                "statusCode" => raw.status = map.next_value_seed(Status)?,
                other => raw.message.field(
                    other,
                    &mut map,
                    "response.headers",
                    "response.body",
                    "response.timestamp",
                )?,
            }
        }
        if raw.status == 0 {
            return Err(A::Error::custom("no response.statusCode"));
        }
        Ok(Some(raw))
    }
}

impl<'de> Message<'de> {
    /// Reads a field that requests and responses share, or skips an unknown one.
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        headers: &'static str,
        body: &'static str,
        timestamp: &'static str,
    ) -> Result<(), A::Error> {
        match key {
            "headers" => self.headers = map.next_value_seed(NameValues(headers))?,
            "body" => self.body = map.next_value_seed(LongText(body))?,
            "timestamp" => self.timestamp = map.next_value_seed(Text(timestamp))?,
            "bodyAsJson" => {
                self.body_as_json = map.next_value::<Option<&'de RawValue>>()?;
            }
            _ => {
                map.next_value::<Shallow<'de>>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
