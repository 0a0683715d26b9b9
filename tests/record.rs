//! `hmt-record`: what passes, what is written down, and when.

#[path = "record/canary.rs"]
mod canary;
#[path = "record/daemon.rs"]
mod daemon;
#[path = "record/early.rs"]
mod early;
#[path = "record/ends.rs"]
mod ends;
#[path = "record/forward.rs"]
mod forward;
#[path = "record/har.rs"]
mod har;
#[path = "record/import.rs"]
mod import;
#[path = "record/limits.rs"]
mod limits;
#[path = "record/panics.rs"]
mod panics;
#[path = "record/peers.rs"]
mod peers;
#[path = "record/prior_knowledge.rs"]
mod prior_knowledge;
#[path = "record/raw.rs"]
mod raw;
#[path = "record/redirects.rs"]
mod redirects;
#[path = "record/secrets.rs"]
mod secrets;
#[path = "record/secure.rs"]
mod secure;
#[path = "record/smuggling.rs"]
mod smuggling;
#[path = "record/tls.rs"]
mod tls;
#[path = "record/transparent.rs"]
mod transparent;
#[path = "record/trouble.rs"]
mod trouble;
#[path = "record/unrecorded.rs"]
mod unrecorded;
#[path = "record/upgrades.rs"]
mod upgrades;
#[path = "record/ways_out.rs"]
mod ways_out;
#[path = "record/wire.rs"]
mod wire;
#[path = "record/writing.rs"]
mod writing;

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::{Dir, Run, Server, fixture};

/// A recorder on a free port; its records go to standard output unless `args` say otherwise.
fn recorder(dir: &Dir, args: &[&str]) -> Server {
    Server::start(dir.program("hmt-record").args(["-p", "0"]).args(args))
}

/// Ends the recorder and gives its records.
#[track_caller]
fn records(recorder: Server) -> Vec<Value> {
    let run: Run = recorder.stop().expect_code(0).expect_stderr("seen ");
    parse(&run.out())
}

/// Lines as JSON; each must be what the http-types schema allows.
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
