//! Tests of `hmt-merge`: its results, outputs and exit statuses.

mod diff;
mod edits;
mod partials;

use hmt_core::conform::Api;
use hmt_core::exchange::parse_line;
use hmt_core::spec::load;
use serde_json::{Value, json};

use crate::harness::{Dir, Run, fixture};

/// A folder with specs of the two halves of some traffic, and of all of it, in two modes.
fn halves() -> Dir {
    let dir = Dir::new();
    let shop = std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap();
    let lines: Vec<&str> = shop.lines().collect();
    let (a, b) = lines.split_at(lines.len() / 2);
    for (name, lines) in [("a", a), ("b", b), ("all", &lines[..])] {
        dir.write(&format!("{name}-recordings.jsonl"), lines.join("\n") + "\n");
        for mode in ["gen", "replay"] {
            let out = format!("{name}-{mode}.yaml");
            let build = dir.program("hmt-build").args(["-m", mode, "-o", &out, "-"]);
            build.stdin(lines.join("\n") + "\n").run().expect_code(0);
        }
    }
    dir
}

fn merge(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-merge").args(args).run()
}

fn merged(dir: &Dir, args: &[&str]) -> String {
    merge(dir, args).expect_code(0).expect_quiet().out()
}

#[test]
fn built_specs_merge_alike_in_any_order_and_grouping() {
    let dir = halves();
    for mode in ["gen", "replay"] {
        let (a, b) = (&*format!("a-{mode}.yaml"), &*format!("b-{mode}.yaml"));
        let all = &*format!("all-{mode}.yaml");
        assert_eq!(merged(&dir, &[a, a]), dir.read(a), "a spec with itself is itself");
        let both = merged(&dir, &[a, b]);
        assert_eq!(both, merged(&dir, &[b, a]));
        dir.write("ab.yaml", &both);
        dir.write("ball.yaml", merged(&dir, &[b, all]));
        assert_eq!(merged(&dir, &["ab.yaml", all]), merged(&dir, &[a, "ball.yaml"]));
    }
}

#[test]
fn every_exchange_conforms_to_a_merged_spec() {
    let dir = halves();
    let shop = std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap();
    for specs in [
        &["a-gen.yaml", "b-gen.yaml"][..],
        &["a-replay.yaml", "b-replay.yaml"],
        &["all-replay.yaml", "all-gen.yaml"],
        &["a-gen.yaml", "b-replay.yaml", "b-gen.yaml", "a-replay.yaml"],
    ] {
        let text = merged(&dir, specs);
        let document = load(text.as_bytes(), "merged.yaml").unwrap();
        let api = Api::compile(&document).unwrap();
        // The specs do not contain not-found responses for other paths.
        let not_found = |status: u16| matches!(status, 404 | 405 | 410 | 501);
        for line in shop.lines() {
            let exchange = parse_line(line.as_bytes()).unwrap();
            let status = exchange.response.as_ref().map_or(0, |response| response.status);
            match api.conforms(&exchange) {
                Ok(()) => {}
                Err(violations) if not_found(status) && violations[0].location == "path" => {}
                Err(violations) => panic!("{specs:?}\n{line}\n{violations:#?}\n{text}"),
            }
        }
    }
}

#[test]
fn replay_and_gen_give_the_mixed_spec() {
    let dir = halves();
    let spec: Value =
        serde_saphyr::from_str(&merged(&dir, &["all-replay.yaml", "all-gen.yaml"])).unwrap();
    let generated: Value = serde_saphyr::from_str(&dir.read("all-gen.yaml")).unwrap();
    let replay: Value = serde_saphyr::from_str(&dir.read("all-replay.yaml")).unwrap();
    assert_eq!(spec["x-hmt-replay"], replay["x-hmt-replay"]);
    let paths = |spec: &Value| -> Vec<String> {
        spec["paths"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(paths(&spec), paths(&generated));
    let build = dir.program("hmt-build").args(["-m", "mixed", "all-recordings.jsonl"]);
    let mixed: Value = build.run().expect_code(0).yaml();
    assert_eq!(spec, mixed);
    // Recordings that the inferred schemas do not describe keep their constants.
    let half: Value =
        serde_saphyr::from_str(&merged(&dir, &["a-gen.yaml", "all-replay.yaml"])).unwrap();
    assert_ne!(half, mixed);
}

#[test]
fn recordings_that_are_not_described_whole_give_the_mixed_spec_too() {
    let dir = Dir::new();
    let line = |number: u32, body: &str| {
        json!({"request": {"method": "get", "host": "a.test", "path": format!("/users/{number}?page={number}"),
            "headers": {"x-tenant": "a", "cookie": "theme=dark"}},
            "response": {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}})
        .to_string()
    };
    let mut lines: Vec<String> =
        (1..9).map(|n| line(n, &format!("{{\"id\":{n},\"name\":\"n{n}\"}}"))).collect();
    lines.push(line(9, "<html>"));
    dir.write("all.jsonl", lines.join("\n"));
    let built = |mode: &str| {
        let out = format!("{mode}.yaml");
        let build = dir.program("hmt-build").args(["-m", mode, "all.jsonl", "-o", &out]);
        build.run().expect_code(0);
        dir.read(&out)
    };
    let mixed = built("mixed");
    assert!(built("gen").contains("x-tenant"));
    built("replay");
    assert_eq!(merge(&dir, &["replay.yaml", "gen.yaml"]).expect_code(0).out(), mixed);
}

#[test]
fn lines_that_are_no_partials_are_rejected() {
    let dir = halves();
    for name in ["a", "b"] {
        let out = format!("{name}.partial.json");
        let build = dir.program("hmt-build").args(["--partial", "-o", &out]);
        build.arg(format!("{name}-recordings.jsonl")).run().expect_code(0);
    }
    let (a, b) = (dir.read("a.partial.json"), dir.read("b.partial.json"));
    let both = merged(&dir, &["a.partial.json", "b.partial.json"]);
    let torn = &a[..a.len() / 2];
    dir.write("some.partial.json", format!("{a}{torn}\n{b}"));
    let run = merge(&dir, &["some.partial.json"]).expect_code(3);
    assert_eq!(run.out(), both);
    run.expect_stderr("some.partial.json:2: not a partial: the JSON is incomplete\n")
        .expect_stderr("1 of 3 records rejected");
    merge(&dir, &["--strict", "some.partial.json"])
        .expect_code(1)
        .expect_no_stdout()
        .expect_stderr("some.partial.json:2: not a partial");
    dir.write("torn.partial.json", torn);
    merge(&dir, &["torn.partial.json"]).expect_code(1).expect_no_stdout();
    merge(&dir, &["torn.partial.json", "b.partial.json", "--partial"]).expect_code(3);
}

#[test]
fn the_output_is_not_compressed() {
    let dir = Dir::new();
    dir.write("a.yaml", A);
    for out in ["out.7z", "out.yaml.gz", "out.zip"] {
        merge(&dir, &["a.yaml", "-o", out]).expect_code(2).expect_stderr("not compressed");
        let build = dir.program("hmt-build").args(["/dev/null", "-o", out]).run();
        build.expect_code(2).expect_stderr("not compressed");
        assert!(!dir.exists(out));
    }
}

const A: &str = "openapi: 3.0.3
info: {title: A, version: '1'}
paths:
  /x:
    get:
      summary: one
      responses: {'200': {description: OK}}
";

const B: &str = "{\"openapi\": \"3.0.3\", \"info\": {\"title\": \"A\", \"version\": \"1\"}, \"paths\": {\"/x\": {\"get\": {\"summary\": \"two\", \"responses\": {\"200\": {\"description\": \"OK\"}}}}}}";

#[test]
fn conflicts() {
    let dir = Dir::new();
    dir.write("a.yaml", A);
    dir.write("b.json", B);
    let summary = |policy: &str| {
        let run = merge(&dir, &["--conflict", policy, "b.json", "a.yaml"]).expect_code(0);
        run.yaml()["paths"]["/x"]["get"]["summary"].clone()
    };
    assert_eq!(summary("union"), "one");
    assert_eq!(summary("first"), "two");
    assert_eq!(summary("last"), "one");
    merge(&dir, &["--conflict", "error", "a.yaml", "b.json", "-o", "out.yaml"])
        .expect_code(1)
        .expect_no_stdout()
        .expect_stderr("b.json")
        .expect_stderr("/paths/~1x/get/summary");
    assert!(!dir.exists("out.yaml"));
    merge(&dir, &["--conflict", "perhaps", "a.yaml"]).expect_code(2);
}

#[test]
fn writes_where_it_is_told() {
    let dir = Dir::new();
    dir.write("a.yaml", A);
    assert!(merged(&dir, &["a.yaml"]).starts_with("openapi: '3.0.3'\n"));
    assert_eq!(merge(&dir, &["a.yaml", "-f", "json"]).expect_code(0).json()["openapi"], "3.0.3");
    for (args, file, json) in [
        (&["-o", "out/"][..], "out/openapi.json", true),
        (&["-o", "specs"], "specs/openapi.json", true),
        (&["-o", "specs", "-f", "yaml"], "specs/openapi.yaml", false),
        (&["-o", "one.json"], "one.json", true),
        (&["-o", "one.yaml"], "one.yaml", false),
    ] {
        merge(&dir, &[&["a.yaml"], args].concat()).expect_code(0).expect_no_stdout();
        assert_eq!(dir.read(file).starts_with('{'), json, "{file}");
    }
    assert_eq!(merged(&dir, &["a.yaml", "-o", "/dev/null"]), "");
    let piped = dir.program("hmt-merge").args(["-", "a.yaml"]).stdin(A).run();
    assert_eq!(piped.expect_code(0).yaml()["info"]["title"], "A");
}

#[cfg(unix)]
#[test]
fn recordings_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new();
    dir.write("a.yaml", format!("{A}x-hmt-replay: []\n"));
    merge(&dir, &["a.yaml", "-o", "out.yaml"]).expect_code(0);
    let mode = std::fs::metadata(dir.join("out.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn bad_specs_are_named_and_nothing_is_written() {
    let dir = Dir::new();
    dir.write("a.yaml", A);
    dir.write("empty.yaml", "");
    dir.write("torn.json", "{\"openapi\": \"3.0.3\",");
    dir.write("torn.yaml", "openapi: 3.0.3\npaths: [");
    dir.write("new.yaml", "openapi: 5.0.0\npaths: {}\n");
    dir.write("list.yaml", "- openapi\n");
    let broken = A.replace("{description: OK}", "{$ref: '#/components/responses/No'}");
    dir.write("broken.yaml", broken);
    dir.write("far.yaml", A.replace("{description: OK}", "{$ref: 'other.yaml#/x'}"));
    for (name, why) in [
        ("none.yaml", "no such file"),
        ("empty.yaml", "empty"),
        ("torn.json", "line 1, column"),
        ("torn.yaml", "line 2"),
        ("new.yaml", "unknown version 5.0.0 at /openapi"),
        ("list.yaml", "not an OpenAPI document"),
        ("broken.yaml", "/paths/~1x/get/responses/200: $ref \"#/components/responses/No\" "),
        ("far.yaml", "the file does not exist"),
    ] {
        merge(&dir, &["a.yaml", name, "-o", "out.yaml"])
            .expect_code(1)
            .expect_no_stdout()
            .expect_stderr(name)
            .expect_stderr(why);
        assert!(!dir.exists("out.yaml"), "{name}");
    }
    merge(&dir, &[]).expect_code(2);
}

#[test]
fn formalities_are_warnings() {
    let dir = Dir::new();
    dir.write("a.yaml", "openapi: 3.0.3\npaths: {/a: {get: {}}}\n");
    merge(&dir, &["a.yaml"]).expect_code(0).expect_stderr("a.yaml: /info is missing");
    merge(&dir, &["-q", "a.yaml"]).expect_code(0).expect_quiet();
    merge(&dir, &["-v", "a.yaml"]).expect_code(0).expect_stderr("a.yaml: a spec, paths: 1");
}

#[test]
fn swagger_and_newer_versions_meet() {
    let dir = Dir::new();
    dir.write("a.yaml", A);
    let old = fixture("specs/swagger.yaml");
    let run = dir.program("hmt-merge").arg(old).arg("a.yaml").run().expect_code(0).expect_quiet();
    let spec = run.yaml();
    assert_eq!(spec["openapi"], "3.0.3");
    assert_eq!(spec["paths"]["/x"]["servers"], json!([{"url": "/"}]));
    assert!(spec["paths"]["/pets"]["get"].is_object());
}

#[test]
fn specs_in_several_files_become_one() {
    let dir = Dir::new();
    let spec = |path: &str| {
        format!(
            "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\npaths:\n  {path}:\n    get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: 'defs.yaml#/Pet'}}}}}}}}}}}}\n"
        )
    };
    dir.write("one/api.yaml", spec("/a"));
    dir.write("one/defs.yaml", "Pet: {type: string}");
    dir.write("two/api.yaml", spec("/b"));
    dir.write("two/defs.yaml", "Pet: {type: object, properties: {next: {$ref: '#/Pet'}}}");
    let args = ["one/api.yaml", "two/api.yaml", "-f", "json"];
    let merged = dir.program("hmt-merge").args(args).run().expect_code(0).json();
    let schema = |path: &str| {
        let content = &merged["paths"][path]["get"]["responses"]["200"]["content"];
        let reference =
            content["application/json"]["schema"]["$ref"].as_str().expect("a reference");
        (
            reference.to_owned(),
            merged.pointer(&reference[1..]).expect("a component")["type"].clone(),
        )
    };
    assert_eq!(schema("/a").1, "string");
    assert_eq!(schema("/b").1, "object");
    assert_ne!(schema("/a").0, schema("/b").0);
    assert!(merged.get("x-hmt-files").is_none());
    dir.write("none.jsonl", "");
    let args = ["-a", "two/api.yaml", "none.jsonl", "-f", "json"];
    let built = dir.program("hmt-build").args(args).run().expect_code(0).json();
    assert_eq!(built["components"]["schemas"]["Pet"]["type"], "object");
}
