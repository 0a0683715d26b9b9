//! Bodies of `multipart/form-data` (RFC 7578): parts by their names.

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::json::Json;
use super::tape::Tape;
use crate::exchange::form_parts;
use crate::infer::Limits;
use crate::infer::sketch::{
    CappedMap, Caps, Merge, Values, add, coarsen_option, is_default, is_zero, merge_option,
};

/// The observations of such bodies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) fields: CappedMap<Part>,
    pub(crate) n: u64,
}

/// The parts with one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Files and binary parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) files: u64,
    /// Parts that are JSON: those with a JSON type, and objects and arrays with a text type or no
    /// type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<Box<Json>>,
    /// The content types of parts, without parameters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) media: Values,
    /// The maximum number of parts in one body.
    pub(crate) most: u64,
    /// Bodies with such a part.
    pub(crate) present: u64,
    /// Texts, as the types that they can be read as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Box<Json>>,
    /// Parts without a content type.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) untyped: u64,
}

/// A part of one body.
pub(super) struct ReadPart<'b> {
    pub(super) name: String,
    media: Option<String>,
    pub(super) content: PartContent<'b>,
}

/// The content of a part.
pub(super) enum PartContent<'b> {
    File,
    Json(Tape, &'b str),
    Text(Tape),
}

/// The named parts of a body; `None` if it is malformed, for instance truncated.
pub(super) fn read<'b>(body: &'b [u8], content_type: &str) -> Option<Vec<ReadPart<'b>>> {
    let mut all = Vec::new();
    for part in form_parts(body, content_type).ok()? {
        if part.fault.is_some() {
            return None;
        }
        let Some(name) = part.name else { continue };
        let media = part.media.as_deref().map(essence);
        let text = std::str::from_utf8(&body[part.content]).ok();
        let content = match text {
            Some(text) if !part.is_file => content(text, media),
            _ => PartContent::File,
        };
        all.push(ReadPart { name, media: media.map(str::to_owned), content });
    }
    Some(all)
}

fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}

fn content<'b>(text: &'b str, media: Option<&str>) -> PartContent<'b> {
    let of_json = media.is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"));
    let of_text = media.is_none_or(|media| media.starts_with("text/"));
    if of_json || (of_text && text.trim_start().starts_with(['{', '['])) {
        let mut tape = Tape::default();
        if tape.parse(text).is_ok() {
            return PartContent::Json(tape, text);
        }
    }
    if !of_text {
        return PartContent::File;
    }
    let mut tape = Tape::default();
    tape.write_text(text);
    PartContent::Text(tape)
}

impl Parts {
    /// Folds a body; false if it is malformed.
    pub(super) fn fold(&mut self, body: &[u8], content_type: &str, limits: &Caps<'_>) -> bool {
        let Some(parts) = read(body, content_type) else { return false };
        add(&mut self.n, 1);
        for (index, part) in parts.iter().enumerate() {
            // Bodies have few parts, so searching backwards is cheaper than a map. If there are
            // very many, only the first ones are distinguished.
            if index < limits.pairs && !parts[..index].iter().any(|before| before.name == part.name)
            {
                let same = parts.iter().filter(|other| other.name == part.name);
                self.fields.fold(&part.name, limits.fields, no_priority, limits, |field| {
                    field.fold(same, limits);
                });
            }
        }
        true
    }
}

impl Part {
    fn fold<'r>(&mut self, parts: impl Iterator<Item = &'r ReadPart<'r>>, limits: &Caps<'_>) {
        let mut most = 0;
        for part in parts {
            most += 1;
            match &part.media {
                Some(media) => self.media.fold(media, limits.media, limits.longest_value),
                None => add(&mut self.untyped, 1),
            }
            match &part.content {
                PartContent::File => add(&mut self.files, 1),
                PartContent::Json(tape, text) => {
                    self.json.get_or_insert_default().fold(tape, text, 0, 0, limits);
                }
                PartContent::Text(tape) => {
                    self.text.get_or_insert_default().fold(tape, "", 0, 0, limits);
                }
            }
        }
        self.most = self.most.max(most);
        add(&mut self.present, 1);
    }
}

impl Merge for Parts {
    fn coarsen(&mut self, limits: &Limits) {
        self.fields.coarsen(limits.fields, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.fields.merge(other.fields, limits.fields, limits);
        add(&mut self.n, other.n);
    }
}

impl Merge for Part {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.json, limits);
        self.media.coarsen(limits.media);
        coarsen_option(&mut self.text, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        add(&mut self.files, other.files);
        merge_option(&mut self.json, other.json, limits);
        self.media.merge(other.media, limits.media);
        self.most = self.most.max(other.most);
        add(&mut self.present, other.present);
        merge_option(&mut self.text, other.text, limits);
        add(&mut self.untyped, other.untyped);
    }

    fn demote(&mut self) {
        self.present = 0;
    }
}
