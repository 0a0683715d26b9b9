//! Postman collections (v2.0 and v2.1, schema.postman.com) with saved responses.
//!
//! Variables may be declared after the requests that use them, so a collection is read as a whole,
//! up to the maximum length of a line.

mod request;

use std::collections::VecDeque;
use std::io::{self, Read};

use serde_json::Value;

use super::MAX_LINE;
use super::capture::{CaptureEntry, CaptureReader};
use crate::exchange::{Body, Exchange, LineError, Meta, Pairs, Response, header};
use request::{Variables, headers};

/// The host of a collection's schema URL.
pub(super) const SCHEMA: &str = "schema.getpostman.com";

/// Maximum depth of nested folders.
const MAX_DEPTH: usize = 64;

/// The saved responses of one collection.
pub(super) struct Postman {
    input: Option<Box<dyn Read + Send>>,
    steps: VecDeque<CaptureEntry>,
}

impl Postman {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Postman { input: Some(input), steps: VecDeque::new() }
    }
}

impl CaptureReader for Postman {
    fn next(&mut self) -> io::Result<CaptureEntry> {
        if let Some(input) = self.input.take() {
            self.steps = steps(input)?;
        }
        Ok(self.steps.pop_front().unwrap_or(CaptureEntry::End))
    }
}

fn steps(input: Box<dyn Read + Send>) -> io::Result<VecDeque<CaptureEntry>> {
    let mut text = Vec::new();
    match input.take(MAX_LINE as u64 + 1).read_to_end(&mut text) {
        // Truncated compressed data counts as the end.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        _ => {}
    }
    let mut steps = VecDeque::new();
    if text.len() > MAX_LINE {
        steps.push_back(CaptureEntry::TooLong(text.len() as u64));
        return Ok(steps);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut document: Value = match serde_json::from_slice(text) {
        Ok(document) => document,
        Err(error) if error.is_eof() => {
            steps.push_back(CaptureEntry::Cut);
            return Ok(steps);
        }
        Err(error) => {
            let why = format!("this Postman collection is not valid JSON at line {}", error.line());
            steps.push_back(CaptureEntry::Rejected(LineError::new(why, 0)));
            return Ok(steps);
        }
    };
    // The format of Postman's API.
    if document.get("item").is_none() && document["collection"].is_object() {
        document = document["collection"].take();
    }
    let variables = Variables::of(&document["variable"]);
    items(&document["item"], &variables, 0, &mut steps);
    Ok(steps)
}

fn items(list: &Value, variables: &Variables, depth: usize, steps: &mut VecDeque<CaptureEntry>) {
    for item in list.as_array().into_iter().flatten() {
        if depth > MAX_DEPTH {
            return;
        }
        if item["item"].is_array() {
            items(&item["item"], &variables.with(&item["variable"]), depth + 1, steps);
            continue;
        }
        let asked = &item["request"];
        let saved = item["response"].as_array().map(Vec::as_slice).unwrap_or_default();
        if saved.is_empty() {
            steps.push_back(exchange(asked, None, variables));
        }
        for answer in saved {
            let original = &answer["originalRequest"];
            let asked = if original.is_null() { asked } else { original };
            steps.push_back(exchange(asked, Some(answer), variables));
        }
    }
}

fn exchange(asked: &Value, answer: Option<&Value>, variables: &Variables) -> CaptureEntry {
    let mut meta = Meta::default();
    let request = match request::read(asked, variables, &mut meta) {
        Ok(request) => request,
        Err(error) => return CaptureEntry::Rejected(error),
    };
    let mut response = None;
    // Without a saved response or error, it is only a request.
    if let Some(answer) = answer {
        match self::response(answer, &mut meta) {
            Ok(found) => response = Some(found),
            Err(error) => return CaptureEntry::Rejected(error),
        }
    }
    CaptureEntry::Exchange(Box::new(Exchange { request, response, meta }))
}

fn response(answer: &Value, meta: &mut Meta<'static>) -> Result<Response<'static>, LineError> {
    let name = answer["name"].as_str().unwrap_or_default();
    let code = answer["code"].as_u64().filter(|code| (100..=999).contains(code));
    let Some(status) = code.and_then(|code| u16::try_from(code).ok()) else {
        let why = format!("the saved response {name:?} has no status from 100 to 999 under code");
        return Err(LineError::new(why, 0));
    };
    meta.duration_ms = answer["responseTime"].as_f64().filter(|ms| *ms >= 0.0);
    let mut headers: Pairs<'static> = headers(&answer["header"], &Variables::default());
    let body = match &answer["body"] {
        Value::String(text) => Body::from_bytes(text.as_bytes().to_vec()),
        _ => Body::Empty,
    };
    // The format in which Postman displays it.
    let media = match answer["_postman_previewlanguage"].as_str().unwrap_or_default() {
        "json" => Some("application/json"),
        "xml" => Some("application/xml"),
        "html" => Some("text/html"),
        _ => None,
    };
    if let Some(media) = media.filter(|_| !body.is_empty())
        && header(&headers, "content-type").is_none()
    {
        headers.push(("content-type".into(), media.into()));
    }
    Ok(Response { status, headers, body, timestamp: None })
}

#[cfg(test)]
mod tests;
