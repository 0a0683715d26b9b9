//! Callbacks and webhooks of OpenAPI (OpenAPI 3.1.1, section 4.8.20): the requests that the API
//! sends.

use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::harness::{HANG, Received, Reply, Upstream};

use super::mock;

const SPEC: &str = r##"
openapi: 3.1.0
info: {title: Jobs, version: "1"}
paths:
  /jobs/{id}:
    post:
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {url: {type: string}}}}
      responses:
        "202": {description: ok, content: {application/json: {example: {job: 7}}}}
        "409": {description: taken}
      callbacks:
        done:
          "{$request.body#/url}/{$request.path.id}?job={$response.body#/job}":
            post:
              requestBody:
                content:
                  application/json: {schema: {$ref: "#/components/schemas/Event"}}
              responses: {"200": {description: ok}}
        failed: {$ref: "#/components/callbacks/Failed"}
components:
  callbacks:
    Failed:
      "$request.query.failed":
        put:
          requestBody: {content: {text/plain: {example: too bad}}}
          responses: {"200": {description: ok}}
  schemas:
    Event:
      type: object
      required: [kind, count]
      properties:
        kind: {type: string, enum: [done]}
        count: {type: integer, minimum: 3, maximum: 3}
"##;

/// A receiver, and how to wait for its requests.
struct Receiver {
    server: Upstream,
    count: Arc<(Mutex<usize>, Condvar)>,
}

impl Receiver {
    fn start(status: u16) -> Receiver {
        let count = Arc::<(Mutex<usize>, Condvar)>::default();
        let counted = Arc::clone(&count);
        let server = Upstream::start(move |_| {
            *counted.0.lock().unwrap() += 1;
            counted.1.notify_all();
            Reply::new(status, &[], "")
        });
        Receiver { server, count }
    }

    #[track_caller]
    fn wait(&self, wanted: usize) -> Vec<Received> {
        let count = self.count.0.lock().unwrap();
        let waited = self.count.1.wait_timeout_while(count, HANG, |count| *count < wanted).unwrap();
        assert!(*waited.0 >= wanted, "only {} requests", waited.0);
        self.server.received()
    }
}

#[test]
fn callbacks_are_sent_after_the_answer() {
    let receiver = Receiver::start(200);
    let (_dir, server) = mock(SPEC, &["--fire-callbacks", "-v"]);
    let body = json!({"url": format!("{}/hook", receiver.server.url())});
    let failed = format!("{}/failed", receiver.server.url());
    let path = format!("/jobs/a1?failed={failed}");
    server.request("POST", &path).json(&body).send().expect_status(202);
    let mut received = receiver.wait(2);
    received.sort_by(|one, other| one.method.cmp(&other.method));
    assert_eq!(received[0].target, "/hook/a1?job=7");
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    let event: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!(event, json!({"kind": "done", "count": 3}));
    assert_eq!((&*received[1].method, &*received[1].target), ("PUT", "/failed"));
    assert_eq!(received[1].body, b"too bad");
    server.wait_stderr(&format!("callback done: POST {}/hook/a1?job=7 200", receiver.server.url()));
    // No callback follows an error response.
    let conflict = server.request("POST", &path).header("prefer", "code=409").json(&body).send();
    conflict.expect_status(409);
    server.request("POST", &path).json(&body).send().expect_status(202);
    assert_eq!(receiver.wait(4).len(), 4);
}

#[test]
fn what_cannot_be_sent_is_a_line() {
    let receiver = Receiver::start(500);
    let (_dir, server) = mock(SPEC, &["--fire-callbacks"]);
    for url in ["http://192.0.2.1", "http://169.254.169.254"] {
        let body = json!({ "url": url });
        server.request("POST", "/jobs/1?failed=x").json(&body).send().expect_status(202);
        // Each kind of failure is reported once in a while: further failures are counted.
        server.wait_stderr("callback done: POST http://192.0.2.1/1?job=7: 192.0.2.1");
    }
    server.wait_stderr("--allow-webhook 192.0.2.1 allows it");
    server.wait_stderr("callback failed: \"x\" is not an http:// or https:// URL");
    drop(receiver);
}

#[test]
fn the_mock_does_not_ask_itself() {
    let (_dir, server) = mock(SPEC, &["--fire-callbacks"]);
    let body = json!({ "url": server.url() });
    server.request("POST", "/jobs/1?failed=x").json(&body).send().expect_status(202);
    server.wait_stderr(&format!("callback done: POST {}/1?job=7: ", server.url()));
    let journal = server.admin("GET", "/requests?count=true").send().json();
    assert_eq!(journal["count"], 1);
}

#[test]
fn nothing_is_sent_unless_it_is_wanted() {
    let receiver = Receiver::start(200);
    let (_dir, server) = mock(SPEC, &[]);
    let body = json!({"url": receiver.server.url()});
    let path = format!("/jobs/1?failed={}/", receiver.server.url());
    server.request("POST", &path).json(&body).send().expect_status(202);
    server.stop().expect_code(0);
    assert!(receiver.server.received().is_empty());
}

#[test]
fn webhooks_go_where_their_servers_lead() {
    let receiver = Receiver::start(200);
    let spec = format!(
        r#"
openapi: 3.1.0
info: {{title: Pets, version: "1"}}
paths:
  /pets:
    get: {{responses: {{"200": {{description: all}}}}}}
    post: {{responses: {{"201": {{description: made}}}}}}
webhooks:
  newPet:
    servers: [{{url: "{}/pets"}}]
    post:
      requestBody: {{content: {{application/json: {{example: {{name: Rex}}}}}}}}
      responses: {{"200": {{description: ok}}}}
  lost:
    post: {{responses: {{"200": {{description: ok}}}}}}
"#,
        receiver.server.url()
    );
    let (_dir, server) = mock(&spec, &["--fire-callbacks"]);
    server.wait_stderr("spec.yaml: /webhooks/lost: the webhook is not sent");
    server.get("/pets").expect_status(200);
    server.request("POST", "/pets").send().expect_status(201);
    let received = receiver.wait(1);
    assert_eq!(received.len(), 1);
    assert_eq!(
        (&*received[0].target, &received[0].body[..]),
        ("/pets", &b"{\"name\":\"Rex\"}"[..])
    );
}
