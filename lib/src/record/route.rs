//! Where a request goes, or why it goes nowhere.

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

/// How a client reaches an upstream here, which decides where redirects lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// By a path that names it.
    Path,
    /// By the path alone.
    Fixed,
    /// By its own name, as through a proxy.
    Away,
}

/// Where a request goes.
pub(super) struct Routed {
    pub(super) target: Target,
    /// Its path and query.
    pub(super) uri: Uri,
    pub(super) lead: Lead,
}

/// Why a request goes nowhere.
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

/// The target of a request within a tunnel: the host that the tunnel was opened to.
fn in_tunnel(parts: &Parts, origin: &Target) -> Result<Target, Rejected> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let target = origin.with_path(path);
    if let Some(host) = host_header(parts)? {
        let named = Target::from_url(&format!("{}://{host}/", origin.protocol.as_str()))?;
        if !named.same_origin(origin) {
            let why = format!("this tunnel leads to {}, not to {host}", origin.host);
            return Err(Rejected::new(StatusCode::MISDIRECTED_REQUEST, "Other target", why));
        }
    }
    Ok(target)
}

/// True where the client would rather have a page than JSON.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.split([',', ';']).any(|media| media.trim() == "text/html"))
}

/// An error of ours for people. It loads nothing and runs nothing.
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

/// True where a `Via` header lists this hop.
fn names(via: &HeaderValue, hop: &HeaderValue) -> bool {
    via.as_bytes().split(|&byte| byte == b',').any(|one| one.trim_ascii() == hop.as_bytes())
}

impl Recorder {
    /// The target of a request, and its path and query, if it may be asked. `tunnel` is the origin of the
    /// tunnel that it came through.
    pub(super) fn route(&self, parts: &Parts, tunnel: Option<&Target>) -> Result<Routed, Rejected> {
        self.check_head(parts)?;
        let (target, lead) = match tunnel {
            Some(origin) => (in_tunnel(parts, origin)?, Lead::Away),
            None => self.target(parts)?,
        };
        self.check_name(&target)?;
        // Mostly it is the path that was asked for, which need not be looked through again.
        let asked = parts.uri.path_and_query().filter(|path| **path == *target.path_and_query);
        let uri = match asked.cloned() {
            Some(path) => Ok(path.into()),
            None => target.path_and_query.parse(),
        };
        let uri = uri.map_err(|_: http::uri::InvalidUri| {
            let why = format!("{:?} is no path", target.path_and_query);
            Rejected::new(StatusCode::BAD_REQUEST, "No target", why)
        })?;
        Ok(Routed { target, uri, lead })
    }

    /// What must hold of every request, whatever its target.
    pub(super) fn check_head(&self, parts: &Parts) -> Result<(), Rejected> {
        if self.journal.is_gone() {
            let why = "the recorder has no sink left and is about to end";
            return Err(Rejected::new(StatusCode::SERVICE_UNAVAILABLE, "Ending", why));
        }
        if !framing_is_sound(&parts.headers) {
            let why = "only Transfer-Encoding: chunked is accepted";
            return Err(Rejected::new(StatusCode::BAD_REQUEST, "Unclear framing", why));
        }
        host_header(parts)?;
        if let Some(own) = &self.via
            && parts.headers.get_all(VIA).iter().any(|via| names(via, own))
        {
            let why = "this request has passed this recorder already";
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

    fn target(&self, parts: &Parts) -> Result<(Target, Lead), Rejected> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // Over HTTP/2 every target is a URL, whose host is what `Host` says elsewhere (RFC 9113 section 8.3.1).
        let absolute = Target::absolute(&parts.uri).filter(|_| parts.version < Version::HTTP_2);
        match (&self.routing, absolute.transpose()?) {
            (Routing::Fixed(fixed), Some(absolute)) if !absolute.same_origin(fixed) => {
                let (asked, fixed) = (origin(&absolute), origin(fixed));
                let why = format!(
                    "the request is for {asked}, but --target sends all requests to {fixed}; start a recorder without --target for other targets"
                );
                Err(Rejected::new(StatusCode::FORBIDDEN, "Other target", why))
            }
            (_, Some(absolute)) => Ok((absolute, Lead::Away)),
            (Routing::Fixed(fixed), None) if path == "*" => {
                Ok((Target { path_and_query: path.to_owned(), ..fixed.clone() }, Lead::Fixed))
            }
            (Routing::Fixed(fixed), None) => Ok((fixed.join(path), Lead::Fixed)),
            (Routing::Header, None) => Ok((Target::in_headers(parts, Protocol::Http)?, Lead::Away)),
            (Routing::Path, None) => match Target::in_path(path) {
                Some(target) => Ok((target?, Lead::Path)),
                None => {
                    Err(TargetError::NotInPath(self.shown_path(parts.uri.path()).into_owned())
                        .into())
                }
            },
        }
    }

    /// Answers what is not forwarded, and closes the connection: what else comes on it is doubtful.
    pub(super) fn reject(&self, rejected: Rejected) -> Response<Reply> {
        self.reject_to(rejected, false)
    }

    /// The same, as a page for people where a browser asks.
    pub(super) fn reject_to(&self, rejected: Rejected, for_browser: bool) -> Response<Reply> {
        self.tally.discard(Dropped::Refused);
        let Rejected { status, title, detail } = rejected;
        self.trouble.report(title, "", || {
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
