//! Webhooks that change the specs for a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{Received, Reply, Server, Upstream};

use super::mock;

const SPEC: &str = r#"
openapi: 3.0.3
info: {title: Pets, version: "1"}
servers: [{url: "http://pets.test/v1"}]
paths:
  /pets:
    get:
      responses:
        "200": {description: all, content: {application/json: {example: [{id: 1}]}}}
        "403": {description: no, content: {application/json: {example: {error: no}}}}
"#;

const PREGEN: &str = "/middleware/rest/pregen";

fn listed(server: &Server) -> Value {
    server.admin("GET", PREGEN).send().expect_status(200).json()
}

/// Registers a webhook by its URL in the path.
fn register(server: &Server, url: &str) {
    server.admin("POST", &format!("{PREGEN}/{url}")).send().expect_status(200);
}

/// Keeps only one status of each operation.
fn only(status: &'static str) -> impl Fn(&Received) -> Reply + Send + Sync {
    move |received| {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        let mut schemas = body["schemas"].clone();
        for document in schemas.as_object_mut().unwrap().values_mut() {
            let responses = &mut document["paths"]["/pets"]["get"]["responses"];
            responses.as_object_mut().unwrap().retain(|key, _| key == status);
        }
        Reply::json(200, &schemas)
    }
}

#[test]
fn a_webhook_narrows_a_spec() {
    let hook = Upstream::start(only("403"));
    let (_dir, server) = mock(SPEC, &[]);
    assert_eq!(listed(&server), json!([]));
    server.get("/pets").expect_status(200);
    register(&server, &hook.url());
    register(&server, &hook.url());
    register(&server, &format!("{}/", hook.url()));
    assert_eq!(listed(&server), json!([hook.url()]));
    for _ in 0..2 {
        let answer = server.get("/https://pets.test/v1/pets?a=1").expect_status(403);
        assert_eq!(answer.json(), json!({"error": "no"}));
    }
    let received = hook.received();
    assert_eq!(received.len(), 2);
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!(body["request"]["host"], "pets.test");
    assert_eq!(body["request"]["path"], "/v1/pets?a=1");
    assert_eq!(body["schemas"]["spec.yaml"]["info"]["title"], "Pets");
    // Removed by an encoded URL.
    let encoded = hook.url().replace(':', "%3A").replace('/', "%2F");
    server.admin("DELETE", &format!("{PREGEN}/{encoded}")).send().expect_status(200);
    assert_eq!(listed(&server), json!([]));
    server.get("/pets").expect_status(200);
    server.admin("DELETE", &format!("{PREGEN}/{encoded}")).send().expect_status(404);
    register(&server, &encoded);
    server.get("/pets").expect_status(403);
    server.admin("DELETE", PREGEN).send().expect_status(200);
    server.get("/pets").expect_status(200);
}

#[test]
fn webhooks_are_chained_and_may_change_their_mind() {
    let calls = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&calls);
    let first = Upstream::start(move |received| {
        let mut body: Value = serde_json::from_slice(&received.body).unwrap();
        let call = count.fetch_add(1, Ordering::Relaxed);
        body["schemas"]["spec.yaml"]["paths"]["/pets"]["get"]["responses"]["403"]["content"]["application/json"]
            ["example"] = json!({ "call": call });
        Reply::json(200, &json!({"schemas": body["schemas"]}))
    });
    let (_dir, server) = mock(SPEC, &[]);
    register(&server, &format!("{}/deep/path/?x=1&y=2", first.url()));
    let second = Upstream::start(|received| {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        // The first webhook's response has the specs in an object `schemas`.
        let schemas = json!({"schemas": body["schemas"]["schemas"].clone()});
        only("403")(&Received { body: schemas.to_string().into_bytes(), ..received.clone() })
    });
    register(&server, &second.url());
    for call in 0..2 {
        assert_eq!(server.get("/pets").expect_status(403).json(), json!({ "call": call }));
    }
    assert_eq!(first.received()[0].target, "/deep/path/?x=1&y=2");
}

#[test]
fn what_a_webhook_does_wrong_is_a_502() {
    for (reply, why) in [
        (Reply::new(500, &[], "no"), "answered with 500"),
        (Reply::new(302, &[("Location", "http://127.0.0.1:1/")], ""), "answered with 302"),
        (Reply::new(200, &[], "nonsense"), "not JSON"),
        (Reply::new(200, &[], "[]"), "must be an object"),
        (Reply::new(200, &[], r#"{"a": {"openapi": "9.9.9"}}"#), "a: "),
        (Reply(b"garbage".to_vec()), "the connection broke"),
    ] {
        let bytes = reply.0;
        let hook = Upstream::start(move |_| Reply(bytes.clone()));
        let (_dir, server) = mock(SPEC, &[]);
        register(&server, &hook.url());
        let failed = server.get("/pets").expect_status(502);
        assert!(failed.text().contains(why), "{why}: {}", failed.text());
        server.wait_stderr(&format!("webhook {}", hook.url()));
    }
}

#[test]
fn only_this_machine_may_be_a_webhook() {
    let (_dir, server) = mock(SPEC, &["--allow-webhook", "10.0.*"]);
    let (own, admin) = (server.port(), server.admin_url().replace("/admin", ""));
    let own_ports = [
        format!("http://127.0.0.1:{own}"),
        format!("http://localhost:{own}/x"),
        format!("http://[::1]:{own}"),
        format!("http://[::ffff:127.0.0.1]:{own}"),
        format!("http://2130706433:{own}"),
        format!("http://0x7f.1:{own}"),
        format!("http://127.1:{own}"),
        admin,
    ];
    let elsewhere = ["http://192.0.2.1/", "http://169.254.169.254/", "http://0.0.0.0:9/"];
    for url in own_ports.iter().map(String::as_str).chain(elsewhere) {
        let refused = server.admin("POST", &format!("{PREGEN}/{url}")).send().expect_status(403);
        assert!(refused.text().contains("not allowed"), "{url}");
    }
    for url in ["ftp://localhost/", "nonsense", "http://"] {
        server.admin("POST", &format!("{PREGEN}/{url}")).send().expect_status(400);
    }
    assert_eq!(listed(&server), json!([]));
    register(&server, "http://10.0.0.9:9/");
    assert_eq!(listed(&server), json!(["http://10.0.0.9:9/"]));
}
