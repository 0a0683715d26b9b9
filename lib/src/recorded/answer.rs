//! An exact answer: status and reason, end-to-end headers, decoded body, trailers, and timing.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::exchange::{BytePairs, Exchange, Meta, Method, Pairs, Response, Side, header};

/// The answer that is sent for a recorded response.
#[derive(Clone, Debug)]
pub struct RecordedAnswer {
    /// The status, 200 to 999.
    pub status: StatusCode,
    /// The reason phrase, if it is not the standard one.
    pub reason: Option<Bytes>,
    /// The recorded end-to-end headers without content-encoding, content-length and date. The body
    /// is stored decoded, and the server sets the other two itself.
    pub headers: HeaderMap,
    /// The decoded body.
    pub body: Bytes,
    /// The trailers after the body.
    pub trailers: HeaderMap,
    /// The content length that the response to a HEAD announced for GET.
    pub head_length: Option<u64>,
    /// For a body in chunks: when each chunk arrived, from the start of the body, and its size. The
    /// sizes add up to the body.
    pub chunks: Vec<(Duration, usize)>,
    /// The time until the recorded response began, if known.
    pub latency: Option<Duration>,
    /// Whether the recorded message ended early. It is sent so that the client notices.
    pub cut: bool,
    /// The time of the recording.
    pub(super) at: Option<OffsetDateTime>,
    /// The number within the recorder's run.
    pub(super) seq: Option<u64>,
}

/// Why an exchange has no response that can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The request got no response.
    #[error("it has no response")]
    NoResponse,
    /// Only a part of the response's body was recorded.
    #[error(
        "its response was recorded incompletely; raise hmt-record --max-body to record longer bodies"
    )]
    Truncated,
    /// The status is not that of a final response.
    #[error("its status is not a final one (200 to 999)")]
    Status,
}

impl RecordedAnswer {
    /// The answer of an exchange, and the number of headers that were left out because no HTTP
    /// message can carry them.
    ///
    /// # Errors
    /// The reason why there is no answer.
    pub fn of_exchange(exchange: &Exchange<'_>) -> Result<(RecordedAnswer, u64), Unanswerable> {
        let response = exchange.response.as_ref().ok_or(Unanswerable::NoResponse)?;
        let meta = &exchange.meta;
        if meta.truncated_response.is_some() {
            return Err(Unanswerable::Truncated);
        }
        let headers = bytes_of(&response.headers, &meta.response_header_bytes);
        let body = Bytes::copy_from_slice(response.body.as_bytes());
        let (mut answer, dropped) = RecordedAnswer::new(response.status, headers, body)?;
        if let Some(encoding) = still_encoded(response) {
            answer.headers.insert(CONTENT_ENCODING, encoding);
        }
        answer.reason = meta.reason.as_deref().map(reason_bytes);
        // Trailer fields that are not allowed in headers were not on the wire either.
        answer.trailers = end_to_end(bytes_of(&meta.trailers, &Vec::new())).0;
        if exchange.request.method == Method::Head {
            answer.head_length = header(&response.headers, "content-length")
                .and_then(|length| length.trim().parse().ok());
        }
        answer.chunks = chunks(meta, answer.body.len());
        answer.latency = latency(meta);
        answer.cut = is_cut(exchange, response);
        answer.seq = meta.seq;
        answer.at = response.timestamp.as_deref().and_then(instant);
        Ok((answer, dropped))
    }

    /// An answer, and the number of headers that were left out.
    pub(super) fn new<'h>(
        status: u16,
        headers: impl Iterator<Item = (&'h str, Cow<'h, [u8]>)>,
        body: Bytes,
    ) -> Result<(RecordedAnswer, u64), Unanswerable> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| !status.is_informational())
            .ok_or(Unanswerable::Status)?;
        let (headers, dropped) = end_to_end(headers);
        let answer = RecordedAnswer {
            status,
            reason: None,
            headers,
            body,
            trailers: HeaderMap::new(),
            head_length: None,
            chunks: Vec::new(),
            latency: None,
            cut: false,
            at: None,
            seq: None,
        };
        Ok((answer, dropped))
    }
}

/// An RFC 3339 time; `None` for anything else, which does not affect the order.
pub(super) fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// The bytes of a reason phrase, which was decoded as UTF-8 if valid and otherwise as ISO 8859-1.
fn reason_bytes(reason: &str) -> Bytes {
    Bytes::copy_from_slice(reason.as_bytes())
}

/// Headers with their values as on the wire. Values that are not text are also in `exact`, in the
/// same order.
pub(super) fn bytes_of<'h>(
    headers: &'h Pairs<'_>,
    exact: &'h BytePairs<'_>,
) -> impl Iterator<Item = (&'h str, Cow<'h, [u8]>)> {
    headers.iter().map(move |(name, value)| {
        let same = exact.iter().filter(|(own, _)| own == name);
        // The text of such a value is its bytes decoded as ISO 8859-1.
        let bytes = same.map(|(_, bytes)| bytes.as_ref()).find(|bytes| {
            bytes.len() == value.chars().count()
                && bytes.iter().zip(value.chars()).all(|(byte, c)| char::from(*byte) == c)
        });
        let value = bytes.map_or(Cow::Borrowed(value.as_bytes()), Cow::Borrowed);
        (name.as_ref(), value)
    })
}

/// The Content-Encoding of a body that is still encoded in the record, because the recorder does
/// not know the coding or could not decode it.
fn still_encoded(response: &Response<'_>) -> Option<HeaderValue> {
    let encoding = header(&response.headers, "content-encoding")?;
    let body = response.body.as_bytes();
    let mut codings = encoding.split(',').map(str::trim);
    let is_encoded = codings.any(|coding| match coding.to_ascii_lowercase().as_str() {
        // The magic numbers of RFC 1952, 2.3.1, and RFC 8878, 3.1.1.
        "gzip" | "x-gzip" => body.starts_with(&[0x1f, 0x8b]),
        "zstd" => body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
        "deflate" | "br" | "identity" | "" => false,
        _ => !body.is_empty(),
    });
    is_encoded.then(|| HeaderValue::from_str(encoding).ok())?
}

/// The chunks, if they add up to the body that is sent. The chunks of an encoded body do not.
fn chunks(meta: &Meta<'_>, body: usize) -> Vec<(Duration, usize)> {
    let chunk = |(ms, bytes): &(f64, u64)| {
        Some((Duration::try_from_secs_f64(ms / 1000.0).ok()?, usize::try_from(*bytes).ok()?))
    };
    let chunks: Option<Vec<_>> = meta.chunks.iter().map(chunk).collect();
    let chunks = chunks.unwrap_or_default();
    let sum = chunks.iter().try_fold(0_usize, |sum, (_, bytes)| sum.checked_add(*bytes));
    if sum == Some(body) { chunks } else { Vec::new() }
}

/// The time until the first byte of the body, or to its end if the chunks are unknown.
fn latency(meta: &Meta<'_>) -> Option<Duration> {
    let body = meta.chunks.last().map_or(0.0, |(ms, _)| *ms);
    let ms = meta.duration_ms? - body;
    Duration::try_from_secs_f64(ms.max(0.0) / 1000.0).ok()
}

/// Whether a message ended early. Leaving an event stream is normal for a client. For other
/// messages that a client left, the length decides.
fn is_cut(exchange: &Exchange<'_>, response: &Response<'_>) -> bool {
    match exchange.meta.incomplete {
        None => false,
        Some(Side::Upstream) => true,
        Some(Side::Client) => {
            let value = |name| header(&response.headers, name);
            let length = value("content-length").and_then(|length| length.trim().parse().ok());
            let is_stream = value(CONTENT_TYPE.as_str())
                .is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"));
            let decoded = value("content-encoding").is_some();
            let recorded = response.body.as_bytes().len();
            !is_stream && (decoded || length != Some(recorded))
        }
    }
}

/// Leaves out hop-by-hop headers (RFC 9110, 7.6.1), headers that the replaying server sets, and
/// invalid ones, for instance with a line break in the value. The invalid ones are counted.
fn end_to_end<'h>(headers: impl Iterator<Item = (&'h str, Cow<'h, [u8]>)>) -> (HeaderMap, u64) {
    let mut map = HeaderMap::new();
    let mut dropped = 0;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        match (name, HeaderValue::from_bytes(&value)) {
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
    use crate::exchange::Body;

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
        let headers = headers.map(|(name, value)| (name, Cow::Borrowed(value.as_bytes())));
        let (answer, dropped) =
            RecordedAnswer::new(200, headers.into_iter(), Bytes::new()).unwrap();
        assert_eq!(dropped, 2);
        assert_eq!(answer.headers.len(), 2);
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn refuses_what_is_no_final_answer() {
        let none = std::iter::empty();
        assert_eq!(RecordedAnswer::new(101, none, Bytes::new()).unwrap_err(), Unanswerable::Status);
    }

    fn exchange(
        headers: &[(&'static str, &'static str)],
        body: &'static [u8],
    ) -> Exchange<'static> {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let response = Response {
            status: 200,
            headers: headers.collect(),
            body: Body::lent(body),
            ..Response::default()
        };
        Exchange { response: Some(response), ..Exchange::default() }
    }

    fn answer(exchange: &Exchange<'_>) -> RecordedAnswer {
        RecordedAnswer::of_exchange(exchange).expect("an answer").0
    }

    #[test]
    fn header_bytes_reason_and_trailers_are_kept() {
        let mut exchange = exchange(&[("x-name", "Andr\u{e9}"), ("x-name", "Andre")], b"");
        exchange.meta.response_header_bytes = vec![("x-name".into(), b"Andr\xe9"[..].into())];
        exchange.meta.reason = Some("Fine".into());
        exchange.meta.trailers = vec![("grpc-status".into(), "0".into())];
        let answer = answer(&exchange);
        let values: Vec<_> =
            answer.headers.get_all("x-name").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"Andr\xe9"[..], b"Andre"]);
        assert_eq!(answer.reason.as_deref(), Some(&b"Fine"[..]));
        assert_eq!(answer.trailers["grpc-status"], "0");
    }

    #[test]
    fn chunks_count_where_they_add_up() {
        let mut exchange = exchange(&[], b"abcdef");
        exchange.meta.chunks = vec![(0.0, 2), (50.0, 4)];
        exchange.meta.duration_ms = Some(80.0);
        let answer = answer(&exchange);
        assert_eq!(answer.chunks, [(Duration::ZERO, 2), (Duration::from_millis(50), 4)]);
        assert_eq!(answer.latency, Some(Duration::from_millis(30)));
        exchange.meta.chunks = vec![(0.0, 2), (50.0, 5)];
        assert!(RecordedAnswer::of_exchange(&exchange).expect("an answer").0.chunks.is_empty());
    }

    #[test]
    fn a_message_that_was_cut_is_told_apart() {
        let cut = |headers: &[_], side| {
            let mut exchange = exchange(headers, b"abc");
            exchange.meta.incomplete = side;
            answer(&exchange).cut
        };
        assert!(!cut(&[], None));
        assert!(cut(&[], Some(Side::Upstream)));
        assert!(cut(&[("content-length", "9")], Some(Side::Client)));
        assert!(!cut(&[("content-length", "3")], Some(Side::Client)));
        assert!(!cut(&[("content-type", "text/event-stream")], Some(Side::Client)));
    }

    #[test]
    fn a_coding_that_was_not_undone_is_kept() {
        let coding = |coding: &'static str, body: &'static [u8]| {
            answer(&exchange(&[("content-encoding", coding)], body))
                .headers
                .contains_key(CONTENT_ENCODING)
        };
        assert!(!coding("gzip", b"text") && coding("gzip", b"\x1f\x8b\x08"));
        assert!(!coding("br", b"\xff") && coding("compress", b"\x1f\x9d"));
    }
}
