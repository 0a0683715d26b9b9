//! Ports, pages of other origins, and logs.

use serde_json::Value;

use super::{SHOP, mock, source};
use crate::harness::{Dir, Reply, Request, Server, Upstream};

#[test]
fn a_mock_in_the_background() {
    let dir = Dir::new();
    dir.write("s.yaml", SHOP);
    let run = |args: &[&str]| dir.program("hmt-mock").args(args).run();
    run(&["-s"]).expect_code(3);
    run(&["-k"]).expect_code(3);
    run(&["-d", "-"]).expect_code(2).expect_stderr("standard input");
    run(&["-d", "-o", "-", "s.yaml"]).expect_code(2).expect_stderr("standard input");
    run(&["-k", "s.yaml"]).expect_code(2);
    run(&["-d", "--no-admin", "-p", "0", "gone.yaml"]).expect_code(1).expect_stderr("gone.yaml");
    let started = run(&["-d", "--no-admin", "-p", "0", "-l", "logs", "s.yaml"]).expect_code(0);
    let said = started.err();
    let url = said.lines().find_map(|line| line.strip_prefix("listening on ")).unwrap();
    let port = url.rsplit(':').next().unwrap();
    Request::new("GET", &format!("{url}/items")).send().expect_status(200);
    run(&["-s"]).expect_code(0).expect_stdout(&format!("on port {port} as process"));
    run(&["status"]).expect_code(0).expect_stdout(&format!("on port {port} as process"));
    run(&["-s", "-p", "1"]).expect_code(3);
    run(&["stop", "-p", "1"]).expect_code(3);
    run(&["stop", "-p", port]).expect_code(0);
    run(&["-k"]).expect_code(3);
    assert!(dir.read(&format!("logs/{}", dir.list("logs")[0])).contains("/items"));
}

#[test]
fn pages_of_other_origins_may_read_the_answers() {
    let (_dir, server) = mock(SHOP, &[]);
    assert_eq!(server.get("/items").header("access-control-allow-origin"), None);
    let get = server.request("GET", "/items").header("Origin", "http://page.test").send();
    assert_eq!(get.header("access-control-allow-origin"), Some("http://page.test"));
    let preflight = server.request("OPTIONS", "/items").header("Origin", "http://page.test");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").send();
    assert_eq!(preflight.expect_status(204).header("access-control-allow-methods"), Some("POST"));
    let (_dir, server) = mock(SHOP, &["--no-cors"]);
    let get = server.request("GET", "/items").header("Origin", "http://page.test").send();
    assert_eq!(get.header("access-control-allow-origin"), None);
}

#[test]
fn served_exchanges_are_logged_with_their_scope() {
    let (dir, server) = mock(SHOP, &["-l", "logs", "-o", "-"]);
    server.admin("POST", "/scope").body("name=mine").send().expect_status(200);
    server.get("/items?limit=1").expect_status(200);
    server.request("BREW", "/items").send().expect_status(405);
    server.get("/items?limit=9").expect_status(422);
    let lines = server.wait_lines(2);
    let name = dir.list("logs").pop().unwrap();
    assert!(name.starts_with("mock-") && name.ends_with(".jsonl"), "{name}");
    assert_eq!(dir.read(&format!("logs/{name}")).lines().collect::<Vec<_>>(), lines);
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first["meta"]["hmt"]["scope"], "mine");
    assert_eq!(first["request"]["query"]["limit"], "1");
    assert!(first["request"]["timestamp"].is_string());
    assert_eq!(first["response"]["headers"]["x-hmt-source"], "generated");
    let second: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(second["response"]["statusCode"], 422);
    server.stop().expect_code(0);
}

#[test]
fn a_dead_log_is_told_and_the_mock_goes_on() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let (_dir, server) = mock(SHOP, &["-o", "/dev/full"]);
    server.get("/items").expect_status(200);
    server.get("/items").expect_status(200);
    server.stop().expect_code(1).expect_stderr("0 written, 2 lost").expect_stderr("/dev/full");
}

#[test]
fn secrets_are_logged_as_pseudonyms_which_replay_still_matches() {
    let (dir, server) = mock(SHOP, &["-o", "served.jsonl", "--no-validate"]);
    let items = "/items?token=s3cret&limit=1";
    let answer = server.request("GET", items).header("X-Api-Key", "s3cret").send().text();
    server.stop().expect_code(0);
    let log = dir.read("served.jsonl");
    assert!(log.contains("hmt~") && !log.contains("s3cret"), "{log}");

    let start = |flags: &[&str]| {
        let args = ["serve", "-p", "0", "served.jsonl"];
        Server::start(dir.program("hmt-replay").args(args).args(flags))
    };
    let replay = start(&[]);
    assert_eq!(replay.get(items).text(), answer);
    assert_eq!(replay.get("/items?token=other&limit=1").status, 404);
    std::fs::remove_file(dir.join("data/hmt/redact.key")).unwrap();
    let replay = start(&[]);
    assert_eq!(replay.get("/items?limit=1&token=other").text(), answer);
    assert_eq!(replay.get("/items?limit=1&token=").status, 404);
    let run = dir.program("hmt-replay").args(["serve", "--redact-key", "no.key", "served.jsonl"]);
    run.run().expect_code(1).expect_stderr("no.key");

    let (dir, server) = mock(SHOP, &["-o", "-", "--keep-secrets"]);
    server.get(items);
    assert!(server.wait_lines(1)[0].contains("s3cret"));
    assert!(!dir.exists("data"));
}

#[test]
fn a_busy_port_names_its_flag() {
    let (dir, server) = mock(SHOP, &[]);
    let port = server.port().to_string();
    let run = |args: [&str; 4]| dir.program("hmt-mock").args(args).arg("spec.yaml").run();
    run(["-p", &port, "-a", "0"]).expect_code(1).expect_stderr("-p/--port");
    run(["-p", "0", "-a", &port]).expect_code(1).expect_stderr("-a/--admin-port");
}

#[test]
fn what_matches_nothing_goes_upstream() {
    let upstream = Upstream::start(|request| {
        let told = format!(
            "{} {} {} {}",
            request.method,
            request.target,
            String::from_utf8_lossy(&request.body),
            request.header("x-mine").unwrap_or_default()
        );
        Reply::new(203, &[("X-Theirs", "yes"), ("Keep-Alive", "timeout=1")], told)
    });
    let (_dir, server) = mock(SHOP, &["--upstream", &format!("{}/base", upstream.url())]);
    let answer = server.request("POST", "/other?a=b%20c").header("X-Mine", "m").body("hi").send();
    assert_eq!((answer.status, answer.text()), (203, "POST /base/other?a=b%20c hi m".to_owned()));
    assert_eq!((source(&answer), answer.header("x-theirs")), ("upstream", Some("yes")));
    assert_eq!(answer.header("keep-alive"), None);
    assert_eq!(server.request("DELETE", "/items").send().text(), "DELETE /base/items  ");
    assert_eq!(source(&server.get("/items").expect_status(200)), "generated");
    server.get("/items?limit=9").expect_status(422);
    let (_dir, server) = mock(SHOP, &["--upstream", "http://127.0.0.1:1"]);
    let problem = server.get("/other").expect_status(502);
    assert_eq!(source(&problem), "upstream");
    assert!(problem.json()["detail"].as_str().unwrap().contains("127.0.0.1:1"));
}

/// A collection with pages.
const PAGES: &str = r##"{"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {"/things": {
    "get": {"parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}},
        {"name": "page_size", "in": "query", "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {
            "type": "object", "properties": {"next": {"type": ["string", "null"], "format": "uri"},
                "results": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}}}}}},
    "post": {"requestBody": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Thing"}}}},
        "responses": {"201": {"description": "", "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Thing"}}}}}}},
    "/things/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true,
        "schema": {"type": "string"}}], "responses": {"200": {"description": "", "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}}},
    "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}}}"##;

/// RFC 9113, sections 3.2 and 3.3: HTTP/2 by prior knowledge, and over TLS where ALPN chooses it.
#[test]
fn http_2_and_tls_are_spoken() {
    if crate::harness::on_path("curl").is_none() {
        return;
    }
    let dir = Dir::new();
    dir.write("spec.yaml", SHOP);
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    dir.write("cert.pem", key.cert.pem());
    dir.write("key.pem", key.signing_key.serialize_pem());
    dir.write("other.pem", rcgen::KeyPair::generate().unwrap().serialize_pem());
    let curl = |args: &[&str], url: &str| {
        let format = "\n%{http_version} %{http_code}";
        let common = ["-sS", "-w", format, url];
        let args = args.iter().chain(&common);
        let run = crate::harness::Program::of("curl", dir.path()).args(args).run();
        String::from_utf8(run.expect_code(0).stdout).unwrap()
    };
    let start = |flags: &[&str]| {
        let args = ["-p", "0", "--no-admin", "spec.yaml"];
        Server::start(dir.program("hmt-mock").args(args).args(flags))
    };
    let server = start(&[]);
    let url = format!("{}/items/newest", server.url());
    assert_eq!(curl(&["--http2-prior-knowledge"], &url), "newest\n2 200");
    assert_eq!(curl(&["--http1.1"], &url), "newest\n1.1 200");
    let server = start(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    assert!(server.url().starts_with("https://"));
    let url = format!("https://localhost:{}/items/newest", server.port());
    assert_eq!(curl(&["--cacert", "cert.pem", "--http2"], &url), "newest\n2 200");
    assert_eq!(curl(&["--cacert", "cert.pem", "--http1.1"], &url), "newest\n1.1 200");
    server.stop().expect_code(0);
    dir.write("state.yaml", PAGES);
    let args = ["-p", "0", "--no-admin", "--stateful", "state.yaml"];
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let server = Server::start(dir.program("hmt-mock").args(args).args(tls));
    let url = format!("https://localhost:{}/things", server.port());
    let common = ["--cacert", "cert.pem", "--http1.1"];
    let json = ["-H", "content-type: application/json"];
    for name in ["a", "b"] {
        let thing = format!(r#"{{"id": "{name}"}}"#);
        curl(&[&common[..], &json, &["-d", &thing]].concat(), &url);
    }
    let page = curl(&common, &format!("{url}?page=1&page_size=1"));
    assert!(page.contains(&format!("\"next\":\"{url}?")) && page.contains("page=2"), "{page}");
    server.stop().expect_code(0);
    for (cert, key, said) in [
        ("cert.pem", "other.pem", "cannot use this certificate"),
        ("key.pem", "key.pem", "no valid PEM certificate"),
        ("cert.pem", "cert.pem", "no valid PEM private key"),
        ("gone.pem", "key.pem", "gone.pem"),
    ] {
        let args = ["-p", "0", "--no-admin", "spec.yaml", "--tls-cert", cert, "--tls-key", key];
        dir.program("hmt-mock").args(args).run().expect_code(1).expect_stderr(said);
    }
    dir.program("hmt-mock").args(["spec.yaml", "--tls-cert", "cert.pem"]).run().expect_code(2);
}

#[test]
fn a_second_mock_takes_a_free_admin_port() {
    let dir = Dir::new();
    dir.write("s.yaml", SHOP);
    let start = || Server::start(dir.program("hmt-mock").args(["-p", "0", "s.yaml"]));
    let (first, second) = (start(), start());
    assert_ne!(first.admin_url(), second.admin_url());
    for mock in [&first, &second] {
        mock.admin("GET", "/health").send().expect_status(200);
    }
    // If a requested port is not available, the mock does not start.
    let port = first.admin_url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let run = dir.program("hmt-mock").args(["-p", "0", "-a", &port, "s.yaml"]).run();
    run.expect_code(1).expect_stderr("-a/--admin-port");
}
