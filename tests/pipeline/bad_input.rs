//! Bad input: the exit status, a message with the place and the remedy, and no partial output.

use std::net::TcpListener;

use crate::harness::{Dir, Run};

const GOOD: &str =
    r#"{"request":{"method":"get","host":"a.example","path":"/a"},"response":{"statusCode":200}}"#;

const SPEC: &str = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n";

const BROKEN_REF: &str = "
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Nowhere'}
";

fn run(dir: &Dir, words: &str) -> Run {
    let mut words = words.split(' ');
    dir.program(words.next().unwrap()).args(words).run()
}

#[test]
fn a_malformed_line_is_named_and_the_rest_is_built() {
    let dir = Dir::new();
    dir.write("some.jsonl", format!("{GOOD}\n{{\"request\": 5}}\nno json\n{GOOD}\n"));
    let some = run(&dir, "hmt-build some.jsonl").expect_code(3);
    assert!(some.yaml()["paths"]["/a"].is_object(), "{some}");
    some.expect_stderr("some.jsonl:2: ")
        .expect_stderr("some.jsonl:3: ")
        .expect_stderr("2 of 4 records rejected");

    let strict = run(&dir, "hmt-build --strict -o out.yaml some.jsonl").expect_code(1);
    strict.expect_stderr("some.jsonl:2: ");
    assert!(!dir.exists("out.yaml"));

    dir.write("none.jsonl", "no json\n[]\n");
    run(&dir, "hmt-build -o out.yaml none.jsonl").expect_code(1).expect_stderr("none.jsonl:1: ");
    assert!(!dir.exists("out.yaml"), "nothing half-written");

    let replay = run(&dir, "hmt-replay serve -p 0 none.jsonl").expect_code(1);
    replay.expect_stderr("none.jsonl:1: ");
}

#[test]
fn many_malformed_lines_are_not_all_named() {
    let dir = Dir::new();
    dir.write("bad.jsonl", format!("{GOOD}\n{}", "nonsense\n".repeat(50)));
    let run = run(&dir, "hmt-build bad.jsonl").expect_code(3);
    assert_eq!(run.err().matches("bad.jsonl:").count(), 20, "{run}");
    run.expect_stderr("50 of 51 records rejected");
}

#[test]
fn a_torn_last_line_is_a_warning() {
    let dir = Dir::new();
    dir.write("torn.jsonl", format!("{GOOD}\n{}", &GOOD[..40]));
    let run = run(&dir, "hmt-build torn.jsonl").expect_code(0).expect_stderr("torn.jsonl:2: ");
    assert!(run.yaml()["paths"]["/a"].is_object(), "{run}");
}

#[test]
fn a_spec_of_an_unknown_version_is_refused() {
    let dir = Dir::new();
    dir.write("new.yaml", SPEC.replace("3.0.3", "9.1.0"));
    dir.write("plain.yaml", "title: no spec at all\n");
    dir.write("empty.yaml", "");
    dir.write("broken.yaml", "openapi: 3.0.3\npaths: [}\n");
    for (file, why) in [
        ("new.yaml", "9.1.0"),
        ("plain.yaml", "openapi"),
        ("empty.yaml", ""),
        ("broken.yaml", "line 2"),
    ] {
        for tool in ["hmt-mock -p 0 -a 0", "hmt-merge -o out.yaml"] {
            let run = run(&dir, &format!("{tool} {file}")).expect_code(1).expect_no_stdout();
            run.expect_stderr(file).expect_stderr(why);
            assert!(!dir.exists("out.yaml"), "nothing half-written");
        }
    }
}

#[test]
fn a_broken_reference_is_named_by_its_pointer() {
    let dir = Dir::new();
    dir.write("broken.yaml", BROKEN_REF);
    dir.write("good.yaml", SPEC);
    for tool in ["hmt-mock --strict -p 0 -a 0", "hmt-merge -o out.yaml good.yaml"] {
        let run = run(&dir, &format!("{tool} broken.yaml")).expect_code(1).expect_no_stdout();
        run.expect_stderr("broken.yaml")
            .expect_stderr("/paths/~1a/get/responses/200/content/application~1json/schema")
            .expect_stderr("#/components/schemas/Nowhere");
        assert!(!dir.exists("out.yaml"), "nothing half-written");
    }
}

#[test]
fn a_missing_file_is_named() {
    let dir = Dir::new();
    dir.write("good.yaml", SPEC);
    let tools = [
        "hmt-build -o out.yaml nowhere.jsonl",
        "hmt-build -o out.yaml -i nowhere.har",
        "hmt-merge -o out.yaml good.yaml nowhere.yaml",
        "hmt-mock -p 0 -a 0 good.yaml nowhere.yaml",
        "hmt-replay serve -p 0 nowhere.jsonl",
    ];
    for words in tools {
        run(&dir, words).expect_code(1).expect_no_stdout().expect_stderr("nowhere.");
        assert!(!dir.exists("out.yaml"), "nothing half-written");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named_and_the_old_one_stays() {
    let dir = Dir::new();
    dir.write("a.jsonl", format!("{GOOD}\n"));
    dir.write("file", "not a folder");
    for words in [
        "hmt-build -o file/x.yaml a.jsonl",
        "hmt-record -p 0 -l file",
        "hmt-record -p 0 -o file/x.jsonl",
    ] {
        run(&dir, words).expect_code(1).expect_stderr("file");
    }
    dir.write("old.yaml", "kept");
    run(&dir, "hmt-build -o old.yaml nowhere.jsonl").expect_code(1);
    assert_eq!(dir.read("old.yaml"), "kept");
}

#[test]
fn an_occupied_port_names_the_flag_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = Dir::new();
    dir.write("spec.yaml", SPEC);
    dir.write("a.jsonl", format!("{GOOD}\n"));
    let tools = [
        (format!("hmt-mock -p {port} -a 0 spec.yaml"), "--port"),
        (format!("hmt-mock -p 0 -a {port} spec.yaml"), "--admin-port"),
        (format!("hmt-record -p {port} -o new.jsonl"), "--port"),
        (format!("hmt-replay serve -p {port} a.jsonl"), "--port"),
    ];
    for (words, flag) in tools {
        let run = run(&dir, &words).expect_code(1).expect_no_stdout();
        run.expect_stderr(&port.to_string()).expect_stderr(flag);
    }
    assert!(!dir.exists("new.jsonl") || dir.read("new.jsonl").is_empty());
}

#[test]
fn wrong_usage_is_2() {
    let dir = Dir::new();
    let wrong = [
        "hmt-build --no-such-flag",
        "hmt-build -m sideways -",
        "hmt-mock",
        "hmt-merge --no-such-flag",
        "hmt-record --target nonsense",
        "hmt-record --bind 0.0.0.0",
        "hmt-replay",
        "hmt-replay serve",
    ];
    for words in wrong {
        run(&dir, words).expect_code(2).expect_no_stdout().expect_stderr("--help");
    }
}
