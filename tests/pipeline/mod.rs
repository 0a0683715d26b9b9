//! Tests across programs: from live traffic to a mock, and how each program handles bad input.

mod bad_input;
mod faults;
mod messages;
mod recordings;
mod signals;
mod wrong_inputs;

use std::io::Write as _;
use std::net::TcpStream;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::harness::{Dir, Received, Reply, Server, Upstream};

const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\xff not quite an image";

/// An API that is hard to record: compression, chunks, and binary data.
fn api(request: &Received) -> Reply {
    let pet = |id: &str| json!({"id": id.parse::<u32>().unwrap(), "name": format!("pet {id}")});
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
        ("GET", ["pets"]) => {
            let pets = json!([pet("1"), pet("2")]).to_string();
            let (first, second) = pets.split_at(9);
            let json = [("Content-Type", "application/json")];
            Reply::chunked(200, &json, &[first.as_bytes(), second.as_bytes()])
        }
        ("GET", ["pets", "404"]) => Reply::json(404, &json!({"error": "no such pet"})),
        ("GET", ["pets", id]) => {
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
            Reply::new(200, &headers, gzip(&pet(id).to_string()))
        }
        ("GET", ["pets", _, "photo"]) => Reply::new(200, &[("Content-Type", "image/png")], IMAGE),
        ("POST", ["pets"]) => {
            let sent: Value = serde_json::from_slice(&request.body).unwrap();
            Reply::json(201, &json!({"id": 3, "name": sent["name"]}))
        }
        ("GET", ["find"]) if query.starts_with("limit=") => Reply::json(200, &json!({"hits": []})),
        _ => Reply::new(404, &[("Content-Type", "text/plain")], "nothing here"),
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// All requests of a client to the API.
fn use_api(server: &Server) {
    server.get("/pets").expect_status(200);
    for id in ["1", "2", "17"] {
        server.get(&format!("/pets/{id}")).expect_status(200);
    }
    assert_eq!(server.get("/pets/1/photo").expect_status(200).body, IMAGE);
    server.get("/pets/404").expect_status(404);
    server.request("POST", "/pets").json(&json!({"name": "Rex"})).send().expect_status(201);
    server.get("/find?limit=3").expect_status(200);
    server.get("/no/such/thing").expect_status(404);
}

#[test]
fn record_build_mock_replay() {
    let upstream = Upstream::start(api);
    let dir = Dir::new();

    // hmt-record | hmt-build -
    let record = dir.program("hmt-record").args(["-p", "0", "--target", &upstream.url()]);
    let record = record.args(["-o", "-", "-o", "recorded.jsonl"]);
    let (recorder, builder) = Server::pipe(record, dir.program("hmt-build").arg("-"));
    use_api(&recorder);
    // On a busy machine, it may not have started yet.
    builder.wait_handles_sigint();
    // Ctrl-C reaches both: the recorder ends, and the builder continues to the end of its input.
    builder.signal("INT");
    recorder.signal("INT");
    recorder.end().expect_code(0).expect_stderr("seen 9");
    let built = builder.end().expect_code(0);
    let spec = built.yaml();
    let paths: Vec<&String> = spec["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
    let pet = &spec["paths"]["/pets/{petId}"]["get"]["responses"];
    assert!(pet["200"]["content"]["application/json"].is_object(), "{built}");
    assert!(pet["404"]["content"]["application/json"].is_object(), "{built}");
    dir.write("spec.yaml", &built.stdout);

    // The recorded file gives the same spec, and conforms to it.
    let again = dir.program("hmt-build").arg("recorded.jsonl").run().expect_code(0);
    assert_eq!(again.out(), built.out());

    // hmt-mock
    let mock = dir.program("hmt-mock").args(["-p", "0", "--no-admin", "spec.yaml"]);
    let mock = Server::start(mock);
    let answer = mock.get("/pets/5").expect_status(200);
    assert_eq!(answer.header("x-hmt-source"), Some("generated"));
    assert!(answer.json()["id"].is_u64() && answer.json()["name"].is_string(), "{}", answer.text());
    mock.request("POST", "/pets").json(&json!({"name": 5})).send().expect_status(422);
    mock.get("/nothing").expect_status(404);
    mock.stop().expect_code(0);

    // hmt-replay, and hmt-mock with the recordings: the client gets the same responses.
    let replay = dir.program("hmt-replay").args(["serve", "-p", "0", "recorded.jsonl"]);
    use_api(&Server::start(replay));
    let exact =
        dir.program("hmt-build").args(["-m", "mixed", "-o", "mixed.json", "recorded.jsonl"]);
    exact.run().expect_code(0);
    let mock = Server::start(dir.program("hmt-mock").args(["-p", "0", "--no-admin", "mixed.json"]));
    let photo = mock.get("/pets/1/photo").expect_status(200);
    assert_eq!(photo.body, IMAGE);
    assert_eq!(photo.header("x-hmt-source"), Some("recording"));
    assert_eq!(mock.get("/pets/17").json(), json!({"id": 17, "name": "pet 17"}));
    assert_eq!(mock.get("/pets/18").header("x-hmt-source"), Some("generated"));
}

#[test]
fn a_builder_without_records_writes_an_empty_spec() {
    let dir = Dir::new();
    let record = dir.program("hmt-record").args(["-p", "0"]);
    let (recorder, builder) = Server::pipe(record, dir.program("hmt-build").arg("-"));
    recorder.signal("TERM");
    recorder.end().expect_code(0);
    let built = builder.end().expect_code(0);
    assert_eq!(built.yaml()["paths"], json!({}));
}

#[test]
fn a_recorder_whose_only_reader_is_gone_ends_with_1() {
    let upstream = Upstream::start(api);
    let dir = Dir::new();
    let record = dir.program("hmt-record").args(["-p", "0", "--target", &upstream.url()]);
    // `--version` reads nothing and ends immediately.
    let (recorder, reader) = Server::pipe(record, dir.program("hmt-build").arg("--version"));
    reader.end().expect_code(0);
    // The recorder may have ended, or close instead of answering, because it cannot record.
    if let Ok(mut client) = TcpStream::connect(("127.0.0.1", recorder.port())) {
        let _ = client.write_all(b"GET /pets/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    recorder.end().expect_code(1);
}
