//! Overrides: the responses that a test sets for some requests.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::exchange::Pattern;
use crate::units::parse_duration;

use super::super::fault::{Delivery, DeliveryFault};

/// An override: the requests that it matches, and their answer.
#[derive(Clone, Debug)]
pub struct Override {
    pub(in crate::mock) id: String,
    pub(in crate::mock) matching: Match,
    pub(in crate::mock) answer: OverrideAnswer,
    /// The number of remaining uses; `None` if unlimited.
    times: Option<u64>,
    /// `match` and `answer` as they were given.
    given: Map<String, Value>,
}

/// The conditions of an override. An absent member matches every request.
#[derive(Clone, Debug, Default)]
pub(in crate::mock) struct Match {
    pub(in crate::mock) host: Option<Pattern>,
    pub(in crate::mock) method: Option<String>,
    pub(in crate::mock) path: Option<PathMatch>,
    /// Values by name. Each must be among those of the request.
    pub(in crate::mock) query: Vec<(String, String)>,
    pub(in crate::mock) headers: Vec<(HeaderName, String)>,
    pub(in crate::mock) body: Option<Value>,
}

/// A path template, or a pattern on paths.
#[derive(Clone, Debug)]
pub(in crate::mock) enum PathMatch {
    Template(String),
    Pattern(Pattern),
}

impl PathMatch {
    /// A template, or a pattern without `{`.
    pub(in crate::mock) fn parse(text: &str) -> PathMatch {
        if text.contains('{') {
            return PathMatch::Template(text.to_owned());
        }
        let Ok(pattern) = text.parse();
        PathMatch::Pattern(pattern)
    }

    /// True if the template or pattern matches the path.
    pub(in crate::mock) fn matches(&self, path: &str) -> bool {
        match self {
            PathMatch::Pattern(pattern) => pattern.matches(path),
            PathMatch::Template(template) => {
                let (mut own, mut other) = (template.split('/'), path.split('/'));
                loop {
                    match (own.next(), other.next()) {
                        (None, None) => return true,
                        (Some(own), Some(other)) if segment_matches(own, other) => (),
                        _ => return false,
                    }
                }
            }
        }
    }
}

/// `{id}.json` matches `7.json`.
fn segment_matches(template: &str, segment: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return template == segment };
    let Some((_, after)) = rest.split_once('}') else { return template == segment };
    let Some(rest) = segment.strip_prefix(before) else { return false };
    if !after.contains('{') {
        return rest.len() > after.len() && rest.ends_with(after);
    }
    // Each parameter has at least one byte.
    rest.char_indices().skip(1).any(|(at, _)| segment_matches(after, &rest[at..]))
}

/// The answer of an override.
#[derive(Clone, Debug, Default)]
pub(in crate::mock) struct OverrideAnswer {
    pub(in crate::mock) status: Option<StatusCode>,
    pub(in crate::mock) headers: HeaderMap,
    /// `None` if the response is made from the spec.
    pub(in crate::mock) body: Option<Value>,
    /// The name of an example of the spec.
    pub(in crate::mock) example: Option<String>,
    pub(in crate::mock) delivery: Delivery,
}

impl Override {
    /// Reads `{"id"?, "match"?, "answer"?, "times"?}`. Without `id` it gets a random one.
    ///
    /// # Errors
    /// The member that is wrong, by its JSON pointer, and why.
    pub fn from_json(value: &Value) -> Result<Override, String> {
        let members = object(value, "")?;
        let mut read = Override {
            id: String::new(),
            matching: Match::default(),
            answer: OverrideAnswer::default(),
            times: None,
            given: Map::new(),
        };
        for (name, value) in members {
            match name.as_str() {
                "id" => read.id = id(value)?,
                "match" => read.matching = Match::from_json(object(value, "/match")?)?,
                "answer" => read.answer = OverrideAnswer::from_json(object(value, "/answer")?)?,
                "times" => {
                    let times = value.as_u64().filter(|&times| times > 0);
                    let wrong = || "/times must be a whole number from 1".to_owned();
                    read.times = Some(times.ok_or_else(wrong)?);
                    continue;
                }
                _ => return Err(unknown("", name, "id, match, answer and times")),
            }
            if name != "id" {
                read.given.insert(name.clone(), value.clone());
            }
        }
        if read.id.is_empty() {
            read.id = format!("{:016x}", rand::random::<u64>());
        }
        Ok(read)
    }

    /// Reads a list of overrides, the one with precedence first.
    ///
    /// # Errors
    /// The member that is wrong, by its JSON pointer, and why.
    pub fn list(value: &Value) -> Result<Vec<Override>, String> {
        let all = value.as_array().ok_or("it must be a list of overrides")?;
        let read =
            |(index, one)| Override::from_json(one).map_err(|why| format!("/{index}: {why}"));
        all.iter().enumerate().map(read).collect()
    }

    /// The override as the admin port shows it: with its id and the number of remaining uses.
    pub(in crate::mock) fn to_json(&self) -> Value {
        let mut members = Map::from_iter([("id".to_owned(), json!(self.id))]);
        members.extend(self.given.clone());
        if let Some(times) = self.times {
            members.insert("times".to_owned(), times.into());
        }
        Value::Object(members)
    }

    /// Replaces the id with that of the URL.
    pub(in crate::mock) fn with_id(mut self, id: &str) -> Override {
        id.clone_into(&mut self.id);
        self
    }
}

/// Maximum length of an id.
const MAX_ID: usize = 200;

fn id(value: &Value) -> Result<String, String> {
    match value {
        Value::String(id)
            if !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(id.clone())
        }
        _ => Err(format!("/id must be a string of 1 to {MAX_ID} visible ASCII characters")),
    }
}

impl Match {
    fn from_json(members: &Map<String, Value>) -> Result<Match, String> {
        let mut read = Match::default();
        for (name, value) in members {
            let at = format!("/match/{name}");
            match name.as_str() {
                _ if value.is_null() && name != "body" => (),
                "host" => read.host = text(value, &at)?.parse().ok(),
                "method" => read.method = Some(text(value, &at)?.to_owned()),
                "path" => {
                    let path = text(value, &at)?;
                    read.path = Some(PathMatch::parse(path));
                }
                "query" => {
                    for (name, value) in object(value, &at)? {
                        for value in one_or_many(value) {
                            read.query
                                .push((name.clone(), scalar(value, &format!("{at}/{name}"))?));
                        }
                    }
                }
                "headers" => {
                    for (name, value) in object(value, &at)? {
                        let at = format!("{at}/{name}");
                        let parsed =
                            name.parse().map_err(|_| format!("{at} is not a header name"))?;
                        read.headers.push((parsed, scalar(value, &at)?));
                    }
                }
                "body" => read.body = Some(value.clone()),
                _ => {
                    let known = "host, method, path, query, headers and body";
                    return Err(unknown("/match", name, known));
                }
            }
        }
        Ok(read)
    }
}

impl OverrideAnswer {
    fn from_json(members: &Map<String, Value>) -> Result<OverrideAnswer, String> {
        let mut read = OverrideAnswer::default();
        for (name, value) in members {
            let at = format!("/answer/{name}");
            match name.as_str() {
                _ if value.is_null() && name != "body" => (),
                "status" => {
                    let status = value.as_u64().filter(|status| (200..=599).contains(status));
                    let status = status.and_then(|status| u16::try_from(status).ok());
                    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                    read.status =
                        Some(status.ok_or_else(|| format!("{at} is not from 200 to 599"))?);
                }
                "headers" => {
                    for (name, value) in object(value, &at)? {
                        let at = format!("{at}/{name}");
                        let parsed: HeaderName =
                            name.parse().map_err(|_| format!("{at} is not a header name"))?;
                        for value in one_or_many(value) {
                            let value = HeaderValue::from_str(&scalar(value, &at)?)
                                .map_err(|_| format!("{at} is not a header value"))?;
                            read.headers.append(parsed.clone(), value);
                        }
                    }
                }
                "body" => read.body = Some(value.clone()),
                "example" => read.example = Some(text(value, &at)?.to_owned()),
                "delay" => {
                    let wrong = |why| format!("{at}: {why}");
                    read.delivery.delay = match value.as_u64() {
                        // A number is in milliseconds.
                        Some(ms) => Duration::from_millis(ms),
                        None => parse_duration(text(value, &at)?).map_err(wrong)?,
                    };
                }
                "fault" => {
                    let fault = text(value, &at)?.parse::<DeliveryFault>();
                    read.delivery.fault = Some(fault.map_err(|why| format!("{at}: {why}"))?);
                }
                _ => {
                    let known = "status, headers, body, example, delay and fault";
                    return Err(unknown("/answer", name, known));
                }
            }
        }
        if read.body.is_some() && read.example.is_some() {
            return Err("/answer has both body and example".to_owned());
        }
        Ok(read)
    }
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, String> {
    let what = if at.is_empty() { "an override" } else { at };
    value.as_object().ok_or_else(|| format!("{what} must be an object"))
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{at} must be a string"))
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

/// A string, or a number or boolean as text, as in a query or a header.
fn scalar(value: &Value, at: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(format!("{at} must be a string, a number or a boolean")),
    }
}

fn unknown(at: &str, name: &str, known: &str) -> String {
    let what = if at.is_empty() { "an override" } else { at };
    format!("{what} has no member {name:?}; it may have {known}")
}

/// The current overrides, the newest first.
#[derive(Debug, Default)]
pub(in crate::mock) struct Overrides {
    /// Most mocks have none, and their requests need no lock.
    count: AtomicUsize,
    all: Mutex<VecDeque<Arc<Override>>>,
}

impl Overrides {
    /// Replaces all overrides; the first has precedence. If several have the same id, the first one
    /// is kept.
    pub(in crate::mock) fn replace(&self, overrides: Vec<Override>) {
        let mut all: VecDeque<Arc<Override>> = VecDeque::with_capacity(overrides.len());
        for one in overrides {
            if !all.iter().any(|other| other.id == one.id) {
                all.push_back(Arc::new(one));
            }
        }
        self.change(|current| *current = all);
    }

    /// Adds an override as the newest. False if its id is already in use.
    pub(in crate::mock) fn add(&self, one: Override) -> bool {
        self.change(|all| {
            if all.iter().any(|other| other.id == one.id) {
                return false;
            }
            all.push_front(Arc::new(one));
            true
        })
    }

    /// Replaces the override with this id, else adds it as the newest. True if one was replaced.
    pub(in crate::mock) fn set(&self, one: Override) -> bool {
        self.change(|all| match all.iter_mut().find(|other| other.id == one.id) {
            Some(place) => {
                *place = Arc::new(one);
                true
            }
            None => {
                all.push_front(Arc::new(one));
                false
            }
        })
    }

    /// False if there was none with this id.
    pub(in crate::mock) fn remove(&self, id: &str) -> bool {
        self.change(|all| {
            let before = all.len();
            all.retain(|one| one.id != id);
            all.len() < before
        })
    }

    pub(in crate::mock) fn get(&self, id: &str) -> Option<Arc<Override>> {
        self.all.lock().iter().find(|one| one.id == id).cloned()
    }

    /// The newest first.
    pub(in crate::mock) fn list(&self) -> Vec<Arc<Override>> {
        self.all.lock().iter().cloned().collect()
    }

    /// True if there is no override.
    pub(in crate::mock) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// The newest override that `matches`. Counts one use; the last use removes it.
    pub(in crate::mock) fn take(&self, matches: impl Fn(&Match) -> bool) -> Option<Arc<Override>> {
        if self.is_empty() {
            return None;
        }
        self.change(|all| {
            let place = all.iter().position(|one| matches(&one.matching))?;
            let one = &mut all[place];
            let taken = Arc::clone(one);
            match one.times {
                Some(1) => drop(all.remove(place)),
                Some(times) => Arc::make_mut(one).times = Some(times - 1),
                None => (),
            }
            Some(taken)
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut VecDeque<Arc<Override>>) -> T) -> T {
        let mut all = self.all.lock();
        let result = change(&mut all);
        self.count.store(all.len(), Ordering::Release);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Override {
        Override::from_json(value).unwrap()
    }

    #[test]
    fn overrides_are_shown_as_they_are_read() {
        let one = json!({
            "id": "a", "match": {"method": "GET", "path": "/pets/{id}", "query": {"x": [1, "b"]}},
            "answer": {"status": 503, "headers": {"retry-after": 1}, "delay": "10ms"}, "times": 2,
        });
        assert_eq!(read(&one).to_json(), one);
        let id = read(&json!({})).id;
        assert_eq!(id.len(), 16, "{id}");
    }

    #[test]
    fn wrong_overrides_are_explained() {
        for (one, why) in [
            (json!([]), "an override must be an object"),
            (json!({"macth": {}}), "\"macth\""),
            (json!({"id": ""}), "/id"),
            (json!({"id": 7}), "/id"),
            (json!({"times": 0}), "/times"),
            (json!({"match": {"path": 1}}), "/match/path must be a string"),
            (json!({"match": {"url": "/"}}), "host, method, path"),
            (json!({"match": {"headers": {"a b": "c"}}}), "/match/headers/a b"),
            (json!({"match": {"query": {"a": {}}}}), "/match/query/a"),
            (json!({"answer": {"status": 99}}), "/answer/status"),
            (json!({"answer": {"delay": "soon"}}), "/answer/delay"),
            (json!({"answer": {"fault": "hang"}}), "/answer/fault"),
            (json!({"answer": {"headers": {"a": "b\n"}}}), "/answer/headers/a"),
            (json!({"answer": {"body": 1, "example": "a"}}), "both"),
        ] {
            let error = Override::from_json(&one).unwrap_err();
            assert!(error.contains(why), "{one}: {error}");
        }
    }

    #[test]
    fn the_newest_answers_until_it_is_used_up() {
        let overrides = Overrides::default();
        assert!(overrides.take(|_| true).is_none());
        for one in
            [json!({"id": "a"}), json!({"id": "b", "times": 2}), json!({"id": "c", "times": 1})]
        {
            assert!(overrides.add(read(&one)));
        }
        assert!(!overrides.add(read(&json!({"id": "b"}))));
        let taken: Vec<String> =
            (0..5).map(|_| overrides.take(|_| true).unwrap().id.clone()).collect();
        assert_eq!(taken, ["c", "b", "b", "a", "a"]);
        assert_eq!(overrides.list().len(), 1);
        assert!(overrides.set(read(&json!({"id": "a", "times": 1}))));
        assert!(!overrides.set(read(&json!({"id": "d"}))));
        assert!(overrides.remove("d") && !overrides.remove("d"));
        assert!(overrides.get("a").is_some() && overrides.get("d").is_none());
        overrides.replace(vec![read(&json!({"id": "x"})), read(&json!({"id": "y"}))]);
        assert_eq!(overrides.take(|_| true).unwrap().id, "x");
    }

    #[test]
    fn templates_match_segment_by_segment() {
        let matches =
            |template: &str, path: &str| PathMatch::Template(template.to_owned()).matches(path);
        assert!(matches("/pets/{id}", "/pets/7") && matches("/a/{x}-{y}.json", "/a/1-2.json"));
        for (template, path) in [
            ("/pets/{id}", "/pets"),
            ("/pets/{id}", "/pets/"),
            ("/pets/{id}", "/pets/7/toys"),
            ("/{x}.json", "/.json"),
            ("/{x}-{y}", "/1-"),
        ] {
            assert!(!matches(template, path), "{template} {path}");
        }
    }
}
