//! Passes requests without an operation to the real server.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::Full;

use crate::net::{Client, Target, is_hop_by_hop, named_by_connection};

use super::super::answer::{Answer, Source};

/// Maximum size of a response body in bytes.
const MAX_BODY: u64 = 64 << 20;

/// The server for requests without an operation.
#[derive(Clone, Debug)]
pub struct Upstream {
    client: Client,
    target: Target,
}

impl Upstream {
    /// `target` is a URL whose path is prepended to that of each request.
    pub fn new(client: Client, target: Target) -> Upstream {
        Upstream { client, target }
    }

    /// Forwards the request: its method, end-to-end headers, path, query and body.
    pub(super) async fn ask(&self, parts: &Parts, path_and_query: &str, body: Bytes) -> Answer {
        let target = self.target.join(path_and_query);
        let url =
            format!("{}://{}{}", target.protocol.as_str(), target.host, target.path_and_query);
        let failed = |status, why: &str| {
            let mut answer = Answer::problem(status, "the upstream did not respond", why);
            answer.source = Some(Source::Upstream);
            answer
        };
        let Ok(uri) = url.parse::<Uri>() else {
            return failed(StatusCode::BAD_GATEWAY, &format!("{url:?} is not a URL"));
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = end_to_end(&parts.headers);
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONTENT_LENGTH);
        match self.client.send(request, MAX_BODY).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                let mut headers = end_to_end(&parts.headers);
                headers.remove(CONTENT_LENGTH);
                Answer {
                    headers,
                    body,
                    source: Some(Source::Upstream),
                    ..Answer::empty(parts.status)
                }
            }
            Err(error @ crate::net::ClientError::TimedOut) => {
                failed(StatusCode::GATEWAY_TIMEOUT, &format!("{url}: {error}"))
            }
            Err(error) => failed(StatusCode::BAD_GATEWAY, &format!("{url}: {error}")),
        }
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if !is_hop_by_hop(name) && !named.contains(name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}
