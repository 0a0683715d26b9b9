//! Options of hmt-build and hmt-merge that select exchanges and control how a spec is written.

use serde_json::{Value, json};

use crate::harness::{Dir, Run, fixture};

/// A line of a recording.
fn line(method: &str, host: &str, path: &str, status: u16, body: &Value) -> String {
    let line = json!({
        "request": {
            "method": method, "protocol": "https", "host": host, "path": path, "headers": {},
        },
        "response": {
            "statusCode": status, "headers": {"content-type": "application/json"},
            "body": body.to_string(),
        },
    });
    format!("{line}\n")
}

fn shop() -> String {
    std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

fn build(dir: &Dir, args: &[&str], lines: &str) -> Run {
    dir.program("hmt-build").args(args).arg("-").stdin(lines).run()
}

/// The spec of some lines, which conform to it.
fn built(lines: &str, args: &[&str]) -> Value {
    build(&Dir::new(), &[&["--verify"], args].concat(), lines).expect_code(0).yaml()
}

/// The schema of successful responses.
fn answer<'s>(spec: &'s Value, path: &str) -> &'s Value {
    &spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
}

#[test]
fn partials_merge_to_what_one_run_writes_with_the_same_options() {
    let dir = Dir::new();
    let lines: Vec<String> = shop().lines().map(|line| format!("{line}\n")).collect();
    dir.write("names.txt", "# of the shop\n/v1/products/{id}\n\nfeatured\n");
    for (index, part) in lines.chunks(7).enumerate() {
        let name = format!("{index}.partial.json");
        build(&dir, &["--partial", "-o", &name], &part.concat()).expect_code(0);
    }
    let parts: Vec<String> = dir.list(".").into_iter().filter(|n| n.contains("partial")).collect();
    for options in [
        &["--openapi", "3.1", "--tight", "--examples", "--evidence"][..],
        &["--openapi", "3.0", "--title", "Shop", "--literals", "names.txt"],
    ] {
        let whole = build(&dir, options, &shop()).expect_code(0).out();
        let merged = dir.program("hmt-merge").args(options).args(&parts).run().expect_code(0).out();
        assert_eq!(merged, whole, "{options:?}");
        let reversed: String = lines.iter().rev().map(String::as_str).collect();
        assert_eq!(build(&dir, &[options, &["--threads", "3"]].concat(), &reversed).out(), whole);
    }
}

#[test]
fn a_spec_of_3_1_says_the_same() {
    let lines = line("get", "h", "/a", 200, &json!({"x": "s", "y": null, "z": [1]}))
        + &line("get", "h", "/a", 200, &json!({"x": null, "y": null, "z": []}));
    let spec = built(&lines, &["--openapi", "3.1", "--examples"]);
    assert_eq!(spec["openapi"], "3.1.0");
    let schema = answer(&spec, "/a");
    assert_eq!(
        schema["properties"],
        json!({
            "x": {"type": ["string", "null"], "examples": ["s"]},
            "y": {"type": "null"},
            "z": {"type": "array", "items": {"type": "integer", "examples": [1]}},
        })
    );
    assert_eq!(built(&lines, &[])["openapi"], "3.0.3");
    // Features of 3.1 cannot be written as 3.0.
    let dir = Dir::new();
    dir.write("new.yaml", "{openapi: 3.1.0, info: {title: t, version: '1'}, paths: {}}");
    build(&dir, &["-a", "new.yaml", "--openapi", "3.0"], &lines)
        .expect_code(1)
        .expect_stderr("cannot be written as OpenAPI 3.0");
    dir.program("hmt-merge")
        .args(["--openapi", "3.0", "new.yaml"])
        .run()
        .expect_code(1)
        .expect_no_stdout();
}

#[test]
fn tight_bounds_are_those_seen() {
    let lines =
        line("get", "h", "/a?page=2", 200, &json!({"n": 3, "f": 0.5, "s": "abc", "l": [1]}))
            + &line("get", "h", "/a?page=9", 200, &json!({"n": -1, "f": 2, "s": "é", "l": [1, 2]}));
    let spec = built(&lines, &["--tight"]);
    let properties = &answer(&spec, "/a")["properties"];
    assert_eq!(properties["n"], json!({"type": "integer", "minimum": -1, "maximum": 3}));
    assert_eq!(properties["f"], json!({"type": "number", "minimum": 0.5, "maximum": 2.0}));
    assert_eq!(properties["s"], json!({"type": "string", "minLength": 1, "maxLength": 3}));
    assert_eq!(properties["l"]["minItems"], 1);
    assert_eq!(properties["l"]["maxItems"], 2);
    let page = &spec["paths"]["/a"]["get"]["parameters"][0]["schema"];
    assert_eq!(*page, json!({"type": "integer", "minimum": 2, "maximum": 9}));
}

#[test]
fn evidence_is_counted() {
    let lines = line("get", "h", "/a?q=x", 200, &json!({"n": 3}))
        + &line("get", "h", "/a", 200, &json!({}))
        + &line("get", "h", "/a", 500, &json!({}));
    let spec = built(&lines, &["--evidence"]);
    let get = &spec["paths"]["/a"]["get"];
    assert_eq!(get["x-hmt-evidence"], json!({"failed": 1, "ok": 2}));
    assert_eq!(get["parameters"][0]["x-hmt-evidence"], json!({"present": 1}));
    assert_eq!(get["responses"]["200"]["x-hmt-evidence"], json!({"n": 2}));
    assert_eq!(answer(&spec, "/a")["x-hmt-evidence"], json!({"objects": 2, "present": {"n": 1}}));
    assert!(!build(&Dir::new(), &[], &lines).out().contains("x-hmt-evidence"));
}

#[test]
fn no_example_is_a_secret() {
    let body = json!({
        "title": "shown", "password": "hidden1", "api_key": "hidden2", "sessionId": "hidden3",
        "email": "hidden4@mail.example", "id": "6fa459ea-ee8a-3ca4-894e-db56e160355e",
        "credentials": {"user": "hidden5", "all": ["hidden6"], "n": 4711},
        "note": "hmt~0123456789abcdefghijkl",
    });
    let login = line("get", "h", "/a?token=hidden7&q=shown", 200, &body);
    for args in [&["--examples"][..], &["--examples", "--openapi", "3.1"]] {
        let run = build(&Dir::new(), args, &login).expect_code(0);
        let spec = run.yaml();
        let properties = &answer(&spec, "/a")["properties"];
        assert!(properties["title"].to_string().contains("shown"), "{run}");
        assert!(properties["email"].to_string().contains('@'), "{run}");
        for secret in ["hidden", "6fa459ea", "4711", "hmt~"] {
            assert!(!run.out().contains(secret), "{secret}: {run}");
        }
    }
}

#[test]
fn literals_stay_names() {
    let mut lines = String::new();
    for name in ["zorg", "blub", "quux", "wibble", "frob"] {
        lines += &line("get", "h", &format!("/things/{name}"), 200, &json!({"a": 1}));
    }
    let paths = |args: &[&str], dir: &Dir| {
        let spec = build(dir, args, &lines).expect_code(0).yaml();
        spec["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let dir = Dir::new();
    assert_eq!(paths(&[], &dir), ["/things/{thingName}"]);
    dir.write("names", "zorg\n# blub\n/things/{name}/quux\n");
    assert_eq!(
        paths(&["--literals", "names"], &dir),
        ["/things/quux", "/things/zorg", "/things/{thingName}"]
    );
    build(&dir, &["--literals", "missing"], &lines).expect_code(1).expect_stderr("missing");
}

#[test]
fn hosts_are_split_into_documents() {
    let dir = Dir::new();
    let lines = line("get", "a.example", "/a", 200, &json!(1))
        + &line("get", "B.example:8080", "/b", 200, &json!(2))
        + &line("get", "a.example", "/a", 200, &json!(3));
    build(&dir, &["--split-hosts", "--verify", "-o", "specs/"], &lines)
        .expect_code(0)
        .expect_stderr("all 3 exchanges conform");
    assert_eq!(dir.list("specs"), ["a.example.json", "b.example_8080.json"]);
    let spec: Value = serde_json::from_str(&dir.read("specs/a.example.json")).unwrap();
    assert_eq!(spec["servers"], json!([{"url": "https://a.example"}]));
    assert_eq!(spec["paths"].as_object().unwrap().len(), 1);

    build(&dir, &["--partial", "-o", "all.partial.json"], &lines).expect_code(0);
    dir.program("hmt-merge")
        .args(["--split-hosts", "-o", "merged/", "all.partial.json"])
        .run()
        .expect_code(0);
    for name in dir.list("specs") {
        assert_eq!(dir.read(&format!("merged/{name}")), dir.read(&format!("specs/{name}")));
    }
    // Recordings are split by host too, and are private.
    build(&dir, &["--split-hosts", "-m", "replay", "-f", "yaml", "-o", "replay/"], &lines)
        .expect_code(0);
    assert!(!dir.read("replay/a.example.yaml").contains("B.example"));
    build(&dir, &["--split-hosts"], &lines).expect_code(2).expect_stderr("requires a folder");
}

#[test]
fn exchanges_are_chosen_by_host_method_and_path() {
    let lines = line("get", "a.example", "/users/1", 200, &json!({}))
        + &line("post", "a.example", "/users", 201, &json!({}))
        + &line("get", "b.example:81", "/health", 200, &json!({}));
    let paths = |args: &[&str]| {
        let spec = built(&lines, args);
        spec["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(paths(&["--host", "b.example"]), ["/health"]);
    assert_eq!(
        paths(&["--host", "*.example", "--include", "GET *"]),
        ["/health", "/users/{userId}"]
    );
    assert_eq!(paths(&["--include", "* a.example/*", "--exclude", "post *"]), ["/users/{userId}"]);
    build(&Dir::new(), &["--host", "c.example"], &lines)
        .expect_code(0)
        .expect_stderr("3 exchanges were ignored");
    // These options select exchanges, and do not change how exchanges are folded.
    let dir = Dir::new();
    for (name, host) in [("1", "a.example"), ("2", "b.example:81")] {
        let out = format!("{name}.partial.json");
        build(&dir, &["--host", host, "--partial", "-o", &out], &lines).expect_code(0);
    }
    let merged = dir.program("hmt-merge").args(["1.partial.json", "2.partial.json"]).run();
    assert_eq!(merged.expect_code(0).out(), build(&dir, &[], &lines).out());
}

#[test]
fn no_value_is_kept() {
    let mut lines = String::new();
    for n in 0..40 {
        let state = ["hidden1", "hidden2"][n % 2];
        let body = json!({
            "state": state, "n": 4711, "big": 9_007_199_254_740_993_u64, "f": 47.5,
            "by": {"hidden3@mail.example": 1},
        });
        lines += &line("get", "h", &format!("/orders/47{n}?q=hidden4"), 200, &body);
    }
    let dir = Dir::new();
    build(&dir, &["--partial", "-o", "with.partial.json"], &lines).expect_code(0);
    build(&dir, &["--no-values", "--partial", "-o", "1.partial.json"], &lines).expect_code(0);
    assert!(dir.read("with.partial.json").contains("hidden"));
    for value in ["hidden", "4711", "47.5", "740993", "\"471\""] {
        assert!(!dir.read("1.partial.json").contains(value), "{value}");
    }
    let run = build(&dir, &["--no-values", "--verify"], &lines).expect_code(0);
    assert!(!run.out().contains("enum"), "{run}");
    assert_eq!(answer(&run.yaml(), "/orders/{orderId}")["properties"]["big"]["format"], "int64");
    let merged = dir.program("hmt-merge").arg("1.partial.json").run().expect_code(0);
    assert_eq!(merged.out(), build(&dir, &["--no-values"], &lines).out());
    // It does not write unknown ranges.
    let tight = dir.program("hmt-merge").args(["--tight", "1.partial.json"]).run().expect_code(0);
    assert!(!tight.out().contains("maximum"), "{tight}");
    dir.program("hmt-merge")
        .args(["1.partial.json", "with.partial.json"])
        .run()
        .expect_code(1)
        .expect_stderr("another configuration");
    for args in [&["-m", "mixed"][..], &["--tight"], &["--examples"]] {
        build(&dir, &[&["--no-values"], args].concat(), &lines)
            .expect_code(2)
            .expect_stderr("--no-values");
    }
}

#[test]
fn templates_are_explained() {
    let mut lines = line("get", "h", "/v1/users/me", 200, &json!({"id": 0}));
    for id in 1..4 {
        lines += &line("get", "h", &format!("/v1/users/{id}"), 200, &json!({"id": id}));
    }
    let dir = Dir::new();
    let explain = ["--explain", "/v1/users/7", "--explain", "/v1/users/me", "--explain", "/nope"];
    let run = build(&dir, &explain, &lines).expect_code(0);
    let err = run.err();
    for part in [
        "https://h/v1/users/7: /v1/users/{userId} (GET)\n",
        "  v1: a name, because it looks like an API's version; seen 4 times\n",
        "  7: a value of {userId}, because it looks like one (an integer); at this place: an integer 3 times",
        "https://h/v1/users/me: /v1/users/me (GET)\n",
        "  me: a name, because it is a common name beside identifiers in APIs; seen 1 times\n",
        "/nope: not a path",
    ] {
        assert!(err.contains(part), "{part}: {run}");
    }
    // The spec itself does not change.
    assert_eq!(run.out(), build(&dir, &[], &lines).out());
    build(&dir, &["--partial", "-o", "p.partial.json"], &lines).expect_code(0);
    let merged = dir.program("hmt-merge").args(explain).arg("p.partial.json").run().expect_code(0);
    assert_eq!(merged.err(), err);
}

#[test]
fn how_a_spec_is_written_is_not_told_to_a_partial() {
    let dir = Dir::new();
    for option in [&["--evidence"][..], &["--openapi", "3.1"], &["--explain", "/"]] {
        build(&dir, &[&["--partial"], option].concat(), &shop()).expect_code(2);
        build(&dir, &["--partial", "-o", "p.partial.json"], &shop()).expect_code(0);
        dir.program("hmt-merge")
            .args(["--partial", "p.partial.json"])
            .args(option)
            .run()
            .expect_code(2);
    }
}
