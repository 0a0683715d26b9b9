//! Tests for secrets in unusual places and notations, and for similar values that are not secrets.

use super::*;

const PLANTED: &str = "pl4nt3d.S3cr3t-77";

fn redact(media_type: &str, body: &[u8]) -> Vec<u8> {
    let redactor = Redactor::new(&[7; 32], &RedactOptions::default()).unwrap();
    let mut body = Body::from_bytes(body.to_vec());
    let headers = vec![("content-type".into(), media_type.to_owned().into())];
    redactor.body(&mut body, &headers, &mut Found::default());
    body.as_bytes().to_vec()
}

/// The bodies with `@` in place of the secret.
const SECRETS: &[(&str, &str)] = &[
    // Notations of names.
    ("application/json", r#"{"user.password":"@"}"#),
    ("application/json", r#"{"user[password]":"@"}"#),
    ("application/json", r#"{"db-password-2":"@"}"#),
    ("application/json", r#"{"clientSecretV2":{"client_secret2":"@"}}"#),
    ("application/json", r#"{"API_KEY":"@"}"#),
    ("application/json", r#"{"x.api.key":"@"}"#),
    ("application/json", r#"{"AWSSecretAccessKey":"@"}"#),
    ("application/json", r#"{"ns:token":"@"}"#),
    ("application/json", r#"{"oauth2AccessToken":"@"}"#),
    ("application/json", r#"{"otp2":"@"}"#),
    ("application/json", r#"{"user_otps":["@"]}"#),
    ("application/json", r#"{"stripeSignature":"@"}"#),
    ("application/json", r#"{"Proxy-Authorization":"Basic @"}"#),
    ("application/json", r#"{"master_key":"@"}"#),
    ("application/json", r#"{"PIN":"@"}"#),
    ("application/json", r#"{"sessionID":"@"}"#),
    ("application/json", r#"{"\u0070assword":"@"}"#),
    // Arrays, pairs, and headers in JSON.
    ("application/json", r#"{"passwords":["a1","@"]}"#),
    ("application/json", r#"[[{"token":"@"}]]"#),
    ("application/json", r#"{"headers":[{"name":"X-Api-Key","value":"@"}]}"#),
    ("application/json", r#"{"headers":{"Set-Cookie":["sid=@; Path=/","theme=@"]}}"#),
    ("application/json", r#"{"set-cookie":"sid=@; HttpOnly"}"#),
    ("application/json", r#"{"headers":{"authorization":["Bearer @"]}}"#),
    ("application/json", r#"{"params":[{"key":"password","type":"text","value":"@"}]}"#),
    ("application/json", r#"{"env":[{"value":"@","name":"DB_PASSWORD"}]}"#),
    // Texts within texts.
    (
        "application/json",
        r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"{\\\\\\\"token\\\\\\\":\\\\\\\"@\\\\\\\"}\\\"}\"}"}"#,
    ),
    ("application/json", r#"{"body":"user=a&password=@&x=1"}"#),
    ("application/json", r#"{"log":"GET /a?api_key=@&b=1 HTTP/1.1"}"#),
    ("application/json", r#"{"curl":"curl -H 'Authorization: Bearer @' https://h.test/"}"#),
    ("application/json", r#"{"html":"<input type=\"password\" value=\"@\">"}"#),
    ("application/json", r#"{"link":"<a href=\"https://jo:@@h.test/\">x</a>"}"#),
    (
        "application/json",
        r#"{"variables":{"input":{"newPassword":"@"}},"query":"mutation($input: I) { set(input: $input) { ok } }"}"#,
    ),
    ("application/json", r#"{"query":"mutation { login(input: {password: \"@\"}) { id } }"}"#),
    ("application/json", r#"{"dsn":"amqp://guest:@@mq.test:5672/v"}"#),
    ("application/x-www-form-urlencoded", "next=https%3A%2F%2Fh.test%2F%3Ftoken%3D@&a=1"),
    ("application/x-www-form-urlencoded", "payload=%7B%22user%22%3A%7B%22pwd%22%3A%22@%22%7D%7D"),
    ("application/x-www-form-urlencoded", "user%5Bpassword%5D=@&user%5Bname%5D=a"),
    ("application/x-www-form-urlencoded", "a=1&csrf-token=@"),
    ("application/x-www-form-urlencoded", "SAMLResponse=@&RelayState=x"),
    ("application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token=@"),
    ("application/x-www-form-urlencoded", "grant_type=urn%3Ax&assertion=@"),
    // XML, HTML and SOAP.
    (
        "application/soap+xml",
        "<s:Header><wsse:UsernameToken><wsse:Username>a</wsse:Username><wsse:Password Type=\"x\">@</wsse:Password></wsse:UsernameToken></s:Header>",
    ),
    ("text/xml", "<r><apiKey>@</apiKey></r>"),
    ("text/xml", "<r><session_token xsi:type=\"xsd:string\">@</session_token></r>"),
    ("text/xml", "<r><param name=\"password\">@</param></r>"),
    ("text/xml", "<r><u>https://h.test/?a=1&amp;token=@</u></r>"),
    ("text/html", "<a href=\"https://jo:@@h.test/x\">x</a>"),
    ("text/html", "<meta content='@' name='csrf-token'>"),
    ("text/html", "<script>window.config = {apiKey: '@', n: 1};</script>"),
    ("text/html", "<input value='@' type='password' name='p'>"),
    // Multipart.
    (
        "multipart/form-data; boundary=AbC",
        "--AbC\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"token\":\"@\"}\r\n--AbC--\r\n",
    ),
    (
        "multipart/mixed; boundary=AbC",
        "--AbC\r\nContent-Type: multipart/form-data; boundary=\"InNer\"\r\n\r\n--InNer\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n@\r\n--InNer--\r\n--AbC--\r\n",
    ),
    (
        "multipart/mixed; boundary=B",
        "--B\r\nContent-Type: application/http\r\n\r\nGET /x?token=@ HTTP/1.1\r\nHost: h\r\n\r\n\r\n--B--\r\n",
    ),
    // Text.
    (
        "application/json",
        "{\"raw\":\"POST /x?key=@ HTTP/1.1\\r\\nHost: h\\r\\nCookie: a=@\\r\\n\\r\\n\"}",
    ),
    (
        "text/plain",
        "HTTP/1.1 200 OK\r\nSet-Cookie: sid=@; Path=/\r\nX-Auth-Token: @\r\n\r\n{\"jwt\":\"@\"}",
    ),
    (
        "application/json",
        "{\"u\":\"https://h/a?next=https%3A%2F%2Fh%2Fb%3Fn%3D1%26token%3D@%26x%3D1\"}",
    ),
    ("text/plain", "see https%3a%2f%2fh%2f%3fapi_key%3d@ there"),
    ("application/yaml", "a: 1\nsecret: |\n  @\nb: 2\n"),
    ("application/yaml", "private_key: >-\n  @\n  @\nb: 2\n"),
    ("text/plain", "2024-05-06 INFO token=@ user=jo"),
    ("text/plain", "time=1 level=info msg=\"login\" password=\"@\""),
    ("text/plain", "export API_KEY=@\n"),
    ("text/plain", "Cookie: a=1; sid=@\n"),
    ("application/yaml", "db:\n  user: jo\n  password: @\n"),
    ("application/yaml", "secrets:\n  api-key: \"@\"\n"),
    ("text/plain", "[db]\npasswd = @\n"),
    ("application/x-ndjson", "{\"a\":1}\n{\"jwt\":\"@\"}\n"),
    ("text/event-stream", "event: t\ndata: {\"access_token\":\"@\"}\n\n"),
    ("application/json", r#"{"token": "@", oops"#),
];

#[test]
fn secrets_in_odd_places_are_replaced() {
    let mut seen = Vec::new();
    for (media_type, template) in SECRETS {
        let body = template.replace("@@", "\u{1}").replace('@', PLANTED);
        let body = body.replace('\u{1}', &format!("{PLANTED}@"));
        let hidden = redact(media_type, body.as_bytes());
        let hidden = String::from_utf8_lossy(&hidden).into_owned();
        if hidden.contains(PLANTED) {
            seen.push(format!("{media_type}: {hidden}"));
        }
    }
    assert!(seen.is_empty(), "{} of {}: {seen:#?}", seen.len(), SECRETS.len());
}

#[test]
fn secrets_in_other_charsets_are_replaced() {
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    let json = format!("{{\"nom\":\"é\",\"password\":\"{PLANTED}\"}}");
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a n=\"é\"><pwd>{PLANTED}</pwd></a>"
    );
    let latin = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    for (media_type, body) in [
        ("application/json; charset=utf-16le", wide(&json, false)),
        ("application/json; charset=UTF-16", wide(&json, true)),
        ("application/json", wide(&json, false)),
        ("text/plain; charset=utf-16be", wide(&format!("token={PLANTED}"), true)),
        ("application/xml; charset=iso-8859-1", latin(&xml)),
        ("application/xml", latin(&xml)),
        ("application/json; charset=windows-1252", latin(&json)),
    ] {
        let hidden = redact(media_type, &body);
        let hidden: String =
            hidden.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        assert!(!hidden.contains(PLANTED) && hidden.contains(MARK), "{media_type}: {hidden}");
    }
}

#[test]
fn values_near_them_stay() {
    let mut changed = Vec::new();
    for (media_type, body) in [
        (
            "application/json",
            r#"{"usage":{"prompt_tokens":9,"output_tokens":"12","total_tokens":21}}"#,
        ),
        (
            "application/json",
            r#"{"next_page_token":"CAUQAA","pageToken":"abc","cursor":"eyJpZCI6MTIzNDU2Nzg5MH0"}"#,
        ),
        ("application/json", r#"{"__typename":"AccessToken","type":"password","kind":"secret"}"#),
        (
            "application/json",
            r#"{"public_key":"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"}"#,
        ),
        ("application/json", r#"{"rules":[{"field":"password","message":"is too short"}]}"#),
        ("application/json", r#"{"errors":{"password":[],"token":null}}"#),
        ("application/json", r#"{"required":["username","password"]}"#),
        (
            "application/json",
            r#"{"grant_type":"password","scope":"token:read","scopes":["api_key:write"]}"#,
        ),
        (
            "application/json",
            r#"{"session_timeout":30,"token_ttl":3600,"password_min_length":8,"secret_name":"db"}"#,
        ),
        (
            "application/json",
            r#"{"author":"Jo","authors":["Al"],"path":"/compass/pass","pinCode":false}"#,
        ),
        (
            "application/json",
            r#"{"id":"0b8f8f0e-7c1d-4a2b-9c3d-1e2f3a4b5c6d","etag":"W/\"9f86d081884c7d65\""}"#,
        ),
        (
            "application/json",
            r#"{"email":"jo@example.com","npm":"@scope/pkg","ssh":"git@github.com:a/b.git"}"#,
        ),
        ("application/json", r#"{"query":"query { tokens { id type } session { count } }"}"#),
        ("text/html", "<label for=\"password\">Password</label><input name=\"q\" value=\"shoes\">"),
        ("text/html", "<p>Basic information about a bearer of news</p>"),
        ("text/xml", "<user><pinned>true</pinned><authority>x</authority></user>"),
        ("application/yaml", "parameters:\n- name: limit\n  in: query\n"),
        (
            "text/javascript",
            "let token; token = getToken(); session = new Session(); jwt = await sign(x)",
        ),
        ("text/plain", "the path %2Ftokens%2Flist and %3Fpage%3D2"),
        ("text/plain", "The token expired. Sign in again with your password."),
        ("text/css", ".sk-loading-spinner-container-large{color:red}"),
        ("application/x-www-form-urlencoded", "q=secret+garden&sort=key&code=200&state=open"),
    ] {
        let hidden = redact(media_type, body.as_bytes());
        if hidden != body.as_bytes() {
            changed.push(format!("{body}\nbecame {}", String::from_utf8_lossy(&hidden)));
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}
