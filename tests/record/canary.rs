//! Sends a secret in every possible way: the wire is unchanged, and no output contains it.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::{parse, recorder};
use crate::harness::{Dir, Received, Reply, Request, Response, Server, Upstream};

const CANARY: &str = "c4n4ry-s3cr3t-77";

/// A document that the secrets violate, so that violations mention them.
const SPEC: &str = r#"{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
  "/json": {"post": {"parameters": [{"name": "token", "in": "query", "schema": {"type": "integer"}}],
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
        "password": {"type": "integer"}, "user": {"type": "object", "properties": {"api_key": {"enum": ["x"]}}}}}}}},
    "responses": {"200": {"description": "d",
        "headers": {"x-session": {"schema": {"type": "integer"}}},
        "content": {"application/json": {"schema": {"type": "object", "properties": {
            "access_token": {"type": "string", "maxLength": 3}}}}}}}}}}}"#;

fn answer(request: &Received) -> Reply {
    let cookie = format!("sid={CANARY}; Path=/; HttpOnly");
    let location =
        format!("https://jo:{CANARY}@h.test/next?api_key={CANARY}#access_token={CANARY}");
    let headers = |media: &'static str| {
        [
            ("Content-Type", media),
            ("Set-Cookie", cookie.as_str()),
            ("Location", location.as_str()),
            ("X-Session", CANARY),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let reply = |media, body: String| {
        let headers = headers(media);
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        Reply::new(200, &headers, body)
    };
    let tokens = json!({"access_token": CANARY, "data": [{"user": {"clientSecret": [CANARY, {"deepSecret": CANARY}]}}]});
    match request.target.split('?').next().unwrap_or_default() {
        "/json" => reply("application/json", tokens.to_string()),
        "/form" => {
            reply("application/x-www-form-urlencoded", format!("refresh_token={CANARY}&n=1"))
        }
        "/events" => reply("text/event-stream", format!("data: {tokens}\n\ndata: {{\"n\":1}}\n\n")),
        // Longer than the recorded part, with the secret in that part.
        "/long" => reply("application/json", format!("[{tokens},\"{}\"]", "x".repeat(8000))),
        "/broken" => reply("application/json", format!("{{\"token\": \"{CANARY}\", oops")),
        "/trailer" => Reply(
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Token\r\n\r\n\
                 2\r\nok\r\n0\r\nX-Auth-Token: {CANARY}\r\n\r\n"
            )
            .into_bytes(),
        ),
        _ => panic!("{}", request.target),
    }
}

/// The requests, each with the secret in all of its parts, and various media types and bodies.
fn requests() -> Vec<(&'static str, &'static str, String)> {
    let body = json!({"password": CANARY, "user": {"api_key": CANARY, "n": 1}, "list": [{"Session-Id": CANARY}]});
    let parts = format!(
        "--b\r\nContent-Disposition: form-data; name=\"passwd\"\r\n\r\n{CANARY}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"the;password\"\r\n\r\n{CANARY}--b{CANARY}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{body}\r\n--b--\r\n"
    );
    vec![
        ("/json", "application/json", body.to_string()),
        ("/form", "application/x-www-form-urlencoded", format!("user=jo&password={CANARY}&x=1")),
        ("/events", "multipart/form-data; boundary=b", parts),
        ("/long", "text/plain", format!("token={CANARY}")),
        ("/broken", "application/json", format!("{{\"secret\": \"{CANARY}")),
        ("/trailer", "application/x-ndjson", format!("{body}\n{body}\n")),
    ]
}

fn send(server: &Server, prefix: &str, path: &str, media: &str, body: &str) -> Response {
    let url =
        format!("{}{prefix}{path}?token={CANARY}&page=1&user_password={CANARY}", server.url());
    Request::new("POST", &url)
        .header("Authorization", &format!("Bearer {CANARY}"))
        .header("Proxy-Authorization", &format!("Basic {CANARY}"))
        .header("Cookie", &format!("session={CANARY}; theme=\"{CANARY}\""))
        .header("X-Api-Key", CANARY)
        .header("X-CSRF-Token", CANARY)
        .header("Referer", &format!("http://h.test/?session_id={CANARY}"))
        .header("TE", "trailers")
        .header("Content-Type", media)
        .body(body)
        .send()
}

/// All files below, by name and content; compressed ones are decompressed.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        }
        found.push((path.display().to_string(), bytes));
    }
    found
}

#[track_caller]
fn assert_clean(name: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(at) = text.find(CANARY) {
        let start = (at.saturating_sub(200)..=at).find(|at| text.is_char_boundary(*at)).unwrap();
        panic!("{name} has the secret: {}", &text[start..at + CANARY.len()]);
    }
}

#[test]
fn a_secret_is_nowhere_but_on_the_wire() {
    let (dir, upstream) = (Dir::new(), Upstream::start(answer));
    dir.write("api.json", SPEC);
    let url = upstream.url();
    let outputs = ["-o", "-", "-o", "all.jsonl", "-o", "all.jsonl.gz", "-l", "logs"];
    let args = ["-t", &url, "-v", "--spec", "api.json", "--max-body", "4KiB"];
    let recorder = recorder(&dir, &[&args[..], &outputs].concat());
    for (path, media, body) in requests() {
        let response = send(&recorder, "", path, media, &body).expect_status(200);
        let given = response.text() + &format!("{:?}", response.headers);
        // The test's client does not show trailers, which another test checks.
        let shown = path == "/trailer" || given.contains(CANARY);
        assert!(shown, "{path}: the client is not given what was sent: {given}");
        let received = upstream.received();
        let received = received.last().unwrap();
        assert_eq!(received.body, body.as_bytes(), "{path}");
        assert_eq!(received.target.matches(CANARY).count(), 2, "{path}");
        for name in ["authorization", "cookie", "x-api-key", "x-csrf-token", "referer"] {
            assert!(received.header(name).is_some_and(|value| value.contains(CANARY)), "{name}");
        }
    }
    let run = recorder.stop().expect_code(0).expect_stderr("seen 6, written 6");
    assert!(run.err().contains("violate the spec"), "{}", run.err());
    assert_clean("standard output", &run.stdout);
    assert_clean("standard error", &run.stderr);

    // The recording does not contain the secret, so only other leaks are checked.
    for args in [
        &["all.jsonl", "--examples", "-o", "gen.yaml"][..],
        &["all.jsonl", "-m", "replay", "-o", "replay.yaml"],
        &["all.jsonl", "--partial", "-o", "all.partial.json"],
    ] {
        let run = dir.program("hmt-build").args(args).run();
        assert_clean("hmt-build", &run.stderr);
        run.expect_code(0);
    }
    let files = files(dir.path());
    assert!(files.len() >= 8, "{:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, bytes) in &files {
        assert_clean(name, bytes);
    }
    let records = parse(&dir.read("all.jsonl"));
    assert!(records.iter().all(|record| !record["meta"]["hmt"]["redacted"].is_null()));
    assert_eq!(records[0]["request"]["query"]["page"], "1", "what is no secret stays");
}

#[test]
fn whoever_has_the_secret_still_gets_the_recorded_answer() {
    let (dir, upstream) = (Dir::new(), Upstream::start(answer));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "all.jsonl"]);
    for (path, media, body) in requests() {
        send(&recorder, "", path, media, &body).expect_status(200);
    }
    recorder.stop().expect_code(0);
    dir.program("hmt-build")
        .args(["all.jsonl", "-m", "replay", "-o", "replay.yaml"])
        .run()
        .expect_code(0);
    let replay = dir.program("hmt-replay").args(["serve", "-p", "0", "all.jsonl"]);
    let mock = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "replay.yaml"]);
    for program in [replay, mock] {
        let server = Server::start(program);
        for (path, media, body) in requests() {
            let response = send(&server, "", path, media, &body).expect_status(200);
            // The response has pseudonyms; the same secret has the same one everywhere.
            let text = response.text() + &format!("{:?}", response.headers);
            assert_clean(path, text.as_bytes());
            if path != "/trailer" {
                assert!(text.contains("hmt~"), "{path}: {text}");
            }
        }
        let run = server.stop();
        assert_clean("standard error", &run.stderr);
    }
}
