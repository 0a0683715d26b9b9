//! The laws as seen by users: any order, any split and any number of threads gives the same bytes,
//! and every exchange is valid for the spec built from it.

use serde_json::{Map, Value, json};

use crate::harness::{Dir, Program, fixture, shared};

fn bytes(program: Program) -> String {
    program.run().expect_code(0).out()
}

/// JSON; forms of all kinds, from browsers, frameworks and other clients; other syntaxes.
const FIXTURES: [&str; 3] =
    ["recordings/shop.jsonl", "recordings/forms.jsonl", "recordings/syntaxes.jsonl"];

/// The recordings of the fixtures, and real ones if available.
fn recordings() -> Vec<String> {
    let mut files = FIXTURES.map(fixture).to_vec();
    files.extend(
        ["pokeapi", "github", "opbank"]
            .iter()
            .filter_map(|name| shared(&format!("recordings/{name}.jsonl"))),
    );
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn order_and_threads_do_not_matter() {
    for lines in recordings() {
        let dir = Dir::new();
        let mut reversed: Vec<&str> = lines.lines().collect();
        reversed.reverse();
        dir.write("in.jsonl", &lines);
        dir.write("reversed.jsonl", reversed.join("\n") + "\n");
        for args in [vec!["-m", "gen"], vec!["-m", "mixed"], vec!["-m", "mixed", "--partial"]] {
            let of = |more: &[&str]| {
                bytes(dir.program("hmt-build").args(&args).args(more.iter().copied()))
            };
            let one = of(&["in.jsonl", "--threads", "1"]);
            assert!(one == of(&["in.jsonl", "--threads", "2"]), "2 threads differ with {args:?}");
            assert!(one == of(&["in.jsonl", "--threads", "4"]), "4 threads differ with {args:?}");
            assert!(one == of(&["reversed.jsonl"]), "another order differs with {args:?}");
        }
    }
}

#[test]
fn parts_unite_to_the_whole() {
    for lines in recordings() {
        let dir = Dir::new();
        dir.write("in.jsonl", &lines);
        let all: Vec<&str> = lines.lines().collect();
        let mut parts = Vec::new();
        for part in 0..3 {
            let some: Vec<&str> = all
                .iter()
                .enumerate()
                .filter(|(i, _)| i % 3 == part)
                .map(|(_, line)| *line)
                .collect();
            let name = format!("{part}.partial.json");
            dir.write(
                &name,
                bytes(dir.program("hmt-build").arg("--partial").stdin(some.join("\n") + "\n")),
            );
            parts.push(name);
        }
        let whole = bytes(dir.program("hmt-build").arg("in.jsonl"));
        assert!(
            whole == bytes(dir.program("hmt-build").args(&parts)),
            "hmt-build of the parts differs"
        );
        parts.reverse();
        assert!(
            whole == bytes(dir.program("hmt-merge").args(&parts)),
            "hmt-merge of the parts differs"
        );
        let partial = bytes(dir.program("hmt-build").args(["--partial", "in.jsonl"]));
        assert!(
            partial == bytes(dir.program("hmt-merge").arg("--partial").args(&parts)),
            "the partial of the parts differs"
        );
    }
}

/// Soundness according to HMT's own validator, in all modes, with request bodies, parameters and
/// headers.
#[test]
fn every_exchange_conforms() {
    let dir = Dir::new();
    for file in FIXTURES.map(fixture) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        for mode in ["gen", "mixed", "replay"] {
            for options in [&[][..], &["--openapi", "3.1"], &["--tight", "--examples"]] {
                let build = dir.program("hmt-build").args(["--verify", "-m", mode]).args(options);
                let run = build.arg(&file).run().expect_code(0);
                // Truncated exchanges are not among the recordings.
                let cut = run.err().matches("1 exchanges were recorded incompletely").count();
                let checked = if mode == "replay" { lines - cut } else { lines };
                run.expect_stderr(&format!("all {checked} exchanges conform to the spec"));
            }
        }
    }
}

/// Soundness according to an independent validator.
#[test]
fn every_recorded_body_validates() {
    // Not for each recording: one of the real APIs declares its JSON as text/html, which makes it
    // text.
    let mut checked = 0;
    for lines in recordings() {
        for options in [&[][..], &["--tight", "--examples", "--evidence"], &["--no-values"]] {
            let dir = Dir::new();
            let run = dir.program("hmt-build").args(options).stdin(lines.as_str()).run();
            let spec = run.expect_code(0).yaml();
            for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                let exchange: Value = serde_json::from_str(line).unwrap();
                checked += check(&spec, &exchange);
            }
        }
    }
    assert!(checked > 0);
}

/// Checks an exchange's response by its only matching path; returns 1 if it had a JSON body.
fn check(spec: &Value, exchange: &Value) -> u32 {
    let (request, response) = (&exchange["request"], &exchange["response"]);
    let path = request["pathname"].as_str().unwrap();
    let status = response["statusCode"].to_string();
    let Some(body) =
        response["body"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok())
    else {
        return 0;
    };
    let paths: &Map<String, Value> = spec["paths"].as_object().unwrap();
    // Braces sort last, so the first match is the most specific one here.
    let mut matching: Vec<_> =
        paths.iter().filter(|(template, _)| matches(template, path)).collect();
    matching.sort_by_key(|(template, _)| template.matches('{').count());
    let Some((template, item)) = matching.first() else {
        assert!(["404", "405", "410", "501"].contains(&status.as_str()), "{path} is in no path");
        return 0;
    };
    let operation = &item[request["method"].as_str().unwrap()];
    let content = operation["responses"][&status]["content"].as_object();
    let Some(schema) =
        content.and_then(|content| content.get("application/json")).map(|media| &media["schema"])
    else {
        assert!(content.is_some(), "{status} of {template} has no content");
        return 0;
    };
    let components = as_json_schema(&spec["components"]);
    let whole = json!({"allOf": [as_json_schema(schema)], "components": components});
    let validator = jsonschema::validator_for(&whole).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(errors.is_empty(), "{template} {status}: {errors:?}");
    1
}

fn matches(template: &str, path: &str) -> bool {
    let split =
        |text: &str| text.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (template, path) = (split(template), split(path));
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(t, p)| t == p || (t.starts_with('{') && t.ends_with('}')))
}

/// OpenAPI 3.0's `nullable` in JSON Schema, according to clarification 003.
fn as_json_schema(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut map: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), as_json_schema(value))).collect();
            if map.remove("nullable") == Some(json!(true))
                && let Some(kind) = map.get("type").cloned()
            {
                map.insert("type".to_owned(), json!([kind, "null"]));
            }
            Value::Object(map)
        }
        Value::Array(items) => items.iter().map(as_json_schema).collect(),
        other => other.clone(),
    }
}
