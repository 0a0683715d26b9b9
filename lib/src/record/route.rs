//! Finds the target of a request, or the reason to reject it.

use bytes::Bytes;
use http::header::{
    ACCEPT, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, VIA,
};
use http::request::Parts;
use http::{Response, StatusCode, Uri, Version};
use http_body_util::Full;
use serde_json::Map;

use super::recorder::{Recorder, Routing};
use super::reply::Reply;
use super::tally::Dropped;
use crate::exchange::Protocol;
use crate::net::{Target, TargetError, framing_is_sound, host_header, problem};

/// How the client addresses an upstream; redirects are rewritten accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReachedBy {
    /// By a path that contains the URL.
    Path,
    /// By the path only, with a fixed target.
    Fixed,
    /// By its own name, as through a proxy; redirects need no change.
    OwnName,
}

/// The target of a request.
pub(super) struct Routed {
    pub(super) target: Target,
    /// The path and query for the target.
    pub(super) uri: Uri,
    pub(super) reached_by: ReachedBy,
}

/// Why a request is not forwarded.
pub(super) struct Rejected {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Rejected {
    pub(super) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Rejected { status, title, detail: detail.into() }
    }
}

impl From<TargetError> for Rejected {
    fn from(error: TargetError) -> Self {
        Rejected::new(StatusCode::BAD_REQUEST, "No target", error.to_string())
    }
}

/// The target of a request in a tunnel: the host that the tunnel was opened to.
fn in_tunnel(parts: &Parts, origin: &Target) -> Result<Target, Rejected> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let target = origin.with_path(path);
    if let Some(host) = host_header(parts)? {
        let named = Target::from_url(&format!("{}://{host}/", origin.protocol.as_str()))?;
        if !named.same_origin(origin) {
            let why = format!("this tunnel is for {}, not for {host}", origin.host);
            return Err(Rejected::new(StatusCode::MISDIRECTED_REQUEST, "Other target", why));
        }
    }
    Ok(target)
}

/// True if the client prefers an HTML page to JSON.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.split([',', ';']).any(|media| media.trim() == "text/html"))
}

/// An error page for people. It loads no resources and runs no scripts.
fn page(status: StatusCode, title: &str, detail: &str) -> Response<Full<Bytes>> {
    let escaped = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!(
        "<!doctype html><meta charset=utf-8><title>hmt-record: {title}</title>\
         <h1>{title}</h1><p>This is hmt-record, a recording proxy. {escaped}.</p>\n"
    );
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

fn origin(target: &Target) -> String {
    format!("{}://{}", target.protocol.as_str(), target.host)
}

/// True if a `Via` header contains this hop.
fn lists_hop(via: &HeaderValue, hop: &HeaderValue) -> bool {
    via.as_bytes().split(|&byte| byte == b',').any(|one| one.trim_ascii() == hop.as_bytes())
}

impl Recorder {
    /// The target of a request, with path and query, if it is allowed. `tunnel` is the origin of
    /// the tunnel that the request came through.
    pub(super) fn route(&self, parts: &Parts, tunnel: Option<&Target>) -> Result<Routed, Rejected> {
        self.check_head(parts)?;
        let (target, reached_by) = match tunnel {
            Some(origin) => (in_tunnel(parts, origin)?, ReachedBy::OwnName),
            None => self.target(parts)?,
        };
        self.check_name(&target)?;
        // The path is usually the requested one, which is already parsed.
        let asked = parts.uri.path_and_query().filter(|path| **path == *target.path_and_query);
        let uri = match asked.cloned() {
            Some(path) => Ok(path.into()),
            None => target.path_and_query.parse(),
        };
        let uri = uri.map_err(|_: http::uri::InvalidUri| {
            let why = format!("{:?} is not a path", target.path_and_query);
            Rejected::new(StatusCode::BAD_REQUEST, "No target", why)
        })?;
        Ok(Routed { target, uri, reached_by })
    }

    /// Checks that apply to every request, whatever its target.
    pub(super) fn check_head(&self, parts: &Parts) -> Result<(), Rejected> {
        if self.journal.is_gone() {
            let why = "the recorder can no longer write records and is ending";
            return Err(Rejected::new(StatusCode::SERVICE_UNAVAILABLE, "Ending", why));
        }
        if !framing_is_sound(&parts.headers) {
            let why = "only Transfer-Encoding: chunked is accepted";
            return Err(Rejected::new(StatusCode::BAD_REQUEST, "Ambiguous message length", why));
        }
        host_header(parts)?;
        if let Some(own) = &self.via
            && parts.headers.get_all(VIA).iter().any(|via| lists_hop(via, own))
        {
            let why = "this request has already passed through this recorder";
            return Err(Rejected::new(StatusCode::LOOP_DETECTED, "Loop", why));
        }
        Ok(())
    }

    pub(super) fn check_name(&self, target: &Target) -> Result<(), Rejected> {
        self.connector.policy.check_name(target).map_err(|refusal| {
            let why = format!("{}: {refusal}", target.host);
            Rejected::new(StatusCode::FORBIDDEN, "Refused target", why)
        })
    }

    fn target(&self, parts: &Parts) -> Result<(Target, ReachedBy), Rejected> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // In HTTP/2 every target is a URL, whose authority is what `Host` is in HTTP/1 (RFC 9113
        // section 8.3.1).
        let absolute = Target::absolute(&parts.uri).filter(|_| parts.version < Version::HTTP_2);
        match (&self.routing, absolute.transpose()?) {
            (Routing::Fixed(fixed), Some(absolute)) if !absolute.same_origin(fixed) => {
                let (asked, fixed) = (origin(&absolute), origin(fixed));
                let why = format!(
                    "the request is for {asked}, but --target sends all requests to {fixed}; start a recorder without --target for other targets"
                );
                Err(Rejected::new(StatusCode::FORBIDDEN, "Other target", why))
            }
            (_, Some(absolute)) => Ok((absolute, ReachedBy::OwnName)),
            (Routing::Fixed(fixed), None) if path == "*" => {
                Ok((Target { path_and_query: path.to_owned(), ..fixed.clone() }, ReachedBy::Fixed))
            }
            (Routing::Fixed(fixed), None) => Ok((fixed.join(path), ReachedBy::Fixed)),
            (Routing::Header, None) => {
                Ok((Target::in_headers(parts, Protocol::Http)?, ReachedBy::OwnName))
            }
            (Routing::Path, None) => match Target::in_path(path) {
                Some(target) => Ok((target?, ReachedBy::Path)),
                None => {
                    Err(TargetError::NotInPath(self.shown_path(parts.uri.path()).into_owned())
                        .into())
                }
            },
        }
    }

    /// Answers a request that is not forwarded, and closes the connection, because its further
    /// bytes cannot be trusted.
    pub(super) fn reject(&self, rejected: Rejected) -> Response<Reply> {
        self.reject_to(rejected, false)
    }

    /// The same, with an HTML page for browsers.
    pub(super) fn reject_to(&self, rejected: Rejected, for_browser: bool) -> Response<Reply> {
        self.tally.discard(Dropped::Refused);
        let Rejected { status, title, detail } = rejected;
        self.problems.report(title, "", || {
            format!("a request was refused with {}: {detail}", status.as_u16())
        });
        let mut response = match for_browser {
            true => page(status, title, &detail),
            false => problem(status, title, &detail, Map::new()),
        }
        .map(Reply::Own);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
