//! Bodies, by media type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::json::{Json, Text};
use super::parameter::Parameter;
use super::tape::Tape;
use crate::exchange::{
    self, Exchange, NotJson, Pairs, Syntax, begins_as_container, body_text, media_type,
};
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
    /// Bodies that were not recorded whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) silent: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Box<Text>>,
    /// Bodies that should have been JSON, by what they were instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unread: BTreeMap<NotJson, u64>,
}

/// Fields of forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Form {
    pub(crate) fields: CappedMap<Parameter>,
    pub(crate) n: u64,
}

/// Which bodies of an exchange should be JSON by their type, and what they are instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The request's body.
    pub request: Option<NotJson>,
    /// The response's body.
    pub response: Option<NotJson>,
}

/// Which bodies of an exchange no spec describes: they are not what their type says, or too long to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undescribed {
    /// The request's body.
    pub request: bool,
    /// The response's body.
    pub response: bool,
}

/// Which bodies of an exchange no spec describes.
pub fn undescribed(exchange: &Exchange<'_>) -> Undescribed {
    let is = |headers: &Pairs<'_>, body: &exchange::Body<'_>| {
        let content_type = exchange::header(headers, "content-type");
        let limits = Limits::default();
        let found = content(content_type, body, true, &mut Tape::default(), limits.body_bytes);
        !body.is_empty() && matches!(found, None | Some((_, Content::Unread(_) | Content::Silent)))
    };
    Undescribed {
        request: is(&exchange.request.headers, &exchange.request.body),
        response: exchange.response.as_ref().is_some_and(|found| is(&found.headers, &found.body)),
    }
}

/// What the state takes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// On the tape.
    Json,
    Form,
    Text,
    Binary,
    /// It should be JSON, and is not.
    Unread(NotJson),
    /// It was not recorded whole, and says nothing.
    Silent,
}

/// The media type of a body, in lower case and without parameters, and what is taken of the body; `None` where neither its
/// headers nor its bytes tell the type.
pub(super) fn content<'h>(
    content_type: Option<&'h str>,
    body: &exchange::Body<'_>,
    whole: bool,
    tape: &mut Tape,
    body_bytes: usize,
) -> Option<(Cow<'h, str>, Content)> {
    let declared = content_type.and_then(media_type);
    if !whole {
        return declared.map(|media| (media, Content::Silent));
    }
    if body.is_longer_than(body_bytes) {
        return declared.map(|media| match Syntax::of(&media) {
            Syntax::Json => (media, Content::Unread(NotJson::Long)),
            _ => (media, Content::Silent),
        });
    }
    let Some(media) = declared else {
        return Some(match body {
            _ if tape.read(body, content_type).is_ok() => {
                (Cow::Borrowed("application/json"), Content::Json)
            }
            exchange::Body::Binary(_) => {
                (Cow::Borrowed("application/octet-stream"), Content::Binary)
            }
            exchange::Body::Empty | exchange::Body::Text(_) => {
                (Cow::Borrowed("text/plain"), Content::Text)
            }
        });
    };
    let syntax = Syntax::of(&media);
    if syntax == Syntax::Json {
        let content =
            tape.read(body, content_type).map_or_else(Content::Unread, |()| Content::Json);
        return Some((media, content));
    }
    let is_json = syntax.yields_to_json(&media)
        && begins_as_container(body)
        && tape.read(body, content_type).is_ok()
        && tape.is_container();
    let content = match syntax {
        _ if is_json => Content::Json,
        Syntax::Form => Content::Form,
        Syntax::Text | Syntax::Xml | Syntax::Sequence => Content::Text,
        Syntax::Json | Syntax::Multipart | Syntax::Binary => Content::Binary,
    };
    Some((media, content))
}

impl Body {
    /// Folds a body, of which the type is known.
    pub(super) fn fold(
        &mut self,
        content: Content,
        (body, content_type): (&exchange::Body<'_>, Option<&str>),
        ok: bool,
        tape: &Tape,
        limits: &Caps<'_>,
    ) {
        add(&mut self.n, 1);
        match content {
            Content::Silent => add(&mut self.silent, 1),
            Content::Unread(why) => add(self.unread.entry(why).or_insert(0), 1),
            Content::Json => {
                self.json.get_or_insert_default().fold(tape, tape.text(body), 0, 0, limits);
            }
            Content::Binary => add(&mut self.binary, 1),
            Content::Form | Content::Text => match (content, body_text(body, content_type)) {
                (Content::Form, Some(text)) => {
                    self.form.get_or_insert_default().fold(&text, ok, limits);
                }
                (_, Some(text)) => self.text.get_or_insert_default().fold(&text, limits),
                // Text of an unknown charset is bytes to whoever reads the spec.
                (_, None) => add(&mut self.binary, 1),
            },
        }
    }

    /// Bodies that should have been JSON, and were not.
    pub(crate) fn unread(&self) -> u64 {
        self.unread.values().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Bodies that say something of what such bodies are.
    pub(crate) fn telling(&self) -> u64 {
        self.n.saturating_sub(self.silent)
    }

    /// False where so many bodies are not what they say, or none was recorded, that nothing can be said of the type: half of
    /// the bodies of one type may be anything.
    pub(crate) fn is_described(&self) -> bool {
        self.unread().saturating_mul(2) < self.telling()
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
    pairs: &Pairs<'_>,
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
        add(&mut self.silent, other.silent);
        merge_option(&mut self.text, other.text, limits);
        for (why, n) in other.unread {
            add(self.unread.entry(why).or_insert(0), n);
        }
    }
}
