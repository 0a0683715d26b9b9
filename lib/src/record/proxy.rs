//! Handles one request: forwards it to the upstream, and the response to the client.

use std::sync::Arc;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderMap, HeaderValue,
    TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use http::response::Parts;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use serde_json::{Map, Value};

use super::capture::Capture;
use super::copy::Upload;
use super::headers::{
    UpstreamRequest, announces, client_headers, complete_client_headers, join_cookies, request_uri,
    upstream_headers,
};
use super::link::{Link, LinkState};
use super::recorder::Recorder;
use super::redirect::RedirectRewriter;
use super::reply::{Reply, withheld};
use super::request_body::{RequestBody, drain};
use super::response_body::{BodyStart, ResponseBody};
use super::route::{ReachedBy, Rejected, Routed, is_browser};
use super::target_form::{RequiredProtocol, TargetForm};
use super::upgrade::Upgrade;
use super::upstream::{Destination, Failure};
use crate::exchange::{Protocol, Side};
use crate::net::{Peer, Target, problem};

/// Forwards a request to its target and records the exchange. `tunnel` is the origin of the tunnel
/// that the request came through, if any.
pub(super) async fn answer(
    recorder: Arc<Recorder>,
    request: Request<Incoming>,
    peer: Peer,
    tunnel: Option<Arc<Target>>,
) -> Response<Reply> {
    if recorder.must_withhold() {
        return withheld();
    }
    let seq = recorder.tally.count_request();
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::CONNECT {
        // Outside a tunnel, `CONNECT` does not come here.
        let why = "CONNECT inside a tunnel is not supported";
        let nested = Rejected::new(StatusCode::BAD_REQUEST, "No tunnel", why);
        return recorder.reject(recorder.check_head(&parts).err().unwrap_or(nested));
    }
    let version = parts.version;
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
    }
    let Routed { target, uri, reached_by } = match recorder.route(&parts, tunnel.as_deref()) {
        Ok(found) => found,
        Err(rejected) => {
            // With `Expect: 100-continue`, the client does not send the body before it receives a
            // `100 Continue`.
            if !parts.headers.contains_key(EXPECT) {
                drain(body);
            }
            return recorder.reject_to(rejected, is_browser(&parts.headers));
        }
    };
    let (upload, length) = if body.is_end_stream() {
        (None, None)
    } else {
        let length = body.size_hint().exact();
        (Some(Arc::new(Upload::new(recorder.max_body, length))), Some(length))
    };
    let upgrade = match upload {
        None => Upgrade::of(&parts.headers, &parts.extensions),
        // The bytes after the head of an upload belong to the body, not to another protocol.
        Some(_) => None,
    };
    let body = match &upload {
        Some(upload) => {
            let comes = !parts.headers.contains_key(EXPECT);
            RequestBody::new(body, upload.clone(), comes)
        }
        None => RequestBody::empty(),
    };
    let method = parts.method.clone();
    // The extensions hold the original case of the header names.
    let extensions = std::mem::take(&mut parts.extensions);
    let required = match (&upgrade, version, target.protocol) {
        (Some(_), ..) => RequiredProtocol::Http1,
        (None, Version::HTTP_2, Protocol::Http) => RequiredProtocol::PriorKnowledge,
        (None, ..) => RequiredProtocol::Any,
    };
    let requested = (parts.uri, version);
    let ids = (seq, peer.connection);
    let mut capture =
        Capture::new(recorder.clone(), target, parts.method, parts.headers, upload.clone(), ids);
    let head = |form: &TargetForm| {
        let upstream_request = UpstreamRequest {
            target: &capture.target,
            length,
            upgrade: upgrade.as_ref().map(|upgrade| &upgrade.protocol),
            form,
            via: recorder.via.as_ref(),
        };
        let mut request = Request::new(());
        *request.method_mut() = method.clone();
        *request.uri_mut() = request_uri(&uri, &capture.target, form);
        *request.headers_mut() = upstream_headers(&capture.headers, &upstream_request);
        if *form != TargetForm::Http2 {
            *request.extensions_mut() = extensions.clone();
        }
        request
    };
    let destination =
        Destination { target: &capture.target, required, connection: peer.connection };
    let sent = recorder.send(destination, head, body, upload.as_deref()).await;
    match sent {
        Ok((response, mut link)) => {
            if holds_for_connection(&capture.headers, &response) {
                link.owner = Some(peer.connection);
            }
            if upload.is_some_and(|upload| upload.lock().end.is_none()) {
                link.detach();
            }
            match upgrade {
                Some(upgrade) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    switch(&recorder, upgrade, response, link, capture).await
                }
                _ => {
                    pass_on(recorder, response, link, capture, &method, reached_by, &requested)
                        .await
                }
            }
        }
        Err(failure) if failure.is_refusal() => {
            capture.forget();
            let (status, host) = (failure.status(), &capture.target.host);
            let why = format!("{host}: {failure}");
            recorder.reject(Rejected::new(status, "Refused target", why))
        }
        Err(failure) => no_answer(&recorder, &failure, capture).await,
    }
}

/// Completes a switch to the protocol that the client asked for.
async fn switch(
    recorder: &Recorder,
    upgrade: Upgrade,
    response: Response<Incoming>,
    link: Link,
    mut capture: Box<Capture>,
) -> Response<Reply> {
    let (mut parts, _) = response.into_parts();
    let headers = client_headers(&parts.headers, false);
    let protocol = parts.headers.get(UPGRADE).cloned();
    let received = std::mem::replace(&mut parts.headers, headers);
    if let Some(protocol) = protocol {
        parts.headers.insert(UPGRADE, protocol);
    }
    let reason = parts.extensions.get::<ReasonPhrase>().cloned();
    capture.respond(parts.status.as_u16(), received, reason, None, false);
    parts.version = Version::HTTP_11;
    match upgrade.accept(Response::from_parts(parts, ()), link, capture).await {
        Ok(response) => response,
        Err((failure, mut capture)) => {
            capture.answer = None;
            no_answer(recorder, &failure, capture).await
        }
    }
}

async fn pass_on(
    recorder: Arc<Recorder>,
    response: Response<Incoming>,
    link: Link,
    mut capture: Box<Capture>,
    method: &Method,
    reached_by: ReachedBy,
    (requested, version): &(Uri, Version),
) -> Response<Reply> {
    let (mut parts, body) = response.into_parts();
    let reached_by = if recorder.rewrite_redirects { reached_by } else { ReachedBy::OwnName };
    let reached_by = (reached_by, recorder.base());
    let (headers, target) = (&capture.headers, &capture.target);
    let redirects =
        RedirectRewriter::of(&parts.headers, reached_by, (requested, *version), headers, target);
    let bodiless = body.is_end_stream();
    let keeps_length =
        bodiless && (method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED);
    let link_state = link_state(&parts);
    let events = is_event_stream(&parts.headers);
    let unsized_body = !never_has_body(method, parts.status)
        && parts.version < Version::HTTP_2
        && !parts.headers.contains_key(CONTENT_LENGTH);
    let received = std::mem::take(&mut parts.headers);
    parts.version = Version::HTTP_11;
    let reason = parts.extensions.get::<ReasonPhrase>().cloned();
    capture.respond(parts.status.as_u16(), received, reason, body.size_hint().exact(), events);
    let timeout = (!events).then_some(recorder.timeout);
    let response_body = ResponseBody::new(recorder, body, (link, link_state), capture, timeout);
    let body = match response_body.start().await {
        BodyStart::Whole(data, received) => {
            parts.headers = complete_client_headers(received, keeps_length, data.len());
            if unsized_body { Reply::Unsized(Some(data)) } else { Reply::Own(data.into()) }
        }
        BodyStart::Unrecorded => return withheld(),
        BodyStart::Part(response_body) => {
            let length = response_body.size_hint().exact();
            let pass = |received| {
                let keeps_length = keeps_length || length.is_some_and(|n| announces(received, n));
                client_headers(received, keeps_length)
            };
            parts.headers = response_body.received().map(pass).unwrap_or_default();
            Reply::Passed(response_body)
        }
    };
    if let Some(redirects) = redirects {
        redirects.apply(&mut parts.headers);
    }
    Response::from_parts(parts, body)
}

/// True for responses that never have a body, whatever their headers say.
fn never_has_body(method: &Method, status: StatusCode) -> bool {
    method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// True for an authentication scheme that holds for the whole connection (RFC 4559 section 6).
fn holds_for_connection<B>(request: &HeaderMap, response: &Response<B>) -> bool {
    let spoken = |value: &HeaderValue| {
        let scheme = value.as_bytes().split(|&byte| byte == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"ntlm") || scheme.eq_ignore_ascii_case(b"negotiate")
    };
    let challenged = response.status() == StatusCode::UNAUTHORIZED
        && response.headers().get_all(WWW_AUTHENTICATE).iter().any(spoken);
    challenged || request.get(AUTHORIZATION).is_some_and(spoken)
}

/// Records that there was no response, and sends an error to the client.
async fn no_answer(
    recorder: &Recorder,
    failure: &Failure,
    mut capture: Box<Capture>,
) -> Response<Reply> {
    if let Some(kind) = failure.kind() {
        recorder.tally.failed(kind);
        let Target { protocol, host, .. } = &capture.target;
        recorder.problems.report(kind.as_str(), host, || {
            format!("no response from {}://{host}: {failure}", protocol.as_str())
        });
    }
    if matches!(failure, Failure::ClientLeft | Failure::ClientStalled(_)) {
        capture.cut_by(Side::Client);
    }
    capture.fail(failure.to_string());
    if capture.finish().await.is_err() {
        return withheld();
    }
    let mut extra = Map::new();
    let target = &capture.target;
    let url = format!("{}://{}", target.protocol.as_str(), target.host);
    extra.insert("upstream".to_owned(), Value::from(url));
    problem(failure.status(), "No response", &failure.to_string(), extra).map(Reply::Own)
}

/// Whether a link can be reused after this response. The next response might begin within this one
/// if it has both framing headers, possibly from an attacker, or if a 204 announces a body.
fn link_state(answer: &Parts) -> LinkState {
    let chunked = answer.headers.contains_key(TRANSFER_ENCODING);
    let length = answer.headers.get(CONTENT_LENGTH);
    let ends_clearly = if answer.status == StatusCode::NO_CONTENT {
        !chunked && length.is_none_or(|length| length == "0")
    } else {
        !(chunked && length.is_some())
    };
    match (ends_clearly, answer.version) {
        (false, _) => LinkState::Closed,
        // Connections are persistent by default (RFC 9112 section 9.3).
        (true, Version::HTTP_11) if !answer.headers.contains_key(CONNECTION) => LinkState::Open,
        (true, _) => LinkState::Unknown,
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..17))
        .is_some_and(|media| media.eq_ignore_ascii_case(b"text/event-stream"))
}
