//! OpenID Connect: the discovery document, identity tokens, and claims about the user.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::answer::Answer;
use super::endpoints::{Endpoint, EndpointPlace, OPENID_PATHS};
use super::grants::{Grant, TOKEN_LIFE};
use super::message::{Asked, Parameters, error, json_answer};
use super::state::OAuth;

impl EndpointPlace {
    /// The issuer, with the address by which the client reached the mock.
    pub(super) fn issuer_for(&self, asked: &Asked<'_>) -> String {
        format!("{}{}", asked.reached, self.issuer)
    }
}

/// The discovery document (OpenID Connect Discovery 1.0, section 3).
pub(super) fn discovery(place: &EndpointPlace, asked: &Asked<'_>) -> Answer {
    let issuer = place.issuer_for(asked);
    let mut document = Map::new();
    document.insert("issuer".to_owned(), issuer.clone().into());
    for (endpoint, path) in OPENID_PATHS {
        let name = match endpoint {
            Endpoint::Authorize => "authorization_endpoint",
            Endpoint::Token => "token_endpoint",
            Endpoint::UserInfo => "userinfo_endpoint",
            Endpoint::KeySet => "jwks_uri",
            Endpoint::Discovery => continue,
        };
        document.insert(name.to_owned(), format!("{issuer}{path}").into());
    }
    let rest = json!({
        "response_types_supported": [
            "code", "token", "id_token", "id_token token", "code id_token", "code token",
            "code id_token token",
        ],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": [
            "authorization_code", "implicit", "refresh_token", "client_credentials", "password",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "private_key_jwt", "none",
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "preferred_username",
            "email", "email_verified",
        ],
    });
    if let Value::Object(rest) = rest {
        document.extend(rest);
    }
    json_answer(StatusCode::OK, &Value::Object(document))
}

impl OAuth {
    /// An identity token (OpenID Connect Core, section 2); `None` if no key can be made.
    pub(super) fn id_token(
        &self,
        issuer: &str,
        grant: &Grant,
        access: Option<&str>,
        code: Option<&str>,
    ) -> Option<String> {
        let now = SystemTime::now();
        let mut claims = claims_of(grant);
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", issuer.into());
        claim("aud", grant.client.clone().unwrap_or_default().into());
        claim("iat", seconds(now).into());
        claim("exp", seconds(now + TOKEN_LIFE).into());
        claim("auth_time", seconds(grant.at).into());
        if let Some(nonce) = &grant.nonce {
            claim("nonce", nonce.clone().into());
        }
        for (name, value) in [("at_hash", access), ("c_hash", code)] {
            if let Some(value) = value {
                claim(name, half_hash(value).into());
            }
        }
        self.keys.sign(&Value::Object(claims))
    }

    /// The claims about the user of an access token (OpenID Connect Core, section 5.3).
    pub(super) fn user_info(&self, asked: &Asked<'_>) -> Answer {
        let header = asked.parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = header.and_then(|value| {
            let (scheme, token) = value.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        // The token can also be in a form (RFC 6750, section 2.2).
        let form = Parameters::of_body(&asked.parts.headers, asked.body);
        let token = sent.or_else(|| form.get("access_token").map(str::to_owned));
        let grant = token.as_deref().and_then(|token| self.grants.access(token));
        let Some(grant) = grant else {
            let why = "the token is missing, unknown or expired";
            let mut answer = error(StatusCode::UNAUTHORIZED, "invalid_token", why);
            let challenge = match token {
                None => HeaderValue::from_static("Bearer"),
                Some(_) => HeaderValue::from_static("Bearer error=\"invalid_token\""),
            };
            answer.headers.insert(WWW_AUTHENTICATE, challenge);
            return answer;
        };
        json_answer(StatusCode::OK, &Value::Object(claims_of(&grant)))
    }
}

/// The claims about a user that the scopes include.
fn claims_of(grant: &Grant) -> Map<String, Value> {
    let user = &grant.subject;
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), user.clone().into());
    if grant.has_scope("profile") {
        claims.insert("name".to_owned(), user.clone().into());
        claims.insert("preferred_username".to_owned(), user.clone().into());
    }
    if grant.has_scope("email") {
        let address = if user.contains('@') { user.clone() } else { format!("{user}@example.com") };
        claims.insert("email".to_owned(), address.into());
        claims.insert("email_verified".to_owned(), true.into());
    }
    claims
}

/// Half of the hash of a token or code (OpenID Connect Core, section 3.1.3.6).
fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..16])
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
