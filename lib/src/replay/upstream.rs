//! Passes requests without a recording to a real server, and optionally records them.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::exchange::{self, Body, Exchange, Meta, timestamp};
use crate::net::{
    Client, ClientError, Target, decoded, forwarded_headers, forwarded_request, recorded_headers,
};
use crate::stream::ExchangeLog;

/// Maximum size of a response body in bytes.
const MAX_BODY: u64 = 64 << 20;

/// The server for requests that were not recorded.
pub struct FallbackUpstream {
    client: Client,
    target: Target,
    log: Option<ExchangeLog>,
}

/// Why there is no response from the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    #[error("{0:?} is not a URL")]
    Url(String),
    #[error("no response from {origin}: {cause}")]
    Client { origin: String, cause: ClientError },
    #[error("the exchange could not be recorded, so the response was not sent: {0}")]
    Record(String),
}

impl UpstreamError {
    /// Problems of one kind are reported together.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            UpstreamError::Url(_) => "url",
            UpstreamError::Client { .. } => "client",
            UpstreamError::Record(_) => "record",
        }
    }
}

impl FallbackUpstream {
    /// `target` is a URL whose path is prepended to the path of each request. Exchanges with it go
    /// to `log`.
    pub fn new(client: Client, target: Target, log: Option<ExchangeLog>) -> FallbackUpstream {
        FallbackUpstream { client, target, log }
    }

    /// Sends a request with the same method, end-to-end headers and body; `as_exchange` is the
    /// request in its recorded form.
    pub(super) async fn ask(
        &self,
        parts: &Parts,
        path_and_query: &str,
        body: Bytes,
        as_exchange: exchange::Request<'_>,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let target = self.target.join(path_and_query);
        let url =
            format!("{}://{}{}", target.protocol.as_str(), target.host, target.path_and_query);
        let request = forwarded_request(parts, &url, body).map_err(|_| UpstreamError::Url(url))?;
        let (began, clock) = (SystemTime::now(), Instant::now());
        let answer = self.client.send(request, MAX_BODY).await;
        let origin = format!("{}://{}", target.protocol.as_str(), target.host);
        let answer = answer.map_err(|cause| UpstreamError::Client { origin, cause })?;
        let (parts_of_answer, body) = answer.into_parts();
        if let Some(log) = &self.log {
            let plain = decoded(&parts_of_answer.headers, body.clone());
            let odd = parts.method.as_str().parse::<exchange::Method>().is_err();
            let request = exchange::Request {
                protocol: target.protocol,
                host: target.host.as_str().into(),
                pathname: target.path().into(),
                timestamp: Some(timestamp(began).into()),
                method: if odd { exchange::Method::Post } else { as_exchange.method },
                ..as_exchange
            };
            let response = exchange::Response {
                status: parts_of_answer.status.as_u16(),
                headers: recorded_headers(&parts_of_answer.headers),
                body: Body::lent(&plain),
                timestamp: Some(timestamp(SystemTime::now()).into()),
            };
            let meta = Meta {
                method: odd.then(|| parts.method.as_str().into()),
                duration_ms: Some(clock.elapsed().as_secs_f64() * 1000.0),
                ..Meta::default()
            };
            let exchange = Exchange { request, response: Some(response), meta };
            log.write(exchange).await.map_err(UpstreamError::Record)?;
        }
        let mut response = Response::new(body);
        *response.status_mut() = parts_of_answer.status;
        *response.headers_mut() = forwarded_headers(&parts_of_answer.headers);
        Ok(response)
    }

    /// Ends the log. Returns its first error, if there was one.
    pub fn close(self) -> Option<String> {
        self.log.and_then(|log| log.finish().error)
    }
}
