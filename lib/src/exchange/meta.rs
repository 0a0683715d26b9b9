//! Reads `meta.hmt` tolerantly, because `meta` is free-form and other tools write to it too.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::model::{Meta, Side};
use super::pairs::{BytePairs, Pairs};
use super::values::{FieldName, NameValues, Text};

/// [`Meta`], and the bodies that are stored next to it.
#[derive(Default)]
pub(super) struct HmtMeta<'de> {
    pub(super) meta: Meta<'de>,
    pub(super) request_body: Option<Cow<'de, str>>,
    pub(super) response_body: Option<Cow<'de, str>>,
}

impl<'de> HmtMeta<'de> {
    /// Reads the known fields of `meta`. A field whose type HMT never writes belongs to another
    /// tool.
    pub(super) fn from_meta(raw: &'de RawValue) -> Self {
        let mut found = HmtMeta::default();
        for (key, value) in fields(raw) {
            if key == "hmt" {
                found = HmtMeta::default();
                for (key, value) in fields(value) {
                    found.take(&key, value);
                }
            }
        }
        found
    }

    fn take(&mut self, key: &str, value: &'de RawValue) {
        let meta = &mut self.meta;
        match key {
            "run" => meta.run = text(value),
            "seq" => meta.seq = parse(value),
            "connection" => meta.connection = parse(value),
            "durationMs" => meta.duration_ms = parse(value),
            "error" => meta.error = text(value),
            "scope" => meta.scope = text(value),
            "requestBodyBase64" => self.request_body = text(value),
            "responseBodyBase64" => self.response_body = text(value),
            "truncated" => {
                for (side, size) in fields(value) {
                    match side.as_ref() {
                        "request" => meta.truncated_request = parse(size),
                        "response" => meta.truncated_response = parse(size),
                        _ => {}
                    }
                }
            }
            "incomplete" => {
                meta.incomplete = match text(value).as_deref() {
                    Some("client") => Some(Side::Client),
                    Some("upstream") => Some(Side::Upstream),
                    _ => None,
                };
            }
            "chunks" => meta.chunks = parse(value).unwrap_or_default(),
            "method" => meta.method = text(value),
            "reason" => meta.reason = text(value),
            "headerBytes" => {
                for (side, values) in fields(value) {
                    match side.as_ref() {
                        "request" => meta.request_header_bytes = byte_pairs(values),
                        "response" => meta.response_header_bytes = byte_pairs(values),
                        _ => {}
                    }
                }
            }
            "trailers" => {
                for (side, trailers) in fields(value) {
                    match side.as_ref() {
                        "request" => meta.request_trailers = pairs(trailers),
                        "response" => meta.trailers = pairs(trailers),
                        _ => {}
                    }
                }
            }
            "violations" => meta.violations = texts(value),
            "redacted" => meta.redacted = texts(value),
            _ => {}
        }
    }
}

fn parse<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    seeded(raw, Text("meta")).flatten()
}

fn texts(raw: &RawValue) -> Vec<Cow<'_, str>> {
    let items: Vec<&RawValue> = parse(raw).unwrap_or_default();
    items.into_iter().filter_map(text).collect()
}

fn pairs(raw: &RawValue) -> Pairs<'_> {
    seeded(raw, NameValues("meta")).unwrap_or_default()
}

/// Values in base64; invalid ones belong to another tool.
fn byte_pairs(raw: &RawValue) -> BytePairs<'_> {
    let decode = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        let bytes = STANDARD.decode(value.as_bytes()).ok()?;
        Some((Cow::Owned(name.into_owned()), Cow::Owned(bytes)))
    };
    pairs(raw).into_iter().filter_map(decode).collect()
}

fn seeded<'de, S: serde::de::DeserializeSeed<'de>>(
    raw: &'de RawValue,
    seed: S,
) -> Option<S::Value> {
    seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get())).ok()
}

/// The fields of an object; none for other values.
fn fields(raw: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    struct Fields<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);
    impl<'de> Deserialize<'de> for Fields<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct FieldsVisitor;
            impl<'de> Visitor<'de> for FieldsVisitor {
                type Value = Fields<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                    let mut fields = Vec::new();
                    while let Some(FieldName(key)) = map.next_key()? {
                        fields.push((key, map.next_value()?));
                    }
                    Ok(Fields(fields))
                }
            }
            deserializer.deserialize_map(FieldsVisitor)
        }
    }
    parse::<Fields<'_>>(raw).map(|fields| fields.0).unwrap_or_default()
}
