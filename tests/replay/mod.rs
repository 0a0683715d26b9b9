//! Tests of replay, a file for each rule.

mod background;
mod carry;
mod diff;
mod exactness;
mod matching;
mod misses;
mod protocols;
mod send;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::harness::{Dir, Request, Server, fixture, shared};

/// A line of a recording.
fn line(
    method: &str,
    host: &str,
    path: &str,
    request_body: &str,
    status: u16,
    body: &str,
) -> String {
    let (pathname, query) = path.split_once('?').unwrap_or((path, ""));
    let query: serde_json::Map<String, serde_json::Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut line = serde_json::json!({
        "request": {"method": method, "protocol": "http", "host": host, "path": path,
            "pathname": pathname, "query": query, "headers": {"host": host}, "body": request_body},
        "response": {"statusCode": status, "body": body, "headers": {"content-type": "text/plain",
            "x-hop": "no", "connection": "close, x-hop", "set-cookie": ["a=1", "b=2"],
            "content-encoding": "gzip", "content-length": "3", "x-bad": "a\r\nset-cookie: evil=1"}},
    })
    .to_string();
    line.push('\n');
    line
}

/// Requires an equal body.
const WITH_BODY: &[&str] = &["--match", "method,path,query,body,host"];

fn serve(lines: &[String], args: &[&str]) -> (Dir, Server) {
    let dir = Dir::new();
    dir.write("log.jsonl", lines.concat());
    let program = dir.program("hmt-replay").args(["serve", "-p", "0", "log.jsonl"]).args(args);
    let server = Server::start(program);
    (dir, server)
}

#[test]
fn answers_come_in_file_order_and_then_the_last_again() {
    let lines: Vec<String> =
        ["1", "2", "2", "3"].map(|body| line("get", "h.test", "/x?b=1&a=2", "", 200, body)).into();
    let (_dir, server) = serve(&lines, &[]);
    let answers: Vec<String> =
        (0..6).map(|_| server.get("/http://h.test/x?a=2&b=1").expect_status(200).text()).collect();
    assert_eq!(answers, ["1", "2", "2", "3", "3", "3"]);
    server.stop().expect_code(0);
}

#[test]
fn headers_are_those_from_end_to_end() {
    let (_dir, server) = serve(&[line("get", "h.test", "/x", "", 299, "abc")], &[]);
    let answer = server.get("/x").expect_status(299);
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !["date", "connection", "content-length"].contains(&name.as_str()));
    headers.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        headers,
        [pair("content-type", "text/plain"), pair("set-cookie", "a=1"), pair("set-cookie", "b=2")]
    );
    assert_eq!(answer.text(), "abc");
    server.wait_stderr("1 recorded headers cannot be sent");
}

#[test]
fn a_head_has_headers_and_no_body() {
    let (_dir, server) = serve(&[line("head", "h.test", "/x", "", 200, "")], &[]);
    let answer = server.request("HEAD", "/x").send().expect_status(200);
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(server.get("/x").status, 404);
}

#[test]
fn bodies_are_equal_as_json_and_forms_else_any_will_do() {
    let lines = [
        line("post", "h.test", "/x", r#"{"a":1,"b":2}"#, 200, "json"),
        line("post", "h.test", "/x", "a=1&b=2", 200, "form"),
    ];
    let (_dir, server) = serve(&lines, &[]);
    let post = |body: &str| server.request("POST", "/x").body(body).send().text();
    assert_eq!(post("else"), "json");
    assert_eq!(post("b=2&a=1"), "form");
    assert_eq!(post(r#"{ "b": 2, "a": 1.0 }"#), "json");
    let (_dir, server) = serve(&lines, &["--match", "method,path,body"]);
    assert_eq!(server.request("POST", "/x").body("else").send().status, 404);
    assert_eq!(server.request("POST", "/x?q=1").body("a=1&b=2").send().text(), "form");
    let (_dir, server) = serve(&lines, &["--match", "method,path"]);
    assert_eq!(server.request("POST", "/x").body("else").send().text(), "json");
}

#[test]
fn hosts_by_path_and_by_header() {
    let lines =
        [line("get", "a.test", "/x", "", 200, "a"), line("get", "b.test", "/x", "", 200, "b")];
    let (_dir, server) = serve(&lines, &["-r"]);
    let get = |host: &str| server.request("GET", "/x").header("host", host).send();
    assert_eq!(get("B.test").text(), "b");
    assert_eq!(get(&format!("a.test:{}", server.port())).text(), "a");
    assert_eq!(get("c.test").status, 404);
    assert_eq!(server.get("/https://b.test/x").text(), "b");
    let (_dir, server) = serve(&lines, &[]);
    assert_eq!(server.get("/x").text(), "a");
    assert_eq!(server.get("/x").text(), "b");
    assert_eq!(server.get("/http://b.test/x").text(), "b");
    assert_eq!(server.get("/http://a.test/x").text(), "a");
}

#[test]
fn a_miss_explains_the_nearest_recording() {
    let (_dir, server) = serve(&[line("get", "h.test", "/users/1?a=1", "", 200, "")], &[]);
    let problem = server.get("/users/1?a=2").expect_status(404);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let detail = problem.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("GET h.test/users/1?a=1") && detail.contains("query"), "{detail}");
}

#[test]
fn bad_records_are_named_and_the_good_ones_served() {
    let dir = Dir::new();
    dir.write("log.jsonl", format!("{{}}\n{}", line("get", "h.test", "/x", "", 200, "ok")));
    let server = Server::start(dir.program("hmt-replay").args(["serve", "-p", "0", "log.jsonl"]));
    assert_eq!(server.get("/x").text(), "ok");
    server.stop().expect_code(3).expect_stderr("log.jsonl:1: ");
    dir.write("bad.jsonl", "{}\n");
    let run = dir.program("hmt-replay").args(["serve", "-p", "0", "bad.jsonl"]).run();
    run.expect_code(1).expect_stderr("nothing to replay");
    let run = dir.program("hmt-replay").args(["serve", "-p", "0", "none.jsonl"]).run();
    run.expect_code(1).expect_stderr("none.jsonl");
}

#[test]
fn a_busy_port_names_the_flag() {
    let (dir, server) = serve(&[line("get", "h.test", "/x", "", 200, "")], &[]);
    let port = server.port().to_string();
    let run = dir.program("hmt-replay").args(["serve", "-p", &port, "log.jsonl"]).run();
    run.expect_code(1).expect_stderr("-p/--port");
    let run = dir.program("hmt-replay").args(["serve", "--match", "colour", "log.jsonl"]).run();
    run.expect_code(2).expect_stderr("colour");
}

/// Method, target of path routing, status, body.
type Recorded = (String, String, u16, String);

/// The credentials of a recorded request, which its response requires.
fn credentials(line: &serde_json::Value) -> Vec<(String, String)> {
    let headers = line["request"]["headers"].as_object().into_iter().flatten();
    headers
        .filter(|(name, _)| ["x-api-key", "authorization", "cookie"].contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn recorded(path: &Path) -> Vec<(Recorded, Vec<(String, String)>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let exchanges = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (request, response) = (&line["request"], &line["response"]);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let (scheme, host) = (text(&request["protocol"]), text(&request["host"]));
        let target = format!("/{scheme}://{host}{}", text(&request["path"]));
        let status = u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap();
        let method = text(&request["method"]).to_uppercase();
        let body = match line["meta"]["hmt"]["responseBodyBase64"].as_str() {
            Some(base64) => String::from_utf8_lossy(&STANDARD.decode(base64).unwrap()).into_owned(),
            None => text(&response["body"]),
        };
        ((method, target, status, body), credentials(&line))
    });
    exchanges.collect()
}

/// Requests everything that was recorded, with its credentials.
fn ask(server: &Server, all: &[(Recorded, Vec<(String, String)>)]) -> Vec<Recorded> {
    let ask = |((method, target, ..), credentials): &(Recorded, Vec<(String, String)>)| {
        let request = server.request(method, target);
        let add = |request: Request, (name, value): &(String, String)| request.header(name, value);
        let answer = credentials.iter().fold(request, add).send();
        (method.clone(), target.clone(), answer.status, answer.text())
    };
    all.iter().map(ask).collect()
}

#[test]
fn own_recordings_come_back_byte_for_byte() {
    let path = fixture("docs/recordings.jsonl");
    let all = recorded(&path);
    let expected: Vec<Recorded> = all.iter().map(|(exchange, _)| exchange.clone()).collect();
    let dir = Dir::new();
    let replay = dir.program("hmt-replay").args(["serve", "-p", "0"]).arg(&path);
    assert_eq!(ask(&Server::start(replay), &all), expected);
}

#[test]
fn real_recordings_come_back_byte_for_byte() {
    for name in ["github", "pokeapi", "opbank"] {
        let Some(path) = shared(&format!("recordings/{name}.jsonl")) else { return };
        let all = recorded(&path);
        let mut recorded: Vec<Recorded> =
            all.iter().map(|(exchange, _)| exchange.clone()).collect();
        let dir = Dir::new();
        let replay = dir.program("hmt-replay").args(["serve", "-p", "0"]).arg(&path);
        assert!(ask(&Server::start(replay), &all) == recorded, "{name}: replay differs");

        let spec = dir.program("hmt-build").args(["-m", "replay"]).arg(&path).run();
        dir.write("spec.yaml", &spec.expect_code(0).stdout);
        let mock = dir.program("hmt-mock").args(["-p", "0", "--no-admin", "spec.yaml"]);
        let mut answers = ask(&Server::start(mock), &all);
        // Without recorded times, the builder determines the order of responses to equal requests.
        answers.sort();
        recorded.sort();
        assert!(answers == recorded, "{name}: the mock of the built spec differs");
    }
}
