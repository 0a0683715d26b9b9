//! `hmt-build --follow`: keeps a spec current.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use crate::harness::{Dir, Program, Server, fixture};

fn shop() -> String {
    fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

fn follow(dir: &Dir, inputs: &[&str]) -> Program {
    let args = ["--follow", "--every", "50ms", "--state", "s", "-v", "-o", "api.yaml"];
    dir.program("hmt-build").args(args).args(inputs)
}

/// The output of a single run over everything.
fn whole(dir: &Dir, lines: &str) -> String {
    dir.program("hmt-build").arg("-").stdin(lines).run().expect_code(0).out()
}

fn append(dir: &Dir, name: &str, lines: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(dir.join(name)).unwrap();
    file.write_all(lines.as_bytes()).unwrap();
}

#[test]
fn a_pipe_is_followed_to_its_end() {
    let (dir, shop) = (Dir::new(), shop());
    let (reader, mut writer) = std::io::pipe().unwrap();
    let builder = Server::spawn(follow(&dir, &["-"]).stdin_from(reader));
    let (first, rest) = shop.split_at(shop.match_indices('\n').nth(4).unwrap().0 + 1);
    writer.write_all(first.as_bytes()).unwrap();
    builder.wait_stderr("up to date with 5 exchanges");
    assert_eq!(dir.read("api.yaml"), whole(&dir, first));
    // Half a line is not read yet; Ctrl-C is meant for the recorder.
    writer.write_all(&rest.as_bytes()[..40]).unwrap();
    builder.signal("INT");
    writer.write_all(&rest.as_bytes()[40..]).unwrap();
    drop(writer);
    builder.end().expect_code(0);
    assert_eq!(dir.read("api.yaml"), whole(&dir, &shop));
    let plain = dir.program("hmt-build").args(["--partial", "-"]).stdin(shop).run();
    assert_eq!(dir.read("s"), plain.expect_code(0).out());
}

#[test]
fn files_are_followed_through_rotation_and_kill() {
    let (dir, shop) = (Dir::new(), shop());
    let lines: Vec<&str> = shop.split_inclusive('\n').collect();
    let inputs = ["a.jsonl", "logs/"];
    let builder = Server::spawn(follow(&dir, &inputs));
    builder.wait_stderr("a.jsonl does not exist yet");
    append(&dir, "a.jsonl", &lines[..3].concat());
    builder.wait_stderr("up to date with 3 exchanges");
    // Everything written before another file took the name is read.
    append(&dir, "a.jsonl", &lines[3..5].concat());
    fs::rename(dir.join("a.jsonl"), dir.join("a.jsonl.1")).unwrap();
    append(&dir, "a.jsonl", &lines[5..8].concat());
    builder.wait_stderr("up to date with 8 exchanges");
    assert_eq!(dir.read("api.yaml"), whole(&dir, &lines[..8].concat()));
    builder.signal("KILL");
    drop(builder);

    // Another run continues from the state. A log that is renamed within its folder is not read
    // twice.
    fs::create_dir(dir.join("logs")).unwrap();
    append(&dir, "logs/b.jsonl", &lines[8..12].concat());
    let builder = Server::spawn(follow(&dir, &inputs));
    builder.wait_stderr("up to date with 12 exchanges");
    fs::rename(dir.join("logs/b.jsonl"), dir.join("logs/c.jsonl")).unwrap();
    append(&dir, "logs/c.jsonl", &lines[12..].concat());
    append(&dir, "logs/c.jsonl", "{\"request\": {\"meth");
    builder.wait_stderr(&format!("up to date with {} exchanges", lines.len()));
    builder.signal("INT");
    builder.end().expect_code(0);
    assert_eq!(dir.read("api.yaml"), whole(&dir, &shop));
}

#[test]
fn edits_are_kept_while_following() {
    let (dir, shop) = (Dir::new(), shop());
    dir.write("a.jsonl", &shop);
    dir.program("hmt-build").args(["a.jsonl", "-o", "api.yaml"]).run().expect_code(0);
    let builder = Server::spawn(follow(&dir, &["-a", "api.yaml", "a.jsonl"]));
    let count = shop.lines().count();
    builder.wait_stderr(&format!("up to date with {count} exchanges"));
    let spec = dir.read("api.yaml");
    let edited = spec.replacen("summary: Get the health", "summary: Are we well?", 1);
    assert_ne!(spec, edited);
    dir.write("api.yaml", edited);
    append(&dir, "a.jsonl", shop.split_inclusive('\n').next().unwrap());
    builder.wait_stderr(&format!("up to date with {} exchanges", count + 1));
    builder.stop().expect_code(0);
    assert!(dir.read("api.yaml").contains("summary: Are we well?"));
}

#[test]
fn what_cannot_be_followed_is_told() {
    let dir = Dir::new();
    dir.write("a.har", "{}");
    for (args, why) in [
        (&["--follow", "-"][..], "--follow rewrites its output"),
        (&["--follow", "-o", "s.yaml", "a.har"], "not a.har"),
        (&["--follow", "-o", "s.yaml", "-", "a.jsonl"], "not both"),
        (&["--every", "1s", "-"], "--follow"),
        (&["--follow", "--verify", "-o", "s.yaml", "-"], "--verify"),
    ] {
        dir.program("hmt-build").args(args).stdin("").run().expect_code(2).expect_stderr(why);
    }
    let none = dir.program("hmt-build").args(["--follow", "-o", "s.yaml", "-"]).stdin("{}\n").run();
    none.expect_code(1).expect_stderr("all 1 records were rejected");
    assert!(!dir.exists("s.yaml"));
}
