//! The endpoints of OAuth 2.0 (RFC 6749, RFC 7636) and OpenID Connect that a spec names.

use serde_json::json;

use crate::harness::{Program, Response, Server, fixture, on_path};

use super::{ask, mock, source};

const SPEC: &str = r#"
openapi: 3.0.3
info: {title: Bank, version: "1"}
servers: [{url: "https://bank.test/v1"}]
paths:
  /accounts:
    get:
      security: [{oauth: [read]}]
      responses:
        "200": {description: all, content: {application/json: {example: [1]}}}
  /keyed:
    get:
      security: [{key: []}]
      responses:
        "200": {description: one, content: {application/json: {example: 1}}}
  /recorded:
    get:
      security: [{oauth: [read]}]
      responses:
        "200": {description: one, content: {application/json: {schema: {type: integer}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    openid: {type: openIdConnect, openIdConnectUrl: "https://id.bank.test/realm/.well-known/openid-configuration"}
    oauth:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://auth.bank.test/oauth/authorize
          tokenUrl: /v1/oauth/token
          refreshUrl: https://auth.bank.test/oauth/refresh
          scopes: {read: reads}
        implicit:
          authorizationUrl: https://auth.bank.test/oauth/implicit?x=1
          scopes: {read: reads}
        clientCredentials:
          tokenUrl: https://auth.bank.test/oauth/machine
          scopes: {}
x-hmt-replay:
- key: {method: get, origin: "https://bank.test", path: /v1/recorded}
  answers: [{status: 200, headers: {content-type: application/json}, body: "7"}]
"#;

const FORM: &[(&str, &str)] = &[("Content-Type", "application/x-www-form-urlencoded")];

fn token(server: &Server, path: &str, form: &str) -> Response {
    ask(server, &format!("POST {path}"), FORM, form)
}

/// The error of the token endpoint.
fn token_error(server: &Server, form: &str) -> (u16, String) {
    let answer = token(server, "/oauth/token", form);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{form}");
    assert_eq!(source(&answer), "oauth");
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

/// The value of a parameter in the location of a redirect.
fn parameter(answer: &Response, separator: char, name: &str) -> Option<String> {
    let location = answer.header("location")?;
    let (_, query) = location.split_once(separator)?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(own, _)| *own == name).map(|(_, value)| value.to_owned()).next()
}

fn code(server: &Server, more: &str) -> String {
    let path = format!("/oauth/authorize?client_id=app&redirect_uri=http://app.test/cb{more}");
    let answer = server.get(&path).expect_status(302);
    parameter(&answer, '?', "code").unwrap()
}

#[test]
fn the_authorization_endpoint_sends_the_client_back() {
    let (_dir, server) = mock(SPEC, &[]);
    for path in ["/oauth/authorize", "/https://auth.bank.test/oauth/authorize"] {
        let query = "redirect_uri=http%3A%2F%2Fapp.test%2Fcb%3Fa%3D1&state=s%20%26t&client_id=app";
        let answer = server.get(&format!("{path}?{query}")).expect_status(302);
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("http://app.test/cb?a=1&code="), "{location}");
        assert!(location.ends_with("&state=s+%26t"), "{location}");
        assert_eq!(source(&answer), "oauth");
    }
    // Without a valid redirect URI, the error is shown to the user.
    for query in ["", "?redirect_uri=", "?redirect_uri=/cb", "?redirect_uri=http://a.test/%23x"] {
        let answer = server.get(&format!("/oauth/authorize{query}")).expect_status(400);
        assert_eq!(answer.json()["error"], "invalid_request");
    }
    for (query, error) in [
        ("response_type=magic", "unsupported_response_type"),
        ("code_challenge=x&code_challenge_method=S512", "invalid_request"),
        ("state=a&state=b", "invalid_request"),
    ] {
        let path = format!("/oauth/authorize?redirect_uri=myapp://cb&{query}");
        let answer = server.get(&path).expect_status(302);
        assert_eq!(parameter(&answer, '?', "error").as_deref(), Some(error), "{query}");
    }
    // Implicit: the token is in the fragment.
    let path =
        "/oauth/implicit?response_type=token&redirect_uri=http://app.test/&state=1&scope=read";
    let answer = server.get(path).expect_status(302);
    assert!(parameter(&answer, '#', "access_token").is_some());
    assert_eq!(parameter(&answer, '#', "state").as_deref(), Some("1"));
    assert_eq!(parameter(&answer, '#', "scope").as_deref(), Some("read"));
}

#[test]
fn codes_are_good_once_and_verifiers_are_checked() {
    let (_dir, server) = mock(SPEC, &[]);
    let exchange = |code: &str, more: &str| {
        format!("grant_type=authorization_code&client_id=app&code={code}{more}")
    };
    let first = code(&server, "&scope=read");
    let tokens = token(&server, "/v1/oauth/token", &exchange(&first, "")).expect_status(200);
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let tokens = tokens.json();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("read")));
    assert!(tokens["id_token"].is_null());
    assert_eq!(token_error(&server, &exchange(&first, "")), (400, "invalid_grant".to_owned()));
    let refresh = |more: &str| {
        let token = tokens["refresh_token"].as_str().unwrap();
        format!("grant_type=refresh_token&refresh_token={token}{more}")
    };
    let again = token(&server, "/oauth/refresh", &refresh("&client_id=app")).expect_status(200);
    assert_ne!(again.json()["access_token"], tokens["access_token"]);
    for (more, error) in [("&client_id=other", "invalid_grant"), ("&scope=write", "invalid_scope")]
    {
        assert_eq!(token_error(&server, &refresh(more)), (400, error.to_owned()));
    }
    // RFC 7636, appendix B.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let code = code(&server, &format!("&code_challenge={challenge}&code_challenge_method=S256"));
    for wrong in ["", "&code_verifier=wrong", &format!("&code_verifier={challenge}")] {
        assert_eq!(
            token_error(&server, &exchange(&code, wrong)),
            (400, "invalid_grant".to_owned())
        );
    }
    let right = exchange(&code, &format!("&code_verifier={verifier}"));
    token(&server, "/oauth/token", &right).expect_status(200);
}

#[test]
fn errors_are_those_of_the_rfc() {
    let (_dir, server) = mock(SPEC, &[]);
    let code = code(&server, "");
    for (form, status, error) in [
        ("", 400, "invalid_request"),
        ("grant_type=magic", 400, "unsupported_grant_type"),
        ("grant_type=authorization_code", 400, "invalid_request"),
        ("grant_type=authorization_code&code=nope", 400, "invalid_grant"),
        ("grant_type=refresh_token", 400, "invalid_request"),
        ("grant_type=refresh_token&refresh_token=nope", 400, "invalid_grant"),
        ("grant_type=password&username=u", 400, "invalid_request"),
        ("grant_type=password&grant_type=password", 400, "invalid_request"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        (&format!("grant_type=authorization_code&client_id=b&code={code}"), 400, "invalid_grant"),
        (
            &format!("grant_type=authorization_code&code={code}&redirect_uri=http://x.test/"),
            400,
            "invalid_grant",
        ),
    ] {
        assert_eq!(token_error(&server, form), (status, error.to_owned()), "{form}");
    }
    let wrong = [FORM[0], ("Authorization", "Basic nonsense!")];
    let answer = ask(&server, "POST /oauth/token", &wrong, "grant_type=client_credentials");
    assert_eq!(answer.expect_status(401).header("www-authenticate"), Some("Basic realm=\"mock\""));
    let basic = [FORM[0], ("Authorization", "Basic YXBwOnNlY3JldA==")];
    let answer = ask(&server, "POST /oauth/machine", &basic, "grant_type=client_credentials");
    assert!(answer.expect_status(200).json()["refresh_token"].is_null());
    let form = "grant_type=password&username=ada&password=x&client_id=app&client_secret=y";
    token(&server, "/oauth/token", form).expect_status(200);
    let json = [("Content-Type", "application/json")];
    let body = r#"{"grant_type":"password","username":"ada","password":"x"}"#;
    ask(&server, "POST /oauth/token", &json, body).expect_status(200);
    assert_eq!(server.get("/oauth/token").expect_status(405).header("allow"), Some("POST"));
}

#[test]
fn an_openid_client_completes_its_flow() {
    let missing = on_path("python3").is_none();
    assert!(!missing || std::env::var_os("CI").is_none(), "CI has no python3");
    if missing {
        return;
    }
    let (dir, server) = mock(SPEC, &["--strict-auth"]);
    let well_known = "realm/.well-known/openid-configuration";
    for base in [server.url(), format!("{}/https://id.bank.test", server.url())] {
        let run = Program::of("python3", dir.path())
            .arg(fixture("oauth/flow.py"))
            .arg(format!("{base}/{well_known}"))
            .run()
            .expect_code(0);
        // The API accepts the token.
        let bearer = format!("Bearer {}", run.out().trim());
        let answer = server.request("GET", "/accounts").header("authorization", &bearer).send();
        assert_eq!(answer.expect_status(200).json(), json!([1]));
    }
    // URLs begin with the address that the client used.
    let request = server.request("GET", &format!("/{well_known}")).header("host", "id.test:81");
    let discovery = request.send().expect_status(200).json();
    assert_eq!(discovery["issuer"], "http://id.test:81/realm");
    assert_eq!(discovery["jwks_uri"], "http://id.test:81/realm/oauth2/keys");
    let keys = server.get("/realm/oauth2/keys").json();
    assert_eq!(
        (&keys["keys"][0]["kty"], &keys["keys"][0]["alg"]),
        (&json!("RSA"), &json!("RS256"))
    );
    assert!(keys["keys"][0]["d"].is_null());
    server.get("/realm/oauth2/userinfo").expect_status(401);
}

#[test]
fn with_strict_auth_only_given_tokens_are_good() {
    let bearer = |token: &str| format!("Bearer {token}");
    let get = |server: &Server, path: &str, token: &str| {
        let request = server.request("GET", path);
        if token.is_empty() { request } else { request.header("authorization", &bearer(token)) }
            .send()
    };
    let (_dir, lenient) = mock(SPEC, &[]);
    get(&lenient, "/accounts", "anything").expect_status(200);
    assert_eq!(source(&get(&lenient, "/v1/recorded", "x")), "recording");
    let (_dir, server) = mock(SPEC, &["--strict-auth"]);
    for path in ["/accounts", "/v1/recorded"] {
        let missing = get(&server, path, "").expect_status(401);
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"), "{path}");
        let invented = get(&server, path, "invented").expect_status(401);
        let challenge = invented.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{path}: {challenge}");
    }
    let form = "grant_type=password&username=ada&password=x";
    let given = token(&server, "/oauth/token", form).json();
    let given = given["access_token"].as_str().unwrap().to_owned();
    get(&server, "/accounts", &given).expect_status(200);
    assert_eq!(source(&get(&server, "/v1/recorded", &given)), "recording");
    // A code or a refresh token is not an access token, and API keys are checked by form.
    get(&server, "/accounts", &code(&server, "")).expect_status(401);
    server.request("GET", "/keyed").header("x-key", "any").send().expect_status(200);
    let dir = crate::harness::Dir::new();
    dir.program("hmt-mock").args(["--strict-auth", "--no-validate", "x.yaml"]).run().expect_code(2);
}

#[test]
fn an_endpoint_at_the_root_hides_no_operation() {
    let spec = r#"
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /:
    get: {responses: {"200": {description: ok, content: {text/plain: {example: home}}}}}
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://auth.test", scopes: {}}}
"#;
    let (_dir, server) = mock(spec, &[]);
    assert_eq!(server.get("/").text(), "home");
    let form = "grant_type=client_credentials&client_id=a&client_secret=b";
    token(&server, "/", form).expect_status(200);
}
