//! Secrets whose names stand elsewhere: in lists, in paths of patches, in heads of tables.

use super::*;

#[test]
fn headers_as_lists_of_names_and_values() {
    let redactor = redactor();
    let json = |body: &str| body_of(&redactor, "application/json", body);
    for (body, expected) in [
        (
            r#"{"headers":[["Authorization","Bearer s3cr"],["X-Api-Key","s3cr"],["accept","*/*"]]}"#,
            r##"{"headers":[["Authorization","Bearer #"],["X-Api-Key","#"],["accept","*/*"]]}"##,
        ),
        (
            r#"[["authorization","Bearer s3cr"],["a","b"]]"#,
            r##"[["authorization","Bearer #"],["a","b"]]"##,
        ),
        (
            r#"{"rawHeaders":["Host","h","Authorization","Bearer s3cr","X-Api-Key","s3cr","A","b"]}"#,
            r##"{"rawHeaders":["Host","h","Authorization","Bearer #","X-Api-Key","#","A","b"]}"##,
        ),
        // A torn one.
        (
            r#"{"responseHeaders":[["x-auth-token","s3"#,
            r##"{"responseHeaders":[["x-auth-token","#"##,
        ),
    ] {
        assert_eq!(json(body), expected);
    }
    for body in [
        r#"{"words":["password","passport"],"fields":[["token","string"],["id","int"]]}"#,
        r#"{"headers":["Authorization","Content-Type"]}"#,
        r#"{"allow":["authorization","content type"]}"#,
        r#"{["token","x"]}"#,
    ] {
        assert_eq!(json(body), body);
    }
}

#[test]
fn patches_name_the_secret_in_their_path() {
    let redactor = redactor();
    let json = |body: &str| body_of(&redactor, "application/json-patch+json", body);
    assert_eq!(
        json(
            r#"[{"op":"replace","path":"/users/1/password","value":"s3cr"},{"value":"s3cr","path":"pin","op":"add"}]"#
        ),
        r##"[{"op":"replace","path":"/users/1/password","value":"#"},{"value":"#","path":"pin","op":"add"}]"##,
    );
    for body in [
        r#"[{"op":"add","path":"/name","value":"password"}]"#,
        r#"{"path":"/login/token","value":"x"}"#,
    ] {
        assert_eq!(json(body), body);
    }
}

#[test]
fn private_members_of_json_web_keys() {
    let redactor = redactor();
    let json = |body: &str| body_of(&redactor, "application/json", body);
    assert_eq!(
        json(
            r#"{"keys":[{"k":"s3cr","kty":"oct","kid":"a"},{"kty":"EC","x":"a","y":"b","d":"s3cr"}]}"#
        ),
        r##"{"keys":[{"k":"#","kty":"oct","kid":"a"},{"kty":"EC","x":"a","y":"b","d":"#"}]}"##,
    );
    for body in [
        r#"{"keys":[{"kty":"RSA","n":"abc","e":"AQAB","kid":"1"}]}"#,
        r#"{"k":"v","d":"2026","p":"x","kty":3}"#,
    ] {
        assert_eq!(json(body), body);
    }
}

#[test]
fn columns_of_tables() {
    let redactor = redactor();
    for (media_type, body, expected) in [
        (
            "text/csv; charset=utf-8",
            "id,password,name\r\n1,s3cr,Jo\r\n2,\"s3,\"\"cr\",\"a,b\"\r\n3,,\r\n4",
            "id,password,name\r\n1,#,Jo\r\n2,\"#\",\"a,b\"\r\n3,,\r\n4",
        ),
        ("text/csv", "id;\"api_key\"\n1; s3cr\n", "id;\"api_key\"\n1; #\n"),
        ("text/tab-separated-values", "token\tid\ns3cr\t1", "token\tid\n#\t1"),
        ("text/csv", "id,token_type,secretary\n1,a,b\n", "id,token_type,secretary\n1,a,b\n"),
        ("text/csv", "password", "password"),
        ("text/csv", "a,token\n\"x", "a,token\n\"x"),
    ] {
        assert_eq!(body_of(&redactor, media_type, body), expected);
    }
}

#[test]
fn subprotocols_of_websockets() {
    let redactor = redactor();
    let header = |value: &str| header_of(&redactor, "sec-websocket-protocol", value);
    for (value, expected) in [
        ("graphql-ws, Bearer.s3cr3tabcdef012345", "graphql-ws, Bearer.#"),
        (
            "base64url.bearer.authorization.k8s.io.czNjcg, base64.binary.k8s.io",
            "base64url.bearer.authorization.k8s.io.#, base64.binary.k8s.io",
        ),
        ("access_token,s3cr3tabcdef012345", "access_token,#"),
    ] {
        assert_eq!(header(value), expected);
    }
    for value in ["graphql-transport-ws, mqtt, v1.usp, soap", "token, graphql-ws", "bearer.v1"] {
        assert_eq!(header(value), value);
    }
}

#[test]
fn sentences_after_a_name_are_no_secrets() {
    let redactor = redactor();
    let text = |body: &str| body_of(&redactor, "text/plain", body);
    for body in [
        "Password: must be long\nToken: invalid.\nsecret: yes",
        "password: Required, otp: missing",
        "Authorization: required. The session token is expired.",
        "curl -u jo h:80 # token: is optional",
    ] {
        assert_eq!(text(body), body);
    }
    assert_eq!(text("Password: mustang1\ntoken=must"), "Password: #\ntoken=#");
    assert_eq!(
        text(
            "x Authorization: Bearer abc status=ok\ncurl -u jo:pw -H 'Authorization: Token ab1' h"
        ),
        "x Authorization: Bearer # status=ok\ncurl -u jo:# -H 'Authorization: Token #' h"
    );
    let xml = "<a><!-- password: s3cr --><!--token=s3cr--></a>";
    assert_eq!(body_of(&redactor, "text/xml", xml), "<a><!-- password: # --><!--token=#--></a>");
    assert_eq!(header_of(&redactor, "set-cookie", "s3cr3t01; Path=/"), "#; Path=/");
}
