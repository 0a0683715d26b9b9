//! Two responses that are compared, and the differences found so far.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::rename::Renames;
use super::rule::{IgnoreRule, RulePlace};
use crate::exchange::{Exchange, wire_path};
use crate::recorded::abridged;

/// Maximum number of listed differences of one response.
pub(super) const MAX_FINDINGS: usize = 50;
/// Longer values are shown in part, up to this many characters.
const MAX_SHOWN: usize = 80;
/// The length of a pseudonym.
const PSEUDONYM: usize = 26;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundDifference {
    pub(super) rule: &'static str,
    pub(super) place: FoundPlace,
    pub(super) old: String,
    pub(super) new: String,
}

/// The place of a difference in a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FoundPlace {
    Response,
    Status,
    Header(String),
    /// The steps of the pointer; none for the whole body.
    Body(Vec<String>),
}

/// Two responses, and the context of their comparison.
pub(super) struct Comparing<'c> {
    pub(super) rules: Vec<&'c IgnoreRule>,
    /// Places of replaced secrets.
    pub(super) redacted: BTreeSet<&'c str>,
    /// The recorded origin and that of the target.
    pub(super) origins: (String, String),
    /// The values of the request as it was sent.
    pub(super) sent: String,
    /// `None` if identifiers must be equal too.
    pub(super) renames: Option<&'c mut Renames>,
    pub(super) findings: Vec<FoundDifference>,
}

impl FoundDifference {
    pub(super) fn message(&self) -> String {
        format!("recorded {}, now {}", self.old, self.new)
    }
}

impl FoundPlace {
    /// The place as reports show it.
    pub(super) fn shown(&self) -> String {
        match self {
            FoundPlace::Response => "response".to_owned(),
            FoundPlace::Status => "response.status".to_owned(),
            FoundPlace::Header(name) => format!("response.header.{name}"),
            FoundPlace::Body(path) if path.is_empty() => "response.body".to_owned(),
            FoundPlace::Body(path) => {
                format!("response.body#{}", crate::recorded::display_pointer(path))
            }
        }
    }

    /// The same for all items of an array.
    pub(super) fn generalised(&self) -> FoundPlace {
        let general = |step: &String| {
            if is_index(step) { "*".to_owned() } else { step.clone() }
        };
        match self {
            FoundPlace::Body(path) => FoundPlace::Body(path.iter().map(general).collect()),
            other => other.clone(),
        }
    }
}

impl<'c> Comparing<'c> {
    /// `old` is the recorded exchange, `new` the one at the target.
    pub(super) fn new(
        old: &'c Exchange<'_>,
        new: &'c Exchange<'_>,
        rules: Vec<&'c IgnoreRule>,
        renames: Option<&'c mut Renames>,
    ) -> Comparing<'c> {
        let places = old.meta.redacted.iter().chain(&new.meta.redacted);
        let origin = |exchange: &Exchange<'_>| {
            let request = &exchange.request;
            format!("{}://{}", request.protocol.as_str(), request.host)
        };
        let request = &new.request;
        let target = wire_path(&request.pathname, &request.query, request.wire_query.as_deref());
        let body = request.body.as_str().filter(|body| body.len() < 1 << 16).unwrap_or_default();
        Comparing {
            rules,
            redacted: places.map(AsRef::as_ref).collect(),
            origins: (origin(old), origin(new)),
            sent: format!("{target}\n{body}"),
            renames,
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, rule: &'static str, place: FoundPlace, old: &str, new: &str) {
        if self.findings.len() < MAX_FINDINGS {
            let (old, new) = (short(old), short(new));
            self.findings.push(FoundDifference { rule, place, old, new });
        }
    }

    /// True if a rule ignores this place of the body.
    pub(super) fn is_ignored(&self, path: &[String]) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(&rule.place, RulePlace::Json(pointer) if pointer.matches(path)))
    }

    /// True for texts that differ only in secrets, known identifiers, and the server's own address.
    pub(super) fn same_text(&self, old: &str, new: &str) -> bool {
        if old == new {
            return true;
        }
        let (old, new) = (masked(old), masked(new));
        let (old_origin, new_origin) = &self.origins;
        let old = match old.contains(old_origin.as_str()) {
            true => Cow::Owned(old.replace(old_origin.as_str(), new_origin)),
            false => old,
        };
        let (old, new) = (self.without_queries(&old), self.without_queries(&new));
        old == new || self.renames.as_ref().is_some_and(|renames| renames.same_text(&old, &new))
    }

    /// A URL without the ignored query parameters.
    pub(super) fn without_queries<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let ignored: Vec<&str> = self
            .rules
            .iter()
            .filter_map(|rule| match &rule.place {
                RulePlace::Query(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let Some((path, query)) = text.split_once('?').filter(|_| !ignored.is_empty()) else {
            return Cow::Borrowed(text);
        };
        let name = |piece: &str| piece.split('=').next().unwrap_or_default().to_owned();
        let kept: Vec<&str> =
            query.split('&').filter(|piece| !ignored.contains(&name(piece).as_str())).collect();
        Cow::Owned(format!("{path}?{}", kept.join("&")))
    }
}

/// The text with the same word for all pseudonyms, because pseudonyms depend on the key.
fn masked(text: &str) -> Cow<'_, str> {
    if !crate::exchange::has_pseudonym(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("hmt~") {
        let end = at + PSEUDONYM;
        if rest.get(at..end).is_some_and(crate::exchange::is_pseudonym) {
            out.push_str(&rest[..at]);
            out.push_str("hmt~");
            rest = &rest[end..];
        } else {
            out.push_str(&rest[..at + 4]);
            rest = &rest[at + 4..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// True for the step of a pointer that may be the index of an item.
pub(super) fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

/// The start of a long text.
pub(super) fn short(text: &str) -> String {
    abridged(text, MAX_SHOWN)
}

/// True if the text contains this word, but not within a longer one.
pub(super) fn contains_word(text: &str, word: &str) -> bool {
    let part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, word.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !part(before) && !part(bytes.get(at + word.len()))
    })
}
