//! Checks whether a request has the credentials that the spec requires. The mock has no users: it
//! checks presence and form, and tokens only if the caller says which are valid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::Value;

use crate::conform::SecurityRequirement;
use crate::exchange::{Request, header, is_pseudonym};

/// The requirements of an operation: any of the alternatives, each with all of its schemes.
#[derive(Debug, Default)]
pub(in crate::mock) struct Credentials {
    alternatives: Vec<Vec<Scheme>>,
}

/// A security scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    Header(String),
    Query(String),
    Cookie(String),
    Basic,
    Bearer,
    /// Another scheme of `Authorization`, in lower case.
    Other(String),
    /// Not visible in a request: mutual TLS, or a scheme that the document does not define.
    Unseen,
}

impl Credentials {
    pub(super) fn compile(
        security: Option<&[SecurityRequirement]>,
        schemes: &[(String, Value)],
    ) -> Credentials {
        let scheme = |name: &String| {
            schemes.iter().find(|(own, _)| own == name).map_or(Scheme::Unseen, |(_, s)| read(s))
        };
        let alternatives = security
            .unwrap_or_default()
            .iter()
            .map(|all| all.iter().map(|(name, _)| scheme(name)).collect())
            .collect();
        Credentials { alternatives }
    }

    /// True if nothing is required, or one alternative is complete. `is_valid` checks bearer
    /// tokens.
    pub(in crate::mock) fn are_brought(
        &self,
        request: &Request<'_>,
        is_valid: &dyn Fn(&str) -> bool,
    ) -> bool {
        self.alternatives.is_empty()
            || self
                .alternatives
                .iter()
                .any(|all| all.iter().all(|scheme| scheme.is_brought(request, is_valid)))
    }

    /// The values of `WWW-Authenticate`, and a sentence that names them.
    pub(in crate::mock) fn challenge(&self) -> (Vec<HeaderValue>, String) {
        let mut schemes: Vec<&Scheme> = Vec::new();
        for scheme in self.alternatives.iter().flatten() {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        let values = schemes
            .iter()
            .filter_map(|scheme| HeaderValue::from_str(&scheme.challenge()).ok())
            .collect();
        let alternatives: Vec<String> = self
            .alternatives
            .iter()
            .map(|all| all.iter().map(Scheme::describe).collect::<Vec<_>>().join(" and "))
            .collect();
        (values, format!("the request must have {}", alternatives.join(", or ")))
    }
}

fn read(scheme: &Value) -> Scheme {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "apiKey" => match text("in") {
            "query" => Scheme::Query(text("name").to_owned()),
            "cookie" => Scheme::Cookie(text("name").to_owned()),
            _ => Scheme::Header(text("name").to_ascii_lowercase()),
        },
        "http" => match text("scheme").to_ascii_lowercase().as_str() {
            "basic" => Scheme::Basic,
            "bearer" => Scheme::Bearer,
            other => Scheme::Other(other.to_owned()),
        },
        "oauth2" | "openIdConnect" => Scheme::Bearer,
        _ => Scheme::Unseen,
    }
}

/// The part of the header `Authorization` after the scheme.
pub(in crate::mock) fn authorization<'r>(
    request: &'r Request<'_>,
    scheme: &str,
) -> Option<&'r str> {
    let value = header(&request.headers, "authorization")?;
    let (own, rest) = value.trim().split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

impl Scheme {
    fn is_brought(&self, request: &Request<'_>, is_valid: &dyn Fn(&str) -> bool) -> bool {
        let authorization = |scheme: &str| authorization(request, scheme);
        match self {
            Scheme::Header(name) => header(&request.headers, name).is_some_and(|v| !v.is_empty()),
            Scheme::Query(name) => request.query.iter().any(|(n, v)| n == name && !v.is_empty()),
            Scheme::Cookie(name) => request
                .headers
                .iter()
                .filter(|(header, _)| header == "cookie")
                .flat_map(|(_, value)| value.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .any(|(n, v)| n == name && !v.is_empty()),
            // A recording has a pseudonym instead.
            Scheme::Basic => authorization("basic").is_some_and(|code| {
                is_pseudonym(code) || STANDARD.decode(code).is_ok_and(|pair| pair.contains(&b':'))
            }),
            Scheme::Bearer => {
                authorization("bearer").is_some_and(|token| !token.is_empty() && is_valid(token))
            }
            Scheme::Other(name) => authorization(name).is_some(),
            Scheme::Unseen => true,
        }
    }

    fn challenge(&self) -> String {
        let key = |name: &str, place: &str| format!("ApiKey name=\"{name}\", in=\"{place}\"");
        match self {
            Scheme::Header(name) => key(name, "header"),
            Scheme::Query(name) => key(name, "query"),
            Scheme::Cookie(name) => key(name, "cookie"),
            Scheme::Basic => "Basic realm=\"mock\"".to_owned(),
            Scheme::Bearer | Scheme::Unseen => "Bearer".to_owned(),
            // RFC 7616, section 3.3; a mock accepts the credentials for any nonce.
            Scheme::Other(name) if name == "digest" => {
                "Digest realm=\"mock\", qop=\"auth\", nonce=\"bW9jaw\"".to_owned()
            }
            Scheme::Other(name) => name.clone(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Scheme::Header(name) => format!("a header {name}"),
            Scheme::Query(name) => format!("a query parameter {name}"),
            Scheme::Cookie(name) => format!("a cookie {name}"),
            Scheme::Basic => {
                "Authorization: Basic with a user name and a password in base64".to_owned()
            }
            Scheme::Bearer => "Authorization: Bearer with a token".to_owned(),
            Scheme::Other(name) => format!("Authorization: {name}"),
            Scheme::Unseen => "nothing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credentials(security: &[&[&str]]) -> Credentials {
        let schemes = [
            ("key".to_owned(), json!({"type": "apiKey", "in": "header", "name": "X-Key"})),
            ("sid".to_owned(), json!({"type": "apiKey", "in": "cookie", "name": "sid"})),
            ("basic".to_owned(), json!({"type": "http", "scheme": "Basic"})),
            ("oauth".to_owned(), json!({"type": "oauth2", "flows": {}})),
        ];
        let security: Vec<SecurityRequirement> = security
            .iter()
            .map(|all| all.iter().map(|name| ((*name).to_owned(), Vec::new())).collect())
            .collect();
        Credentials::compile(Some(&security), &schemes)
    }

    fn request(headers: &[(&'static str, &'static str)]) -> Request<'static> {
        let headers = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Request { headers, ..Request::default() }
    }

    #[test]
    fn any_alternative_whole() {
        let asked = credentials(&[&["key", "sid"], &["basic"], &["oauth"]]);
        for (headers, brought) in [
            (&[][..], false),
            (&[("x-key", "1")], false),
            (&[("x-key", "1"), ("cookie", "a=b; sid=2")], true),
            (&[("authorization", "Basic dTpw")], true),
            (&[("authorization", "Basic nope!")], false),
            (&[("authorization", "Basic hmt~0123456789abcdefghijkl")], true),
            (&[("authorization", "bearer t")], true),
            (&[("authorization", "Bearer ")], false),
        ] {
            assert_eq!(asked.are_brought(&request(headers), &|_| true), brought, "{headers:?}");
        }
        assert_eq!(asked.challenge().0.len(), 4);
        let digest = [("d".to_owned(), json!({"type": "http", "scheme": "digest"}))];
        let digest = Credentials::compile(Some(&[vec![("d".to_owned(), Vec::new())]]), &digest);
        let challenge = digest.challenge().0[0].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Digest realm=\"mock\"") && challenge.contains("nonce="));
        assert!(credentials(&[]).are_brought(&request(&[]), &|_| false));
        assert!(credentials(&[&["key"], &[]]).are_brought(&request(&[]), &|_| false));
        let bearer = request(&[("authorization", "Bearer t")]);
        assert!(!asked.are_brought(&bearer, &|token| token != "t"));
    }
}
