//! Sessions of the Charles proxy, exported as JSON (`.chlsj`): an array of transactions.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::capture::{CaptureEntry, CaptureReader, authority, decoded, method};
use super::scan::{Array, Scan, Scanned};
use crate::exchange::{
    Body, Exchange, LineError, Meta, Method, Pairs, Protocol, Request, RequestTarget, Response,
    header, later, place,
};

/// Keys that only a transaction has, and no HMT exchange.
pub(super) const KEYS: [&str; 5] = ["scheme", "host", "protocolVersion", "actualPort", "tunnel"];

/// The transactions of one session.
pub(super) struct Charles(Scan);

impl Charles {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Charles(Scan::new(input, Array::Whole))
    }
}

impl CaptureReader for Charles {
    fn next(&mut self) -> io::Result<CaptureEntry> {
        Ok(match self.0.next_entry()? {
            Scanned::End => CaptureEntry::End,
            Scanned::Torn => CaptureEntry::Cut,
            Scanned::TooLong(size) => CaptureEntry::TooLong(size),
            Scanned::Entry(text) => exchange(&text).unwrap_or_else(CaptureEntry::Rejected),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    /// `COMPLETE`, `FAILED`, …
    status: Option<String>,
    error_message: Option<String>,
    method: Option<String>,
    scheme: Option<String>,
    host: Option<String>,
    /// `null` for the default port of the scheme.
    port: Option<u64>,
    actual_port: Option<u64>,
    path: Option<String>,
    query: Option<String>,
    #[serde(default)]
    tunnel: bool,
    #[serde(default)]
    web_socket: bool,
    #[serde(default)]
    times: Times,
    #[serde(default)]
    durations: Durations,
    request: Option<Message>,
    response: Option<Message>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Times {
    start: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Durations {
    /// Milliseconds.
    total: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    status: Option<u64>,
    header: Head,
    body: Option<Content>,
    sizes: Sizes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    text: Option<String>,
    /// Base64 of binary content.
    encoded: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sizes {
    body: Option<i64>,
}

fn exchange(text: &[u8]) -> Result<CaptureEntry, LineError> {
    let transaction: Transaction = serde_json::from_slice(text)
        .map_err(|_| refuse("the transaction does not have the format of Charles".to_owned()))?;
    let name = transaction.method.unwrap_or_default();
    if transaction.tunnel || name.eq_ignore_ascii_case("connect") {
        return Ok(CaptureEntry::PassedOver("tunnel".to_owned()));
    }
    if transaction.web_socket {
        return Ok(CaptureEntry::PassedOver("websocket".to_owned()));
    }
    let scheme = transaction.scheme.unwrap_or_default().to_ascii_lowercase();
    let protocol = match scheme.as_str() {
        "https" | "" => Protocol::Https,
        "http" => Protocol::Http,
        _ => return Ok(CaptureEntry::PassedOver(scheme)),
    };
    let mut meta = Meta { duration_ms: transaction.durations.total, ..Meta::default() };
    let method = method(&name, &mut meta)?;
    let asked = transaction.request.unwrap_or_default();
    let headers = headers(&asked);
    let mut path = transaction.path.unwrap_or_default();
    if let Some(query) = transaction.query.filter(|_| !path.contains('?')) {
        path = format!("{path}?{query}");
    }
    let RequestTarget { pathname, query, wire_query, .. } =
        place(None, Some(path.into()), None, None, Pairs::new(), &headers);
    let port = transaction.port.or(transaction.actual_port);
    let host = match transaction.host {
        Some(host) if !host.is_empty() => authority(&host, port, protocol),
        _ => header(&headers, "host").unwrap_or_default().to_ascii_lowercase(),
    };
    let (body, truncated) = body(&asked, &headers);
    meta.truncated_request = truncated;
    let start = transaction.times.start;
    let request = Request {
        method,
        protocol,
        host: host.into(),
        pathname,
        query,
        wire_query: wire_query.map(|query| query.into_owned().into()),
        headers,
        body,
        timestamp: start.clone().map(Into::into),
    };
    let answered = transaction.response.filter(|response| response.status.unwrap_or(0) > 0);
    let response = match answered {
        Some(answered) => {
            let end = later(start.as_deref(), meta.duration_ms);
            Some(Response {
                timestamp: end.map(Into::into),
                ..response(&answered, method, &mut meta)?
            })
        }
        None => {
            let why = transaction.error_message.or(transaction.status).unwrap_or_default();
            meta.error = Some(format!("no response in the session: {why}").into());
            None
        }
    };
    Ok(CaptureEntry::Exchange(Box::new(Exchange { request, response, meta })))
}

fn response(
    answered: &Message,
    method: Method,
    meta: &mut Meta<'static>,
) -> Result<Response<'static>, LineError> {
    let number = answered.status.unwrap_or_default();
    let status = u16::try_from(number)
        .ok()
        .filter(|status| (100..=999).contains(status))
        .ok_or_else(|| refuse(format!("the status {number} is not 100 to 999")))?;
    let headers = headers(answered);
    let (body, truncated) = body(answered, &headers);
    if method != Method::Head {
        meta.truncated_response = truncated;
    }
    Ok(Response { status, headers, body, timestamp: None })
}

fn headers(message: &Message) -> Pairs<'static> {
    let listed = message.header.headers.iter().filter(|header| !header.name.starts_with(':'));
    listed
        .map(|header| {
            let value = header.value.clone().unwrap_or_default();
            (header.name.to_ascii_lowercase().into(), value.into())
        })
        .collect()
}

/// The body, or its size if it was not kept.
fn body(message: &Message, headers: &Pairs<'_>) -> (Body<'static>, Option<u64>) {
    let content = message.body.as_ref();
    if let Some(text) = content.and_then(|content| content.text.as_deref()) {
        return (Body::from_bytes(text.as_bytes().to_vec()), None);
    }
    if let Some(encoded) = content.and_then(|content| content.encoded.as_deref()) {
        return match STANDARD.decode(encoded.trim()) {
            // It may be decoded already.
            Ok(bytes) => match decoded(&bytes, headers) {
                (_, Some(_)) => (Body::from_bytes(bytes), None),
                whole => whole,
            },
            Err(_) => (Body::from_bytes(encoded.as_bytes().to_vec()), None),
        };
    }
    let size = message.sizes.body.and_then(|size| u64::try_from(size).ok());
    (Body::Empty, size.filter(|size| *size > 0))
}

fn refuse(message: String) -> LineError {
    LineError::new(message, 0)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn steps(text: &str) -> Vec<CaptureEntry> {
        let mut charles = Charles::new(Box::new(Cursor::new(text.to_owned())));
        let mut all = Vec::new();
        loop {
            match charles.next().unwrap() {
                CaptureEntry::End => return all,
                CaptureEntry::Cut => {
                    all.push(CaptureEntry::Cut);
                    return all;
                }
                step => all.push(step),
            }
        }
    }

    const SESSION: &str = r#"[
        {"status":"COMPLETE","method":"POST","protocolVersion":"HTTP/1.1","scheme":"https","host":"API.test","port":null,
         "actualPort":8443,"path":"/items/1","query":"a=b%20c","tunnel":false,"keptAlive":true,"webSocket":false,
         "times":{"start":"2026-01-05T10:00:00.250+01:00"},"durations":{"total":120,"dns":null},
         "request":{"sizes":{"headers":10,"body":7},"mimeType":"application/json","charset":null,"contentEncoding":null,
            "header":{"firstLine":"POST /items/1?a=b%20c HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}]},
            "body":{"text":"{\"a\":1}","charset":"UTF-8"}},
         "response":{"status":201,"sizes":{"body":3},"mimeType":"image/png",
            "header":{"firstLine":"HTTP/1.1 201","headers":[{"name":"Set-Cookie","value":"a=1"},{"name":"Set-Cookie","value":"b=2"}]},
            "body":{"encoding":"base64","encoded":"/wD+"}}},
        {"status":"COMPLETE","method":"CONNECT","scheme":"https","host":"x.test","tunnel":true},
        {"status":"COMPLETE","method":"GET","scheme":"wss","host":"x.test","webSocket":true},
        {"status":"FAILED","errorMessage":"refused","method":"GET","scheme":"http","host":"x.test","port":80,"path":"/","response":null},
        {"status":"COMPLETE","method":"GET","scheme":"http","host":"x.test","path":"/big","response":{"status":200,"sizes":{"body":9}}}
    ]"#;

    #[test]
    fn transactions_become_exchanges() {
        let all = steps(SESSION);
        let [
            CaptureEntry::Exchange(first),
            CaptureEntry::PassedOver(tunnel),
            CaptureEntry::PassedOver(socket),
            CaptureEntry::Exchange(failed),
            CaptureEntry::Exchange(big),
        ] = all.as_slice()
        else {
            panic!("{} steps", all.len())
        };
        assert_eq!((tunnel.as_str(), socket.as_str()), ("tunnel", "websocket"));
        assert_eq!(first.request.host, "api.test:8443");
        assert_eq!((first.request.pathname.as_ref(), first.request.query.len()), ("/items/1", 1));
        assert_eq!(first.request.body, Body::Text("{\"a\":1}".into()));
        let response = first.response.as_ref().unwrap();
        assert_eq!((response.status, response.headers.len()), (201, 2));
        assert_eq!(response.body, Body::Binary(vec![255, 0, 254].into()));
        assert_eq!(failed.request.host, "x.test");
        assert!(failed.meta.error.as_ref().unwrap().contains("refused"));
        assert_eq!(big.meta.truncated_response, Some(9));
    }

    #[test]
    fn cut_sessions_give_what_they_have() {
        assert!(steps("[]").is_empty());
        for cut in [SESSION.len() - 3, SESSION.len() - 60] {
            assert!(matches!(steps(&SESSION[..cut]).last(), Some(CaptureEntry::Cut)), "{cut}");
        }
        assert!(matches!(
            steps(r#"[5,{"method":7}]"#)[..],
            [CaptureEntry::Rejected(_), CaptureEntry::Rejected(_)]
        ));
    }
}
