//! No message of any program contains a secret from a client, a server, a file or the command line.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::harness::{Dir, HANG, Program, Reply, Server, Upstream};

const SECRET: &str = "pl4nt3dS3cr3t9";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlMTIzNDU2Nzg5MA";
const KEY: &str = "ghp_aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3";

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in [SECRET, JWT, KEY] {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{what} has a secret: {}", line.unwrap_or_default());
    }
}

/// Targets of requests, each with a secret.
fn targets() -> Vec<String> {
    vec![
        format!("/a?token={SECRET}"),
        format!("/v/{JWT}/x"),
        format!("/a?k={KEY}"),
        format!("/a?x=1&sig={SECRET}"),
        format!("/a;jsessionid={SECRET}"),
        format!("/a?code={SECRET}&state=xx&client_id=1"),
        format!("/cb?u=https://jo:{SECRET}@h.test/"),
        format!("/http://jo:{SECRET}@h.test/x"),
        format!("/ftp://jo:{SECRET}@h.test/x"),
    ]
}

/// Sends the bytes, and reads until the server closes the connection.
fn raw(server: &Server, request: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let mut answer = Vec::new();
    let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
}

/// Requests all targets, alone and with each prefix, in several failing ways.
fn ask(server: &Server) {
    for target in targets() {
        for prefix in ["", "/cut", "/bad", "/zz"] {
            raw(
                server,
                &format!("GET {prefix}{target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            );
        }
        raw(
            server,
            &format!("GET {target} HTTP/1.1\r\nHost: jo:{SECRET}@h\r\nConnection: close\r\n\r\n"),
        );
        raw(server, &format!("GET {target} HTTP/9.9\r\nHost: h\r\n\r\n"));
        raw(server, &format!("GET {target}\u{1} x HTTP/1.1\r\nHost: h\r\n\r\n"));
        raw(server, &format!("CONNECT {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    }
    raw(server, &format!("GET / HTTP/1.1\r\nX Token: {SECRET}\r\n\r\n"));
    raw(
        server,
        &format!(
            "CONNECT jo:{SECRET}@h.invalid:443 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        ),
    );
}

/// A port where nobody listens.
fn dead() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn servers_report_trouble_without_secrets() {
    let broken = Upstream::start(|request| {
        if request.target.starts_with("/bad") {
            return Reply(format!("HTTP/1.1 200 OK\r\nX: token={SECRET}\0\r\n\r\n").into_bytes());
        }
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".to_vec())
    });
    let dead = format!("http://{}", dead());
    let record = format!("record={}", broken.url());
    let dir = Dir::new();
    let spec = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {
        "parameters": [{"name": "token", "in": "query", "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "d"}}}}}});
    dir.write("spec.json", spec.to_string());
    let recorded = json!({
        "request": {"method": "get", "protocol": "http", "host": "h.test", "path": format!("/a?token={SECRET}"),
            "headers": {"authorization": format!("Bearer {SECRET}")}},
        "response": {"statusCode": 200, "body": "ok"}});
    dir.write("log.jsonl", format!("{recorded}\n"));
    for (program, args) in [
        ("hmt-record", vec!["-o", "out.jsonl", "-t", &dead]),
        ("hmt-record", vec!["-o", "out.jsonl", "-t", &broken.url()]),
        ("hmt-record", vec!["-o", "out.jsonl"]),
        ("hmt-replay", vec!["serve", "log.jsonl"]),
        ("hmt-replay", vec!["serve", "log.jsonl", "--on-miss", &dead]),
        ("hmt-replay", vec!["serve", "log.jsonl", "--on-miss", &broken.url()]),
        ("hmt-replay", vec!["serve", "log.jsonl", "--on-miss", &record, "-o", "more.jsonl"]),
        ("hmt-mock", vec!["--no-admin", "spec.json"]),
        ("hmt-mock", vec!["--no-admin", "spec.json", "--upstream", &dead]),
        ("hmt-mock", vec!["--no-admin", "spec.json", "--upstream", &broken.url()]),
    ] {
        let server = Server::start(dir.program(program).args(&args).args(["-v", "-p", "0"]));
        ask(&server);
        let run = server.stop().expect_code(0);
        let shows_targets = args.len() > 2 || program != "hmt-record";
        assert!(!shows_targets || run.err().contains("hmt~"), "{program} {args:?}\n{run}");
        assert_clean(&format!("{program} {args:?}"), &run.err());
        assert_clean(&format!("{program} {args:?}"), &run.out());
    }
}

#[test]
fn wrong_usage_is_reported_without_passwords() {
    let dir = Dir::new();
    for url in [
        format!("http://jo:{SECRET}@127.0.0.1:1"),
        format!("jo:{SECRET}@127.0.0.1:1"),
        format!("ftp://jo:{SECRET}@h.test/?token={SECRET}"),
        format!("https://jo:{SECRET}@h.test/b?token={SECRET}"),
    ] {
        let record = format!("record={url}");
        for (program, args) in [
            ("hmt-record", vec!["-p", "0", "-t", &url]),
            ("hmt-replay", vec!["serve", "x.jsonl", "--on-miss", &url]),
            ("hmt-replay", vec!["serve", "x.jsonl", "--on-miss", &record, "-o", "y.jsonl"]),
            ("hmt-mock", vec!["x.json", "--upstream", &url]),
        ] {
            let run = dir.program(program).args(&args).run().expect_code(2);
            assert_clean(&format!("{program} {args:?}"), &run.err());
        }
    }
}

/// Invalid lines, each for another reason, with a secret in the wrong place.
fn rejected() -> Vec<String> {
    let header = |value: serde_json::Value| json!({"request": {"method": "get", "path": "/", "headers": {"authorization": value}}});
    vec![
        format!("{{\"request\": {{\"method\": \"get\", \"path\": \"/?token={SECRET}\""),
        format!("token={SECRET}"),
        format!("Authorization: Bearer {SECRET}"),
        format!("{{\"password\": \"{SECRET}\"}}"),
        format!("{{\"token\": {SECRET}}}"),
        json!({"request": {"method": SECRET, "path": "/", "headers": {}}}).to_string(),
        json!({"request": {"method": "get", "path": format!("http://jo:{SECRET}@ h/?token={SECRET}")}}).to_string(),
        json!({"request": {"method": "get", "path": "/"}, "response": {"statusCode": SECRET}}).to_string(),
        json!({"request": {"method": "get", "path": "/", "timestamp": SECRET}, "response": SECRET}).to_string(),
        header(json!({"a": SECRET})).to_string(),
        header(json!([[SECRET]])).to_string(),
    ]
}

#[test]
fn rejected_records_are_reported_without_their_secrets() {
    let dir = Dir::new();
    let good = json!({"request": {"method": "get", "protocol": "http", "host": "h", "path": "/"},
        "response": {"statusCode": 200}});
    let check = |name: &str, program: Program| {
        let run = program.run();
        assert_clean(name, &run.err());
        assert_clean(name, &run.out());
    };
    for (index, line) in rejected().into_iter().enumerate() {
        dir.write("log.jsonl", format!("{good}\n{line}\n{good}\n"));
        dir.write("only.jsonl", format!("{line}\n"));
        for file in ["log.jsonl", "only.jsonl"] {
            let name = format!("line {index} of {file}");
            check(&name, dir.program("hmt-record").args(["import", file, "-o", "out.jsonl"]));
            check(&name, dir.program("hmt-build").arg(file));
            check(&name, dir.program("hmt-build").args(["--strict", file]));
            check(
                &name,
                dir.program("hmt-replay").args([
                    "serve",
                    "-p",
                    "0",
                    "--strict",
                    "--bind",
                    "192.0.2.1",
                    file,
                ]),
            );
            check(&name, dir.program("hmt-merge").arg(file));
            check(
                &name,
                dir.program("hmt-mock").args([
                    "-p",
                    "0",
                    "--no-admin",
                    "--bind",
                    "192.0.2.1",
                    file,
                ]),
            );
        }
    }
}
