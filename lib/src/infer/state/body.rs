//! Bodies, by media type.

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
pub(crate) fn media_type(
    content_type: Option<&str>,
    body: &exchange::Body<'_>,
    tape: &mut Tape,
) -> String {
    let named = content_type
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|value| value.contains('/'));
    if let Some(named) = named {
        return named;
    }
    match body.as_str() {
        Some(text) if tape.parse(text).is_ok() => "application/json".to_owned(),
        Some(_) => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    }
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
        let bytes = body.as_bytes();
        if !whole || bytes.len() > limits.body_bytes {
            return add(&mut self.opaque, 1);
        }
        let syntax = Syntax::of(media);
        let Some(text) = body.as_str() else {
            let count = if syntax == Syntax::Json { &mut self.opaque } else { &mut self.binary };
            return add(count, 1);
        };
        match syntax {
            Syntax::Json => match tape.parse(text) {
                Ok(()) => {
                    self.json.get_or_insert_default().fold(tape, text, 0, 0, limits);
                }
                Err(_) => add(&mut self.opaque, 1),
            },
            Syntax::Form => self.form.get_or_insert_default().fold(text, ok, limits),
            Syntax::Text => self.text.get_or_insert_default().fold(text, limits),
            // Text of an unknown type is still bytes to whoever reads the spec.
            Syntax::Binary => add(&mut self.binary, 1),
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
