//! What partials tell of themselves, what people change in specs, and what becomes of that when traffic is added.

use serde_json::Value;

use crate::harness::{Dir, Run, fixture};

fn shop() -> String {
    std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

/// A folder with the shop's recordings in two shards, and a tracked partial of each.
fn shards() -> Dir {
    let dir = Dir::new();
    let shop = shop();
    let lines: Vec<&str> = shop.lines().collect();
    let (a, b) = lines.split_at(lines.len() / 2);
    for (name, lines) in [("a", a), ("b", b), ("all", &lines[..])] {
        let file = format!("{name}.jsonl");
        dir.write(&file, lines.join("\n") + "\n");
        let out = format!("{name}.partial.json");
        build(&dir, &["--partial", "--track-inputs", &file, "-o", &out]).expect_code(0);
    }
    dir
}

fn build(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-build").args(args).run()
}

fn merge(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-merge").args(args).run()
}

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
    // Of a folder the partials in it, of a pipe its lines.
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

    // The same twice is refused, by each tool, naming both.
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
    // Without the flag nothing is told, and the bytes are those of ever.
    let plain = build(&dir, &["--partial", "a.jsonl"]).expect_code(0).json();
    assert!(plain.get("inputs").is_none());
    let mut tracked: Value = serde_json::from_str(&dir.read("a.partial.json")).unwrap();
    tracked.as_object_mut().unwrap().remove("inputs");
    assert_eq!(plain, tracked);
    dir.write("plain.partial.json", plain.to_string());
    merge(&dir, &["plain.partial.json", "b.partial.json"])
        .expect_code(0)
        .expect_stderr("plain.partial.json:1 does not tell what it was made of");
    // An empty file is no input at all.
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
    let run = merge(&dir, &["parts"]).expect_code(0).expect_stderr("left out: parts/package.json");
    assert_eq!(run.out(), whole);
    dir.write("none/notes.txt", "");
    merge(&dir, &["none"]).expect_code(1).expect_stderr("no spec and no partial");
    dir.write("parts/torn.yaml", "openapi: 3.0.3\npaths: [");
    merge(&dir, &["parts"]).expect_code(1).expect_stderr("torn.yaml");
}

#[test]
fn three_ways() {
    let dir = Dir::new();
    dir.write("old.jsonl", shop());
    build(&dir, &["old.jsonl", "-o", "old.yaml"]).expect_code(0);
    let old = dir.read("old.yaml");
    let edited = old
        .replacen("title: api.shop.example", "title: Shop", 1)
        .replacen("{productName}", "{slug}", 1)
        .replacen("- name: productName", "- name: slug", 1);
    dir.write("ours.yaml", &edited);
    let new = old.replacen("title: api.shop.example", "title: other", 1).replacen(
        "description: OK",
        "description: Fine",
        1,
    );
    dir.write("new.yaml", &new);
    let run = merge(&dir, &["--base", "old.yaml", "ours.yaml", "new.yaml"]).expect_code(0);
    assert_eq!(run.err(), "/info/title: \"Shop\" / \"other\"\n");
    assert_eq!(run.out(), edited.replacen("description: OK", "description: Fine", 1));
    let last = merge(&dir, &["--conflict", "last", "--base", "old.yaml", "ours.yaml", "new.yaml"]);
    assert_eq!(last.expect_code(0).yaml()["info"]["title"], "other");
    merge(&dir, &["--conflict", "error", "--base", "old.yaml", "ours.yaml", "new.yaml"])
        .expect_code(1)
        .expect_no_stdout()
        .expect_stderr("/info/title");
    merge(&dir, &["--base", "old.yaml", "ours.yaml"]).expect_code(2).expect_stderr("--base");
    merge(&dir, &["--base", "none.yaml", "ours.yaml", "new.yaml"])
        .expect_code(1)
        .expect_stderr("none.yaml");
    // A partial is what is new, too.
    build(&dir, &["--partial", "old.jsonl", "-o", "p.partial.json"]).expect_code(0);
    let same = merge(&dir, &["--base", "old.yaml", "p.partial.json", "ours.yaml"]);
    assert_eq!(same.expect_code(0).expect_quiet().out(), edited);
    merge(&dir, &["--base", "old.yaml", "p.partial.json", "p.partial.json"]).expect_code(2);
}
