//! Signals: a filter over standard input continues to its end, and a run over files ends.

use std::fs::File;
use std::io::{PipeWriter, Write as _};
use std::process::Command;

use crate::harness::{Dir, Reply, Server, Upstream};

const LINE: &str =
    r#"{"request":{"method":"get","host":"a.example","path":"/a"},"response":{"statusCode":200}}"#;

/// A program that waits for the rest of its standard input.
fn waiting(dir: &Dir, words: &str) -> (Server, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut words = words.split(' ');
    let program = dir.program(words.next().unwrap()).args(words).stdin_from(reader);
    (Server::spawn(program), writer)
}

#[test]
fn a_filter_reads_its_standard_input_to_the_end() {
    let dir = Dir::new();
    dir.write("a.jsonl", format!("{LINE}\n"));
    dir.program("hmt-build").args(["a.jsonl", "-o", "a.yaml"]).run().expect_code(0);
    let lines = (format!("{LINE}\n"), format!("{}\n", LINE.replace("/a", "/b")));
    let spec = dir.read("a.yaml");
    let spec = spec.split_at(spec.len() / 2);
    let upstream = Upstream::start(|_| Reply::json(200, &serde_json::json!({})));
    let send = format!("hmt-replay send - --target {}", upstream.url());
    for (words, (first, rest), expected) in [
        (&*send, (&*lines.0, &*lines.1), "\"/b\""),
        ("hmt-build -", (&*lines.0, &*lines.1), "/b:"),
        ("hmt-build --check a.yaml -", (&*lines.0, &*lines.1), "2 exchanges compared"),
        ("hmt-record import -", (&*lines.0, &*lines.1), "\"/b\""),
        ("hmt-merge -", spec, "/a:"),
    ] {
        for signal in ["TERM", "INT"] {
            let (filter, mut input) = waiting(&dir, words);
            input.write_all(first.as_bytes()).unwrap();
            filter.wait_handles_sigint();
            filter.signal(signal);
            input.write_all(rest.as_bytes()).unwrap();
            drop(input);
            filter.end().expect_code(0).expect_stdout(expected);
        }
    }
}

#[test]
fn a_run_over_files_ends_without_output() {
    let dir = Dir::new();
    // A FIFO is a file that blocks the run.
    let made = Command::new("mkfifo").arg(dir.join("slow.jsonl")).status();
    assert!(made.unwrap().success());
    for words in ["hmt-build slow.jsonl -o out.yaml", "hmt-record import slow.jsonl"] {
        let mut words = words.split(' ');
        let program = dir.program(words.next().unwrap()).args(words);
        let run = Server::spawn(program);
        // Opening it waits until the program reads it.
        let mut writer = File::options().write(true).open(dir.join("slow.jsonl")).unwrap();
        writer.write_all(LINE.as_bytes()).unwrap();
        run.signal("TERM");
        run.end().expect_code(143).expect_no_stdout();
        assert!(!dir.exists("out.yaml"));
    }
}
