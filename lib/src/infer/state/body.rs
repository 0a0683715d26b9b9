//! Bodies, by media type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::form::{self, Form};
use super::items;
use super::json::{Json, Text};
use super::parameter::ObservedParameter;
use super::parts::{self, Parts};
use super::tape::Tape;
use super::xml::{self, Xml};
use crate::exchange::{
    self, Exchange, NotJson, Pairs, Sequence, Syntax, begins_as_container, body_text, media_type,
};
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, add, coarsen_option, is_zero, merge_option};

/// All bodies of one message kind and media type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObservedBody {
    /// Binary bodies.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) binary: u64,
    /// Bodies of `application/x-www-form-urlencoded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Box<Form>>,
    /// The values in bodies that are a sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Box<Json>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Box<Json>>,
    pub(crate) n: u64,
    /// Malformed bodies in a syntax other than JSON.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) opaque: u64,
    /// Bodies of `multipart/form-data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<Box<Parts>>,
    /// Bodies that were not recorded completely.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) silent: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Box<Text>>,
    /// Bodies that should have been JSON, by their actual kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unread: BTreeMap<NotJson, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) xml: Option<Box<Xml>>,
}

/// Which bodies of an exchange should be JSON by their type but are not, and their actual kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The request's body.
    pub request: Option<NotJson>,
    /// The response's body.
    pub response: Option<NotJson>,
}

/// Which bodies of an exchange are not described in a spec: they do not match their type, or are
/// too long to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undescribed {
    /// The request's body.
    pub request: bool,
    /// The response's body.
    pub response: bool,
}

/// Finds the bodies of an exchange that are not described in a spec.
pub fn undescribed(exchange: &Exchange<'_>) -> Undescribed {
    let is = |headers: &Pairs<'_>, body: &exchange::Body<'_>| {
        let content_type = exchange::header(headers, "content-type");
        let limits = Limits::default();
        let found = content(content_type, body, true, &mut Tape::default(), limits.body_bytes);
        let described = match found {
            None | Some((_, BodyContent::Unread(_) | BodyContent::Silent)) => false,
            Some((_, content)) => is_well_formed(content, body, content_type),
        };
        !body.is_empty() && !described
    };
    Undescribed {
        request: is(&exchange.request.headers, &exchange.request.body),
        response: exchange.response.as_ref().is_some_and(|found| is(&found.headers, &found.body)),
    }
}

/// False if a non-JSON body does not have the syntax of its type.
fn is_well_formed(
    content: BodyContent,
    body: &exchange::Body<'_>,
    content_type: Option<&str>,
) -> bool {
    let text = || body_text(body, content_type);
    match content {
        BodyContent::Parts => {
            parts::read(body.as_bytes(), content_type.unwrap_or_default()).is_some()
        }
        BodyContent::Form => {
            text().is_none_or(|text| form::tape_of(&exchange::parse_query(&text)).is_some())
        }
        BodyContent::Sequence(sequence) => {
            text().is_none_or(|text| items::read(sequence, &text, |_, _| {}))
        }
        BodyContent::Xml => text().is_none_or(|text| xml::read(&text).is_some()),
        _ => true,
    }
}

/// The content of a body as the state records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyContent {
    /// On the tape.
    Json,
    Form,
    /// `multipart/form-data`.
    Parts,
    Sequence(Sequence),
    Xml,
    Text,
    Binary,
    /// It should be JSON, but is not.
    Unread(NotJson),
    /// It was not recorded completely, so it provides no evidence.
    Silent,
}

/// The media type of a body, in lower case and without parameters, and its content; `None` if
/// neither headers nor bytes determine the type.
pub(super) fn content<'h>(
    content_type: Option<&'h str>,
    body: &exchange::Body<'_>,
    whole: bool,
    tape: &mut Tape,
    body_bytes: usize,
) -> Option<(Cow<'h, str>, BodyContent)> {
    let declared = content_type.and_then(media_type);
    if !whole {
        return declared.map(|media| (media, BodyContent::Silent));
    }
    if body.is_longer_than(body_bytes) {
        return declared.map(|media| match Syntax::of(&media) {
            Syntax::Json => (media, BodyContent::Unread(NotJson::Long)),
            _ => (media, BodyContent::Silent),
        });
    }
    let Some(media) = declared else {
        return Some(match body {
            _ if tape.read(body, content_type).is_ok() => {
                (Cow::Borrowed("application/json"), BodyContent::Json)
            }
            exchange::Body::Binary(_) => {
                (Cow::Borrowed("application/octet-stream"), BodyContent::Binary)
            }
            exchange::Body::Empty | exchange::Body::Text(_) => {
                (Cow::Borrowed("text/plain"), BodyContent::Text)
            }
        });
    };
    let syntax = Syntax::of(&media);
    if syntax == Syntax::Json {
        let content =
            tape.read(body, content_type).map_or_else(BodyContent::Unread, |()| BodyContent::Json);
        return Some((media, content));
    }
    let is_json = syntax.yields_to_json(&media)
        && begins_as_container(body)
        && tape.read(body, content_type).is_ok()
        && tape.is_container();
    let content = match syntax {
        _ if is_json => BodyContent::Json,
        Syntax::Form => BodyContent::Form,
        Syntax::Multipart if media == "multipart/form-data" => BodyContent::Parts,
        Syntax::Sequence => Sequence::of(&media).map_or(BodyContent::Text, BodyContent::Sequence),
        Syntax::Xml => BodyContent::Xml,
        Syntax::Text => BodyContent::Text,
        Syntax::Json | Syntax::Multipart | Syntax::Binary => BodyContent::Binary,
    };
    Some((media, content))
}

impl ObservedBody {
    /// Folds a body of a known type.
    pub(super) fn fold(
        &mut self,
        content: BodyContent,
        (body, content_type): (&exchange::Body<'_>, Option<&str>),
        tape: &Tape,
        limits: &Caps<'_>,
    ) {
        add(&mut self.n, 1);
        match content {
            BodyContent::Silent => add(&mut self.silent, 1),
            BodyContent::Unread(why) => add(self.unread.entry(why).or_insert(0), 1),
            BodyContent::Json => {
                self.json.get_or_insert_default().fold(tape, tape.text(body), 0, 0, limits);
            }
            BodyContent::Binary => add(&mut self.binary, 1),
            BodyContent::Parts => {
                let parts = self.parts.get_or_insert_default();
                let read = parts.fold(body.as_bytes(), content_type.unwrap_or_default(), limits);
                add(&mut self.opaque, u64::from(!read));
            }
            BodyContent::Form | BodyContent::Sequence(_) | BodyContent::Xml | BodyContent::Text => {
                let Some(text) = body_text(body, content_type) else {
                    // Readers of the spec see a text in an unknown charset as bytes.
                    return add(&mut self.binary, 1);
                };
                let read = match content {
                    BodyContent::Form => self.form.get_or_insert_default().fold(&text, limits),
                    BodyContent::Sequence(sequence) => {
                        items::fold(self.items.get_or_insert_default(), sequence, &text, limits)
                    }
                    BodyContent::Xml => self.xml.get_or_insert_default().fold(&text, limits),
                    _ => {
                        self.text.get_or_insert_default().fold(&text, limits);
                        true
                    }
                };
                add(&mut self.opaque, u64::from(!read));
            }
        }
    }

    /// Bodies that should have been JSON, but are not.
    pub(crate) fn unread(&self) -> u64 {
        self.unread.values().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Bodies that provide evidence about the type.
    pub(crate) fn telling(&self) -> u64 {
        self.n.saturating_sub(self.silent)
    }

    /// False if half of the bodies do not match their type, or none was recorded: then nothing is
    /// known about it.
    pub(crate) fn is_described(&self) -> bool {
        let odd = self.unread().saturating_add(self.opaque);
        odd.saturating_mul(2) < self.telling()
    }
}

/// Folds the pairs of a query, each name with all of its values.
pub(crate) fn fold_query(
    names: &mut CappedMap<ObservedParameter>,
    pairs: &Pairs<'_>,
    ok: bool,
    limits: &Caps<'_>,
) {
    for (index, (name, _)) in pairs.iter().enumerate() {
        // Messages have few pairs, so searching backwards is cheaper than a map. Very long lists
        // are cut off below.
        if index < limits.pairs && !pairs[..index].iter().any(|(before, _)| before == name) {
            let values =
                pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_ref());
            names.fold(name, limits.query, no_priority, limits, |parameter| {
                parameter.fold_query(values, ok, limits);
            });
        }
    }
}

impl Merge for ObservedBody {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.form, limits);
        coarsen_option(&mut self.items, limits);
        coarsen_option(&mut self.json, limits);
        coarsen_option(&mut self.parts, limits);
        coarsen_option(&mut self.text, limits);
        coarsen_option(&mut self.xml, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        add(&mut self.binary, other.binary);
        merge_option(&mut self.form, other.form, limits);
        merge_option(&mut self.items, other.items, limits);
        merge_option(&mut self.json, other.json, limits);
        add(&mut self.n, other.n);
        add(&mut self.opaque, other.opaque);
        merge_option(&mut self.parts, other.parts, limits);
        add(&mut self.silent, other.silent);
        merge_option(&mut self.text, other.text, limits);
        for (why, n) in other.unread {
            add(self.unread.entry(why).or_insert(0), n);
        }
        merge_option(&mut self.xml, other.xml, limits);
    }
}
