//! Passes requests without an operation to the real server.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::net::{Client, Target, forwarded_headers, forwarded_request};

use super::super::answer::{Answer, AnswerSource};

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
            answer.source = Some(AnswerSource::Upstream);
            answer
        };
        let Ok(request) = forwarded_request(parts, &url, body) else {
            return failed(StatusCode::BAD_GATEWAY, &format!("{url:?} is not a URL"));
        };
        match self.client.send(request, MAX_BODY).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                Answer {
                    headers: forwarded_headers(&parts.headers),
                    body,
                    source: Some(AnswerSource::Upstream),
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
