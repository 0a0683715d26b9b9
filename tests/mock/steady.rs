//! The same request gets the same answer, also if the mock keeps the answer, unless something has
//! changed meanwhile.

use serde_json::json;

use crate::harness::{Dir, Response, Server};

use super::{SHOP, mock};

/// Number of requests; from the third on, the response is the kept one.
const TIMES: usize = 4;

const PETS: &str = r#"
openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets:
    get:
      responses:
        '200': {description: all, content: {application/json: {example: [{name: Ann}]}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses:
        '201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
  /pets/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        '200': {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
components:
  schemas:
    Pet: {type: object, required: [name], properties: {id: {type: integer}, name: {type: string}, tag: {type: string, format: uuid}}}
"#;

/// What a client sees of a response, without the time.
fn seen(response: &Response) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = response.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (response.status, headers, response.body.clone())
}

/// Asks often, and expects the same answer each time.
fn same(ask: impl Fn() -> Response) -> Response {
    let first = ask();
    for _ in 1..TIMES {
        assert_eq!(seen(&ask()), seen(&first));
    }
    first
}

#[test]
fn each_part_of_a_request_counts() {
    let (_dir, server) = mock(PETS, &[]);
    let pet = |id: u32| same(|| server.get(&format!("/pets/{id}"))).expect_status(200).json();
    assert_eq!((&pet(7)["id"], &pet(8)["id"]), (&json!(7), &json!(8)));
    assert_ne!(pet(7)["tag"], pet(8)["tag"]);
    assert_eq!(same(|| server.get("/pets/x")).status, 422);
    let post =
        |body: &serde_json::Value| same(|| server.request("POST", "/pets").json(body).send());
    assert_eq!(post(&json!({"name": "Ann"})).json()["name"], "Ann");
    assert_eq!(post(&json!({"name": "Ben"})).json()["name"], "Ben");
    assert_eq!(post(&json!({"name": 1})).status, 422);
    let head = same(|| server.request("HEAD", "/pets").send());
    let get = same(|| server.get("/pets"));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert!(head.body.is_empty() && !get.body.is_empty());
    let foreign = same(|| server.request("GET", "/pets").header("origin", "http://a.test").send());
    assert!(foreign.header("access-control-allow-origin").is_some());
    assert!(same(|| server.get("/pets")).header("access-control-allow-origin").is_none());
    let accept = |kind: &str| same(|| server.request("GET", "/pets").header("accept", kind).send());
    assert_eq!((accept("text/html").status, accept("*/*").status), (406, 200));
}

#[test]
fn new_data_are_never_kept() {
    let (_dir, server) = mock(PETS, &[]);
    let plain = same(|| server.get("/pets/7")).json();
    let dynamic =
        || server.request("GET", "/pets/7").header("prefer", "dynamic=true").send().json();
    let all: Vec<_> = (0..TIMES).map(|_| dynamic()["tag"].clone()).collect();
    assert!(all.iter().any(|tag| *tag != all[0]), "{all:?}");
    assert_eq!(same(|| server.get("/pets/7")).json(), plain);
}

#[test]
fn overrides_and_faults_apply_at_once() {
    let (_dir, server) = mock(PETS, &[]);
    let asked = |status: u16| same(|| server.get("/pets")).expect_status(status);
    asked(200);
    let one = json!({"match": {"path": "/pets"}, "answer": {"status": 418}});
    let one = server.admin("POST", "/overrides").json(&one).send().expect_status(201).json();
    asked(418);
    let id = one["id"].as_str().unwrap();
    server.admin("DELETE", &format!("/overrides/{id}")).send();
    asked(200);
    server.admin("PUT", "/faults").json(&json!([{"errorRate": "1:503"}])).send().expect_status(200);
    assert_eq!(server.get("/pets").status, 503);
    server.admin("PUT", "/faults").json(&json!([])).send().expect_status(200);
    asked(200);
    let count = server.admin("GET", "/requests?count=true").send().json();
    assert_eq!(count["count"], 4 * TIMES + 1);
    let kept = server.admin("GET", "/requests?path=/pets&source=example&limit=1").send().json();
    assert_eq!((&kept[0]["operation"], &kept[0]["matched"]), (&json!("GET /pets"), &json!(true)));
}

#[test]
fn a_changed_spec_applies_at_once() {
    let dir = Dir::new();
    dir.write("spec.yaml", PETS);
    let server = Server::start(dir.program("hmt-mock").args(["-p", "0", "-a", "0", "spec.yaml"]));
    assert_eq!(same(|| server.get("/pets")).json(), json!([{"name": "Ann"}]));
    dir.write("spec.yaml", PETS.replace("name: Ann", "name: Eve"));
    server.admin("POST", "/reload").send().expect_status(200);
    assert_eq!(same(|| server.get("/pets")).json(), json!([{"name": "Eve"}]));
}

#[test]
fn state_is_never_kept() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    let count = || server.get("/v1/items").json().as_array().map_or(0, Vec::len);
    let before = count();
    assert!((0..TIMES).all(|_| count() == before));
    let item = json!({"name": "nail", "price": 1});
    server.request("POST", "/v1/items").json(&item).send().expect_status(201);
    assert_eq!(count(), before + 1);
}
