//! Where a request goes, or why it goes nowhere.

use http::header::{CONNECTION, HeaderValue, VIA};
use http::request::Parts;
use http::{Response, StatusCode, Uri};
use serde_json::Map;

use super::recorder::{Recorder, Routing};
use super::reply::Reply;
use super::tally::Dropped;
use crate::exchange::Protocol;
use crate::net::{Target, TargetError, framing_is_sound, host_header, problem};

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

impl Recorder {
    /// The target of a request, and its path and query, if it may be asked. `tunnel` is the origin of the
    /// tunnel that it came through.
    pub(super) fn route(
        &self,
        parts: &Parts,
        tunnel: Option<&Target>,
    ) -> Result<(Target, Uri), Rejected> {
        self.check_head(parts)?;
        let target = match tunnel {
            Some(origin) => in_tunnel(parts, origin)?,
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
        Ok((target, uri))
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
        if parts.headers.get_all(VIA).iter().any(|via| self.is_own(via)) {
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

    fn target(&self, parts: &Parts) -> Result<Target, Rejected> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let absolute = Target::absolute(&parts.uri).transpose()?;
        match (&self.routing, absolute) {
            (Routing::Fixed(fixed), Some(absolute)) if !absolute.same_origin(fixed) => {
                let why = format!("all requests go to {}", fixed.host);
                Err(Rejected::new(StatusCode::FORBIDDEN, "Other target", why))
            }
            (_, Some(absolute)) => Ok(absolute),
            (Routing::Fixed(fixed), None) if path == "*" => {
                Ok(Target { path_and_query: path.to_owned(), ..fixed.clone() })
            }
            (Routing::Fixed(fixed), None) => Ok(fixed.join(path)),
            (Routing::Header, None) => Ok(Target::in_headers(parts, Protocol::Http)?),
            (Routing::Path, None) => match Target::in_path(path) {
                Some(target) => Ok(target?),
                None => Err(TargetError::NotInPath(path.to_owned()).into()),
            },
        }
    }

    fn is_own(&self, via: &HeaderValue) -> bool {
        let own = self.via.as_bytes();
        via.as_bytes().split(|&byte| byte == b',').any(|hop| hop.trim_ascii() == own)
    }

    /// Answers what is not forwarded, and closes the connection: what else comes on it is doubtful.
    pub(super) fn reject(&self, rejected: Rejected) -> Response<Reply> {
        self.tally.discard(Dropped::Refused);
        let Rejected { status, title, detail } = rejected;
        let mut response = problem(status, title, &detail, Map::new()).map(Reply::Own);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
