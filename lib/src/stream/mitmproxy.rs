//! Flow files of mitmproxy (`mitmdump -w FILE`): one tagged netstring per flow
//! (mitmproxy/io/io.py).

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use percent_encoding::{CONTROLS, percent_encode};

use super::MAX_LINE;
use super::capture::{CaptureEntry, CaptureReader, authority, decoded, method};
use super::tnetstring::{self, Value};
use crate::exchange::{
    Body, Exchange, LineError, Meta, Pairs, Protocol, Request, RequestTarget, Response, Side,
    header, place, timestamp,
};

/// Maximum number of digits in the length of a flow.
const DIGITS: usize = 12;

/// `LENGTH:LENGTH:` and a letter: a dictionary begins with the name of its first key. Times like
/// 12:34:56 do not match.
pub(super) fn begins(head: &[u8]) -> bool {
    let mut rest = head;
    for _ in 0..2 {
        let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || rest.get(digits) != Some(&b':') {
            return false;
        }
        rest = &rest[digits + 1..];
    }
    rest.first().is_some_and(u8::is_ascii_alphabetic)
}

/// The flows of one file.
pub(super) struct Flows {
    input: Box<dyn Read + Send>,
    ended: bool,
}

impl Flows {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Flows { input: Box::new(io::BufReader::with_capacity(64 << 10, input)), ended: false }
    }

    /// The length of the next flow; `None` at the end, an error if there is no length.
    fn length(&mut self) -> io::Result<Option<Result<u64, CaptureEntry>>> {
        let mut digits = String::new();
        loop {
            let mut byte = [0];
            match read_up_to(&mut self.input, &mut byte)? {
                0 if digits.is_empty() => return Ok(None),
                0 => return Ok(Some(Err(CaptureEntry::Cut))),
                _ => {}
            }
            match byte[0] {
                b':' if !digits.is_empty() => break,
                digit @ b'0'..=b'9' if digits.len() < DIGITS => digits.push(char::from(digit)),
                b'\n' | b'\r' if digits.is_empty() => {}
                _ => {
                    let why = "this flow file is damaged here; the rest cannot be read";
                    self.ended = true;
                    return Ok(Some(Err(CaptureEntry::Rejected(LineError::new(why, 0)))));
                }
            }
        }
        Ok(digits.parse().ok().map(Ok))
    }
}

impl CaptureReader for Flows {
    fn next(&mut self) -> io::Result<CaptureEntry> {
        if self.ended {
            return Ok(CaptureEntry::End);
        }
        let length = match self.length()? {
            None => {
                self.ended = true;
                return Ok(CaptureEntry::End);
            }
            Some(Err(step)) => return Ok(step),
            Some(Ok(length)) => length,
        };
        // The type follows the data.
        let whole = length + 1;
        if length > MAX_LINE as u64 {
            let passed = io::copy(&mut self.input.by_ref().take(whole), &mut io::sink())?;
            return Ok(if passed < whole {
                CaptureEntry::Cut
            } else {
                CaptureEntry::TooLong(length)
            });
        }
        let mut flow = Vec::new();
        let outcome = self.input.by_ref().take(whole).read_to_end(&mut flow);
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            _ if (flow.len() as u64) < whole => return Ok(CaptureEntry::Cut),
            _ => {}
        }
        let tag = flow.pop().unwrap_or_default();
        Ok(match tnetstring::read(&flow, tag) {
            Some(flow) => exchange(&flow).unwrap_or_else(CaptureEntry::Rejected),
            None => CaptureEntry::Rejected(LineError::new("this flow is damaged", 0)),
        })
    }
}

/// Truncated compressed data counts as the end.
fn read_up_to(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            outcome => return outcome,
        }
    }
}

/// A flow as an exchange.
fn exchange(flow: &Value<'_>) -> Result<CaptureEntry, LineError> {
    let kind = flow.get("type").and_then(Value::bytes).map(text).unwrap_or_default();
    if kind != "http" {
        let kind = if kind.is_empty() { "flow without a type".to_owned() } else { kind };
        return Ok(CaptureEntry::PassedOver(kind));
    }
    if matches!(flow.get("websocket"), Some(Value::Dict(_))) {
        return Ok(CaptureEntry::PassedOver("websocket".to_owned()));
    }
    let Some(asked) = flow.get("request") else {
        return Err(LineError::new("the flow has no request", 0));
    };
    let mut meta = Meta::default();
    let field = |name: &str| asked.get(name).and_then(Value::bytes).unwrap_or_default();
    let name = text(field("method"));
    if name.eq_ignore_ascii_case("connect") {
        return Ok(CaptureEntry::PassedOver("connect".to_owned()));
    }
    // The HTTP/2 preface on a port where mitmproxy expects HTTP/1 (RFC 9113, 3.4).
    if name == "PRI" && field("path").ends_with(b"*") {
        return Ok(CaptureEntry::PassedOver("http/2 preface".to_owned()));
    }
    let method = method(&name, &mut meta)?;
    let protocol = match field("scheme") {
        b"https" => Protocol::Https,
        _ => Protocol::Http,
    };
    let headers = headers(asked, &mut meta.request_header_bytes);
    let port = asked.get("port").and_then(Value::number).map(|port| port as u64);
    let host =
        named_host(&text(field("host")), port, &text(field("authority")), &headers, protocol);
    // Non-ASCII bytes are percent-encoded, as in lines.
    let path = percent_encode(field("path"), CONTROLS).to_string();
    let RequestTarget { pathname, query, wire_query, .. } =
        place(None, Some(path.into()), None, None, Pairs::new(), &headers);
    let (body, truncated) = body(asked, &headers);
    meta.truncated_request = truncated;
    meta.request_trailers = trailers(asked);
    let start = time_of(asked, "timestamp_start");
    let request = Request {
        method,
        protocol,
        host: host.into(),
        pathname,
        query,
        wire_query: wire_query.map(|query| query.into_owned().into()),
        headers,
        body,
        timestamp: start.and_then(written).map(Into::into),
    };
    let failed = flow.get("error").and_then(|error| error.get("msg")).and_then(Value::bytes);
    let answered = flow.get("response").filter(|response| matches!(response, Value::Dict(_)));
    let response = match answered {
        Some(answered) => {
            let end = time_of(answered, "timestamp_end");
            meta.duration_ms = match (start, end) {
                (Some(start), Some(end)) if end >= start => Some((end - start) * 1000.0),
                _ => None,
            };
            if failed.is_some() {
                meta.incomplete = Some(Side::Upstream);
            }
            Some(response(answered, &mut meta)?)
        }
        None => {
            let why = failed.map_or_else(|| "no response in the flow".to_owned(), text);
            meta.error = Some(why.into());
            None
        }
    };
    Ok(CaptureEntry::Exchange(Box::new(Exchange { request, response, meta })))
}

fn response(
    answered: &Value<'_>,
    meta: &mut Meta<'static>,
) -> Result<Response<'static>, LineError> {
    let number = answered.get("status_code").and_then(Value::number).unwrap_or_default();
    if !(100.0..=999.0).contains(&number) {
        return Err(LineError::new(format!("the status {number} is not 100 to 999"), 0));
    }
    let status = number as u16;
    let headers = headers(answered, &mut meta.response_header_bytes);
    let version = answered.get("http_version").and_then(Value::bytes).unwrap_or_default();
    let reason = answered.get("reason").and_then(Value::bytes).map(text).unwrap_or_default();
    let standard = http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    // Later versions of HTTP have no reason phrase.
    if version.starts_with(b"HTTP/1") && standard != Some(reason.as_str()) {
        meta.reason = Some(reason.into());
    }
    let (body, truncated) = body(answered, &headers);
    meta.truncated_response = truncated;
    meta.trailers = trailers(answered);
    let end = time_of(answered, "timestamp_end");
    Ok(Response { status, headers, body, timestamp: end.and_then(written).map(Into::into) })
}

/// The host that the client requested. A transparent proxy only sees the address of the connection.
fn named_host(
    host: &str,
    port: Option<u64>,
    authority_of_h2: &str,
    headers: &Pairs<'_>,
    protocol: Protocol,
) -> String {
    let named = match authority_of_h2 {
        "" => header(headers, "host").unwrap_or_default(),
        authority => authority,
    };
    let (name, own_port) = match named.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port.parse().ok()),
        _ => (named, None),
    };
    let is_address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_address(host) && !name.is_empty() && !is_address(name) && !name.contains(':') {
        return authority(name, own_port.or(port), protocol);
    }
    authority(host, port, protocol)
}

fn headers(
    message: &Value<'_>,
    not_utf8: &mut Vec<(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, [u8]>)>,
) -> Pairs<'static> {
    let mut pairs = Pairs::new();
    for pair in message.get("headers").map(Value::items).unwrap_or_default() {
        let [name, value] = pair.items() else { continue };
        let (Some(name), Some(value)) = (name.bytes(), value.bytes()) else { continue };
        let name = text(name).to_ascii_lowercase();
        if name.is_empty() || name.starts_with(':') {
            continue;
        }
        let value = match std::str::from_utf8(value) {
            Ok(value) => value.to_owned(),
            Err(_) => {
                not_utf8.push((name.clone().into(), value.to_vec().into()));
                value.iter().map(|byte| char::from(*byte)).collect()
            }
        };
        pairs.push((name.into(), value.into()));
    }
    pairs
}

fn trailers(message: &Value<'_>) -> Pairs<'static> {
    let all = message.get("trailers").map(Value::items).unwrap_or_default();
    let pair = |pair: &Value<'_>| match pair.items() {
        [name, value] => {
            let name = text(name.bytes()?).to_ascii_lowercase();
            Some((name.into(), text(value.bytes()?).into()))
        }
        _ => None,
    };
    all.iter().filter_map(pair).collect()
}

/// The body, or its size if it was not kept: mitmproxy does not keep streamed bodies.
fn body(message: &Value<'_>, headers: &Pairs<'_>) -> (Body<'static>, Option<u64>) {
    match message.get("content") {
        Some(Value::Bytes(bytes)) => decoded(bytes, headers),
        _ => {
            let size = header(headers, "content-length").and_then(|size| size.trim().parse().ok());
            (Body::Empty, Some(size.unwrap_or(0)))
        }
    }
}

fn time_of(message: &Value<'_>, name: &str) -> Option<f64> {
    message.get(name).and_then(Value::number)
}

fn written(seconds: f64) -> Option<String> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Some(timestamp(SystemTime::UNIX_EPOCH.checked_add(since)?))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
