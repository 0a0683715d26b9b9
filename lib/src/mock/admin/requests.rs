//! `/admin/requests`: the journal, with filters, as a list or as an event stream.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::ACCEPT;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::exchange::{
    Body, Exchange, Meta, Method, Pattern, Redactor, Response, canonical_timestamp, timestamp,
    write_line,
};
use crate::net::{decoded, recorded_headers, request_of_any_method};

use super::super::Mock;
use super::super::answer::{Answer, AnswerSource};
use super::super::world::{Entry, PathMatch};
use super::endpoint::{AdminCall, Handling, Reply, invalid, json, ready};
use super::nearest::Nearest;

/// Maximum number of events that are queued for a slow reader.
const WAITING: usize = 64;

/// Which entries are selected.
#[derive(Debug, Default)]
struct Filter {
    method: Option<String>,
    path: Option<PathMatch>,
    /// `404`, or `4xx`.
    status: Option<String>,
    source: Option<String>,
    unmatched: Option<bool>,
    after: u64,
    /// In canonical form.
    since: Option<String>,
    limit: Option<usize>,
    count: bool,
}

impl Filter {
    fn of(query: &str) -> Result<Filter, String> {
        let mut filter = Filter::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "method" => filter.method = Some(value.into_owned()),
                "path" if value.contains('{') => {
                    filter.path = Some(PathMatch::Template(value.into_owned()));
                }
                "path" => {
                    let Ok(pattern) = value.parse::<Pattern>();
                    filter.path = Some(PathMatch::Pattern(pattern));
                }
                "status" => {
                    let is_status = |text: &str| {
                        text.len() == 3
                            && text.starts_with(|c: char| c.is_ascii_digit())
                            && text
                                .chars()
                                .skip(1)
                                .all(|c| c.is_ascii_digit() || matches!(c, 'x' | 'X'))
                    };
                    if !is_status(&value) {
                        return Err(format!("status={value}: write a status, as in 404 or 4xx"));
                    }
                    filter.status = Some(value.to_ascii_lowercase());
                }
                "source" => filter.source = Some(value.into_owned()),
                "unmatched" => filter.unmatched = Some(boolean(&name, &value)?),
                "count" => filter.count = boolean(&name, &value)?,
                "since" => match value.parse() {
                    Ok(id) => filter.after = id,
                    Err(_) => {
                        // In a query, a plus sign is a space.
                        let time = value.replace(' ', "+");
                        let wrong = || format!("since={value}: write an id, or an RFC 3339 time");
                        let time = canonical_timestamp(&time).ok_or_else(wrong)?;
                        filter.since = Some(time.into_owned());
                    }
                },
                "limit" => {
                    let limit = value.parse();
                    filter.limit =
                        Some(limit.map_err(|_| format!("limit={value}: write a number"))?);
                }
                _ => {
                    let known = "method, path, status, source, unmatched, since, limit and count";
                    return Err(format!("there is no filter {name:?}; there is {known}"));
                }
            }
        }
        Ok(filter)
    }

    fn takes(&self, entry: &Entry) -> bool {
        let text = |wanted: &Option<String>, own: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(own))
        };
        text(&self.method, entry.method.as_str())
            && text(&self.source, source(entry))
            && self.status.as_ref().is_none_or(|wanted| {
                let mut pairs = wanted.chars().zip(entry.status.as_str().chars());
                pairs.all(|(wanted, own)| wanted == 'x' || wanted == own)
            })
            && self.unmatched.is_none_or(|unmatched| unmatched != entry.is_matched())
            && self.path.as_ref().is_none_or(|path| path_matches(path, entry))
            && self.since.as_ref().is_none_or(|since| timestamp(entry.at) >= *since)
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("{name}={value}: write true or false")),
    }
}

/// The path as it was sent, or the template of the operation.
fn path_matches(path: &PathMatch, entry: &Entry) -> bool {
    let template = entry.operation.as_ref().and_then(|name| name.split_once(' '));
    let same = match (path, template) {
        (PathMatch::Template(path), Some((_, template))) => path == template,
        (PathMatch::Pattern(path), Some((_, template))) => path.matches(template),
        (_, None) => false,
    };
    same || path.matches(entry.target.path())
}

fn source(entry: &Entry) -> &'static str {
    entry.source.map_or("problem", AnswerSource::as_str)
}

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let filter = match Filter::of(call.parts.uri.query().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(why) => return ready(invalid(&why)),
    };
    let accept = call.parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Box::pin(std::future::ready(follow(call, filter)));
    }
    let journal = call.mock.world().journal();
    let taken = |entry: &Entry| filter.takes(entry).then_some(entry.id);
    let mut ids = journal.after(filter.after, taken);
    if filter.count {
        let count = json!({ "count": ids.len() }).to_string();
        return ready(json(StatusCode::OK, count));
    }
    // The newest entries, in their order.
    ids.drain(..ids.len().saturating_sub(filter.limit.unwrap_or(usize::MAX)));
    let first = ids.first().copied().unwrap_or(u64::MAX);
    let mut nearest = Nearest::new(call.mock);
    let shown = journal.after(first.saturating_sub(1), |entry| {
        let is_shown = ids.binary_search(&entry.id).is_ok();
        is_shown.then(|| show(entry, call.redactor.map(Arc::as_ref), &mut nearest))
    });
    ready(json(StatusCode::OK, format!("[{}]", shown.join(","))))
}

pub(super) fn delete<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    call.mock.world().journal().clear();
    ready(Answer::empty(StatusCode::NO_CONTENT))
}

/// The entries from now on, or after the id or time in the filter, as events.
fn follow(call: &AdminCall<'_>, mut filter: Filter) -> Reply {
    let (sender, events) = mpsc::channel(WAITING);
    let mock: Arc<Mock> = Arc::clone(call.mock);
    let redactor = call.redactor.cloned();
    if filter.after == 0 && filter.since.is_none() {
        filter.after = mock.world().journal().last_id();
    }
    tokio::spawn(async move {
        let mut changes = mock.world().journal().changes();
        // The client must know that it is connected before there is an event.
        if sender.send(Bytes::from_static(b": journal\n\n")).await.is_err() {
            return;
        }
        loop {
            let mut last = filter.after;
            let mut nearest = Nearest::new(&mock);
            let shown = mock.world().journal().after(filter.after, |entry| {
                last = entry.id;
                filter
                    .takes(entry)
                    .then(|| (entry.id, show(entry, redactor.as_deref(), &mut nearest)))
            });
            filter.after = last;
            for (id, text) in shown {
                if sender.send(format!("id: {id}\ndata: {text}\n\n").into()).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
        }
    });
    Reply::Events(events)
}

/// An entry as JSON.
fn show(entry: &Entry, redactor: Option<&Redactor>, nearest: &mut Nearest) -> String {
    let (request_body, body) = (&entry.request_body, &entry.body);
    let mut head = http::Request::new(());
    *head.headers_mut() = entry.request_headers.to_map();
    let head = head.into_parts().0;
    let headers = entry.headers.to_map();
    let request_bytes = decoded(&head.headers, request_body.bytes.clone());
    let mut request = request_of_any_method(&head, &entry.target, Body::lent(&request_bytes));
    let known = entry.method.as_str().parse::<Method>();
    request.method = known.as_ref().copied().unwrap_or_default();
    request.timestamp = Some(timestamp(entry.at).into());
    let mut exchange = Exchange {
        request,
        response: Some(Response {
            status: entry.status.as_u16(),
            headers: recorded_headers(&headers),
            body: Body::lent(&body.bytes),
            timestamp: Some(timestamp(entry.at + entry.took).into()),
        }),
        meta: Meta {
            duration_ms: Some(millis(entry)),
            truncated_request: request_body.whole,
            truncated_response: body.whole,
            method: known.is_err().then(|| Cow::Borrowed(entry.method.as_str())),
            scope: entry.scope.as_deref().map(Cow::Borrowed),
            ..Meta::default()
        },
    };
    if let Some(redactor) = redactor {
        redactor.apply(&mut exchange);
    }
    let mut line = Vec::with_capacity(1024 + request_bytes.len() + body.bytes.len());
    write_line(&exchange, &mut line);
    let line = String::from_utf8(line).unwrap_or_default();
    let line = RawValue::from_string(line.trim_end().to_owned()).ok();
    let mut shown = json!({ "id": entry.id.to_string(), "at": timestamp(entry.at) }).to_string();
    shown.pop();
    let mut member = |name: &str, value: &str| {
        shown.push_str(&format!(",\"{name}\":{value}"));
    };
    member("exchange", line.as_deref().map_or("null", RawValue::get));
    if let Some(operation) = &entry.operation {
        member("operation", &json!(**operation).to_string());
    }
    member("source", &json!(source(entry)).to_string());
    member("status", entry.status.as_str());
    member("durationMs", &json!(millis(entry)).to_string());
    member("matched", &entry.is_matched().to_string());
    if let Some(nearest) = (!entry.is_matched()).then(|| nearest.of(entry)).flatten() {
        member("nearest", &nearest.to_string());
    }
    member("violations", &json!(entry.violations).to_string());
    shown.push('}');
    shown
}

fn millis(entry: &Entry) -> f64 {
    entry.took.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_filters_are_explained() {
        for (query, why) in [
            ("color=red", "no filter \"color\""),
            ("status=ok", "404 or 4xx"),
            ("since=yesterday", "RFC 3339"),
            ("limit=-1", "a number"),
            ("count=maybe", "true or false"),
        ] {
            let error = Filter::of(query).unwrap_err();
            assert!(error.contains(why), "{query}: {error}");
        }
        assert!(Filter::of("since=2026-01-31T23:59:59+01:00&status=4xx").is_ok());
        assert_eq!(Filter::of("since=7").unwrap().after, 7);
    }
}
