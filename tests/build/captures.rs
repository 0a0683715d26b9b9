//! Captures of other tools as sources: each kind gives the same spec as the exchanges in JSON
//! Lines.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use serde_json::{Value, json};

use super::shop;
use crate::harness::{Dir, Run, fixture};

fn build(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-build").args(args).run()
}

/// An entry of a HAR.
fn entry(path: &str, content: &Value) -> Value {
    json!({
        "startedDateTime": "2026-01-02T03:04:05.678Z", "time": 5,
        "request": {"method": "GET", "url": format!("https://a.test{path}"), "headers": []},
        "response": {
            "status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": content,
        },
    })
}

fn har(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "entries": entries}}).to_string()
}

fn pets(id: u32) -> Value {
    let text = json!({"id": id, "name": "x"}).to_string();
    entry(&format!("/pets/{id}"), &json!({"mimeType": "application/json", "text": text}))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A zip archive of deflated files: local headers, the central directory and its end (APPNOTE.TXT
/// 6.3.10, 4.3.6).
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(content).unwrap();
        let packed = packer.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let place = bytes.len() as u32;
        let mut fields = Vec::new();
        fields.extend([20, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
        fields.extend(crc.sum().to_le_bytes());
        fields.extend((packed.len() as u32).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&fields);
        bytes.extend(name.as_bytes());
        bytes.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let place = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = (files.len() as u16).to_le_bytes();
    bytes.extend([count, count].concat());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(place.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn flows_of_mitmproxy_are_described() {
    let dir = Dir::new();
    let flow = fixture("recordings/session.flow");
    let spec = build(&dir, &["--verify", flow.to_str().unwrap()]).expect_code(0).yaml();
    assert!(!spec["paths"].as_object().unwrap().is_empty());
    let lines = dir.program("hmt-record").arg("import").arg(&flow).run().expect_code(0);
    let same = dir.program("hmt-build").args(["--verify", "-"]).stdin(lines.stdout).run();
    assert_eq!(same.expect_code(0).yaml(), spec);
    // A truncated file yields the flows before the end.
    let bytes = std::fs::read(&flow).unwrap();
    dir.write("cut.flow", &bytes[..bytes.len() - 40]);
    build(&dir, &["cut.flow"]).expect_code(3).expect_stderr("exchanges read before it: ");
}

#[test]
fn sessions_of_charles_and_postman_are_described() {
    let dir = Dir::new();
    let body = r#"{"id":1}"#;
    let charles = json!([{
        "status": "COMPLETE", "method": "GET", "protocolVersion": "HTTP/1.1", "scheme": "https",
        "host": "a.test", "port": null, "actualPort": 443, "path": "/pets/1", "query": "full=1",
        "times": {"start": "2026-01-02T03:04:05.678+00:00"},
        "request": {"header": {"headers": [{"name": "Accept", "value": "*/*"}]}},
        "response": {
            "status": 200,
            "header": {"headers": [{"name": "Content-Type", "value": "application/json"}]},
            "body": {"text": body, "charset": "utf-8"},
        },
    }]);
    let request = json!({
        "method": "GET", "header": [],
        "url": {"raw": "https://a.test/pets/1?full=1", "protocol": "https", "host": ["a", "test"],
            "path": ["pets", "1"], "query": [{"key": "full", "value": "1"}]},
    });
    let postman = json!({
        "info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"name": "pets", "item": [{"name": "a pet", "request": request, "response": [{
            "name": "ok", "originalRequest": request, "code": 200, "body": body,
            "header": [{"key": "Content-Type", "value": "application/json"}],
        }]}]}],
    });
    // The names do not matter.
    dir.write("charles.txt", charles.to_string());
    dir.write("postman.txt", postman.to_string());
    let charles = build(&dir, &["--verify", "charles.txt"]).expect_code(0).yaml();
    let postman = build(&dir, &["--verify", "postman.txt"]).expect_code(0).yaml();
    assert_eq!(charles, postman);
    let get = &charles["paths"]["/pets/{petId}"]["get"];
    assert_eq!(get["parameters"][0]["name"], "full", "{charles}");
    let content = &get["responses"]["200"]["content"]["application/json"];
    assert_ne!(content["schema"], json!({}), "{charles}");
}

#[test]
fn packed_archives_are_read() {
    let dir = Dir::new();
    let all: Vec<Value> = (1..10).map(pets).collect();
    dir.write("plain.har", har(&all));
    let plain = build(&dir, &["--verify", "plain.har"]).expect_code(0).out();
    assert!(plain.contains("/pets/{petId}"), "{plain}");
    // Compressed, from standard input.
    let run = dir.program("hmt-build").args(["--verify", "-"]).stdin(gzip(har(&all).as_bytes()));
    assert_eq!(run.run().expect_code(0).out(), plain);
    // Bodies in separate files, and everything in one zip.
    let apart: Vec<Value> = (1..10)
        .map(|id| {
            let content = json!({"mimeType": "application/json", "_file": format!("{id}.json")});
            entry(&format!("/pets/{id}"), &content)
        })
        .collect();
    let apart = har(&apart);
    let bodies: Vec<(String, String)> = (1..10)
        .map(|id| (format!("{id}.json"), json!({"id": id, "name": "x"}).to_string()))
        .collect();
    let mut files: Vec<(&str, &[u8])> = vec![("har.har", apart.as_bytes())];
    files.extend(bodies.iter().map(|(name, body)| (name.as_str(), body.as_bytes())));
    dir.write("har.zip", zip(&files));
    assert_eq!(build(&dir, &["--verify", "har.zip"]).expect_code(0).out(), plain);
}

#[test]
fn attributes_of_macos_are_no_captures() {
    let dir = Dir::new();
    let plain = shop();
    dir.write("plain.jsonl", &plain);
    let expected = build(&dir, &["plain.jsonl"]).expect_code(0).out();
    let attributes: &[u8] = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ";
    let files = [("a.jsonl", plain.as_bytes()), ("__MACOSX/._a.jsonl", attributes)];
    dir.write("mac.zip", zip(&files));
    assert_eq!(build(&dir, &["mac.zip"]).expect_code(0).expect_quiet().out(), expected);
    dir.write("logs/a.jsonl", &plain);
    dir.write("logs/._a.jsonl", attributes);
    assert_eq!(build(&dir, &["logs"]).expect_code(0).expect_quiet().out(), expected);
}

#[test]
fn a_cut_compressed_file_gives_what_was_read() {
    let dir = Dir::new();
    let plain = shop().repeat(20);
    let packed = gzip(plain.as_bytes());
    // Within the data, and within the checksum at the end.
    for missing in [packed.len() / 3, 5] {
        dir.write("cut.jsonl.gz", &packed[..packed.len() - missing]);
        let run = build(&dir, &["cut.jsonl.gz"]).expect_code(3);
        assert!(run.out().contains("paths:"), "{run}");
        run.expect_stderr("cut.jsonl.gz:").expect_stderr("cut off here");
        build(&dir, &["--strict", "cut.jsonl.gz"]).expect_code(1).expect_no_stdout();
    }
    // Nothing can be read.
    dir.write("cut.jsonl.gz", &packed[..12]);
    build(&dir, &["cut.jsonl.gz"]).expect_code(1).expect_no_stdout().expect_stderr("cut off here");
    let zstd = zstd::encode_all(plain.as_bytes(), 0).unwrap();
    dir.write("cut.jsonl.zst", &zstd[..zstd.len() / 2]);
    build(&dir, &["cut.jsonl.zst"]).expect_code(1).expect_no_stdout().expect_stderr("cut off here");
}

#[test]
fn a_cut_archive_gives_what_was_read() {
    let dir = Dir::new();
    let all: Vec<Value> = (1..10).map(pets).collect();
    let whole = har(&all);
    dir.write("cut.har", &whole[..whole.len() - 50]);
    let run = build(&dir, &["cut.har"]).expect_code(3).expect_stderr("cut.har:9: ");
    let run = run.expect_stderr("exchanges read before it: 8").expect_stdout("/pets/{petId}");
    assert!(!run.err().contains("serde"), "{run}");
    // Nothing was read before the first entry, so nothing is written.
    dir.write("cut.har", &whole[..30]);
    build(&dir, &["cut.har"]).expect_code(1).expect_no_stdout();
}

/// Other kinds of files where exchanges are expected, and words in the message.
const WRONG: [(&str, &str, &str); 6] = [
    ("spec.yaml", "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n", "an OpenAPI spec"),
    ("spec.json", r#"{"openapi": "3.0.3", "info": {}, "paths": {}}"#, "an OpenAPI spec"),
    ("page.har", "<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML page"),
    (
        "entry.har",
        r#"{"startedDateTime":"2026-01-02T03:04:05Z","request":{"url":"http://h/"}}"#,
        "a single entry",
    ),
    ("pages.har", r#"{"log": {"pages": []}}"#, "no list of entries"),
    ("array.json", r#"[{"request": {"method": "get", "path": "/"}}]"#, "a JSON array"),
];

#[test]
fn other_kinds_are_named_in_one_line() {
    let dir = Dir::new();
    dir.program("hmt-build").args(["--partial", "-o", "a.partial.json", "-"]).stdin(shop()).run();
    let partial = dir.read("a.partial.json");
    let partial = ("a.partial.json", partial.as_str(), "partial");
    for (name, text, words) in WRONG.into_iter().chain([partial]) {
        dir.write(name, text);
        for command in
            [&["hmt-build"][..], &["hmt-record", "import"], &["hmt-replay", "serve", "-p", "0"]]
        {
            // The builder continues from a partial.
            if name == "a.partial.json" && command == ["hmt-build"] {
                continue;
            }
            let run = dir.program(command[0]).args(&command[1..]).arg(name).run().expect_code(1);
            let run = run.expect_no_stdout().expect_stderr(name).expect_stderr(words);
            assert_eq!(run.err().trim_end().lines().count(), 1, "{run}");
        }
    }
}

#[test]
fn an_empty_folder_has_nothing_to_describe() {
    let dir = Dir::new();
    std::fs::create_dir(dir.join("logs")).unwrap();
    for command in [&["hmt-build", "logs"][..], &["hmt-record", "import", "logs"]] {
        let run = dir.program(command[0]).args(&command[1..]).run();
        run.expect_code(1).expect_no_stdout().expect_stderr("logs");
    }
    assert!(Path::new(&dir.join("logs")).is_dir());
}
