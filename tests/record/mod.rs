//! Tests of `hmt-record`: what it forwards, what it records, and when.

mod canary;
mod daemon;
mod early;
mod ends;
mod forward;
mod har;
mod import;
mod limits;
mod panics;
mod peers;
mod prior_knowledge;
mod raw;
mod redirects;
mod secrets;
mod secure;
mod smuggling;
mod tls;
mod transparent;
mod trouble;
mod unrecorded;
mod upgrades;
mod ways_out;
mod wire;
mod writing;

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::{Dir, Run, Server, fixture};

/// A recorder on a free port; its records go to standard output unless `args` say otherwise.
fn recorder(dir: &Dir, args: &[&str]) -> Server {
    Server::start(dir.program("hmt-record").args(["-p", "0"]).args(args))
}

/// Ends the recorder and returns its records.
#[track_caller]
fn records(recorder: Server) -> Vec<Value> {
    let run: Run = recorder.stop().expect_code(0).expect_stderr("seen ");
    parse(&run.out())
}

/// Lines as JSON; each must conform to the http-types schema.
#[track_caller]
fn parse(lines: &str) -> Vec<Value> {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let text = std::fs::read(fixture("http-types-schema.json")).unwrap();
        jsonschema::validator_for(&serde_json::from_slice(&text).unwrap()).unwrap()
    });
    assert!(lines.is_empty() || lines.ends_with('\n'), "the last line is torn: {lines}");
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        if let Err(error) = SCHEMA.validate(&value) {
            panic!("{error}\n{line}");
        }
        value
    };
    lines.lines().map(parse).collect()
}
