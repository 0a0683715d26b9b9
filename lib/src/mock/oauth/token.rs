//! The token endpoint (RFC 6749, sections 4 to 6).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::super::answer::Answer;
use super::endpoints::EndpointPlace;
use super::grants::{ChallengeMethod, Code, Grant, TOKEN_LIFE};
use super::message::{Asked, Parameters, error, json_answer};
use super::state::OAuth;

/// The client of a request: its id, if it sends one, and whether it has authenticated itself.
struct Client {
    id: Option<String>,
    authenticated: bool,
}

/// An error response.
type Refusal = Box<Answer>;

impl OAuth {
    pub(super) fn token(&self, place: &EndpointPlace, asked: &Asked<'_>) -> Answer {
        let parameters = Parameters::of_body(&asked.parts.headers, asked.body);
        match self.granted(&parameters, &asked.parts.headers) {
            Ok((grant, refresh)) => self.tokens(place, asked, grant, refresh),
            Err(refusal) => *refusal,
        }
    }

    /// The grant, and the refresh token for the client.
    fn granted(
        &self,
        parameters: &Parameters,
        headers: &HeaderMap,
    ) -> Result<(Grant, Option<String>), Refusal> {
        if let Some(name) = parameters.repeated() {
            return Err(bad("invalid_request", &format!("{name} is repeated")));
        }
        let kind = parameters.get("grant_type");
        let kind = kind.ok_or_else(|| bad("invalid_request", "grant_type is missing"))?;
        let client = Client::of(parameters, headers)?;
        let grant = |subject: &str| Grant {
            client: client.id.clone(),
            subject: subject.to_owned(),
            scope: parameters.get("scope").map(str::to_owned),
            nonce: None,
            at: SystemTime::now(),
        };
        match kind {
            "authorization_code" => {
                let grant = self.of_code(parameters, &client)?;
                let refresh = self.grants.add_refresh(grant.clone());
                Ok((grant, Some(refresh)))
            }
            "refresh_token" => self.of_refresh(parameters, &client),
            "client_credentials" if !client.authenticated => {
                Err(unauthorized("the client must authenticate itself"))
            }
            "client_credentials" => Ok((grant(client.id.as_deref().unwrap_or_default()), None)),
            "password" => {
                let needed = |name: &str| {
                    let missing = || bad("invalid_request", &format!("{name} is missing"));
                    parameters.get(name).ok_or_else(missing)
                };
                let user = needed("username")?;
                needed("password")?;
                let grant = grant(user);
                let refresh = self.grants.add_refresh(grant.clone());
                Ok((grant, Some(refresh)))
            }
            _ => {
                let why = "grant_type must be authorization_code, refresh_token, client_credentials or password";
                Err(bad("unsupported_grant_type", why))
            }
        }
    }

    fn of_code(&self, parameters: &Parameters, client: &Client) -> Result<Grant, Refusal> {
        let name = parameters.get("code");
        let name = name.ok_or_else(|| bad("invalid_request", "code is missing"))?;
        let invalid = |why: &str| bad("invalid_grant", why);
        let unknown = || invalid("the code is unknown, was used before, or has expired");
        let code = self.grants.code(name).ok_or_else(unknown)?;
        client.must_be(code.grant.client.as_deref())?;
        if parameters.get("redirect_uri").is_some_and(|uri| uri != code.redirect_uri) {
            return Err(invalid("redirect_uri is not the one of the authorization request"));
        }
        check_verifier(&code, parameters.get("code_verifier")).map_err(invalid)?;
        if !self.grants.use_code(name) {
            return Err(unknown());
        }
        let mut grant = code.grant;
        grant.client = grant.client.or_else(|| client.id.clone());
        Ok(grant)
    }

    fn of_refresh(
        &self,
        parameters: &Parameters,
        client: &Client,
    ) -> Result<(Grant, Option<String>), Refusal> {
        let token = parameters.get("refresh_token");
        let token = token.ok_or_else(|| bad("invalid_request", "refresh_token is missing"))?;
        let known = self.grants.refresh(token);
        let mut grant =
            known.ok_or_else(|| bad("invalid_grant", "the refresh token is unknown"))?;
        client.must_be(grant.client.as_deref())?;
        if let Some(scope) = parameters.get("scope") {
            if !scope.split(' ').all(|name| grant.has_scope(name)) {
                return Err(bad("invalid_scope", "the scope is more than what was granted"));
            }
            grant.scope = Some(scope.to_owned());
        }
        // A nonce belongs to the first identity token (OpenID Connect Core, section 12.2).
        grant.nonce = None;
        Ok((grant, Some(token.to_owned())))
    }

    /// The response with the tokens.
    fn tokens(
        &self,
        place: &EndpointPlace,
        asked: &Asked<'_>,
        grant: Grant,
        refresh: Option<String>,
    ) -> Answer {
        let access = self.grants.add_access(grant.clone());
        let mut tokens = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE.as_secs(),
        });
        let mut member = |name: &str, value: Option<String>| {
            if let (Some(tokens), Some(value)) = (tokens.as_object_mut(), value) {
                tokens.insert(name.to_owned(), Value::String(value));
            }
        };
        // A client that requests a token for itself has no user, so it gets no identity token.
        if grant.is_openid() && refresh.is_some() {
            let issuer = place.issuer_for(asked);
            member("id_token", self.id_token(&issuer, &grant, Some(&access), None));
        }
        member("refresh_token", refresh);
        member("scope", grant.scope);
        json_answer(StatusCode::OK, &tokens)
    }
}

impl Client {
    /// The client by its `Authorization` header, its parameters, or an assertion (RFC 6749, section
    /// 2.3, and RFC 7523). Any secret is accepted.
    fn of(parameters: &Parameters, headers: &HeaderMap) -> Result<Client, Refusal> {
        let id = parameters.get("client_id").map(str::to_owned);
        let Some(authorization) = headers.get(AUTHORIZATION) else {
            let authenticated = parameters.get("client_assertion").is_some()
                || id.is_some() && parameters.get("client_secret").is_some();
            return Ok(Client { id, authenticated });
        };
        let wrong = || unauthorized("Authorization must be Basic, with a client id and a secret");
        let (scheme, credentials) = authorization
            .to_str()
            .ok()
            .and_then(|text| text.trim().split_once(' '))
            .ok_or_else(wrong)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(wrong());
        }
        let pair = STANDARD.decode(credentials.trim()).map_err(|_| wrong())?;
        let pair = String::from_utf8(pair).map_err(|_| wrong())?;
        let (name, _) = pair.split_once(':').ok_or_else(wrong)?;
        // Both are encoded as in a form (RFC 6749, section 2.3.1).
        let name = name.replace('+', " ");
        let name = percent_decode_str(&name).decode_utf8_lossy().into_owned();
        if name.is_empty() || id.is_some_and(|id| id != name) {
            return Err(wrong());
        }
        Ok(Client { id: Some(name), authenticated: true })
    }

    /// Checks that a code or token was issued to this client.
    fn must_be(&self, owner: Option<&str>) -> Result<(), Refusal> {
        match (&self.id, owner) {
            (Some(own), Some(owner)) if own != owner => {
                Err(bad("invalid_grant", "it was given to another client"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the verifier of PKCE (RFC 7636, section 4.6).
fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), &'static str> {
    let (challenge, method) = match (&code.challenge, verifier) {
        (None, None) => return Ok(()),
        // An attacker may have removed the challenge (RFC 9700, section 2.1.1).
        (None, Some(_)) => return Err("there was no code_challenge for this code_verifier"),
        (Some(_), None) => return Err("code_verifier is missing"),
        (Some((challenge, method)), Some(_)) => (challenge, *method),
    };
    let verifier = verifier.unwrap_or_default();
    let made = match method {
        ChallengeMethod::Plain => verifier.to_owned(),
        ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
    };
    let same = made.as_bytes().ct_eq(challenge.as_bytes()).into();
    if same { Ok(()) } else { Err("code_verifier does not match the code_challenge") }
}

fn bad(code: &str, description: &str) -> Refusal {
    Box::new(error(StatusCode::BAD_REQUEST, code, description))
}

fn unauthorized(description: &str) -> Refusal {
    let mut answer = error(StatusCode::UNAUTHORIZED, "invalid_client", description);
    let basic = HeaderValue::from_static("Basic realm=\"mock\"");
    answer.headers.insert(WWW_AUTHENTICATE, basic);
    Box::new(answer)
}
