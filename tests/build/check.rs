//! `hmt-build --check`: recordings compared with specs.

mod deviations;

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::harness::{Dir, Run, Server, fixture};

const PETS: &str = r#"{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
    "/pets": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {"schema":
        {"type": "object", "properties": {"id": {"type": "integer"}}}}}}}}},
    "/owners": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {}}}}}}}}"#;

fn line(path: &str, status: u16, body: &Value) -> String {
    let request =
        json!({"method": "get", "protocol": "http", "host": "h", "path": path, "headers": {}});
    let headers = json!({"content-type": "application/json"});
    let response = json!({"statusCode": status, "headers": headers, "body": body.to_string()});
    format!("{}\n", json!({"request": request, "response": response}))
}

fn check(dir: &Dir, args: &[&str], lines: &str) -> Run {
    dir.write("pets.json", PETS);
    dir.program("hmt-build").args(["--check", "pets.json"]).args(args).arg("-").stdin(lines).run()
}

#[test]
fn a_spec_comes_from_standard_input() {
    let dir = Dir::new();
    dir.write("log.jsonl", line("/pets", 200, &json!({"id": "a"})));
    let check = |args: &[&str]| {
        dir.program("hmt-build").args(["--check", "-"]).args(args).stdin(PETS).run()
    };
    check(&["log.jsonl"]).expect_code(1).expect_stdout("is not of type integer");
    check(&["log.jsonl", "-"]).expect_code(2).expect_stderr("standard input is the spec");
    check(&[]).expect_code(2);
}

#[test]
fn a_report_for_people_is_grouped_by_operation() {
    let dir = Dir::new();
    let lines = line("/pets", 200, &json!({"id": "a"}))
        + &line("/pets", 200, &json!({"id": "b", "name": "x"}))
        + &line("/pets", 500, &json!({}))
        + &line("/cats/7", 200, &json!({}));
    let run = check(&dir, &[], &lines).expect_code(1);
    assert_eq!(
        run.out(),
        "\
GET /pets
  error: response.body#/id is not of type integer in 200 (type)
      2 times, first -:1
  error: response.status 500 is not declared for /pets (status)
      -:3
  undocumented: response.body#/name is not in the spec in 200 (undocumented-property)
      -:2

GET /cats/{}
  undocumented: request.path is not in the spec (undocumented-operation)
      -:4

uncovered: GET /owners: never touched

4 exchanges compared: 2 errors (in 3 exchanges), 2 undocumented
1 of 2 operations touched; 0 statuses of these never seen
"
    );
    run.expect_stderr("the check does not hold");
}

#[test]
fn levels_decide_the_exit_status() {
    let dir = Dir::new();
    let good = line("/pets", 200, &json!({"id": 1})) + &line("/owners", 200, &json!(null));
    let undocumented = good.clone() + &line("/cats", 200, &json!({}));
    let wrong = good.clone() + &line("/pets", 200, &json!({"id": "x"}));
    let one = line("/pets", 200, &json!({"id": 1}));
    for (lines, levels, code) in [
        (&good, &[][..], 0),
        (&good, &["undocumented", "uncovered"], 0),
        (&undocumented, &[], 0),
        (&undocumented, &["undocumented"], 1),
        (&undocumented, &["error", "undocumented"], 1),
        (&one, &["error"], 0),
        (&one, &["uncovered"], 1),
        (&wrong, &[], 1),
        (&wrong, &["never"], 0),
        (&String::new(), &[], 0),
    ] {
        let args: Vec<&str> = levels.iter().flat_map(|level| ["--fail-on", level]).collect();
        check(&dir, &args, lines).expect_code(code);
    }
    // Rejected records give 3, but a check that does not hold takes precedence.
    check(&dir, &[], &format!("{good}no json\n")).expect_code(3).expect_stderr("-:3:");
    check(&dir, &[], &format!("{wrong}no json\n")).expect_code(1);
    check(&dir, &["--strict"], &format!("no json\n{good}")).expect_code(1).expect_no_stdout();
    check(&dir, &[], "no json\n").expect_code(1).expect_no_stdout();
}

#[test]
fn reports_go_to_files_and_the_output() {
    let dir = Dir::new();
    let lines = line("/pets", 200, &json!({"id": "a"}));
    let reports = ["--report", "json", "--report", "junit=r.xml", "--report", "sarif=r.sarif"];
    let args = [&reports[..], &["--report=html=r.html", "--report", "text=out/r.txt"]].concat();
    let run = check(&dir, &args, &lines).expect_code(1);
    assert_eq!(run.json()["findings"][0]["rule"], "type");
    assert!(dir.read("r.xml").contains("failures=\"1\""), "{}", dir.read("r.xml"));
    let sarif: Value = serde_json::from_str(&dir.read("r.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "type");
    assert!(dir.read("r.html").contains("is not of type integer"));
    assert!(dir.read("out/r.txt").starts_with("GET /pets\n"));
    check(&dir, &["-o", "r.json", "--report", "json"], &lines).expect_code(1).expect_no_stdout();
    assert_eq!(serde_json::from_str::<Value>(&dir.read("r.json")).unwrap(), run.json());
}

#[test]
fn wrong_usage_is_2() {
    let dir = Dir::new();
    for args in [
        &["--report", "pdf"][..],
        &["--report", "json="],
        &["--report", "json", "--report", "html"],
        &["--fail-on", "warning"],
        &["--fail-on", "never", "--fail-on", "error"],
        &["--verify"],
        &["--title", "x"],
        &["--partial"],
        &["-o", "reports/"],
        &["--follow"],
    ] {
        check(&dir, args, "").expect_code(2).expect_no_stdout();
    }
    dir.program("hmt-build").args(["--fail-on", "error", "-"]).run().expect_code(2);
    let missing = dir.program("hmt-build").args(["--check", "no.yaml", "-"]).run();
    missing.expect_code(1).expect_stderr("no.yaml");
    dir.write("r.jsonl", line("/pets", 200, &json!({})));
    let swapped = dir.program("hmt-build").args(["--check", "r.jsonl", "pets.json"]).run();
    swapped.expect_code(1).expect_stderr("r.jsonl");
}

#[test]
fn any_capture_is_compared_with_a_folder_of_specs() {
    let dir = Dir::new();
    let har = fixture("recordings/browser.har");
    let har = har.to_str().unwrap();
    dir.program("hmt-build").args([har, "-o", "specs/"]).run().expect_code(0);
    dir.write("specs/other.json", PETS);
    let run = dir.program("hmt-build").args(["--check", "specs", har, "--report", "json"]).run();
    let report = run.expect_code(0).json();
    assert_eq!(report["findings"], json!([]));
    let touched = report["operations"].as_array().unwrap();
    let count = |operation: &Value| operation["exchanges"].as_u64().unwrap();
    assert!(touched.iter().map(count).sum::<u64>() > 0, "{report}");
}

#[test]
fn what_a_spec_is_built_from_is_as_the_spec_says() {
    for name in ["shop", "forms", "syntaxes"] {
        let (dir, source) = (Dir::new(), fixture(&format!("recordings/{name}.jsonl")));
        let source = source.to_str().unwrap();
        for mode in ["gen", "mixed", "replay"] {
            dir.program("hmt-build")
                .args(["-m", mode, source, "-o", "s.yaml"])
                .run()
                .expect_code(0);
            let args = ["--check", "s.yaml", source, "--report", "json"];
            let report = dir.program("hmt-build").args(args).run().expect_code(0).json();
            // In a replay spec, only the recordings have the headers of answers.
            let is_described =
                |finding: &&Value| mode != "replay" || finding["rule"] != "undocumented-header";
            let found = report["findings"].as_array().unwrap().iter().find(is_described);
            assert_eq!(found, None, "{name} {mode}");
        }
    }
}

#[test]
fn a_followed_report_is_kept_current() {
    let dir = Dir::new();
    dir.write("pets.json", PETS);
    let append = |lines: &str| {
        let file = OpenOptions::new().create(true).append(true).open(dir.join("a.jsonl"));
        file.unwrap().write_all(lines.as_bytes()).unwrap();
    };
    append(&line("/pets", 200, &json!({"id": 1})));
    let args = ["--follow", "--every", "50ms", "-v", "--report", "json=r.json", "a.jsonl"];
    let program = dir.program("hmt-build").args(["--check", "pets.json"]).args(args);
    let server = Server::spawn(program);
    let report = || serde_json::from_str::<Value>(&dir.read("r.json")).unwrap();
    server.wait_stderr("up to date with 1 exchanges");
    assert_eq!((&report()["exchanges"], &report()["findings"]), (&json!(1), &json!([])));
    append(&line("/pets", 200, &json!({"id": "x"})));
    server.wait_stderr("up to date with 2 exchanges");
    assert_eq!(report()["findings"][0]["examples"], json!(["a.jsonl:2"]));
    server.signal("TERM");
    server.end().expect_code(1).expect_stderr("the check does not hold");
}
