//! `hmt tutorial`, as CI runs it, and with a user who types.

use std::fs;

use crate::harness::{Dir, Program};

/// The tutorial in an empty home, with its own folder for temporary files.
fn tutorial(dir: &Dir, args: &[&str]) -> Program {
    fs::create_dir_all(dir.join("tmp")).unwrap();
    dir.program("hmt").arg("tutorial").args(args).env("TMPDIR", dir.join("tmp"))
}

/// Nothing is left behind, neither in the folder for temporary files nor at home.
#[track_caller]
fn expect_clean(dir: &Dir) {
    assert_eq!(dir.list("tmp"), [""; 0]);
    assert_eq!(dir.list(""), ["tmp"]);
}

#[test]
fn it_runs_by_itself_and_leaves_nothing_behind() {
    let dir = Dir::new();
    let text = tutorial(&dir, &["--auto"]).run().expect_code(0).expect_quiet().out();
    expect_clean(&dir);
    for part in [
        "seen 38, written 38, dropped 0",
        "/products/{productId}:",
        "because it looks like one",
        "x-hmt-source: generated",
        "x-hmt-source: recording",
        "body#/user: is not of type string",
        "x-hmt-source: state",
        "\"product\":3,\"quantity\":2",
        "HTTP 404",
        "hmt check",
        "price/amount",
        "$ hmt record --mode mixed --target https://api.example.com",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    for line in text.lines() {
        let width = line.chars().count();
        assert!(width <= 80 || !line.contains(' '), "{width} columns: {line}");
    }
}

#[test]
fn enter_goes_on_and_a_request_is_sent_and_q_leaves() {
    let dir = Dir::new();
    let typed = "GET /users\n\nGET /products/2\nnonsense\n\nq\n";
    let run = tutorial(&dir, &[]).stdin(typed).run().expect_code(0).expect_quiet();
    let text = run.out();
    for part in [
        "No server runs at this step.",
        "ENTER to go on, q to leave",
        "Spade",
        "Type a method and a path",
        "seen 39, written 39",
        "The tutorial ends here.",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("2. Build"), "{text}");
    expect_clean(&dir);
    // The end of the input is the same as q.
    let run = tutorial(&dir, &[]).stdin("\n").run().expect_code(0);
    assert!(run.out().contains("The tutorial ends here."));
    expect_clean(&dir);
}

#[test]
fn its_files_can_be_kept() {
    let dir = Dir::new();
    tutorial(&dir, &["--auto", "--keep", "kept"]).run().expect_code(0);
    assert_eq!(dir.list("kept/specs"), ["gen.yaml", "mixed.yaml", "replay.yaml"]);
    assert_eq!(dir.list("kept/logs").len(), 1);
    assert_eq!(dir.list("tmp"), [""; 0]);
}
