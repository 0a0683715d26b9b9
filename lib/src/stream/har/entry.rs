//! One entry of a HAR as an exchange: as browsers, proxies and test tools write it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::exchange::{
    Body, Exchange, LineError, Meta, Method, Pairs, Place, Protocol, Request, Response, header,
    later, place, without_lone_surrogates,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    /// Milliseconds; -1 where unknown.
    time: Option<f64>,
    request: HarRequest,
    response: Option<HarResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    url: String,
    headers: Option<Vec<NameValue>>,
    /// What some tools list instead of the header.
    cookies: Option<Vec<Cookie>>,
    post_data: Option<PostData>,
    /// -1 where unknown.
    body_size: Option<f64>,
}

#[derive(Deserialize)]
struct NameValue {
    name: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cookie {
    name: String,
    value: Option<String>,
    path: Option<String>,
    domain: Option<String>,
    http_only: Option<bool>,
    secure: Option<bool>,
    same_site: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
    /// Not in HAR 1.2, but several tools say here that `text` is base64.
    encoding: Option<String>,
    params: Option<Vec<NameValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarResponse {
    /// 0 or -1 where there was no response.
    status: Option<f64>,
    status_text: Option<String>,
    headers: Option<Vec<NameValue>>,
    cookies: Option<Vec<Cookie>>,
    content: Option<Content>,
    /// The reason that Chromium gives for a failed request.
    #[serde(rename = "_error")]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    size: Option<f64>,
    text: Option<String>,
    encoding: Option<String>,
}

/// Reads an entry.
///
/// # Errors
/// What is no JSON object of a HAR entry, no HTTP (`data:` URLs), or has a method that lines cannot hold.
pub(super) fn read(text: &[u8]) -> Result<Exchange<'static>, LineError> {
    let entry: Entry = serde_json::from_slice(text)
        .or_else(|error| match std::str::from_utf8(text).ok().and_then(without_lone_surrogates) {
            // Browsers write texts as they hold them, which may be half of a surrogate pair.
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        })
        .map_err(|error| LineError::new(format!("no HAR entry: {error}"), 0))?;
    let method: Method =
        entry.request.method.parse().map_err(|error| refuse(format!("{error}")))?;
    let listed = entry.request.headers.unwrap_or_default();
    let authority = named(&listed, ":authority");
    let mut headers = headers(listed);
    let cookies = entry.request.cookies.unwrap_or_default();
    if !cookies.is_empty() && header(&headers, "cookie").is_none() {
        let pairs: Vec<String> = cookies.iter().map(Cookie::pair).collect();
        headers.push(("cookie".into(), pairs.join("; ").into()));
    }
    let url = with_http(entry.request.url);
    let Place { protocol, host, pathname, query, wire_query } =
        place(Some(url.clone().into()), None, None, None, Pairs::new(), &headers);
    if protocol.is_none() && url.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/')) {
        let start: String = url.chars().take(40).collect();
        return Err(refuse(format!("request.url {start:?} is not http or https")));
    }
    let host = match authority {
        Some(authority) if host.is_empty() => authority.to_ascii_lowercase().into(),
        _ => host,
    };
    let mut meta = Meta { duration_ms: entry.time.filter(|ms| *ms >= 0.0), ..Meta::default() };
    let body = match entry.request.post_data {
        Some(data) => request_body(data)?,
        None => Body::Empty,
    };
    // A size without text is a body that the tool did not keep.
    if body.is_empty() {
        meta.truncated_request = size(entry.request.body_size);
    }
    let request = Request {
        method,
        protocol: protocol.unwrap_or(Protocol::Http),
        host,
        pathname,
        query,
        wire_query: wire_query.map(|query| query.into_owned().into()),
        headers,
        body,
        timestamp: entry.started_date_time.clone().map(Into::into),
    };
    // An archive of requests alone has no responses; a browser's has one without a status where none came.
    let was_asked_for = entry.response.is_some();
    let response = match entry.response {
        Some(response) => answer(response, method, &mut meta)?,
        None => None,
    };
    let response = response.map(|response| Response {
        timestamp: later(entry.started_date_time.as_deref(), meta.duration_ms).map(Into::into),
        ..response
    });
    if response.is_none() && was_asked_for && meta.error.is_none() {
        meta.error = Some("no response in the archive".into());
    }
    Ok(Exchange { request, response, meta })
}

fn request_body(data: PostData) -> Result<Body<'static>, LineError> {
    let text = data.text.unwrap_or_default();
    if !text.is_empty() {
        return body(text, data.encoding.as_deref(), "request.postData");
    }
    let form = data.mime_type.is_none_or(|media| media.is_empty() || media.contains("urlencoded"));
    match data.params {
        Some(params) if form && !params.is_empty() => {
            let mut text = form_urlencoded::Serializer::new(String::new());
            for param in params {
                text.append_pair(&param.name, &param.value.unwrap_or_default());
            }
            Ok(Body::Text(text.finish().into()))
        }
        _ => Ok(Body::Empty),
    }
}

fn answer(
    response: HarResponse,
    method: Method,
    meta: &mut Meta<'static>,
) -> Result<Option<Response<'static>>, LineError> {
    let number = response.status.unwrap_or_default();
    if number <= 0.0 {
        let why = response.error.filter(|why| !why.is_empty()).or(response.status_text);
        meta.error = why.filter(|why| !why.is_empty()).map(Into::into);
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
    // Browsers show the cached body beside a 304, which never was on the wire.
    let bodiless = method == Method::Head || matches!(status, 100..=199 | 204 | 304);
    let mut found = Body::Empty;
    if let Some(content) = response.content.filter(|_| !bodiless) {
        found = body(
            content.text.unwrap_or_default(),
            content.encoding.as_deref(),
            "response.content",
        )?;
        if found.is_empty() {
            meta.truncated_response = size(content.size);
        }
    }
    Ok(Some(Response { status, headers, body: found, timestamp: None }))
}

fn body(text: String, encoding: Option<&str>, place: &str) -> Result<Body<'static>, LineError> {
    match encoding {
        Some(name) if name.eq_ignore_ascii_case("base64") => match STANDARD.decode(text.trim()) {
            Ok(bytes) => Ok(Body::from_bytes(bytes)),
            Err(error) => Err(refuse(format!("{place}.text is no base64: {error}"))),
        },
        _ => Ok(Body::from_bytes(text.into_bytes())),
    }
}

impl Cookie {
    fn pair(&self) -> String {
        format!("{}={}", self.name, self.value.as_deref().unwrap_or_default())
    }

    /// As `Set-Cookie` has it. When it expires is left out: tools tell that in ways of their own.
    fn set(&self) -> String {
        let mut text = self.pair();
        let named = [("Path", &self.path), ("Domain", &self.domain), ("SameSite", &self.same_site)];
        for (name, value) in named {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
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

/// WebSockets begin with an exchange of HTTP, which is what a record holds of them.
fn with_http(url: String) -> String {
    for (scheme, http) in [("wss://", "https://"), ("ws://", "http://")] {
        if url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            return format!("{http}{}", &url[scheme.len()..]);
        }
    }
    url
}

/// Headers in lower case, without the pseudo-headers that HTTP/2 tools list among them.
fn headers(list: Vec<NameValue>) -> Pairs<'static> {
    list.into_iter()
        .filter(|header| !header.name.starts_with(':') && !header.name.is_empty())
        .map(|header| {
            (header.name.to_ascii_lowercase().into(), header.value.unwrap_or_default().into())
        })
        .collect()
}

fn named(list: &[NameValue], name: &str) -> Option<String> {
    list.iter().find(|header| header.name == name).and_then(|header| header.value.clone())
}

fn size(bytes: Option<f64>) -> Option<u64> {
    bytes.filter(|bytes| *bytes > 0.0).map(|bytes| bytes as u64)
}

fn refuse(message: String) -> LineError {
    LineError::new(message, 0)
}
