//! Overrides: the responses that a test sets for some requests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Dir, Server};

use super::mock;

const PETS: &str = r#"
openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: 'https://pets.test/v1'}]
paths:
  /pets:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
              examples:
                two: {value: [{id: 1, name: Ann}, {id: 2, name: Ben}]}
                none: {value: []}
        '503':
          description: busy
          content:
            application/json: {schema: {type: object, required: [why], properties: {why: {type: string, example: busy}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses:
        '201': {description: made}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200': {description: ok, content: {text/plain: {schema: {type: string}}}}
components:
  schemas:
    Pet: {type: object, required: [id, name], properties: {id: {type: integer}, name: {type: string}}}
"#;

fn add(server: &Server, one: &Value) -> Value {
    server.admin("POST", "/overrides").json(one).send().expect_status(201).json()
}

#[test]
fn an_override_answers_until_it_is_removed() {
    let (_dir, server) = mock(PETS, &[]);
    let made = add(
        &server,
        &json!({
            "match": {"method": "get", "path": "/pets"},
            "answer": {"status": 418, "headers": {"x-a": "b"}, "body": {"teapot": true}},
        }),
    );
    let id = made["id"].as_str().unwrap();
    let answer = server.get("/pets").expect_status(418);
    assert_eq!(answer.header("x-hmt-source"), Some("override"));
    assert_eq!(answer.header("x-a"), Some("b"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), json!({"teapot": true}));
    server.get("/v1/pets").expect_status(418);
    assert_eq!(server.get("/pets/7").status, 200);
    assert_eq!(server.admin("GET", "/overrides").send().json(), json!([made]));
    assert_eq!(server.admin("GET", &format!("/overrides/{id}")).send().json(), made);
    server.admin("DELETE", &format!("/overrides/{id}")).send().expect_status(204);
    server.admin("DELETE", &format!("/overrides/{id}")).send().expect_status(404);
    server.get("/pets").expect_status(200);
}

#[test]
fn the_newest_comes_first_and_times_make_a_scenario() {
    let (_dir, server) = mock(PETS, &[]);
    for (status, times) in [(200, None), (503, Some(2)), (429, Some(1))] {
        let mut one =
            json!({"match": {"path": "/pets"}, "answer": {"status": status, "body": "x"}});
        if let Some(times) = times {
            one["times"] = times.into();
        }
        add(&server, &one);
    }
    let statuses: Vec<u16> = (0..5).map(|_| server.get("/pets").status).collect();
    assert_eq!(statuses, [429, 503, 503, 200, 200]);
    assert_eq!(server.admin("GET", "/overrides").send().json().as_array().unwrap().len(), 1);
    server.admin("DELETE", "/overrides").send().expect_status(204);
    assert_eq!(server.admin("GET", "/overrides").send().json(), json!([]));
}

#[test]
fn requests_are_matched_by_subset() {
    let (_dir, server) = mock(PETS, &[]);
    let list = json!([
        {"id": "template", "match": {"path": "/pets/{id}"}, "answer": {"status": 250}},
        {"id": "query", "match": {"query": {"tag": ["a", "b"], "n": 1}}, "answer": {"status": 251}},
        {"id": "header", "match": {"headers": {"X-Test": "1"}}, "answer": {"status": 252}},
        {"id": "body", "match": {"method": "POST", "body": {"owner": {"id": 7}}}, "answer": {"status": 253}},
        {"id": "text", "match": {"body": "ping"}, "answer": {"status": 254}},
        {"id": "glob", "match": {"path": "/any/*"}, "answer": {"status": 255}},
        {"id": "host", "match": {"host": "other.test"}, "answer": {"status": 256}},
    ]);
    server.admin("PUT", "/overrides").json(&list).send().expect_status(200);
    assert_eq!(server.get("/pets/9").status, 250);
    assert_eq!(server.get("/pets?tag=b&n=1&tag=a&more=1").status, 251);
    assert_eq!(server.get("/pets?tag=a&n=1").status, 200);
    assert_eq!(server.request("GET", "/pets").header("x-test", "1").send().status, 252);
    let post = |body: &Value| server.request("POST", "/pets").json(body).send().status;
    assert_eq!(post(&json!({"owner": {"id": 7, "name": "x"}, "a": []})), 253);
    assert_eq!(post(&json!({"owner": {"id": 8}})), 422);
    let text = server.request("POST", "/pets").header("content-type", "text/plain").body("ping");
    assert_eq!(text.send().status, 254);
    // Also for a path without an operation.
    assert_eq!(server.get("/any/thing/else").status, 255);
    assert_eq!(server.request("GET", "/pets").header("Host", "other.test").send().status, 256);
}

#[test]
fn an_answer_without_a_body_is_made_from_the_spec() {
    let (_dir, server) = mock(PETS, &[]);
    let put = |answer: Value| {
        let list = json!([{"match": {"path": "/pets"}, "answer": answer}]);
        server.admin("PUT", "/overrides").json(&list).send().expect_status(200);
    };
    put(json!({"status": 503}));
    assert_eq!(server.get("/pets").expect_status(503).json(), json!({"why": "busy"}));
    put(json!({"example": "none"}));
    assert_eq!(server.get("/pets").expect_status(200).json(), json!([]));
    put(json!({"status": 404}));
    let empty = server.get("/pets").expect_status(404);
    assert_eq!((empty.text(), empty.header("x-hmt-source")), (String::new(), Some("override")));
    put(json!({"status": 200, "body": "text"}));
    // The media type of the response is JSON, so the text is one, too.
    assert_eq!(server.get("/pets").json(), json!("text"));
    put(json!({"body": "text", "headers": {"content-type": "text/csv"}}));
    assert_eq!(server.get("/pets").text(), "text");
    let list = json!([{"match": {"path": "/pets/1"}, "answer": {"body": "as it is"}}]);
    server.admin("PUT", "/overrides").json(&list).send().expect_status(200);
    let plain = server.get("/pets/1");
    assert_eq!(
        (plain.text().as_str(), plain.header("content-type")),
        ("as it is", Some("text/plain"))
    );
}

#[test]
fn an_override_may_be_late_or_broken() {
    let (_dir, server) = mock(PETS, &[]);
    add(&server, &json!({"match": {"path": "/pets"}, "answer": {"delay": "150ms", "body": []}}));
    let begin = Instant::now();
    server.get("/pets").expect_status(200);
    assert!(begin.elapsed() >= Duration::from_millis(150));
    add(&server, &json!({"match": {"path": "/pets"}, "answer": {"fault": "empty"}}));
    let answer = super::faults::raw(&server, "/pets", "");
    assert_eq!(answer, b"");
}

#[test]
fn overrides_come_from_a_file() {
    let dir = Dir::new();
    dir.write("pets.yaml", PETS);
    dir.write(
        "stubs.yaml",
        "- {id: a, match: {path: /pets}, answer: {status: 299}}\n- {match: {path: /pets}}\n",
    );
    let run = |file: &str| {
        dir.program("hmt-mock").args(["-p", "0", "-a", "0", "--overrides", file, "pets.yaml"])
    };
    let server = Server::start(run("stubs.yaml"));
    assert_eq!(server.get("/pets").status, 299);
    drop(server);
    dir.write("wrong.json", r#"[{"answer": {"status": 1}}]"#);
    run("wrong.json")
        .run()
        .expect_code(1)
        .expect_stderr("/0: /answer/status is not from 200 to 599");
    run("none.json").run().expect_code(1).expect_stderr("--overrides none.json");
}

#[test]
fn wrong_overrides_change_nothing() {
    let (_dir, server) = mock(PETS, &[]);
    let post = |body: &str| server.admin("POST", "/overrides").body(body).send();
    for (body, why) in [
        ("{", "the body is not JSON"),
        ("[]", "an override must be an object"),
        (r#"{"answer":{"status":"x"}}"#, "/answer/status"),
    ] {
        let refused = post(body).expect_status(400);
        assert!(refused.json()["detail"].as_str().unwrap().contains(why), "{body}");
    }
    post(r#"{"id":"a"}"#).expect_status(201);
    post(r#"{"id":"a"}"#).expect_status(409);
    let put = server.admin("PUT", "/overrides/b").json(&json!({"answer": {"status": 298}})).send();
    assert_eq!(put.expect_status(201).header("location"), Some("/admin/overrides/b"));
    assert_eq!(server.get("/pets").status, 298);
    assert_eq!(server.admin("GET", "/overrides").send().json().as_array().unwrap().len(), 2);
}
