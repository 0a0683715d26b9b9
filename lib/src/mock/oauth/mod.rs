//! OAuth 2.0 and OpenID Connect: the endpoints that the security schemes of specs name.
//!
//! `endpoints` finds them in specs, `authorize` and `token` answer them (RFC 6749, RFC 7636),
//! `openid` has discovery, keys, identity tokens and claims (OpenID Connect Core and Discovery),
//! `grants` the issued codes and tokens, and `keys` the signing key. The mock has no users: it
//! accepts any credential of the right form, and gives the consent itself.

mod authorize;
mod endpoints;
mod grants;
mod keys;
mod message;
mod openid;
mod state;
mod token;

use http::header::HeaderValue;
use http::{Method, StatusCode};

use super::answer::{Answer, AnswerSource};
pub(super) use endpoints::{Endpoint, EndpointPlace, Endpoints};
pub(super) use message::Asked;
use message::{error, json_answer};
pub(super) use state::OAuth;

impl OAuth {
    /// The answer of an endpoint.
    pub(super) fn answer(&self, place: &EndpointPlace, asked: &Asked<'_>) -> Answer {
        let method = &asked.parts.method;
        let allowed: &[Method] = match place.endpoint {
            Endpoint::Token => &[Method::POST],
            Endpoint::Discovery | Endpoint::KeySet => &[Method::GET, Method::HEAD],
            Endpoint::Authorize | Endpoint::UserInfo => &[Method::GET, Method::HEAD, Method::POST],
        };
        let mut answer = if allowed.contains(method) {
            match place.endpoint {
                Endpoint::Authorize => self.authorize(place, asked),
                Endpoint::Token => self.token(place, asked),
                Endpoint::Discovery => openid::discovery(place, asked),
                Endpoint::KeySet => json_answer(StatusCode::OK, &self.keys.key_set()),
                Endpoint::UserInfo => self.user_info(asked),
            }
        } else {
            let names = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let mut answer =
                error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", &format!("use {names}"));
            if let Ok(names) = HeaderValue::from_str(&names) {
                answer.headers.insert(http::header::ALLOW, names);
            }
            answer
        };
        answer.source = Some(AnswerSource::OAuth);
        answer
    }
}
