//! Files of the wrong kind, and other mistakes of a first hour: each message says what happened,
//! where, and what to do.

use std::fs;

use crate::harness::{Dir, Run, Server, fixture};

/// A folder with one file of each kind.
fn samples() -> Dir {
    let dir = Dir::new();
    for (name, from) in [
        ("rec.jsonl", "recordings/shop.jsonl"),
        ("b.har", "recordings/browser.har"),
        ("s.flow", "recordings/session.flow"),
    ] {
        fs::copy(fixture(from), dir.join(name)).unwrap();
    }
    let build = |args: &[&str]| dir.program("hmt-build").args(args).run().expect_code(0);
    build(&["rec.jsonl", "-o", "spec.yaml"]);
    build(&["--partial", "rec.jsonl", "-o", "p.partial.json"]);
    dir.write("page.html", "<!doctype html><html><body>x</body></html>");
    dir.write("bin.dat", b"\x7fELF\0\x01\xff\xfe");
    dir.write("tab.yaml", "openapi: 3.0.3\ninfo:\n\ttitle: x\n");
    dir.write("torn.json", "{\"openapi\": \"3.0.3\", ");
    fs::create_dir(dir.join("empty")).unwrap();
    dir
}

#[test]
fn a_file_of_another_kind_in_place_of_a_spec_is_named_with_its_tool() {
    let dir = samples();
    for (file, kind, advice) in [
        ("page.html", "an HTML page", "save the spec itself"),
        ("b.har", "an HTTP archive (HAR)", "hmt-build"),
        ("rec.jsonl", "a recording of exchanges", "hmt-build"),
        ("s.flow", "mitmproxy flows", "hmt-build"),
        ("p.partial.json", "a partial of hmt-build", "hmt-merge"),
        ("bin.dat", "a binary file", "OpenAPI"),
        ("tab.yaml", "line 3, column 2", "indent with spaces"),
        ("torn.json", "the JSON is incomplete", "line 1"),
        ("missing.yaml", "no such file", "check the name"),
        ("empty", "", ""),
    ] {
        let expect = |run: Run| {
            let run = run.expect_code(1).expect_no_stdout().expect_stderr(file);
            run.expect_stderr(kind).expect_stderr(advice)
        };
        let run = |program: &str, args: &[&str]| dir.program(program).args(args).run();
        expect(run("hmt-mock", &["-p", "0", "--no-admin", file]));
        expect(run("hmt-build", &["-a", file, "rec.jsonl"]));
        expect(run("hmt-build", &["--check", file, "rec.jsonl"]));
        expect(run("hmt-record", &["-p", "0", "--spec", file, "-o", "x.jsonl"]));
        if file != "p.partial.json" {
            expect(run("hmt-merge", &["spec.yaml", file]));
        }
    }
}

#[test]
fn a_file_of_another_kind_in_place_of_a_recording_is_named_with_its_tool() {
    let dir = samples();
    for (file, kind, advice) in [
        ("page.html", "an HTML page", "save the capture itself"),
        ("spec.yaml", "an OpenAPI spec", "hmt-mock"),
        ("bin.dat", "a binary file", "HAR"),
        ("missing.jsonl", "no such file or folder", "hmt-record"),
        ("empty", "no captures", "HAR"),
    ] {
        let run = |program: &str, args: &[&str]| {
            let run = dir.program(program).args(args).run().expect_code(1).expect_no_stdout();
            run.expect_stderr(file).expect_stderr(kind).expect_stderr(advice)
        };
        run("hmt-build", &[file]);
        run("hmt-replay", &["serve", "-p", "0", file]);
        run("hmt-record", &["import", file]);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let dir = samples();
    let run = |program: &str, args: &[&str]| dir.program(program).args(args).run().expect_code(1);
    run("hmt-build", &["rec.jsonl", "-o", "rec.jsonl/x.yaml"])
        .expect_stderr("rec.jsonl: this is a file, not a folder");
    run("hmt-record", &["-p", "0", "-l", "rec.jsonl"])
        .expect_stderr("a file is where a folder must be");
}

#[test]
fn a_port_that_is_in_use_is_named_with_its_flag() {
    let dir = samples();
    let first = Server::start(dir.program("hmt-mock").args(["-p", "0", "--no-admin", "spec.yaml"]));
    let port = first.port().to_string();
    for (program, args) in [
        ("hmt-mock", &["--no-admin", "spec.yaml", "-p", &port][..]),
        ("hmt-record", &["-o", "x.jsonl", "-p", &port]),
        ("hmt-replay", &["serve", "rec.jsonl", "-p", &port]),
    ] {
        let run = dir.program(program).args(args).run().expect_code(1);
        run.expect_stderr("the port is in use; choose another port with -p/--port\n");
    }
    let run = dir.program("hmt-mock").args(["-p", "0", "-a", &port, "spec.yaml"]).run();
    run.expect_code(1).expect_stderr("-a/--admin-port");
}

#[test]
fn a_target_or_a_pattern_that_cannot_work_is_wrong_usage() {
    let dir = Dir::new();
    let run = |args: &[&str]| dir.program("hmt-record").args(args).run().expect_code(2);
    run(&["-t", "example.com"]).expect_stderr("no scheme; use --target http://example.com");
    run(&["--allow-host", "http://a.test/x"]).expect_stderr("as in a.test");
    run(&["--allow-host", "a.test/x"]).expect_stderr("as in a.test");
    run(&["stauts"]).expect_stderr("'status'");
}
