//! Lets every system call on a file fail once, and then permanently, one after the other: nothing
//! panics, replaced files are old or new, appended files have at most a torn end, and the exit
//! status reports the failure.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::{Dir, Program, Run, exe, fixture, on_path};

/// The calls, and their possible errors.
const CALLS: [(&str, &[&str]); 6] = [
    ("openat", &["EMFILE", "EACCES"]),
    ("write", &["ENOSPC", "EIO"]),
    ("fsync", &["EIO"]),
    ("renameat", &["EIO"]),
    ("renameat2", &["EIO"]),
    ("unlinkat", &["EIO"]),
];

/// A program under strace. Its exit status is that of the program.
fn traced(dir: &Dir, name: &str, strace: &[&str], args: &[&str]) -> Program {
    let program = Program::of("strace", &dir.join("."));
    program.args(["-f", "-qq", "-o", "trace"]).args(strace).arg(exe(name)).args(args)
}

/// False without strace, which CI requires.
fn can_trace() -> bool {
    let found = on_path("strace").is_some();
    assert!(found || std::env::var_os("CI").is_none(), "strace is needed");
    found
}

/// The numbers, from 1, of the calls that concern the test's files in a run without faults.
fn calls(dir: &Dir, name: &str, args: &[&str]) -> BTreeMap<&'static str, Vec<usize>> {
    let names: Vec<&str> = CALLS.iter().map(|(call, _)| *call).collect();
    let filter = format!("trace={}", names.join(","));
    traced(dir, name, &["-e", &filter], args).run().expect_code(0);
    let trace = dir.read("trace");
    let mut found = BTreeMap::new();
    for (call, _) in CALLS {
        let open = format!(" {call}(");
        let lines = trace.lines().filter(|line| line.contains(&open)).enumerate();
        // Calls of the loader and the C library come first.
        let others = ["\"/etc", "\"/proc", "\"/sys", "\"/dev", ".so"];
        let ours = lines.filter(|(_, line)| !others.iter().any(|other| line.contains(other)));
        found.insert(call, ours.map(|(index, _)| index + 1).collect());
    }
    found
}

/// Runs a program with each fault, in a new folder each time.
fn with_each_fault(name: &str, args: &[&str], prepare: impl Fn(&Dir), check: impl Fn(&Dir, &Run)) {
    let dir = Dir::new();
    prepare(&dir);
    let calls = calls(&dir, name, args);
    let mut runs = 0;
    for (call, errors) in CALLS {
        for number in &calls[call] {
            for (error, when) in errors.iter().flat_map(|e| [(e, ""), (e, "+")]) {
                let dir = Dir::new();
                prepare(&dir);
                let inject = format!("inject={call}:error={error}:when={number}{when}");
                let run = traced(&dir, name, &["-e", &inject], args).run();
                let code = run.status.code();
                assert!(matches!(code, Some(0 | 1)), "{inject}: {code:?}\n{run}");
                assert!(!run.err().contains("panicked"), "{inject}\n{run}");
                if code == Some(1) && call != "write" {
                    assert!(run.err().contains(name), "{inject}: no word of it\n{run}");
                }
                check(&dir, &run);
                runs += 1;
            }
        }
    }
    assert!(runs > 10, "only {runs} faults were tried");
}

#[test]
fn files_that_are_replaced_are_the_old_or_the_new() {
    if !can_trace() {
        return;
    }
    let args = ["--threads", "1", "--state", "s", "shop.jsonl", "-o", "out.json"];
    let prepare = |dir: &Dir| {
        fs::copy(fixture("recordings/shop.jsonl"), dir.join("shop.jsonl")).unwrap();
        dir.write("out.json", "old");
    };
    let dir = Dir::new();
    prepare(&dir);
    dir.program("hmt-build").args(args).run().expect_code(0);
    let (spec, state) = (dir.read("out.json"), dir.read("s"));
    with_each_fault("hmt-build", &args, prepare, |dir, run| {
        let done = run.status.success();
        let out = dir.read("out.json");
        assert!(out == spec || !done && out == "old", "{run}");
        match fs::read_to_string(dir.join("s")) {
            // Its exchanges are in the spec.
            Ok(found) => assert!(found == state && out == spec, "{run}"),
            Err(_) => assert!(!done, "{run}"),
        }
    });
}

#[test]
fn files_that_are_appended_have_at_most_a_torn_end() {
    if !can_trace() {
        return;
    }
    let args = ["import", "--redact-key", "key", "few.jsonl", "-o", "out.jsonl"];
    let shop = fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap();
    let few: String = shop.split_inclusive('\n').take(4).collect();
    let prepare = |dir: &Dir| {
        dir.write("few.jsonl", &few);
        dir.write("out.jsonl", few.lines().next().unwrap());
    };
    with_each_fault("hmt-record", &args, prepare, |dir, run| {
        let out = dir.read("out.jsonl");
        let whole = out.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let whole: Vec<&str> = whole.collect();
        for line in &whole {
            let _: serde_json::Value = serde_json::from_str(line).unwrap();
        }
        // The last line was torn before, and is not continued.
        assert!(!run.status.success() || whole.len() == 5, "{run}\n{out}");
        // A key is complete or missing: half of one would give other pseudonyms.
        if let Ok(key) = fs::read_to_string(dir.join("key")) {
            assert_eq!(key.trim_end().len(), 64, "{run}");
        }
    });
}
