//! Compares two responses.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::context::{Comparing, FoundPlace, contains_word, short};
use super::headers::{IGNORED, cookie_without_value, is_list, is_location, same_list};
use super::json::JsonComparison;
use super::rule::RulePlace;
use crate::exchange::{
    Body, Exchange, Pairs, Response, begins_as_container, body_text, header, is_json,
    is_secret_name, parse_query,
};
use crate::recorded::JsonValue;
use crate::replay::carry::{IdName, Strength, id_name, singular, strength};

impl Comparing<'_> {
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
            reads_json(response) && JsonValue::parse(text.as_bytes()).is_some()
        };
        match (json(old, &old_text), json(new, &new_text)) {
            (true, true) => {
                let (Some(old), Some(recent)) =
                    (JsonValue::parse(old_text.as_bytes()), JsonValue::parse(new_text.as_bytes()))
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
}
