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
mod openid;
mod token;

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, Source};
pub(super) use endpoints::{Endpoint, Endpoints, Place};
use grants::Grants;
use keys::Keys;

/// The state of the endpoints between requests.
#[derive(Debug, Default)]
pub(super) struct OAuth {
    grants: Grants,
    keys: Keys,
}

/// A request to an endpoint.
pub(super) struct Asked<'a> {
    pub(super) parts: &'a Parts,
    /// The query, decoded.
    pub(super) query: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub(super) body: &'a [u8],
    /// The origin by which the client reached the mock, followed by the host if it is named in the
    /// path.
    pub(super) reached: String,
}

impl OAuth {
    /// Makes the signing key in the background if the endpoints need it.
    pub(super) fn prepare(&self, endpoints: &Endpoints) {
        if endpoints.has_openid() {
            self.keys.prepare();
        }
    }

    /// True for an access token that this mock issued, and that has not expired.
    pub(super) fn is_valid(&self, token: &str) -> bool {
        self.grants.access(token).is_some()
    }

    /// The answer of an endpoint.
    pub(super) fn answer(&self, place: &Place, asked: &Asked<'_>) -> Answer {
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
        answer.source = Some(Source::OAuth);
        answer
    }
}

/// The parameters of a request.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a form or of a JSON object, which some clients send.
    fn of_body(headers: &HeaderMap, body: &[u8]) -> Parameters {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|text| text.contains("json")) {
            let members = match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => members,
                _ => serde_json::Map::new(),
            };
            let text = |value: Value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            return Parameters(members.into_iter().map(|(name, v)| (name, text(v))).collect());
        }
        Parameters(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a parameter that is not empty. An empty one counts as absent (RFC 6749, section
    /// 3.1).
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(own, value)| own == name && !value.is_empty());
        values.next().map(|(_, value)| value.as_str())
    }

    /// The name of a repeated parameter, which is an error (RFC 6749, section 3.1).
    fn repeated(&self) -> Option<&str> {
        // `resource` and `audience` may be repeated (RFC 8707, RFC 8693).
        let once = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| !matches!(name.as_str(), "resource" | "audience"));
        let mut twice = once.filter(|(at, (name, _))| self.0[..*at].iter().any(|(n, _)| n == name));
        twice.next().map(|(_, (name, _))| name.as_str())
    }
}

/// An error of the token endpoint (RFC 6749, section 5.2).
fn error(status: StatusCode, code: &str, description: &str) -> Answer {
    let mut answer = json_answer(status, &json!({"error": code, "error_description": description}));
    answer.note = Some(format!("{code}: {description}"));
    answer
}

/// A JSON answer that must not be cached.
fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Answer::empty(status);
    answer.body = value.to_string().into();
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}
