//! An exact answer: status, end-to-end headers, decoded body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, DATE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::exchange::Exchange;

/// What is sent again for a recorded response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, 200 to 999.
    pub status: StatusCode,
    /// The recorded headers that go from end to end, but for content-encoding, content-length and date:
    /// the body is stored decoded, and the server sets the other two itself.
    pub headers: HeaderMap,
    /// The decoded body.
    pub body: Bytes,
    /// How long the recorded answer took, where that is known.
    pub latency: Option<Duration>,
    /// When it was recorded.
    pub(super) at: Option<OffsetDateTime>,
    /// Its number within the recorder's run.
    pub(super) seq: Option<u64>,
}

/// Why an exchange holds no answer that can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The request got no response.
    #[error("it has no response")]
    NoResponse,
    /// Only a part of the response's body was recorded.
    #[error("its response was not recorded whole")]
    Cut,
    /// A status that no server can send as the final one.
    #[error("its status is not a final one (200 to 999)")]
    Status,
}

impl Answer {
    /// The answer of an exchange, and the number of headers that had to be left out because no HTTP message can carry them.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of_exchange(exchange: &Exchange<'_>) -> Result<(Answer, u64), Unanswerable> {
        let response = exchange.response.as_ref().ok_or(Unanswerable::NoResponse)?;
        if exchange.meta.truncated_response.is_some()
            || exchange.meta.incomplete.is_some_and(|side| side == crate::exchange::Side::Upstream)
        {
            return Err(Unanswerable::Cut);
        }
        let headers = response.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let body = Bytes::copy_from_slice(response.body.as_bytes());
        let (mut answer, dropped) = Answer::new(response.status, headers, body)?;
        answer.seq = exchange.meta.seq;
        answer.at = response.timestamp.as_deref().and_then(instant);
        answer.latency =
            exchange.meta.duration_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        Ok((answer, dropped))
    }

    /// An answer, and the number of headers that had to be left out.
    pub(super) fn new<'h>(
        status: u16,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        body: Bytes,
    ) -> Result<(Answer, u64), Unanswerable> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| !status.is_informational())
            .ok_or(Unanswerable::Status)?;
        let (headers, dropped) = end_to_end(headers);
        Ok((Answer { status, headers, body, latency: None, at: None, seq: None }, dropped))
    }
}

/// An RFC 3339 time; `None` for anything else, which then has no say in the order.
pub(super) fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Leaves out what belongs to one hop or to the server that sends the answer now (RFC 9110, 7.6.1), and
/// what cannot stand in a message (a line break in a value, say); the latter is counted.
fn end_to_end<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> (HeaderMap, u64) {
    let mut map = HeaderMap::new();
    let mut dropped = 0;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        match (name, HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(name), Ok(value)) => {
                map.append(name, value);
            }
            _ => dropped += 1,
        }
    }
    let named: Vec<HeaderName> = map
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    let one_hop =
        [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE];
    let other = [
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        DATE,
    ];
    for name in one_hop.iter().chain(&other).chain(&named) {
        map.remove(name);
    }
    (map, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_end_to_end_headers_and_their_multiplicity() {
        let headers = [
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("content-length", "7"),
            ("content-encoding", "gzip"),
            ("date", "today"),
            ("transfer-encoding", "chunked"),
            ("x-split", "a\r\nset-cookie: evil=1"),
            ("bad name", "x"),
        ];
        let (answer, dropped) = Answer::new(200, headers.into_iter(), Bytes::new()).unwrap();
        assert_eq!(dropped, 2);
        assert_eq!(answer.headers.len(), 2);
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn refuses_what_is_no_final_answer() {
        let none = std::iter::empty();
        assert_eq!(Answer::new(101, none, Bytes::new()).unwrap_err(), Unanswerable::Status);
    }
}
