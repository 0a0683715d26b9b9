//! Credentials.

use serde_json::json;

use super::{SHOP, ask, mock};

#[test]
fn credentials_are_asked_for() {
    let (_dir, server) = mock(SHOP, &[]);
    let refused = server.get("/secret").expect_status(401);
    let challenges: Vec<&String> =
        refused.headers.iter().filter(|(n, _)| n == "www-authenticate").map(|(_, v)| v).collect();
    assert!(challenges.iter().any(|challenge| challenge.starts_with("Basic ")), "{challenges:?}");
    let get = |name: &str, value: &str| server.request("GET", "/secret").header(name, value).send();
    assert_eq!(get("x-key", "1").status, 204);
    assert_eq!(get("Authorization", "Basic dTpw").status, 204);
    assert_eq!(get("Authorization", "Bearer t").status, 401);
}

const SCHEMES: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
security: [{bearer: []}]
paths:
  /bearer: {get: {responses: {"204": {description: d}}}}
  /open: {get: {security: [], responses: {"204": {description: d}}}}
  /optional: {get: {security: [{}, {bearer: []}], responses: {"204": {description: d}}}}
  /basic: {get: {security: [{basic: []}], responses: {"204": {description: d}}}}
  /header: {get: {security: [{header: []}], responses: {"204": {description: d}}}}
  /query: {get: {security: [{query: []}], responses: {"204": {description: d}}}}
  /cookie: {get: {security: [{cookie: []}], responses: {"204": {description: d}}}}
  /oauth: {get: {security: [{oauth: [read]}], responses: {"204": {description: d}}}}
  /oidc: {get: {security: [{oidc: [read]}], responses: {"204": {description: d}}}}
  /digest: {get: {security: [{digest: []}], responses: {"204": {description: d}}}}
  /both: {get: {security: [{header: [], query: []}], responses: {"204": {description: d}}}}
  /either: {get: {security: [{header: []}, {basic: []}], responses: {"204": {description: d}}}}
  /declared:
    get:
      parameters: [{name: n, in: query, required: true, schema: {type: integer}}]
      responses:
        "204": {description: d}
        "401": {description: d, headers: {WWW-Authenticate: {example: Bearer realm="own"}}, content: {application/json: {example: {error: who}}}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: BASIC}
    digest: {type: http, scheme: digest}
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: sid}
    oauth: {type: oauth2, flows: {implicit: {authorizationUrl: https://a.test, scopes: {read: r}}}}
    oidc: {type: openIdConnect, openIdConnectUrl: https://a.test}
"##;

/// OpenAPI 3.1.1, sections 4.8.27 and 4.8.30 (Security Scheme, Security Requirement); RFC 7617
/// (basic), RFC 6750 (bearer).
#[test]
fn each_scheme_is_met_or_asked_for() {
    let (_dir, server) = mock(SCHEMES, &[]);
    let none: &[(&str, &str)] = &[];
    for (path, headers, status) in [
        ("/bearer", none, 401),
        ("/bearer", &[("Authorization", "Bearer t")], 204),
        ("/bearer", &[("Authorization", "bearer t")], 204),
        ("/bearer", &[("Authorization", "Bearer")], 401),
        ("/bearer", &[("Authorization", "Basic dTpw")], 401),
        ("/open", none, 204),
        ("/optional", none, 204),
        ("/basic", &[("Authorization", "Basic dTpw")], 204),
        ("/basic", &[("Authorization", "Basic dXA=")], 401),
        ("/basic", &[("Authorization", "Basic ?")], 401),
        ("/header", &[("x-key", "k")], 204),
        ("/header", &[("x-key", "")], 401),
        ("/query?key=k", none, 204),
        ("/query?key=", none, 401),
        ("/query", none, 401),
        ("/cookie", &[("Cookie", "a=b; sid=1")], 204),
        ("/cookie", &[("Cookie", "a=b")], 401),
        ("/oauth", &[("Authorization", "Bearer t")], 204),
        ("/oauth", none, 401),
        ("/oidc", &[("Authorization", "Bearer t")], 204),
        ("/oidc", none, 401),
        ("/digest", &[("Authorization", "Digest username=\"u\"")], 204),
        ("/digest", none, 401),
        ("/both?key=k", &[("X-Key", "k")], 204),
        ("/both?key=k", none, 401),
        ("/either", &[("X-Key", "k")], 204),
        ("/either", &[("Authorization", "Basic dTpw")], 204),
        ("/either", none, 401),
    ] {
        let answer = ask(&server, &format!("GET {path}"), headers, "");
        assert_eq!(answer.status, status, "{path} {headers:?}");
        // RFC 9110, section 15.5.2: a 401 has at least one challenge.
        assert_eq!(
            answer.header("www-authenticate").is_some(),
            status == 401,
            "{path} {headers:?}"
        );
    }
}

/// Credentials are checked before validation, and the spec's own response takes precedence.
#[test]
fn a_declared_401_is_sent() {
    let (_dir, server) = mock(SCHEMES, &[]);
    let answer = server.get("/declared?n=x").expect_status(401);
    assert_eq!(answer.json(), json!({"error": "who"}));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"own\""));
    let bearer = [("Authorization", "Bearer t")];
    assert_eq!(ask(&server, "GET /declared?n=x", &bearer, "").status, 422);
    assert_eq!(ask(&server, "GET /declared?n=1", &bearer, "").status, 204);
}
