//! Converts a HAR entry to an exchange, as browsers, proxies and test tools write it.

use serde::Deserialize;

use super::super::capture::method;
use super::super::sibling_files::SiblingFiles;
use super::body::Content;
use super::lenient::{Text, if_fits, number};
use crate::exchange::{
    Body, Exchange, LineError, Meta, Method, Pairs, Protocol, Request, RequestTarget, Response,
    header, later, place, without_lone_surrogates,
};

/// The kind of an entry.
pub(super) enum ReadEntry {
    /// An HTTP exchange.
    Exchange(Box<Exchange<'static>>),
    /// Something of another scheme: `ws`, `data`, `chrome-extension`.
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<Text>,
    /// Milliseconds; -1 where unknown.
    #[serde(default, deserialize_with = "number")]
    time: Option<f64>,
    request: Option<HarRequest>,
    response: Option<HarResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: Option<Text>,
    url: Option<Text>,
    #[serde(default, deserialize_with = "if_fits")]
    headers: Option<Vec<NameValue>>,
    /// Some tools list the query here and not in the URL.
    #[serde(default, deserialize_with = "if_fits")]
    query_string: Option<Vec<NameValue>>,
    /// Some tools list cookies here and not in the header.
    #[serde(default, deserialize_with = "if_fits")]
    cookies: Option<Vec<Cookie>>,
    post_data: Option<Content>,
    /// -1 where unknown.
    #[serde(default, deserialize_with = "number")]
    body_size: Option<f64>,
}

#[derive(Deserialize)]
struct NameValue {
    name: Text,
    value: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cookie {
    name: Text,
    value: Option<Text>,
    path: Option<Text>,
    domain: Option<Text>,
    http_only: Option<bool>,
    secure: Option<bool>,
    same_site: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarResponse {
    /// 0 or -1 without a response.
    #[serde(default, deserialize_with = "number")]
    status: Option<f64>,
    status_text: Option<Text>,
    #[serde(default, deserialize_with = "if_fits")]
    headers: Option<Vec<NameValue>>,
    #[serde(default, deserialize_with = "if_fits")]
    cookies: Option<Vec<Cookie>>,
    content: Option<Content>,
    /// The reason that Chromium gives for a failed request.
    #[serde(rename = "_error")]
    error: Option<Text>,
}

/// Reads an entry. `missing` counts bodies whose files are not in `siblings`.
///
/// # Errors
/// The text is not a HAR entry.
pub(super) fn read(
    text: &[u8],
    beside: &SiblingFiles,
    missing: &mut u64,
) -> Result<ReadEntry, LineError> {
    let entry = parse(text)?;
    let Some(request) = entry.request else { return Err(refuse("the entry has no request")) };
    let Some(mut url) = request.url.map(|url| url.0) else {
        return Err(refuse(
            "the entry has no request.url; export the session again, with complete requests",
        ));
    };
    if let Some(scheme) = other_scheme(&url) {
        return Ok(ReadEntry::Other(scheme));
    }
    let mut meta = Meta { duration_ms: entry.time.filter(|ms| *ms >= 0.0), ..Meta::default() };
    let method = method(&request.method.unwrap_or_default().0, &mut meta)?;
    let listed = request.headers.unwrap_or_default();
    let authority = named(&listed, ":authority");
    let mut headers = headers(listed);
    let cookies = request.cookies.unwrap_or_default();
    if !cookies.is_empty() && header(&headers, "cookie").is_none() {
        let pairs: Vec<String> = cookies.iter().map(Cookie::pair).collect();
        headers.push(("cookie".into(), pairs.join("; ").into()));
    }
    with_query(&mut url, &request.query_string.unwrap_or_default());
    let RequestTarget { protocol, host, pathname, query, wire_query } =
        place(Some(url.into()), None, None, None, Pairs::new(), &headers);
    let host = match authority {
        Some(authority) if host.is_empty() => authority.to_ascii_lowercase().into(),
        _ => host,
    };
    let mut body = Body::Empty;
    if let Some(data) = request.post_data {
        body = data.body(beside, missing);
        let mut media = data.media().map(str::to_owned);
        if body.is_empty()
            && let Some((form, own)) = data.form(header(&headers, "content-type"))
        {
            body = form;
            if let Some(own) = own {
                headers.retain(|(name, _)| name != "content-type");
                media = Some(own);
            }
        }
        declare(&mut headers, media, &body);
    }
    // A size without text means that the tool did not keep the body.
    if body.is_empty() {
        meta.truncated_request = size(request.body_size);
    }
    let started = entry.started_date_time.map(|time| time.0);
    let request = Request {
        method,
        protocol: protocol.unwrap_or(Protocol::Http),
        host,
        pathname,
        query,
        wire_query: wire_query.map(|query| query.into_owned().into()),
        headers,
        body,
        timestamp: started.clone().map(Into::into),
    };
    // An archive of requests only has no responses; browsers write a response without a status if
    // there was none.
    let was_asked_for = entry.response.is_some();
    let response = match entry.response {
        Some(response) => answer(response, method, &mut meta, beside, missing)?,
        None => None,
    };
    let response = response.map(|response| Response {
        timestamp: later(started.as_deref(), meta.duration_ms).map(Into::into),
        ..response
    });
    if response.is_none() && was_asked_for && meta.error.is_none() {
        meta.error = Some("no response in the archive".into());
    }
    Ok(ReadEntry::Exchange(Box::new(Exchange { request, response, meta })))
}

/// Lone surrogates are replaced only if parsing fails.
fn parse(text: &[u8]) -> Result<Entry, LineError> {
    let error = match deserialized(text) {
        Ok(entry) => return Ok(entry),
        Err(error) => error,
    };
    let lossy = String::from_utf8_lossy(text);
    let mended = without_lone_surrogates(&lossy);
    if let Ok(entry) = deserialized(mended.as_deref().unwrap_or(&lossy).as_bytes()) {
        return Ok(entry);
    }
    Err(refuse(match error.classify() {
        serde_json::error::Category::Data if text.first() == Some(&b'{') => {
            "the entry is not valid HAR: request, response and their content must be objects"
        }
        serde_json::error::Category::Data => "the entry is not an object",
        _ => "the entry is not valid JSON",
    }))
}

fn deserialized(text: &[u8]) -> serde_json::Result<Entry> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    // Chromium nests the call stack of scripts; unknown fields are skipped without recursion.
    deserializer.disable_recursion_limit();
    Entry::deserialize(&mut deserializer)
}

/// A scheme other than HTTP, in lower case. `localhost:80/` has a port, not a scheme.
fn other_scheme(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once(':')?;
    let scheme = scheme.trim().to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))
        && !rest.starts_with(|c: char| c.is_ascii_digit());
    (is_scheme && scheme != "http" && scheme != "https").then_some(scheme)
}

/// Adds the query that is only listed.
fn with_query(url: &mut String, listed: &[NameValue]) {
    if listed.is_empty() || url.contains('?') {
        return;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for pair in listed {
        query.append_pair(&pair.name.0, pair.value.as_ref().map_or("", |value| &value.0));
    }
    let end = url.find('#').unwrap_or(url.len());
    url.insert_str(end, &format!("?{}", query.finish()));
}

/// Adds the media type that only the body's description has.
fn declare(headers: &mut Pairs<'static>, media: Option<String>, body: &Body<'_>) {
    if let Some(media) = media
        && !body.is_empty()
        && header(headers, "content-type").is_none()
    {
        headers.push(("content-type".into(), media.into()));
    }
}

fn answer(
    response: HarResponse,
    method: Method,
    meta: &mut Meta<'static>,
    beside: &SiblingFiles,
    missing: &mut u64,
) -> Result<Option<Response<'static>>, LineError> {
    let number = response.status.unwrap_or_default();
    if number <= 0.0 {
        let why = response.error.filter(|why| !why.0.is_empty()).or(response.status_text);
        meta.error = why.filter(|why| !why.0.is_empty()).map(|why| why.0.into());
        return Ok(None);
    }
    if number.fract() != 0.0 || !(100.0..=999.0).contains(&number) {
        return Err(refuse(format!("response.status {number} is not 100 to 999")));
    }
    let status = number as u16;
    let mut headers = headers(response.headers.unwrap_or_default());
    if header(&headers, "set-cookie").is_none() {
        let set = response.cookies.unwrap_or_default();
        headers.extend(set.iter().map(|cookie| ("set-cookie".into(), cookie.set().into())));
    }
    // Browsers show the cached body with a 304, although it was not on the wire.
    let bodiless = method == Method::Head || matches!(status, 100..=199 | 204 | 304);
    let mut found = Body::Empty;
    if let Some(content) = response.content.filter(|_| !bodiless) {
        let before = *missing;
        found = content.body(beside, missing);
        declare(&mut headers, content.media().map(str::to_owned), &found);
        if found.is_empty() && (!content.names_file() || *missing > before) {
            meta.truncated_response = unrecorded(&content, &headers, *missing > before);
        }
    }
    Ok(Some(Response { status, headers, body: found, timestamp: None }))
}

/// The size of a body that was not kept; 0 if unknown.
fn unrecorded(content: &Content, headers: &Pairs<'_>, lost: bool) -> Option<u64> {
    let declared = || header(headers, "content-length").and_then(|size| size.trim().parse().ok());
    match content.size {
        Some(bytes) if bytes > 0.0 => Some(bytes as u64),
        Some(0.0) if !lost => None,
        // A media type implies that there was a body.
        _ => match declared() {
            Some(0) => None,
            Some(size) => Some(size),
            None => (lost || content.media().is_some()).then_some(0),
        },
    }
}

impl Cookie {
    fn pair(&self) -> String {
        format!("{}={}", self.name.0, self.value.as_ref().map_or("", |value| &value.0))
    }

    /// In the form of `Set-Cookie`. The expiry is left out, because its format differs between
    /// tools.
    fn set(&self) -> String {
        let mut text = self.pair();
        let named = [("Path", &self.path), ("Domain", &self.domain), ("SameSite", &self.same_site)];
        for (name, value) in named {
            if let Some(Text(value)) = value.as_ref().filter(|value| !value.0.is_empty()) {
                text.push_str(&format!("; {name}={value}"));
            }
        }
        for (name, set) in [("Secure", self.secure), ("HttpOnly", self.http_only)] {
            if set == Some(true) {
                text.push_str(&format!("; {name}"));
            }
        }
        text
    }
}

/// Headers in lower case, without HTTP/2 pseudo-headers. Browsers join headers with the same name
/// by line breaks.
fn headers(list: Vec<NameValue>) -> Pairs<'static> {
    let mut pairs = Pairs::new();
    for header in list {
        let name = header.name.0.trim().to_ascii_lowercase();
        if name.is_empty() || name.starts_with(':') {
            continue;
        }
        let value = header.value.unwrap_or_default().0;
        for value in value.split('\n') {
            pairs.push((name.clone().into(), value.trim_end_matches('\r').to_owned().into()));
        }
    }
    pairs
}

fn named(list: &[NameValue], name: &str) -> Option<String> {
    let found = list.iter().find(|header| header.name.0 == name)?;
    found.value.as_ref().map(|value| value.0.clone())
}

fn size(bytes: Option<f64>) -> Option<u64> {
    bytes.filter(|bytes| *bytes > 0.0).map(|bytes| bytes as u64)
}

fn refuse(message: impl Into<String>) -> LineError {
    LineError::new(message, 0)
}
