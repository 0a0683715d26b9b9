//! Tests of `hmt-build`: its results, outputs and exit statuses.

mod bodies;
mod captures;
mod check;
mod follow;
mod labels;
mod laws;
mod options;
mod shapes;
mod syntaxes;

use serde_json::{Value, json};

use crate::harness::{Dir, fixture};

fn shop() -> String {
    std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

/// The spec of some lines, as `hmt-build -` makes it.
fn built(lines: &str, args: &[&str]) -> Value {
    let dir = Dir::new();
    dir.program("hmt-build").args(args).stdin(lines).run().expect_code(0).yaml()
}

fn exchange(method: &str, path: &str, status: u16, body: &str) -> String {
    let line = json!({
        "request": {"method": method, "protocol": "http", "host": "h", "pathname": path, "headers": {}},
        "response": {"statusCode": status, "headers": {"content-type": "application/json"}, "body": body},
    });
    format!("{line}\n")
}

#[test]
fn the_shop_as_a_spec() {
    let dir = Dir::new();
    let run = dir.program("hmt-build").arg(fixture("recordings/shop.jsonl")).run().expect_code(0);
    insta::assert_snapshot!("shop_gen", run.out());
}

#[test]
fn every_mode_conforms_to_its_own_input() {
    for mode in ["gen", "REPLAY", "Mixed"] {
        let dir = Dir::new();
        dir.program("hmt-build")
            .args(["--verify", "-m", mode, "-"])
            .stdin(shop())
            .run()
            .expect_code(0)
            .expect_stderr("conform to the spec");
    }
}

#[test]
fn replay_keeps_every_answer_as_often_as_it_came() {
    let lines = exchange("get", "/a", 200, "1").repeat(3) + &exchange("get", "/a", 200, "2");
    let spec = built(&lines, &["-m", "replay"]);
    let entries = spec["x-hmt-replay"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["key"], json!({"method": "get", "origin": "http://h", "path": "/a"}));
    let bodies: Vec<&str> = entries[0]["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["body"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, ["1", "1", "1", "2"]);
    assert_eq!(
        spec["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"enum": [1, 2]})
    );
}

#[test]
fn the_spelling_of_a_trailing_slash_is_that_seen_more_often() {
    let with = exchange("get", "/a/", 200, "1");
    let without = exchange("get", "/a", 200, "1");
    for mode in ["gen", "replay"] {
        let paths = |lines: &str| built(lines, &["-m", mode])["paths"].clone();
        assert_eq!(paths(&with).as_object().unwrap().keys().collect::<Vec<_>>(), ["/a/"]);
        assert!(paths(&with)["/a/"].get("x-hmt-trailing-slash").is_none());
        let tie = paths(&format!("{with}{without}"));
        assert_eq!(tie["/a"]["x-hmt-trailing-slash"], "both");
        let more = paths(&format!("{with}{with}{without}"));
        assert_eq!(more["/a/"]["x-hmt-trailing-slash"], "both");
    }
}

#[test]
fn several_hosts_are_one_document() {
    let other = exchange("get", "/b", 200, "1").replace("\"h\"", "\"other\"");
    let spec = built(&(exchange("get", "/a", 200, "1") + &other), &[]);
    assert_eq!(spec["servers"], json!([{"url": "http://h"}, {"url": "http://other"}]));
    assert_eq!(spec["paths"]["/b"]["servers"], json!([{"url": "http://other"}]));
}

#[test]
fn null_is_not_lost() {
    let lines = exchange("get", "/a", 200, r#"{"x":null,"y":null}"#)
        + &exchange("get", "/a", 200, r#"{"x":"s","y":null}"#);
    let spec = built(&lines, &["--verify"]);
    let schema =
        &spec["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["properties"]["x"], json!({"type": "string", "nullable": true}));
    assert_eq!(schema["properties"]["y"], json!({"x-hmt-null-only": true}));
    assert_eq!(schema["required"], json!(["x", "y"]));
}

#[test]
fn broken_lines_are_named_and_the_rest_goes_on() {
    let dir = Dir::new();
    let lines = format!(
        "{}not json\n{{\"request\":{{}}}}\n{}",
        exchange("get", "/a", 200, "1"),
        exchange("get", "/b", 200, "1")
    );
    let file = dir.write("in.jsonl", &lines);
    let run = dir.program("hmt-build").arg(&file).run().expect_code(3).expect_stdout("/b");
    assert!(run.err().contains("in.jsonl:2: "), "{run}");
    assert!(run.err().contains("in.jsonl:3: "), "{run}");
    assert!(run.err().contains("2 of 4 records rejected"), "{run}");
    dir.program("hmt-build").args(["--strict", "in.jsonl"]).run().expect_code(1).expect_no_stdout();
}

#[test]
fn only_twenty_rejected_lines_are_named() {
    let dir = Dir::new();
    let lines = "x\n".repeat(50) + &exchange("get", "/a", 200, "1");
    let run = dir.program("hmt-build").stdin(lines).run().expect_code(3);
    assert_eq!(run.err().lines().filter(|line| line.contains("-:")).count(), 20, "{run}");
    assert!(run.err().contains("50 of 51 records rejected"), "{run}");
}

#[test]
fn nothing_is_written_where_nothing_is_usable() {
    let dir = Dir::new();
    dir.program("hmt-build")
        .args(["-", "-o", "spec.yaml"])
        .stdin("x\ny\n")
        .run()
        .expect_code(1)
        .expect_stderr("all 2 records");
    assert!(!dir.exists("spec.yaml"));
    dir.program("hmt-build")
        .arg("missing.jsonl")
        .run()
        .expect_code(1)
        .expect_stderr("missing.jsonl")
        .expect_no_stdout();
    dir.program("hmt-build")
        .args(["-m", "wild"])
        .run()
        .expect_code(2)
        .expect_stderr("gen, replay or mixed");
    dir.write("a-file.txt", "");
    dir.program("hmt-build")
        .args(["-", "-o", "a-file.txt/spec.yaml"])
        .stdin(shop())
        .run()
        .expect_code(1);
}

#[test]
fn no_input_is_an_empty_spec() {
    let spec = built("", &[]);
    assert_eq!(spec["paths"], json!({}));
    assert_eq!(spec["openapi"], "3.0.3");
}

#[test]
fn a_torn_last_line_is_a_warning() {
    let dir = Dir::new();
    let lines = format!(
        "\u{feff}{}\r\n\n{}",
        exchange("get", "/a", 200, "1").trim(),
        r#"{"request":{"meth"#
    );
    dir.program("hmt-build")
        .stdin(lines)
        .run()
        .expect_code(0)
        .expect_stderr("incomplete")
        .expect_stdout("/a");
}

#[test]
fn the_output_is_where_it_was_asked_for() {
    let dir = Dir::new();
    let file = fixture("recordings/shop.jsonl");
    let build = |args: &[&str]| {
        dir.program("hmt-build").arg(&file).args(args).run().expect_code(0).expect_no_stdout()
    };
    build(&["-o", "specs"]);
    build(&["-o", "more/", "-f", "yaml"]);
    build(&["-o", "spec.json"]);
    build(&["-o", "spec.yml"]);
    build(&["--partial", "-o", "parts/"]);
    assert!(dir.read("specs/openapi.json").starts_with('{'));
    assert_eq!(dir.read("specs/openapi.json"), dir.read("spec.json"));
    assert_eq!(dir.read("more/openapi.yaml"), dir.read("spec.yml"));
    assert!(dir.read("parts/openapi.partial.json").contains("\"hmt-partial\":1"));
    use std::os::unix::fs::PermissionsExt as _;
    let mode =
        std::fs::metadata(dir.join("parts/openapi.partial.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    dir.program("hmt-build")
        .arg(&file)
        .args(["-f", "json"])
        .run()
        .expect_code(0)
        .expect_stdout("\"openapi\"");
}

#[test]
fn cut_bodies_constrain_nothing() {
    let line = exchange("get", "/a", 200, "{\"x\":").replacen(
        '{',
        "{\"meta\":{\"hmt\":{\"v\":1,\"truncated\":{\"response\":99}}},",
        1,
    );
    let spec = built(&line, &["--verify"]);
    let media = &spec["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(media["schema"], json!({"x-hmt-unread": true}));
}

#[test]
fn an_initial_spec_is_honoured_and_widened() {
    let dir = Dir::new();
    let initial = json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "7", "description": "by hand"},
        "servers": [{"url": "https://api.shop.example/v1"}],
        "paths": {"/users/{login}": {
            "parameters": [{"name": "login", "in": "path", "required": true, "schema": {"type": "string"}}],
            "get": {"summary": "One user", "responses": {"200": {"description": "found", "content": {"application/json": {
                "schema": {"type": "object", "required": ["id", "x"], "properties": {"id": {"type": "string"}, "x": {}}}}}}}},
        }},
    });
    dir.write("api.json", initial.to_string());
    dir.write("in.jsonl", shop());
    let args = ["-a", "api.json", "in.jsonl", "--verify", "-o", "api.json"];
    dir.program("hmt-build").args(args).run().expect_code(0);
    let spec: Value = serde_json::from_str(&dir.read("api.json")).unwrap();
    assert_eq!(spec["info"], initial["info"]);
    assert_eq!(spec["servers"], initial["servers"]);
    let item = &spec["paths"]["/users/{login}"];
    assert_eq!(item["get"]["summary"], "One user");
    let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["id"]), "{schema}");
    assert!(schema["properties"]["email"].is_object(), "{schema}");
    assert!(spec["paths"]["/users"]["post"].is_object(), "{}", spec["paths"]);
    // Building again from the same traffic changes nothing more.
    let once = dir.read("api.json");
    dir.program("hmt-build").args(args).run().expect_code(0);
    assert_eq!(dir.read("api.json"), once);
    dir.program("hmt-build")
        .args(["-a", "none.yaml", "in.jsonl"])
        .run()
        .expect_code(1)
        .expect_stderr("none.yaml");
    dir.write("broken.yaml", "openapi: 3.0.3\npaths: {/a: {$ref: '#/nowhere'}}\n");
    dir.program("hmt-build")
        .args(["-a", "broken.yaml", "in.jsonl"])
        .run()
        .expect_code(1)
        .expect_stderr("#/nowhere");
}

#[test]
fn a_base_path_of_the_initial_spec_holds_beside_other_paths() {
    let dir = Dir::new();
    let initial = json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "7"},
        "servers": [{"url": "https://h.example/v1"}],
        "paths": {"/u/{uid}": {
            "get": {
                "summary": "One user",
                "parameters": [{"name": "uid", "in": "path", "required": true, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "found", "content": {"application/json": {
                    "schema": {"type": "object", "properties": {"id": {"type": "integer", "maximum": 1}}}}}}},
            },
        }},
    });
    dir.write("api.json", initial.to_string());
    let line = |path: &str| {
        let request = json!({"method": "get", "protocol": "https", "host": "h.example", "path": path, "headers": {}});
        let headers = json!({"content-type": "application/json"});
        json!({"request": request, "response": {"statusCode": 200, "headers": headers, "body": "{\"id\":9}"}})
    };
    dir.write("in.jsonl", format!("{}\n{}\n", line("/v1/u/5"), line("/status")));
    let args = ["-a", "api.json", "in.jsonl", "--verify", "-f", "json"];
    let run = dir.program("hmt-build").args(args).run().expect_code(0);
    let spec: Value = serde_json::from_slice(&run.stdout).unwrap();
    let paths: Vec<&String> = spec["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/status", "/u/{uid}"]);
    assert_eq!(spec["paths"]["/u/{uid}"]["get"]["summary"], "One user");
    assert_eq!(spec["paths"]["/status"]["servers"], json!([{"url": "https://h.example"}]));
}

#[test]
fn what_broke_off_describes_no_body_that_was_not_there() {
    let request = json!({"method": "get", "protocol": "https", "host": "h.example", "path": "/a", "headers": {}});
    let headers = json!({"content-type": "application/json"});
    let cut = json!({
        "meta": {"hmt": {"v": 1, "incomplete": "upstream"}},
        "request": request,
        "response": {"statusCode": 200, "headers": headers, "body": "{\"id\":"},
    });
    let line = format!("{cut}\n");
    let spec = built(&line, &["--verify"]);
    assert!(spec["paths"]["/a"]["get"]["requestBody"].is_null(), "{spec}");
    let recordings = built(&line, &["--verify", "-m", "replay"]);
    assert_eq!(recordings["paths"], json!({}));
}

#[test]
fn what_no_path_item_can_describe_is_left_out_and_told() {
    let deep = format!("/{}", ["a"; 30].join("/"));
    let lines = exchange("connect", "/", 200, "1")
        + &exchange("get", &deep, 200, "1")
        + &exchange("get", "/a", 200, "1");
    for mode in ["gen", "replay", "mixed"] {
        let dir = Dir::new();
        let run = dir
            .program("hmt-build")
            .args(["--verify", "-m", mode, "-"])
            .stdin(lines.as_str())
            .run()
            .expect_code(0)
            .expect_stderr("conform to the spec");
        assert!(!run.out().contains("connect:"), "{run}");
        assert!(run.yaml()["paths"]["/a"]["get"].is_object(), "{run}");
    }
}

/// A path with many observations has its own identifier class; one with few takes the class of
/// other paths at the same place.
#[test]
fn a_path_has_its_own_kind_of_identifier() {
    let uuid = |n: u32| format!("{n:08x}-0000-4000-8000-000000000000");
    let mut lines = String::new();
    for n in 1..30 {
        lines += &exchange("get", &format!("/meetings/{n}"), 200, "{}");
        lines += &exchange("get", &format!("/meetings/{}/files", uuid(n)), 200, "{}");
    }
    lines += &exchange("get", "/meetings/7/polls", 200, "{}");
    let spec = built(&lines, &["--verify"]);
    let schema = |path: &str| spec["paths"][path]["parameters"][0]["schema"].clone();
    assert_eq!(schema("/meetings/{meetingId}"), json!({"type": "integer"}));
    assert_eq!(schema("/meetings/{meetingId}/files"), json!({"type": "string", "format": "uuid"}));
    assert_eq!(schema("/meetings/{meetingId}/polls"), json!({"type": "string"}));
}

/// Names with brackets in forms are inferred literally, and forms are checked accordingly.
#[test]
fn names_with_brackets_in_forms_conform_to_what_was_inferred() {
    let mut lines = String::new();
    for (n, body) in
        ["metadata=", "metadata[a]=1&list[]=x", "list[0]=1&list[1]=b", "list=a&metadata[b]=2"]
            .iter()
            .enumerate()
    {
        let line = json!({
            "request": {"method": "post", "protocol": "http", "host": "h", "pathname": "/charges", "body": body,
                "headers": {"content-type": "application/x-www-form-urlencoded"}},
            "response": {"statusCode": 200, "headers": {}, "body": n.to_string()},
        });
        lines += &format!("{line}\n");
    }
    // The exit status says that all conform.
    built(&lines, &["--verify"]);
    let many: String = (0..200).map(|n| format!("metadata[k{n}]={n}&")).collect();
    built(&lines.replace("list=a&", &format!("list=a&{many}")), &["--verify"]);
}
