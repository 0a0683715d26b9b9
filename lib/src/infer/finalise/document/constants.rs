//! Replay mode: literal paths, schemas of the recorded constants, and the recordings themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openapiv3::{
    Content, MediaType, Operation, ParameterData, PathItem, QueryStyle, ReferenceOr, RequestBody,
    Response, StatusCode,
};
use serde_json::{Map, Value, json};

use super::openapi::{empty_item, in_query, parameter_data, schema, set_operation};
use super::operation::{description, responses_object};
use crate::exchange::{
    Body, Method, Syntax, body_text, media_type, mended_json, parse_query, type_of_bytes,
};
use crate::infer::state::{RecordedAnswers, RecordedRequest, RecordingSet, is_not_found};

/// The value of `x-hmt-replay` (hmt-spec(5)).
pub(crate) fn replay(recordings: &RecordingSet) -> Value {
    recordings
        .0
        .iter()
        .map(|(key, answers)| {
            let mut entry = Map::new();
            let name = json!({"method": key.method, "origin": key.origin, "path": key.path});
            entry.insert("key".to_owned(), name);
            if let Some(Value::Object(mut request)) = parsed(&key.request) {
                let redacted = request.shift_remove("redacted");
                if !request.is_empty() {
                    entry.insert("request".to_owned(), request.into());
                }
                if let Some(redacted) = redacted {
                    entry.insert("redacted".to_owned(), redacted);
                }
            }
            entry.insert("answers".to_owned(), in_order(answers).into());
            Value::Object(entry)
        })
        .collect()
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// Sorted by (`at`, `seq`, content), each as often as it occurred.
fn in_order(answers: &RecordedAnswers) -> Vec<Value> {
    let mut all: Vec<(String, u64, &str, Value, u64)> = answers
        .0
        .iter()
        .filter_map(|(text, count)| {
            let value = parsed(text)?;
            let at = value["at"].as_str().unwrap_or_default().to_owned();
            let seq = value["seq"].as_u64().unwrap_or_default();
            Some((at, seq, text.as_str(), value, *count))
        })
        .collect();
    all.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
    all.into_iter()
        .flat_map(|(_, _, _, value, count)| {
            std::iter::repeat_n(value, usize::try_from(count).unwrap_or(1))
        })
        .collect()
}

/// Everything recorded for one literal path and method.
#[derive(Default)]
struct RecordedOperation {
    /// Requests answered below 400.
    ok: u64,
    query: BTreeMap<String, (u64, BTreeSet<Vec<String>>)>,
    bodies: BTreeMap<String, BTreeSet<String>>,
    bodiless: bool,
    responses: BTreeMap<u16, BTreeMap<String, BTreeSet<String>>>,
    origins: BTreeSet<String>,
    plain: u64,
    slashed: u64,
}

/// Paths with schemas of constants.
pub(crate) fn paths(
    recordings: &RecordingSet,
    origins: &BTreeSet<String>,
) -> BTreeMap<String, PathItem> {
    let mut all: BTreeMap<String, BTreeMap<Method, RecordedOperation>> = BTreeMap::new();
    for (key, answers) in &recordings.0 {
        // OpenAPI has no key for CONNECT.
        let Some(method) = key.method.parse().ok().filter(|method| *method != Method::Connect)
        else {
            continue;
        };
        let (pathname, query) = key.path.split_once('?').unwrap_or((&key.path, ""));
        let (path, slashed) = match pathname.strip_suffix('/') {
            Some("") => ("/", false),
            Some(path) => (path, true),
            None => (pathname, false),
        };
        let seen = all.entry(escaped(path)).or_default().entry(method).or_default();
        for (text, count) in &answers.0 {
            let Some(answer) = parsed(text) else { continue };
            seen.fold(key, query, &answer, *count);
            *(if slashed { &mut seen.slashed } else { &mut seen.plain }) += count;
        }
    }
    let items = all.into_iter().filter_map(|(path, mut methods)| {
        methods.retain(|_, seen| !seen.is_not_found());
        path_item(path, &methods, origins)
    });
    items.collect()
}

/// Braces would turn a name into a parameter.
fn escaped(path: &str) -> String {
    path.replace('{', "%7B").replace('}', "%7D")
}

fn path_item(
    path: String,
    methods: &BTreeMap<Method, RecordedOperation>,
    origins: &BTreeSet<String>,
) -> Option<(String, PathItem)> {
    if methods.is_empty() {
        return None;
    }
    let plain: u64 = methods.values().map(|seen| seen.plain).sum();
    let slashed: u64 = methods.values().map(|seen| seen.slashed).sum();
    let here: BTreeSet<String> =
        methods.values().flat_map(|seen| seen.origins.iter().cloned()).collect();
    let mut item = empty_item(&here, origins, plain > 0 && slashed > 0);
    for (method, seen) in methods {
        set_operation(&mut item, *method, seen.operation());
    }
    let path = if slashed > plain && path != "/" { format!("{path}/") } else { path };
    Some((path, item))
}

impl RecordedOperation {
    fn fold(&mut self, key: &RecordedRequest, query: &str, answer: &Value, count: u64) {
        let status =
            answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        self.origins.insert(key.origin.clone());
        let request = parsed(&key.request);
        if status < 400 {
            self.ok += count;
            let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in parse_query(query) {
                values.entry(name.into_owned()).or_default().push(value.into_owned());
            }
            for (name, values) in values {
                let (present, all) = self.query.entry(name).or_default();
                *present += count;
                all.insert(values);
            }
            let has_body =
                |request: &&Value| request.get("body").or(request.get("bodyBase64")).is_some();
            match request.as_ref().filter(has_body) {
                None => self.bodiless = true,
                Some(request) => {
                    let media = request["headers"]["content-type"].as_str();
                    let (media, text) = body_of(media, request);
                    self.bodies.entry(media).or_default().insert(text);
                }
            }
        }
        let contents = self.responses.entry(status).or_default();
        if answer.get("body").is_some() || answer.get("bodyBase64").is_some() {
            let (media, text) = body_of(content_type(answer), answer);
            contents.entry(media).or_default().insert(text);
        }
    }

    /// True if all responses were not-found responses.
    fn is_not_found(&self) -> bool {
        self.responses.keys().all(|status| is_not_found(*status))
    }

    fn operation(&self) -> Operation {
        let parameters = self.query.iter().map(|(name, seen)| self.parameter(name, seen));
        let body = || RequestBody {
            required: !self.bodiless,
            content: content(&self.bodies),
            ..RequestBody::default()
        };
        let responses = self.responses.iter().map(|(status, bodies)| {
            let response = Response {
                description: description(*status).to_owned(),
                content: content(bodies),
                ..Response::default()
            };
            (StatusCode::Code(*status), ReferenceOr::Item(response))
        });
        Operation {
            parameters: parameters
                .map(|data| ReferenceOr::Item(in_query(data, QueryStyle::Form)))
                .collect(),
            request_body: (!self.bodies.is_empty()).then(|| ReferenceOr::Item(body())),
            responses: responses_object(responses.collect()),
            ..Operation::default()
        }
    }

    fn parameter(
        &self,
        name: &str,
        (present, values): &(u64, BTreeSet<Vec<String>>),
    ) -> ParameterData {
        let single: BTreeSet<&String> = values.iter().flatten().collect();
        let scalar = json!({"type": "string", "enum": single});
        let schema = if values.iter().any(|values| values.len() > 1) {
            json!({"type": "array", "items": scalar})
        } else {
            scalar
        };
        parameter_data(name, *present == self.ok, schema)
    }
}

fn content_type(answer: &Value) -> Option<&str> {
    match answer["headers"].get("content-type") {
        Some(Value::Array(values)) => values.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    }
}

/// The media type of a recorded body, and the body as text; empty for binary bodies.
fn body_of(content_type: Option<&str>, part: &Value) -> (String, String) {
    let body = match (part["body"].as_str(), part["bodyBase64"].as_str()) {
        (Some(text), _) => Body::lent(text.as_bytes()),
        (None, Some(base64)) => Body::from_bytes(STANDARD.decode(base64).unwrap_or_default()),
        (None, None) => Body::Empty,
    };
    let media = content_type.and_then(media_type);
    let media = media.unwrap_or_else(|| type_of_bytes(&body).into()).into_owned();
    let plain = || body.as_str().map(str::to_owned).filter(|text| parsed(text).is_some());
    let text = match Syntax::of(&media) {
        Syntax::Json => plain().or_else(|| Some(mended_json(&body, content_type)?.into_owned())),
        _ => body_text(&body, content_type).map(Cow::into_owned),
    };
    (media, text.or_else(|| body.as_str().map(str::to_owned)).unwrap_or_default())
}

fn content(bodies: &BTreeMap<String, BTreeSet<String>>) -> Content {
    let one = |(media, texts): (&String, &BTreeSet<String>)| {
        let schema = Some(schema(constant(media, texts)));
        (media.clone(), MediaType { schema, ..MediaType::default() })
    };
    bodies.iter().map(one).collect()
}

/// The schema that accepts exactly these bodies, as far as a schema can express it for their
/// syntax.
fn constant(media: &str, texts: &BTreeSet<String>) -> Value {
    match Syntax::of(media) {
        Syntax::Json => {
            let values: Vec<Value> = texts.iter().filter_map(|text| parsed(text)).collect();
            let unread = texts.len() - values.len();
            if unread * 2 < texts.len() {
                json!({"enum": distinct(values)})
            } else {
                json!({"x-hmt-unread": true})
            }
        }
        Syntax::Text | Syntax::Xml | Syntax::Sequence => json!({"type": "string", "enum": texts}),
        // A form may sometimes be JSON.
        Syntax::Form if texts.iter().any(|text| text.trim_start().starts_with('[')) => json!({}),
        Syntax::Form | Syntax::Multipart => json!({"type": "object"}),
        Syntax::Binary => json!({"type": "string", "format": "binary"}),
    }
}

/// Texts that differ only in whitespace are one value.
fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::with_capacity(values.len());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for value in values {
        if seen.insert(value.to_string()) {
            all.push(value);
        }
    }
    all
}
