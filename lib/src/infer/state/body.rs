//! Bodies, by media type.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::json::{Json, Text};
use super::parameter::Parameter;
use super::tape::Tape;
use crate::exchange;
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, add, coarsen_option, is_zero, merge_option};

/// All bodies of one message kind and one media type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Bodies that are no text.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) binary: u64,
    /// Fields of `application/x-www-form-urlencoded` bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Box<Form>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Box<Json>>,
    pub(crate) n: u64,
    /// Bodies cut short, or not of the syntax that their media type names.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) opaque: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Box<Text>>,
}

/// Fields of forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Form {
    pub(crate) fields: CappedMap<Parameter>,
    pub(crate) n: u64,
}

/// How a media type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    Form,
    Text,
    Binary,
}

impl Syntax {
    /// By the media type alone (in lower case, without parameters).
    pub(crate) fn of(media: &str) -> Syntax {
        let subtype = media.split_once('/').map_or("", |(_, subtype)| subtype);
        if subtype == "json" || subtype.ends_with("+json") {
            Syntax::Json
        } else if media == "application/x-www-form-urlencoded" {
            Syntax::Form
        } else if media.starts_with("text/")
            || subtype.ends_with("xml")
            || subtype.ends_with("+yaml")
            || matches!(
                subtype,
                "javascript"
                    | "ecmascript"
                    | "yaml"
                    | "x-yaml"
                    | "graphql"
                    | "x-ndjson"
                    | "ndjson"
                    | "jsonlines"
                    | "json-seq"
                    | "toml"
                    | "jwt"
                    | "jose"
            )
        {
            Syntax::Text
        } else {
            Syntax::Binary
        }
    }
}

/// The media type of a body: the header without parameters, in lower case; without a header, by the body's look.
pub(crate) fn media_type<'h>(
    content_type: Option<&'h str>,
    body: &exchange::Body<'_>,
    tape: &mut Tape,
) -> Cow<'h, str> {
    if let Some(value) = content_type {
        let end = memchr::memchr(b';', value.as_bytes()).unwrap_or(value.len());
        let named = value[..end].trim();
        if memchr::memchr(b'/', named.as_bytes()).is_some() {
            let has_upper = named.bytes().any(|byte| byte.is_ascii_uppercase());
            return if has_upper { named.to_ascii_lowercase().into() } else { named.into() };
        }
    }
    Cow::Borrowed(match body {
        _ if tape.read(body).is_some() => "application/json",
        exchange::Body::Binary(_) => "application/octet-stream",
        exchange::Body::Empty | exchange::Body::Text(_) => "text/plain",
    })
}

impl Body {
    /// Folds a body of the given media type.
    pub(crate) fn fold(
        &mut self,
        media: &str,
        body: &exchange::Body<'_>,
        whole: bool,
        ok: bool,
        tape: &mut Tape,
        limits: &Caps<'_>,
    ) {
        add(&mut self.n, 1);
        if !whole || body.is_longer_than(limits.body_bytes) {
            return add(&mut self.opaque, 1);
        }
        match Syntax::of(media) {
            Syntax::Json => match tape.read(body) {
                Some(text) => {
                    self.json.get_or_insert_default().fold(tape, text, 0, 0, limits);
                }
                None => add(&mut self.opaque, 1),
            },
            other => match (other, body.as_str()) {
                (Syntax::Form, Some(text)) => {
                    self.form.get_or_insert_default().fold(text, ok, limits);
                }
                (Syntax::Text, Some(text)) => self.text.get_or_insert_default().fold(text, limits),
                // Text of an unknown type is still bytes to whoever reads the spec.
                _ => add(&mut self.binary, 1),
            },
        }
    }
}

impl Form {
    fn fold(&mut self, text: &str, ok: bool, limits: &Caps<'_>) {
        add(&mut self.n, 1);
        let pairs = exchange::parse_query(text);
        fold_pairs(&mut self.fields, &pairs, ok, limits.fields, limits);
    }
}

/// Folds pairs, each name with all of its values.
pub(crate) fn fold_pairs(
    fields: &mut CappedMap<Parameter>,
    pairs: &exchange::Pairs<'_>,
    ok: bool,
    cap: usize,
    limits: &Caps<'_>,
) {
    for (index, (name, _)) in pairs.iter().enumerate() {
        // Messages have few pairs: looking back is cheaper than a map. A sea of them is cut off below.
        if index < limits.pairs && !pairs[..index].iter().any(|(before, _)| before == name) {
            let values =
                pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_ref());
            fields.fold(name, cap, no_priority, limits, |field| field.fold(values, ok, limits));
        }
    }
}

impl Merge for Form {
    fn coarsen(&mut self, limits: &Limits) {
        self.fields.coarsen(limits.fields, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.fields.merge(other.fields, limits.fields, limits);
        add(&mut self.n, other.n);
    }
}

impl Merge for Body {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.form, limits);
        coarsen_option(&mut self.json, limits);
        coarsen_option(&mut self.text, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        add(&mut self.binary, other.binary);
        merge_option(&mut self.form, other.form, limits);
        merge_option(&mut self.json, other.json, limits);
        add(&mut self.n, other.n);
        add(&mut self.opaque, other.opaque);
        merge_option(&mut self.text, other.text, limits);
    }
}
