//! Request bodies and responses.

use super::Impact::{Breaking, Compatible, Unknown};
use super::Walk;
use super::paths::ComparedOperation;
use super::scope::{Scope, Sender};
use crate::spec::Place;

impl Walk {
    pub(super) fn request_body(
        &mut self,
        old: &ComparedOperation<'_>,
        new: &ComparedOperation<'_>,
    ) {
        let (was, is) = (body_of(old), body_of(new));
        match (&was, &is) {
            (None, None) => {}
            (None, Some(is)) if is.flag("required") => {
                let text = "a request body is required now";
                self.add(Breaking, "request-body-added-required", &is.pointer, text);
            }
            (None, Some(is)) => {
                let text = "a request body may be sent now";
                self.add(Compatible, "request-body-added-optional", &is.pointer, text);
            }
            (Some(was), None) => {
                let text = "the request body was removed";
                self.add(Breaking, "request-body-removed", &was.pointer, text);
            }
            (Some(was), Some(is)) => {
                match (was.flag("required"), is.flag("required")) {
                    (false, true) => {
                        let text = "the request body became required";
                        self.add(Breaking, "request-body-became-required", &is.pointer, text);
                    }
                    (true, false) => {
                        let text = "the request body became optional";
                        self.add(Compatible, "request-body-became-optional", &is.pointer, text);
                    }
                    _ => {}
                }
                self.content(was, is, Sender::Request, "the request body");
            }
        }
    }

    pub(super) fn responses(&mut self, old: &ComparedOperation<'_>, new: &ComparedOperation<'_>) {
        let before = responses(old);
        let after = responses(new);
        for (status, was) in &before {
            self.status = Some((*status).to_owned());
            // A range that includes the status also describes it.
            let range = format!("{}XX", &status[..1]);
            let is = after.iter().find(|(key, _)| key == status);
            let is = is.or_else(|| after.iter().find(|(key, _)| key.eq_ignore_ascii_case(&range)));
            match is {
                Some((_, is)) => self.response(was, is, status),
                None if status.starts_with('2') => {
                    let text = format!("the response {status} was removed");
                    self.add(Breaking, "response-success-status-removed", &was.pointer, text);
                }
                None => {
                    let text = format!("the response {status} was removed");
                    let rule = "response-non-success-status-removed";
                    self.add(Compatible, rule, &was.pointer, text);
                }
            }
        }
        for (status, is) in &after {
            if before.iter().any(|(key, _)| key == status) {
                continue;
            }
            self.status = Some((*status).to_owned());
            let success = if status.starts_with('2') { "" } else { "non-" };
            let rule = format!("response-{success}success-status-added");
            self.add(Compatible, rule, &is.pointer, format!("the response {status} was added"));
        }
        self.status = None;
    }

    fn response(&mut self, was: &Place<'_>, is: &Place<'_>, status: &str) {
        self.content(was, is, Sender::Response, &format!("the body of the response {status}"));
        let (before, after) = (headers(was), headers(is));
        for (name, header) in &before {
            let Some((_, new)) = after.iter().find(|(other, _)| other == name) else {
                let (verdict, rule) = if header.flag("required") {
                    (Breaking, "required-response-header-removed")
                } else {
                    (Unknown, "optional-response-header-removed")
                };
                let text = format!("the response header {name}: was removed");
                self.add(verdict, rule, &header.pointer, text);
                continue;
            };
            match (header.flag("required"), new.flag("required")) {
                (true, false) => {
                    let text = format!("the response header {name}: became optional");
                    self.add(Breaking, "response-header-became-optional", &new.pointer, text);
                }
                (false, true) => {
                    let text = format!("the response header {name}: became required");
                    self.add(Compatible, "response-header-became-required", &new.pointer, text);
                }
                _ => {}
            }
            if let (Some(was), Some(is)) = (header.get("schema"), new.get("schema")) {
                let (side, part) = (Sender::Response, "header");
                let name = format!("the response header {name}");
                self.compared.clear();
                self.schema(&was, &is, &Scope { side, part, name, way: String::new() });
            }
        }
        for (name, header) in &after {
            if !before.iter().any(|(other, _)| other == name) {
                let text = format!("the response header {name}: was added");
                self.add(Compatible, "response-header-added", &header.pointer, text);
            }
        }
    }

    fn content(&mut self, was: &Place<'_>, is: &Place<'_>, side: Sender, name: &str) {
        let (before, after) = (media_types(was), media_types(is));
        let rule = |what: &str| match side {
            Sender::Request => format!("request-body-media-type-{what}"),
            Sender::Response => format!("response-media-type-{what}"),
        };
        for (media, was) in &before {
            let Some((_, is)) = after.iter().find(|(other, _)| other == media) else {
                let text = format!("{name}: the media type {media} was removed");
                self.add(Breaking, rule("removed"), &was.pointer, text);
                continue;
            };
            let scope = Scope { side, part: "body", name: name.to_owned(), way: String::new() };
            self.compared.clear();
            let word = if side == Sender::Request { "request" } else { "response" };
            match (was.get("schema"), is.get("schema")) {
                (Some(was), Some(is)) => self.schema(&was, &is, &scope),
                (None, Some(schema)) => {
                    let verdict = if side == Sender::Request { Breaking } else { Compatible };
                    let rule = format!("{word}-body-media-type-schema-added");
                    let text = format!("{name}: {media} has a schema now");
                    self.add(verdict, rule, &schema.pointer, text);
                }
                (Some(_), None) => {
                    let verdict = if side == Sender::Request { Compatible } else { Unknown };
                    let rule = format!("{word}-body-media-type-schema-removed");
                    let text = format!("{name}: {media} has no schema any more");
                    self.add(verdict, rule, &is.pointer, text);
                }
                (None, None) => {}
            }
        }
        for (media, is) in &after {
            if !before.iter().any(|(other, _)| other == media) {
                let text = format!("{name}: the media type {media} was added");
                self.add(Compatible, rule("added"), &is.pointer, text);
            }
        }
    }
}

/// The request body of an operation.
fn body_of<'v>(operation: &ComparedOperation<'v>) -> Option<Place<'v>> {
    operation.place.get("requestBody")?.target().ok()
}

/// The responses of an operation by their keys.
fn responses<'v>(operation: &ComparedOperation<'v>) -> Vec<(&'v str, Place<'v>)> {
    let all = operation.place.get("responses");
    let all = all.iter().flat_map(Place::members);
    all.filter(|(key, _)| !key.is_empty() && !key.starts_with("x-") && key.is_ascii())
        .filter_map(|(key, place)| Some((key, place.target().ok()?)))
        .collect()
}

/// The headers of a response by their names in lower case.
fn headers<'v>(response: &Place<'v>) -> Vec<(String, Place<'v>)> {
    let all = response.get("headers");
    let all = all.iter().flat_map(Place::members);
    all.map(|(name, place)| (name.to_ascii_lowercase(), place))
        // OpenAPI ignores this header, because the keys of `content` define it.
        .filter(|(name, _)| name != "content-type")
        .filter_map(|(name, place)| Some((name, place.target().ok()?)))
        .collect()
}

/// The media types of a body, in lower case and without blanks.
fn media_types<'v>(owner: &Place<'v>) -> Vec<(String, Place<'v>)> {
    let all = owner.get("content");
    let all = all.iter().flat_map(Place::members);
    all.filter_map(|(key, place)| {
        let key: String = key.chars().filter(|c| !c.is_whitespace()).collect();
        Some((key.to_ascii_lowercase(), place.target().ok()?))
    })
    .collect()
}
