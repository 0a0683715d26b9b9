//! The journal of the admin port.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{HANG, Server};

use super::{SHOP, mock};

fn requests(server: &Server, query: &str) -> Value {
    server.admin("GET", &format!("/requests{query}")).send().expect_status(200).json()
}

#[test]
fn requests_are_listed_with_their_answers() {
    let (_dir, server) = mock(SHOP, &[]);
    assert_eq!(requests(&server, ""), json!([]));
    server.get("/items/7?x=1").expect_status(200);
    server.get("/nowhere").expect_status(404);
    let all = requests(&server, "");
    assert_eq!(all.as_array().unwrap().len(), 2);
    let first = &all[0];
    assert_eq!(first["operation"], "GET /items/{id}");
    assert_eq!((&first["matched"], &first["status"]), (&json!(true), &json!(200)));
    assert_eq!(first["exchange"]["request"]["pathname"], "/items/7");
    assert_eq!(first["exchange"]["request"]["query"], json!({"x": "1"}));
    assert_eq!(first["exchange"]["response"]["statusCode"], 200);
    assert_eq!(first["violations"], json!([]));
    assert!(first["durationMs"].as_f64().unwrap() >= 0.0);
    assert!(first["at"].as_str().unwrap().ends_with('Z'));
    let missed = &all[1];
    assert_eq!((&missed["matched"], &missed["status"]), (&json!(false), &json!(404)));
    assert_eq!(missed.get("operation"), None);
    server.admin("DELETE", "/requests").send().expect_status(204);
    assert_eq!(requests(&server, ""), json!([]));
}

#[test]
fn filters_choose_among_them() {
    let (_dir, server) = mock(SHOP, &[]);
    server.get("/items").expect_status(200);
    server.get("/items/7").expect_status(200);
    server.get("/nowhere").expect_status(404);
    server.request("DELETE", "/items").send().expect_status(405);
    let count = |query: &str| requests(&server, &format!("?count=true{query}"))["count"].clone();
    for (query, expected) in [
        ("", 4),
        ("&method=get", 3),
        ("&path=/items/{id}", 1),
        ("&path=/items*", 3),
        ("&status=200", 2),
        ("&status=4xx", 2),
        ("&unmatched=true", 2),
        ("&unmatched=false", 2),
        ("&source=problem", 2),
        ("&since=2", 2),
        ("&since=2020-01-01T00:00:00Z", 4),
        ("&since=2999-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    let last = requests(&server, "?limit=1");
    assert_eq!(last[0]["status"], 405);
    server.admin("GET", "/requests?color=red").send().expect_status(400);
}

#[test]
fn violations_and_overrides_are_noted_and_secrets_are_not() {
    let (_dir, server) = mock(SHOP, &[]);
    server
        .admin("POST", "/overrides")
        .body(r#"{"match":{"path":"/mine"}}"#)
        .send()
        .expect_status(201);
    server.get("/mine").expect_status(200);
    let entry = &requests(&server, "?source=override")[0];
    assert_eq!((&entry["matched"], &entry["source"]), (&json!(true), &json!("override")));
    server
        .request("GET", "/items?password=S3cretWord")
        .header("authorization", "Bearer T0psecret")
        .send();
    let text = requests(&server, "").to_string();
    assert!(!text.contains("S3cretWord") && !text.contains("T0psecret"), "{text}");
    let (_dir, open) = mock(SHOP, &["--keep-secrets"]);
    open.get("/items?password=S3cretWord");
    assert!(requests(&open, "").to_string().contains("S3cretWord"));
}

#[test]
fn a_journal_of_no_entries_keeps_none() {
    let (_dir, server) = mock(SHOP, &["--journal", "0"]);
    server.get("/items").expect_status(200);
    assert_eq!(requests(&server, ""), json!([]));
    let (_dir, server) = mock(SHOP, &["--journal", "2"]);
    (0..5).for_each(|_| drop(server.get("/items")));
    let ids: Vec<String> = requests(&server, "")
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["4", "5"]);
}

#[test]
fn the_journal_is_followed_as_events() {
    let (_dir, server) = mock(SHOP, &[]);
    server.get("/items").expect_status(200);
    let url = server.admin_url();
    let authority = url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(&authority).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let head = format!(
        "GET /admin/requests?unmatched=true HTTP/1.1\r\nHost: {authority}\r\nAccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == ": journal"));
    server.get("/items").expect_status(200);
    server.get("/nowhere").expect_status(404);
    let event = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
    let event: Value = serde_json::from_str(&event).unwrap();
    assert_eq!((&event["status"], &event["id"]), (&json!(404), &json!("3")));
}

#[test]
fn routes_reload_and_token() {
    let (dir, server) = mock(SHOP, &["--admin-token", "s3cret"]);
    server.admin("GET", "/routes").send().expect_status(401);
    let with = |method: &str, path: &str| {
        server.admin(method, path).header("authorization", "Bearer s3cret").send()
    };
    let routes = with("GET", "/routes").expect_status(200).json();
    assert!(
        routes
            .as_array()
            .unwrap()
            .iter()
            .any(|route| { route["method"] == "GET" && route["path"] == "/items/{id}" })
    );
    dir.write("spec.yaml", "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {/new: {get: {responses: {'204': {description: x}}}}}\n");
    assert_eq!(with("POST", "/reload").expect_status(200).json()["operations"], 1);
    server.get("/new").expect_status(204);
    dir.write("spec.yaml", "broken");
    with("POST", "/reload").expect_status(422);
    server.get("/new").expect_status(204);
}

#[test]
fn unmatched_requests_name_what_is_near() {
    let (_dir, server) = mock(SHOP, &[]);
    let body = serde_json::json!({
        "id": "stub", "match": {"method": "POST", "path": "/item", "query": {"a": "1"}}, "answer": {}
    });
    server.admin("POST", "/overrides").json(&body).send().expect_status(201);
    server.get("/item?a=2").expect_status(404);
    server.get("/elsewhere").expect_status(404);
    server.get("/items").expect_status(200);
    let shown = server.admin("GET", "/requests").send().json();
    let nearest = &shown[0]["nearest"];
    assert_eq!(nearest["operations"][0], "GET /items");
    let stub = serde_json::json!({"id": "stub", "differs": ["method", "query a"]});
    assert_eq!(nearest["override"], stub);
    assert!(shown[1]["nearest"].is_null() && shown[2]["nearest"].is_null(), "{shown}");
}
