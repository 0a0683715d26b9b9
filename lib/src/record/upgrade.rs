//! Protocol upgrades such as WebSocket. The handshake is recorded as an exchange; the data after it
//! is forwarded without recording.

use bytes::Bytes;
use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::{Extensions, Response};
use http_body_util::Full;
use tokio::io::copy_bidirectional;

use super::capture::Capture;
use super::link::Link;
use super::reply::{Reply, withheld};
use super::upstream::Failure;
use crate::net::Takeover;

/// A client's request to switch to another protocol.
pub(super) struct Upgrade {
    pub(super) protocol: HeaderValue,
    takeover: Takeover,
}

impl Upgrade {
    /// The requested upgrade, if the request has no body. Upgrades to other versions of HTTP are
    /// ignored, because the recorder could not record what follows.
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Option<Upgrade> {
        let takeover = extensions.get::<Takeover>()?.clone();
        let protocol = headers.get(UPGRADE)?;
        let connection = headers.get_all(CONNECTION).iter();
        let asked = connection.filter_map(|value| value.to_str().ok()).any(|value| {
            value.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
        });
        let text = protocol.to_str().ok()?.to_ascii_lowercase();
        let other_http = text.split(',').any(|name| {
            let name = name.trim();
            name.starts_with("h2") || name.starts_with("http/") || name.starts_with("tls/")
        });
        (asked && !other_http).then(|| Upgrade { protocol: protocol.clone(), takeover })
    }

    /// Records the handshake, then forwards data in both directions until either side or the
    /// recorder ends.
    pub(super) async fn accept(
        self,
        mut response: Response<()>,
        link: Link,
        mut capture: Box<Capture>,
    ) -> Result<Response<Reply>, (Failure, Box<Capture>)> {
        let Some(mut upstream) = link.into_stream().await else {
            return Err((Failure::Switched, capture));
        };
        if capture.finish().await.is_err() {
            return Ok(withheld());
        }
        self.takeover.with(move |mut client, connections| async move {
            tokio::select! {
                // The two sides know how their protocol ended.
                _ = copy_bidirectional(&mut client, &mut upstream) => (),
                () = connections.stopped() => (),
            }
        });
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.entry(UPGRADE).or_insert(self.protocol);
        Ok(response.map(|()| Reply::Own(Full::new(Bytes::new()))))
    }
}
