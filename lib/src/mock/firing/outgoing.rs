//! A request of a callback or webhook.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request};

use crate::net::{GuardedClient, Target};

/// Maximum size of a response, in bytes. Its content is ignored.
const MAX_ANSWER: u64 = 1 << 20;

/// A request that is to be sent.
#[derive(Clone, Debug)]
pub(in crate::mock) struct Outgoing {
    pub(super) name: String,
    pub(super) method: Method,
    /// The URL, or the reason why it is unknown.
    pub(super) url: Result<String, String>,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) body: Bytes,
}

impl Outgoing {
    /// Sends it, and returns a line about it.
    pub(super) async fn send(&self, client: &GuardedClient) -> Result<String, String> {
        let url = self.url.as_ref().map_err(|why| format!("its URL is unknown: {why}"))?;
        let target = Target::from_url(url).map_err(|error| error.to_string())?;
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        if let Some(content_type) = &self.content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        let (name, method) = (&self.name, &self.method);
        match client.send(&target, request, MAX_ANSWER).await {
            Ok(answer) if answer.status().as_u16() < 400 => {
                Ok(format!("callback {name}: {method} {url} {}", answer.status().as_u16()))
            }
            Ok(answer) => Err(format!("{method} {url}: answered with {}", answer.status())),
            Err(error) => Err(format!("{method} {url}: {error}")),
        }
    }
}
