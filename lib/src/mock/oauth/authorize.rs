//! The authorization endpoint: redirects back to the client at once, with the requested code or
//! tokens.

use std::time::SystemTime;

use http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use http::{Method, StatusCode, Uri};

use super::super::answer::Answer;
use super::endpoints::EndpointPlace;
use super::grants::{ChallengeMethod, Code, Grant, TOKEN_LIFE};
use super::message::{Asked, Parameters, error};
use super::state::OAuth;

/// The default user.
const USER: &str = "user";

/// The target of a redirect.
struct Redirect<'a> {
    uri: &'a str,
    state: Option<&'a str>,
    /// Into the fragment instead of the query.
    fragment: bool,
}

impl OAuth {
    pub(super) fn authorize(&self, place: &EndpointPlace, asked: &Asked<'_>) -> Answer {
        let parameters = match asked.parts.method == Method::POST {
            true => Parameters::of_body(&asked.parts.headers, asked.body),
            false => Parameters(
                asked
                    .query
                    .iter()
                    .map(|(name, value)| (name.clone().into_owned(), value.clone().into_owned()))
                    .collect(),
            ),
        };
        // Without a valid redirect URI, the error is shown to the user (RFC 6749, section 4.1.2.1).
        let wrong = |why: &str| error(StatusCode::BAD_REQUEST, "invalid_request", why);
        let Some(uri) = parameters.get("redirect_uri") else {
            return wrong("redirect_uri is missing");
        };
        if !is_absolute(uri) {
            return wrong("redirect_uri must be an absolute URI without a fragment");
        }
        let types: Vec<&str> =
            parameters.get("response_type").unwrap_or("code").split(' ').collect();
        let implicit = types.iter().any(|kind| matches!(*kind, "token" | "id_token"));
        let redirect = Redirect {
            uri,
            state: parameters.get("state"),
            fragment: match parameters.get("response_mode") {
                Some(mode) => mode == "fragment",
                None => implicit,
            },
        };
        if let Some(name) = parameters.repeated() {
            return redirect.error("invalid_request", &format!("{name} is repeated"));
        }
        if types.iter().any(|kind| !matches!(*kind, "code" | "token" | "id_token")) {
            let why = "response_type must be code, token, id_token, or some of them";
            return redirect.error("unsupported_response_type", why);
        }
        if parameters.get("response_mode").is_some_and(|mode| !matches!(mode, "query" | "fragment"))
        {
            return redirect.error("invalid_request", "response_mode must be query or fragment");
        }
        let challenge = match challenge(&parameters) {
            Ok(challenge) => challenge,
            Err(why) => return redirect.error("invalid_request", why),
        };
        let grant = Grant {
            client: parameters.get("client_id").map(str::to_owned),
            subject: parameters.get("login_hint").unwrap_or(USER).to_owned(),
            scope: parameters.get("scope").map(str::to_owned),
            nonce: parameters.get("nonce").map(str::to_owned),
            at: SystemTime::now(),
        };
        if types.contains(&"id_token") && grant.nonce.is_none() {
            return redirect.error("invalid_request", "response_type id_token requires a nonce");
        }
        self.agreed(place, asked, &redirect, &types, grant, challenge)
    }

    /// The response with the requested code or tokens.
    fn agreed(
        &self,
        place: &EndpointPlace,
        asked: &Asked<'_>,
        redirect: &Redirect<'_>,
        types: &[&str],
        grant: Grant,
        challenge: Option<(String, ChallengeMethod)>,
    ) -> Answer {
        let mut members: Vec<(&str, String)> = Vec::new();
        let code = types.contains(&"code").then(|| {
            let (grant, redirect_uri) = (grant.clone(), redirect.uri.to_owned());
            self.grants.add_code(Code { grant, redirect_uri, challenge })
        });
        let token = types.contains(&"token").then(|| self.grants.add_access(grant.clone()));
        if types.contains(&"id_token") {
            let issuer = place.issuer_for(asked);
            let id = self.id_token(&issuer, &grant, token.as_deref(), code.as_deref());
            members.extend(id.map(|id| ("id_token", id)));
        }
        members.extend(code.map(|code| ("code", code)));
        if let Some(token) = token {
            members.push(("access_token", token));
            members.push(("token_type", "Bearer".to_owned()));
            members.push(("expires_in", TOKEN_LIFE.as_secs().to_string()));
            members.extend(grant.scope.map(|scope| ("scope", scope)));
        }
        redirect.to(&members)
    }
}

/// The challenge of PKCE (RFC 7636, section 4.3).
fn challenge(parameters: &Parameters) -> Result<Option<(String, ChallengeMethod)>, &'static str> {
    let method = match parameters.get("code_challenge_method") {
        None | Some("plain") => ChallengeMethod::Plain,
        Some("S256") => ChallengeMethod::S256,
        Some(_) => return Err("code_challenge_method must be S256 or plain"),
    };
    Ok(parameters.get("code_challenge").map(|challenge| (challenge.to_owned(), method)))
}

impl Redirect<'_> {
    fn error(&self, code: &str, description: &str) -> Answer {
        let mut answer =
            self.to(&[("error", code.to_owned()), ("error_description", description.to_owned())]);
        answer.note = Some(format!("{code}: {description}"));
        answer
    }

    /// A redirect with these parameters and the state.
    fn to(&self, members: &[(&str, String)]) -> Answer {
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.extend_pairs(members);
        if let Some(state) = self.state {
            written.append_pair("state", state);
        }
        let separator = match (self.fragment, self.uri.contains('?')) {
            (true, _) => "#",
            (false, true) => "&",
            (false, false) => "?",
        };
        let location = format!("{}{separator}{}", self.uri, written.finish());
        let Ok(location) = HeaderValue::from_str(&location) else {
            let why = "redirect_uri has characters that a URI cannot contain";
            return error(StatusCode::BAD_REQUEST, "invalid_request", why);
        };
        let mut answer = Answer::empty(StatusCode::FOUND);
        answer.headers.insert(LOCATION, location);
        answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}

/// True for a URI with a scheme and without a fragment (RFC 6749, section 3.1.2). Native
/// applications have their own schemes.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let sound = !web || uri.parse::<Uri>().is_ok_and(|uri| uri.host().is_some());
    let visible = uri.bytes().all(|byte| byte.is_ascii_graphic());
    is_scheme && !rest.is_empty() && sound && visible && !uri.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sent_to_absolute_uris() {
        for uri in [
            "http://127.0.0.1:1/cb",
            "https://app.test/cb?x=1",
            "com.example.app:/oauth",
            "myapp://cb",
        ] {
            assert!(is_absolute(uri), "{uri}");
        }
        for uri in
            ["/cb", "cb", "http:///cb", "https://a.test/#x", "http://a.test/\r\nx: y", "1a:b"]
        {
            assert!(!is_absolute(uri), "{uri:?}");
        }
    }
}
