//! `--state-file`: the state is kept over restarts.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Dir, Server};

const NOTES: &str = r##"
openapi: 3.0.3
info: {title: Notes, version: "1"}
paths:
  /notes:
    get:
      responses:
        "200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Note"}}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
        "404": {description: none}
    delete:
      responses: {"204": {description: gone}, "404": {description: none}}
components:
  schemas:
    Note: {type: object, required: [text], properties: {id: {type: integer, readOnly: true}, text: {type: string}}}
x-hmt-data:
  Note: [{id: 1, text: first}]
"##;

fn start(dir: &Dir) -> Server {
    Server::start(dir.program("hmt-mock").args([
        "-p",
        "0",
        "-a",
        "0",
        "notes.yaml",
        "--state-file",
        "state.jsonl",
    ]))
}

fn add(server: &Server, text: &str) -> Value {
    server.request("POST", "/notes").json(&json!({"text": text})).send().expect_status(201).json()
}

#[test]
fn nothing_answered_is_lost_when_the_process_is_killed() {
    let dir = Dir::new();
    dir.write("notes.yaml", NOTES);
    let server = start(&dir);
    assert_eq!(server.get("/notes/1").json()["text"], "first");
    // Several clients add and delete until the process is gone.
    let kept = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let id = add(&server, "kept")["id"].as_u64().unwrap();
                    kept.fetch_add(1, Ordering::Relaxed);
                    if id.is_multiple_of(3) {
                        let path = format!("/notes/{id}");
                        server.request("DELETE", &path).send().expect_status(204);
                        kept.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let before = server.get("/notes").json();
    assert_eq!(before.as_array().unwrap().len() as u64, 1 + kept.into_inner());
    server.signal("KILL");
    server.end();
    let path = dir.path().join("state.jsonl");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let server = start(&dir);
    assert_eq!(server.get("/notes").json(), before);
    // New ids continue after the existing ones.
    assert_eq!(add(&server, "next")["id"], 62);
    let busy = dir.program("hmt-mock").args([
        "-p",
        "0",
        "-a",
        "0",
        "notes.yaml",
        "--state-file",
        "state.jsonl",
    ]);
    let busy = busy.run();
    busy.expect_code(1).expect_stderr("another mock uses this state file");
}

#[test]
fn torn_lines_are_cut_and_wrong_ones_are_named() {
    let dir = Dir::new();
    dir.write("notes.yaml", NOTES);
    let server = start(&dir);
    add(&server, "second");
    server.stop();
    let path = dir.path().join("state.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    dir.write("state.jsonl", format!("{whole}{{\"put\":\"Note\",\"key"));
    let server = start(&dir);
    server.wait_stderr("the last line is incomplete");
    assert_eq!(server.get("/notes").json().as_array().unwrap().len(), 2);
    server.request("DELETE", "/notes/1").send().expect_status(204);
    server.stop();
    let whole = std::fs::read_to_string(&path).unwrap();
    dir.write("state.jsonl", format!("{whole}nonsense\n"));
    let lines = whole.lines().count() + 1;
    let run = dir
        .program("hmt-mock")
        .args(["-p", "0", "notes.yaml", "--state-file", "state.jsonl"])
        .run();
    run.expect_code(1).expect_stderr(&format!("state.jsonl:{lines}: "));
    dir.write("state.jsonl", &whole);
    let server = start(&dir);
    server.get("/notes/1").expect_status(404);
    server.admin("POST", "/storage/reset").send().expect_status(200);
    server.stop();
    let server = start(&dir);
    assert_eq!(server.get("/notes").json(), json!([{"id": 1, "text": "first"}]));
}
