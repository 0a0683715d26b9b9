//! Compares two responses.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::headers::{IGNORED, cookie_without_value, is_list, is_location, same_list};
use super::json::JsonComparison;
use super::rename::Renames;
use super::rule::{Rule, RulePlace};
use crate::exchange::{
    Body, Exchange, Pairs, Response, begins_as_container, body_text, header, is_json,
    is_secret_name, parse_query, wire_path,
};
use crate::recorded::Json;
use crate::replay::carry::{IdName, Strength, id_name, singular, strength};

/// Maximum number of listed differences of one response.
pub(super) const MAX_FINDINGS: usize = 50;
/// Longer values are shown in part, up to this many characters.
const MAX_SHOWN: usize = 80;
/// The length of a pseudonym.
const PSEUDONYM: usize = 26;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
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
    pub(super) rules: Vec<&'c Rule>,
    /// Places of replaced secrets.
    pub(super) redacted: BTreeSet<&'c str>,
    /// The recorded origin and that of the target.
    pub(super) origins: (String, String),
    /// The values of the request as it was sent.
    pub(super) sent: String,
    /// `None` if identifiers must be equal too.
    pub(super) renames: Option<&'c mut Renames>,
    pub(super) findings: Vec<Finding>,
}

impl Finding {
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
            let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            if is_index { "*".to_owned() } else { step.clone() }
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
        rules: Vec<&'c Rule>,
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

    /// Compares everything.
    pub(super) fn responses(&mut self, old: &Exchange<'_>, new: &Exchange<'_>) {
        let Some(recorded) = &old.response else { return };
        let Some(received) = &new.response else {
            let why = new.meta.error.as_deref().unwrap_or("no response");
            let old = recorded.status.to_string();
            self.add("no-response", FoundPlace::Response, &old, why);
            return;
        };
        if recorded.status != received.status {
            if !self.rules.iter().any(|rule| rule.place == RulePlace::Status) {
                let (old, new) = (recorded.status.to_string(), received.status.to_string());
                self.add("status", FoundPlace::Status, &old, &new);
            }
            // Responses with different statuses have different headers and bodies anyway.
            return;
        }
        let cut = |exchange: &Exchange<'_>| {
            exchange.meta.truncated_response.is_some() || exchange.meta.incomplete.is_some()
        };
        // Bodies come first, because they show which identifiers are renamed.
        if !cut(old) && !cut(new) {
            self.bodies(recorded, received);
        } else if cut(new) && !cut(old) {
            let size = |body: &Body<'_>| format!("{} bytes", body.as_bytes().len());
            let (old, new) = (size(&recorded.body), size(&received.body));
            let new = format!("cut after {new}");
            self.add("incomplete", FoundPlace::Body(Vec::new()), &old, &new);
        }
        self.headers(&recorded.headers, &received.headers);
    }

    pub(super) fn add(&mut self, rule: &'static str, place: FoundPlace, old: &str, new: &str) {
        if self.findings.len() < MAX_FINDINGS {
            let (old, new) = (short(old), short(new));
            self.findings.push(Finding { rule, place, old, new });
        }
    }

    fn headers(&mut self, old: &Pairs<'_>, new: &Pairs<'_>) {
        let names: BTreeSet<&str> = old.iter().chain(new).map(|(name, _)| name.as_ref()).collect();
        for name in names {
            let ignored = IGNORED.contains(&name)
                || name.starts_with("x-b3-")
                || self
                    .rules
                    .iter()
                    .any(|rule| matches!(&rule.place, RulePlace::Header(own) if own == name));
            if ignored {
                continue;
            }
            let values = |pairs: &Pairs<'_>| -> Vec<String> {
                let own = pairs.iter().filter(|(own, _)| own == name);
                let mut values: Vec<String> = own.map(|(_, value)| value.to_string()).collect();
                if name == "set-cookie" {
                    values = values.iter().map(|value| cookie_without_value(value)).collect();
                    values.sort_unstable();
                }
                values
            };
            let (old, new) = (values(old), values(new));
            let is_same = old.len() == new.len()
                && old.iter().zip(&new).all(|(old, new)| {
                    self.same_text(old, new)
                        || is_list(name) && same_list(old, new)
                        || is_location(name) && self.same_location(old, new)
                });
            let is_hidden = self.redacted.contains(format!("response.header.{name}").as_str())
                && !old.is_empty()
                && !new.is_empty();
            if is_same || is_hidden {
                continue;
            }
            let show = |values: &[String]| match values {
                [] => "absent".to_owned(),
                values => format!("{:?}", values.join(", ")),
            };
            self.add("header", FoundPlace::Header(name.to_owned()), &show(&old), &show(&new));
        }
    }

    /// True for URLs that lead to the same place, with new identifiers and codes.
    fn same_location(&mut self, old: &str, new: &str) -> bool {
        let (old, new) = (old.replace(&self.origins.0, &self.origins.1), new.to_owned());
        let (old, new) = (self.without_queries(&old), self.without_queries(&new));
        let split = |url: &str| -> (Vec<String>, String) {
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            (path.split('/').map(str::to_owned).collect(), query.to_owned())
        };
        let ((old_path, old_query), (new_path, new_query)) = (split(&old), split(&new));
        let Some(renames) = &mut self.renames else { return false };
        let sent = &self.sent;
        let is_sent = |value: &str| contains_word(sent, value);
        let mut same_segments = old_path.len() == new_path.len();
        for (at, (old, new)) in old_path.iter().zip(&new_path).enumerate() {
            let before = at.checked_sub(1).map_or("", |before| old_path[before].as_str());
            let id = IdName { entity: singular(before).into_owned(), class: "id" };
            same_segments &= old == new || renames.is_renamed(old, new, Some(&id), &is_sent);
        }
        let (olds, news) = (parse_query(&old_query), parse_query(&new_query));
        same_segments
            && olds.len() == news.len()
            && olds.iter().zip(&news).all(|((old_name, old), (name, new))| {
                let id = id_name(name, "");
                let is_fresh = strength(old) == Strength::Strong && !new.is_empty();
                old_name == name
                    && (old == new
                        || is_fresh
                        || is_secret_name(name) && !new.is_empty()
                        || renames.is_renamed(old, new, id.as_ref(), &is_sent))
            })
    }

    fn bodies(&mut self, old: &Response<'_>, new: &Response<'_>) {
        let root = FoundPlace::Body(Vec::new());
        if old.body == new.body || self.is_ignored(&[]) {
            return;
        }
        let text = |response: &Response<'_>| -> Option<String> {
            let declared = header(&response.headers, "content-type");
            body_text(&response.body, declared).map(Cow::into_owned)
        };
        let reads_json = |response: &Response<'_>| {
            header(&response.headers, "content-type").is_some_and(is_json)
                || begins_as_container(&response.body)
        };
        let (Some(old_text), Some(new_text)) = (text(old), text(new)) else {
            return self.bytes(old.body.as_bytes(), new.body.as_bytes());
        };
        let json = |response: &Response<'_>, text: &str| {
            reads_json(response) && Json::parse(text.as_bytes()).is_some()
        };
        match (json(old, &old_text), json(new, &new_text)) {
            (true, true) => {
                let (Some(old), Some(recent)) =
                    (Json::parse(old_text.as_bytes()), Json::parse(new_text.as_bytes()))
                else {
                    return;
                };
                let about = self.about();
                JsonComparison::run(self, &old, &recent, &about);
            }
            (false, false) => self.lines(&old_text, &new_text),
            (true, false) => {
                let what = if new_text.is_empty() { "no body" } else { "no JSON" };
                self.add("type", root, "JSON", what);
            }
            (false, true) => {
                let what = if old_text.is_empty() { "no body" } else { "no JSON" };
                self.add("type", root, what, "JSON");
            }
        }
    }

    /// The collection that the request is about.
    fn about(&self) -> String {
        let path = self.sent.split(['?', '\n']).next().unwrap_or_default();
        crate::replay::carry::entity_of_path(path).to_owned()
    }

    fn bytes(&mut self, old: &[u8], new: &[u8]) {
        let at = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (format!("{} bytes", old.len()), format!("{} bytes", new.len()));
        let new = format!("{new}; they differ from byte {at}");
        self.add("binary", FoundPlace::Body(Vec::new()), &old, &new);
    }

    fn lines(&mut self, old: &str, new: &str) {
        let (olds, news): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let same = |(old, new): &(&&str, &&str)| self.same_text(old, new);
        let start = olds.iter().zip(&news).take_while(same).count();
        let (old_rest, new_rest) = (&olds[start..], &news[start..]);
        let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(same).count();
        let old_middle = &old_rest[..old_rest.len() - end];
        let new_middle = &new_rest[..new_rest.len() - end];
        if old_middle.is_empty() && new_middle.is_empty() {
            let has_queries =
                self.rules.iter().any(|rule| matches!(rule.place, RulePlace::Query(_)));
            if !has_queries && !self.same_text(old, new) {
                let place = FoundPlace::Body(Vec::new());
                self.add("text", place, "the same lines", "other line ends");
            }
            return;
        }
        let show = |lines: &[&str]| match lines {
            [] => "absent".to_owned(),
            [line] => format!("{:?}", short(line)),
            [line, rest @ ..] => format!("{:?} and {} lines more", short(line), rest.len()),
        };
        let (old, new) = (show(old_middle), show(new_middle));
        let place = FoundPlace::Body(Vec::new());
        let old = format!("from line {}: {old}", start + 1);
        self.add("text", place, &old, &new);
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
    fn without_queries<'t>(&self, text: &'t str) -> Cow<'t, str> {
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

/// The start of a long text.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
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
