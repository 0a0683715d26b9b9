//! Partials: their content, their inputs, and folders of them.

use super::edits::{build, merge, shards, shop};
use serde_json::Value;

use crate::harness::Dir;

#[test]
fn a_partial_tells_what_is_in_it() {
    let dir = Dir::new();
    dir.write("shop.jsonl", shop());
    build(&dir, &["--partial", "-m", "mixed", "shop.jsonl", "-o", "plain.partial.json"])
        .expect_code(0);
    build(&dir, &["--partial", "--track-inputs", "shop.jsonl", "-o", "tracked.partial.json"])
        .expect_code(0);
    let run = merge(&dir, &["--info", "plain.partial.json", "tracked.partial.json"]);
    let text = run.expect_code(0).expect_quiet().out();
    let (plain, tracked) = text.split_once("\n\n").unwrap();
    let count = shop().lines().count();
    for line in [
        "partial: plain.partial.json:1",
        "mode: mixed",
        &format!("exchanges: {count}"),
        "unanswered: 0",
        "hosts: 1",
        "inputs: not tracked",
        &format!("bytes: {}", dir.read("plain.partial.json").len() - 1),
    ] {
        assert!(plain.lines().any(|found| found == line), "{line}\n{plain}");
    }
    assert!(plain.contains("(this version's)"), "{plain}");
    assert!(plain.contains("\nhost: https://api.shop.example, paths "), "{plain}");
    assert!(tracked.starts_with("partial: tracked.partial.json:1\n"), "{tracked}");
    assert!(tracked.contains("\ninput: sha256:"), "{tracked}");
    assert!(tracked.contains(&format!(" 0-{}\n", shop().len())), "{tracked}");
    // For a folder, the partials in it; for a pipe, its lines.
    let parts = merge(&dir, &["--info", "."]).expect_code(0).out();
    assert_eq!(parts.matches("partial: ").count(), 2, "{parts}");
    let both = dir.read("plain.partial.json") + &dir.read("tracked.partial.json");
    let piped = dir.program("hmt-merge").args(["--info", "-"]).stdin(both).run().expect_code(0);
    assert!(piped.out().contains("partial: <stdin>:2\n"), "{piped}");
    build(&dir, &["shop.jsonl", "-o", "spec.yaml"]).expect_code(0);
    merge(&dir, &["--info", "plain.partial.json", "spec.yaml"])
        .expect_code(2)
        .expect_no_stdout()
        .expect_stderr("spec.yaml is a spec");
    merge(&dir, &["--info", "plain.partial.json", "-o", "x.yaml"]).expect_code(2);
}

#[test]
fn inputs_are_counted_once() {
    let dir = shards();
    // Two shards of one file are two inputs.
    let both = merge(&dir, &["--partial", "a.partial.json", "b.partial.json"]).expect_code(0);
    both.expect_quiet();
    dir.write(
        "both.partial.json",
        merge(&dir, &["--partial", "b.partial.json", "a.partial.json"]).out(),
    );
    let parts = merge(&dir, &["--partial", "a.partial.json", "b.partial.json"]).out();
    assert_eq!(dir.read("both.partial.json"), parts);
    let again = build(&dir, &["--partial", "--track-inputs", "a.jsonl", "b.jsonl"]).out();
    assert_eq!(again, parts, "from the files as from their partials");
    let mixed = build(&dir, &["--partial", "--track-inputs", "a.partial.json", "b.jsonl"]).out();
    assert_eq!(mixed, parts, "and from one of each");

    // Each tool refuses the same input twice, and names both.
    dir.write("copy.jsonl", dir.read("a.jsonl"));
    build(&dir, &["--partial", "--track-inputs", "copy.jsonl", "-o", "copy.partial.json"])
        .expect_code(0);
    for (program, args) in [
        ("hmt-merge", &["a.partial.json", "copy.partial.json"][..]),
        ("hmt-merge", &["--partial", "both.partial.json", "copy.partial.json"]),
        ("hmt-build", &["both.partial.json", "copy.partial.json"]),
        ("hmt-build", &["--partial", "--track-inputs", "a.jsonl", "copy.jsonl"]),
        ("hmt-build", &["--partial", "--track-inputs", "both.partial.json", "copy.jsonl"]),
    ] {
        let refused = dir.program(program).args(args).arg("-o").arg("out.json").run();
        refused.expect_code(1).expect_stderr("copy.").expect_stderr("sha256:");
        assert!(!dir.exists("out.json"));
        let mut allowed = args.to_vec();
        allowed.push("--allow-overlap");
        dir.program(program).args(&allowed).run().expect_code(0);
    }
    let twice =
        merge(&dir, &["--partial", "--allow-overlap", "a.partial.json", "copy.partial.json"])
            .expect_code(0)
            .json();
    let once: Value = serde_json::from_str(&dir.read("a.partial.json")).unwrap();
    assert_eq!(twice["inputs"], once["inputs"]);
    assert_eq!(twice["exchanges"].as_u64(), once["exchanges"].as_u64().map(|n| 2 * n));
}

#[test]
fn what_has_no_name_cannot_be_tracked() {
    let dir = shards();
    dir.program("hmt-build")
        .args(["--partial", "--track-inputs", "-"])
        .stdin(shop())
        .run()
        .expect_code(2)
        .expect_no_stdout()
        .expect_stderr("standard input has no name");
    build(&dir, &["--track-inputs", "a.jsonl"]).expect_code(2).expect_stderr("--partial");
    // Without the flag nothing is tracked, and the output is unchanged.
    let plain = build(&dir, &["--partial", "a.jsonl"]).expect_code(0).json();
    assert!(plain.get("inputs").is_none());
    let mut tracked: Value = serde_json::from_str(&dir.read("a.partial.json")).unwrap();
    tracked.as_object_mut().unwrap().remove("inputs");
    assert_eq!(plain, tracked);
    dir.write("plain.partial.json", plain.to_string());
    merge(&dir, &["plain.partial.json", "b.partial.json"])
        .expect_code(0)
        .expect_stderr("plain.partial.json:1 does not say which input it was built from");
    // An empty file is not an input.
    dir.write("empty.jsonl", "");
    let empty = build(&dir, &["--partial", "--track-inputs", "empty.jsonl", "empty.jsonl"]);
    assert!(empty.expect_code(0).json().get("inputs").is_none());
}

#[test]
fn folders_give_their_specs_and_partials() {
    let dir = shards();
    dir.write("parts/1.partial.json", dir.read("b.partial.json"));
    dir.write("parts/2.partial.json", dir.read("a.partial.json"));
    dir.write("parts/notes.txt", "no spec");
    dir.write("parts/package.json", "{\"name\": \"no spec\"}");
    let whole = build(&dir, &["all.jsonl"]).expect_code(0).out();
    let run = merge(&dir, &["parts"]).expect_code(0).expect_stderr("ignored: parts/package.json");
    assert_eq!(run.out(), whole);
    dir.write("none/notes.txt", "");
    merge(&dir, &["none"]).expect_code(1).expect_stderr("contains no specs or partials");
    dir.write("parts/torn.yaml", "openapi: 3.0.3\npaths: [");
    merge(&dir, &["parts"]).expect_code(1).expect_stderr("torn.yaml");
}
