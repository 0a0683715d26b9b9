//! Secrets and harmless values, in a table of names and locations, through the recorder, the import
//! and the builder.

use serde_json::{Value, json};

use super::{parse, recorder};
use crate::harness::{Dir, Received, Reply, Request, Server, Upstream};

/// Names of secrets, each in the notation of a different kind of API.
const NAMES: [&str; 13] = [
    "password",
    "pwd",
    "passphrase",
    "newPassword",
    "private_key",
    "privateKey",
    "jwt",
    "csrf",
    "accessToken",
    "refresh-token",
    "client_secret",
    "api_key",
    "SAMLResponse",
];

/// The location of a secret in a message.
#[derive(Clone, Copy, Debug)]
enum Place {
    Header,
    Query,
    Json,
    JsonAsForm,
    JsonInJson,
    JsonUtf16,
    TornJson,
    Pair,
    UrlInJson,
    Form,
    Multipart,
    Element,
    Attribute,
    Html,
    GraphQl,
    Text,
}

const PLACES: [Place; 16] = [
    Place::Header,
    Place::Query,
    Place::Json,
    Place::JsonAsForm,
    Place::JsonInJson,
    Place::JsonUtf16,
    Place::TornJson,
    Place::Pair,
    Place::UrlInJson,
    Place::Form,
    Place::Multipart,
    Place::Element,
    Place::Attribute,
    Place::Html,
    Place::GraphQl,
    Place::Text,
];

/// A request: target, headers, media type, body.
struct Sent {
    target: String,
    header: Option<(String, String)>,
    media: &'static str,
    body: Vec<u8>,
}

fn wide(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

fn sent(name: &str, place: Place, secret: &str) -> Sent {
    let plain = json!({"user": "ann", name: secret}).to_string();
    let of = |media, body: Vec<u8>| Sent { target: "/t".to_owned(), header: None, media, body };
    match place {
        Place::Header => Sent {
            header: Some((format!("X-{name}"), secret.to_owned())),
            ..of("text/plain", b"x".to_vec())
        },
        Place::Query => {
            Sent { target: format!("/t?page=1&{name}={secret}"), ..of("text/plain", b"x".to_vec()) }
        }
        Place::Json => of("application/json", plain.into_bytes()),
        Place::JsonAsForm => of("application/x-www-form-urlencoded", plain.into_bytes()),
        Place::JsonInJson => of("application/json", json!({"d": plain}).to_string().into_bytes()),
        Place::JsonUtf16 => of("application/json; charset=utf-16", wide(&plain)),
        Place::TornJson => {
            of("application/json", format!("{{\"{name}\": \"{secret}\", oops").into_bytes())
        }
        Place::Pair => of(
            "application/json",
            json!([{"name": name, "value": secret}]).to_string().into_bytes(),
        ),
        Place::UrlInJson => of(
            "application/json",
            json!({"next": format!("https://h.test/a?page=2&{name}={secret}")})
                .to_string()
                .into_bytes(),
        ),
        Place::Form => of(
            "application/x-www-form-urlencoded",
            format!("user=ann&{name}={secret}").into_bytes(),
        ),
        Place::Multipart => of(
            "multipart/form-data; boundary=b",
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{secret}\r\n--b--\r\n")
                .into_bytes(),
        ),
        Place::Element => of(
            "application/xml",
            format!("<a><ns:{name} t=\"1\">{secret}</ns:{name}></a>").into_bytes(),
        ),
        Place::Attribute => {
            of("text/xml", format!("<a><b {name}='{secret}' c='1'/></a>").into_bytes())
        }
        Place::Html => of(
            "text/html",
            format!("<form><input type=hidden name=\"{name}\" value=\"{secret}\"></form>")
                .into_bytes(),
        ),
        Place::GraphQl => of(
            "application/json",
            json!({"query": format!("mutation {{ m(user: \"a\", {name}: \"{secret}\") {{ id }} }}")})
                .to_string()
                .into_bytes(),
        ),
        Place::Text => of("text/plain", format!("user: ann\n{name}: {secret}\n").into_bytes()),
    }
}

/// Secrets that are only recognised by their shape, and the part that must not be visible.
fn shapes() -> Vec<(String, String)> {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlMTIzNDU2Nzg5MA";
    let long = |prefix: &str, unit: &str, count: usize| format!("{prefix}{}", unit.repeat(count));
    [
        jwt.to_owned(),
        long("ghp_", "aB3", 12),
        long("github_pat_", "aB3_", 10),
        long("sk_live_", "aB3d", 6),
        long("xoxb-123456789012-", "aB3", 8),
        long("AKIA", "Z2", 8),
        long("AIza", "aB3d5", 7),
        long("sk-proj-", "aB3_", 12),
        long("glpat-", "aB3d", 5),
        long("npm_", "aB3", 12),
        long("SK", "0a", 16),
        long("shpat_", "0a", 16),
        long("dop_v1_", "0a", 32),
        long("hf_", "aB3", 11),
        long("key-", "0a", 16),
    ]
    .into_iter()
    .map(|secret| (secret.clone(), secret))
    .chain([
        (format!("Bearer {}", "aB3".repeat(8)), "aB3aB3aB3aB3".to_owned()),
        ("Basic am86czNjcjN0LTk5".to_owned(), "am86czNjcjN0LTk5".to_owned()),
        ("https://jo:pl4nt3d-pw@h.test/x".to_owned(), "pl4nt3d-pw".to_owned()),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIEpl4nt3d\n-----END PRIVATE KEY-----".to_owned(),
            "MIIEpl4nt3d".to_owned(),
        ),
    ])
    .collect()
}

fn echo(request: &Received) -> Reply {
    let media = request.header("content-type").unwrap_or("text/plain");
    Reply::new(200, &[("Content-Type", media)], request.body.clone())
}

fn send(server: &Server, sent: &Sent) {
    let mut request = Request::new("POST", &format!("{}{}", server.url(), sent.target))
        .header("Content-Type", sent.media);
    if let Some((name, value)) = &sent.header {
        request = request.header(name, value);
    }
    request.body(sent.body.clone()).send().expect_status(200);
}

/// Base64 is decoded before it is searched.
fn readable(output: &str) -> String {
    use base64::Engine as _;
    let mut all = output.to_owned();
    for line in output.lines() {
        let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
        for name in ["requestBodyBase64", "responseBodyBase64"] {
            let Some(text) = record["meta"]["hmt"][name].as_str() else { continue };
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
            all.extend(bytes.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)));
        }
    }
    all
}

/// The mock's output for the same requests: both logs, and its standard error.
fn logs_of_the_mock(dir: &Dir, all: &[Sent]) -> Vec<(String, String)> {
    let spec = r#"{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
        "/t": {"post": {"responses": {"200": {"description": "d"}}}},
        "/t/{n}/{text}/x": {"post": {"responses": {"200": {"description": "d"}}}}}}"#;
    dir.write("mock.json", spec);
    let args = ["-p", "0", "--no-admin", "-v", "-l", "mocked", "-o", "mocked.jsonl", "mock.json"];
    let mock = Server::start(dir.program("hmt-mock").args(args));
    for sent in all {
        send(&mock, sent);
    }
    let run = mock.stop().expect_code(0);
    let log = dir.read("mocked.jsonl");
    assert_eq!(log.lines().count(), all.len(), "the mock logged each request");
    let name = dir.list("mocked").pop().unwrap();
    vec![
        ("the mock's standard error".to_owned(), run.err()),
        ("the mock's log".to_owned(), readable(&log)),
        ("the mock's log folder".to_owned(), readable(&dir.read(&format!("mocked/{name}")))),
    ]
}

#[test]
fn planted_secrets_are_in_no_output() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let url = upstream.url();
    let hides = recorder(&dir, &["-t", &url, "-v", "-o", "hidden.jsonl"]);
    let keeps = recorder(&dir, &["-t", &url, "--keep-secrets", "-o", "kept.jsonl"]);
    let mut planted: Vec<(String, String)> = Vec::new();
    let mut sent_all: Vec<Sent> = Vec::new();
    for (row, name) in NAMES.iter().enumerate() {
        for (column, place) in PLACES.iter().enumerate() {
            let secret = format!("pl4nt-{row:02}-{column:02}-{}", "q7z".repeat(3));
            let sent = sent(name, *place, &secret);
            send(&hides, &sent);
            send(&keeps, &sent);
            sent_all.push(sent);
            planted.push((format!("{name} in {place:?}"), secret));
        }
    }
    for (index, (text, secret)) in shapes().into_iter().enumerate() {
        let body = json!({"note": format!("see {text} there")}).to_string().into_bytes();
        let target = if text.contains(['/', ' ']) {
            "/t".to_owned()
        } else {
            format!("/t/{index}/{text}/x")
        };
        let sent = Sent {
            target,
            header: (!text.contains('\n')).then(|| ("X-Note".to_owned(), text.clone())),
            media: "application/json",
            body,
        };
        send(&hides, &sent);
        send(&keeps, &sent);
        sent_all.push(sent);
        planted.push((format!("shape {index}"), secret));
    }
    assert!(planted.len() >= 150, "{}", planted.len());
    let run = hides.stop().expect_code(0).expect_stderr("replaced: ").expect_stderr("--keep NAME");
    keeps.stop().expect_code(0);
    let kept = readable(&dir.read("kept.jsonl"));
    for (name, secret) in &planted {
        assert!(kept.contains(secret.lines().next().unwrap()), "{name} was not sent");
    }
    let import = dir
        .program("hmt-record")
        .args(["import", "kept.jsonl", "-o", "scrubbed.jsonl"])
        .run()
        .expect_code(0)
        .expect_stderr("replaced: ");
    let again = dir.program("hmt-record").args(["import", "scrubbed.jsonl"]).run().expect_code(0);
    assert_eq!(again.out(), dir.read("scrubbed.jsonl"), "a second import changes nothing");
    let mut outputs = vec![
        ("the recorder's standard error".to_owned(), run.err()),
        ("the import's standard error".to_owned(), import.err()),
    ];
    for file in ["hidden.jsonl", "scrubbed.jsonl"] {
        parse(&dir.read(file));
        outputs.push((file.to_owned(), readable(&dir.read(file))));
        for mode in ["gen", "replay", "mixed"] {
            let args = ["--mode", mode, "--examples", "--tight", "-f", "json", file];
            let build = dir.program("hmt-build").args(args).run().expect_code(0);
            outputs.push((format!("the {mode} spec of {file}"), build.out()));
            outputs.push((format!("the builder's standard error for {file}"), build.err()));
        }
    }
    outputs.extend(logs_of_the_mock(&dir, &sent_all));
    let mut seen = Vec::new();
    for (output, text) in &outputs {
        for (name, secret) in &planted {
            if text.contains(secret) {
                seen.push(format!("{name} in {output}"));
            }
        }
    }
    assert!(seen.is_empty(), "{} of {}: {seen:#?}", seen.len(), planted.len());
}

/// Names and values that are not secrets.
fn innocents() -> Value {
    let text = r#"{
        "total_tokens": 12, "prompt_tokens": 5, "completion_tokens": "12", "max_tokens": 256,
        "maxTokens": 7, "tokens_used": 9, "token_count": 3, "token_type": "Bearer",
        "tokenizer": "bpe", "tokenize": true, "session_count": 2, "session_type": "web",
        "sessions": [{"id": 1, "title": "a"}], "nextPageToken": "CAUQAA", "pageToken": "p2",
        "next_token": "n", "continuation_token": "c", "syncToken": "s", "cursor_token": "k",
        "has_password": true, "is_token": "no", "password_changed_at": "2024-05-06T07:08:09Z",
        "password_length": 12, "password_policy": "strict", "secretary": "Ann", "obsession": "tea",
        "expires_in": 3600, "expires_at": "2024-05-06T07:08:09Z", "author": "Bo",
        "authority": "city", "authenticated": true, "authored_by": "Bo", "key": "value",
        "keys": ["a", "b"], "keyboard": "us", "public_key_id": "k1", "sort_key": "name",
        "idempotency_key": "i-1", "code": "ok", "state": "open", "design": "flat",
        "signal": "green", "significant": true, "shipping": "fast", "opinion": "good",
        "pins": [{"x": 1}], "pinned": false, "passenger": "Cy", "passed": true, "compass": "N",
        "inside": "yes", "side": "left", "options": "none", "bearers": {"count": 2},
        "cookie_policy": "lax", "credential_count": 1, "assertion": "holds", "nonce": "n0",
        "email": "jo@example.com", "homepage": "https://example.com/a?page=2&sort=name",
        "text": "The bearer of the token forgot the password.", "uuid": "0b8f8f0e-7c1d-4a2b-9c3d-1e2f3a4b5c6d",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "csv": "a,b",
        "jwt_algorithm": "RS256", "otp_enabled": true, "max_password_length": "64"
    }"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn innocent_values_stay_and_keep_their_types() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let innocents = innocents();
    let count = innocents.as_object().unwrap().len();
    assert!(count >= 60, "{count}");
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "all.jsonl"]);
    for _ in 0..3 {
        Request::new("POST", &format!("{}/i?nextPageToken=x&max_tokens=5&code=12", recorder.url()))
            .header("X-RateLimit-Remaining-Tokens", "149984")
            .header("X-RateLimit-Reset-Tokens", "6m0s")
            .json(&innocents)
            .send()
            .expect_status(200);
    }
    let run = recorder.stop().expect_code(0);
    assert!(!run.err().contains("replaced"), "{}", run.err());
    for record in parse(&dir.read("all.jsonl")) {
        assert!(record["meta"]["hmt"]["redacted"].is_null(), "{record}");
        assert_eq!(record["request"]["headers"]["x-ratelimit-remaining-tokens"], "149984");
        for side in ["request", "response"] {
            let body = record[side]["body"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(body).unwrap(), innocents);
        }
    }
    let build = dir.program("hmt-build").args(["-f", "json", "all.jsonl"]).run().expect_code(0);
    let spec = build.json();
    let operation = &spec["paths"]["/i"]["post"];
    let mut schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    if let Some(name) = schema["$ref"].as_str() {
        schema = spec.pointer(&name[1..]).unwrap();
    }
    for (name, value) in innocents.as_object().unwrap() {
        let property = &schema["properties"][name.as_str()];
        let expected = match value {
            Value::Number(_) => "integer",
            Value::Bool(_) => "boolean",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            _ => continue,
        };
        assert_eq!(property["type"], expected, "{name}: {property}");
    }
    let parameters = operation["parameters"].to_string();
    for name in ["nextPageToken", "max_tokens", "code"] {
        assert!(parameters.contains(name), "{name}: {parameters}");
    }
    assert!(operation["security"].is_null(), "{operation}");
}

#[test]
fn one_time_passwords_stay_numbers_and_conform() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let spec = r#"{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/o": {"post": {
        "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
            "otp": {"type": "integer", "enum": [123456]},
            "token": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5}}}}}},
        "responses": {"200": {"description": "d", "content": {"application/json": {}}}}}}}}"#;
    dir.write("api.json", spec);
    let recorder =
        recorder(&dir, &["-t", &upstream.url(), "--spec", "api.json", "-o", "all.jsonl"]);
    Request::new("POST", &format!("{}/o", recorder.url()))
        .json(&json!({"otp": 123_456, "token": "abc"}))
        .send()
        .expect_status(200);
    let run = recorder.stop().expect_code(0);
    assert!(!run.err().contains("violate"), "{}", run.err());
    let record = &parse(&dir.read("all.jsonl"))[0];
    let body: Value = serde_json::from_str(record["request"]["body"].as_str().unwrap()).unwrap();
    let otp = body["otp"].as_u64().unwrap();
    assert!(otp != 123_456 && (100_000..1_000_000).contains(&otp), "{body}");
    let places = &record["meta"]["hmt"]["redacted"];
    let expected =
        ["request.body#/otp", "request.body#/token", "response.body#/otp", "response.body#/token"];
    assert_eq!(*places, json!(expected));
}
