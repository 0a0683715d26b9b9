//! `hmt-merge --diff`: the changes between two specs.

use serde_json::{Value, json};

use crate::harness::{Dir, Run};

const OLD: &str = "\
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /pets:
    get:
      responses:
        '200':
          description: all
          content:
            application/json:
              schema: {type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}
  /owners: {get: {responses: {'200': {description: all}}}}
";

fn diff(dir: &Dir, new: &str, args: &[&str]) -> Run {
    dir.write("old.yaml", OLD);
    dir.write("new.yaml", new);
    dir.program("hmt-merge").args(["--diff", "old.yaml", "new.yaml"]).args(args).run()
}

fn broken() -> String {
    OLD.replace("required: [id], ", "").replace(", name: {type: string}", ", tag: {type: string}")
}

#[test]
fn a_breaking_change_is_1() {
    let dir = Dir::new();
    let run = diff(&dir, &broken(), &[]).expect_code(1);
    assert_eq!(
        run.out(),
        "\
GET /pets
  breaking: the body of the response 200 /id: became optional (response-property-became-optional)
      #/paths/~1pets/get/responses/200/content/application~1json/schema/properties/id
  unknown: the body of the response 200 /name: was removed (response-optional-property-removed)
      #/paths/~1pets/get/responses/200/content/application~1json/schema/properties/name
  not breaking: the body of the response 200 /tag: was added, optional (response-optional-property-added)
      #/paths/~1pets/get/responses/200/content/application~1json/schema/properties/tag

3 changes: 1 breaking, 1 unknown, 1 not breaking
"
    );
    run.expect_stderr("3 changes: 1 breaking");
    diff(&dir, OLD, &[]).expect_code(0).expect_stdout("0 changes");
    let more = OLD.replace(
        "  /owners:",
        "  /cats: {get: {responses: {'200': {description: all}}}}\n  /owners:",
    );
    diff(&dir, &more, &[]).expect_code(0).expect_stdout("endpoint-added");
    let fewer: String = OLD
        .lines()
        .filter(|line| !line.contains("/owners"))
        .map(|line| format!("{line}\n"))
        .collect();
    diff(&dir, &fewer, &[]).expect_code(1).expect_stdout("api-path-removed-without-deprecation");
}

#[test]
fn reports_have_every_change() {
    let dir = Dir::new();
    let args = ["--report", "json", "--report", "junit=r.xml", "--report=html=r.html"];
    let report = diff(&dir, &broken(), &args).expect_code(1).json();
    assert_eq!(
        (&report["breaking"], &report["unknown"], &report["notBreaking"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let first = &report["changes"][0];
    assert_eq!(
        *first,
        json!({
            "rule": "response-property-became-optional", "verdict": "breaking", "method": "get", "path": "/pets",
            "status": "200", "message": "the body of the response 200 /id: became optional",
            "pointer": "/paths/~1pets/get/responses/200/content/application~1json/schema/properties/id",
        })
    );
    assert!(dir.read("r.xml").contains("tests=\"3\" failures=\"1\""), "{}", dir.read("r.xml"));
    assert!(dir.read("r.html").contains("response-optional-property-removed"));
    diff(&dir, OLD, &["-o", "r.json", "--report", "json"]).expect_code(0).expect_no_stdout();
    let empty: Value = serde_json::from_str(&dir.read("r.json")).unwrap();
    assert_eq!(empty["changes"], json!([]));
}

#[test]
fn files_that_specs_refer_to_are_read() {
    let dir = Dir::new();
    dir.write(
        "pet.yaml",
        "{type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}",
    );
    let inline =
        "{type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}";
    diff(&dir, &OLD.replace(inline, "{$ref: pet.yaml}"), &[])
        .expect_code(0)
        .expect_stdout("0 changes");
}

#[test]
fn wrong_usage_is_2_and_what_is_no_spec_is_1() {
    let dir = Dir::new();
    for args in [
        &["--report", "sarif"][..],
        &["--report", "json", "--report", "html"],
        &["third.yaml"],
        &["--base", "old.yaml"],
        &["--partial"],
        &["--title", "x"],
    ] {
        diff(&dir, OLD, args).expect_code(2).expect_no_stdout();
    }
    dir.program("hmt-merge").args(["--diff", "old.yaml"]).run().expect_code(2);
    dir.program("hmt-merge").args(["--report", "json", "old.yaml"]).run().expect_code(2);
    let missing = dir.program("hmt-merge").args(["--diff", "old.yaml", "none.yaml"]).run();
    missing.expect_code(1).expect_stderr("none.yaml");
    dir.program("hmt-build").args(["--partial", "-", "-o", "p.partial.json"]).run().expect_code(0);
    let partial = dir.program("hmt-merge").args(["--diff", "old.yaml", "p.partial.json"]).run();
    partial.expect_code(1).expect_stderr("a partial, not a spec");
}
