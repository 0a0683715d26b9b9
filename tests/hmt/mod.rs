//! Tests of the front end, `hmt`: the programs it runs, the arguments it adds, and its knowledge of
//! all tools.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::harness::{Dir, Program, Reply, Run, Server, Upstream, exe, exe_dir, fixture};

mod tutorial;

const TOOLS: [&str; 5] = ["record", "build", "merge", "mock", "replay"];

/// An installation whose tools only print their arguments.
struct Installed {
    bin: TempDir,
    dir: Dir,
}

impl Installed {
    fn new(tools: &[&str]) -> Self {
        // Next to the real one, because a hard link cannot cross file systems, and a copied
        // executable may be busy.
        let bin = tempfile::tempdir_in(exe_dir()).unwrap();
        fs::hard_link(exe("hmt"), bin.path().join("hmt")).unwrap();
        for tool in tools {
            symlink(fixture("front/tool"), bin.path().join(format!("hmt-{tool}"))).unwrap();
        }
        Installed { bin, dir: Dir::new() }
    }

    fn hmt<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Program {
        Program::of(self.bin.path().join("hmt"), self.dir.path()).args(args)
    }

    /// The name and arguments that the tool was called with.
    #[track_caller]
    fn called(&self, words: &str) -> Vec<String> {
        let run = self.hmt(words.split(' ')).run().expect_code(0).expect_quiet();
        run.out().lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn expect(&self, words: &str, called: &str) {
        assert_eq!(self.called(words).join(" "), called, "hmt {words}");
    }
}

#[test]
fn arguments_and_status_are_those_of_the_tool() {
    let installed = Installed::new(&TOOLS);
    installed.expect("merge a.yaml -o b.yaml", "hmt-merge a.yaml -o b.yaml");
    installed.expect("mock -- -x --", "hmt-mock -- -x --");
    installed.expect("mock --help", "hmt-mock --help");
    installed.expect("merge -V", "hmt-merge -V");
    let odd = ["merge", "", "a b", "*", "--title=ü"];
    assert_eq!(installed.hmt(odd).run().out(), "hmt-merge\n\na b\n*\n--title=ü\n");
    installed.hmt(["mock", "x"]).env("TOOL_STATUS", "3").run().expect_code(3);
}

#[test]
fn record_writes_into_logs_unless_told_where() {
    let installed = Installed::new(&TOOLS);
    installed.expect("record", "hmt-record --log-dir logs");
    let mode = |name: &str| fs::metadata(installed.dir.join(name)).unwrap().permissions().mode();
    assert_eq!(mode("logs") & 0o777, 0o700, "recordings hold traffic");
    assert!(installed.dir.join("specs").is_dir());
    installed.expect("record -p 8001 -r", "hmt-record -p 8001 -r --log-dir logs");
    installed.expect("record --target http://l:1", "hmt-record --target http://l:1 --log-dir logs");
    for told in [
        "-o -",
        "-ox.jsonl",
        "--out x.jsonl",
        "--out=x.jsonl",
        "-ro x.jsonl",
        "-l d",
        "-ld",
        "--log-dir=d",
    ] {
        installed.expect(&format!("record {told}"), &format!("hmt-record {told}"));
    }
}

#[test]
fn record_keeps_its_own_options_from_the_tool() {
    let installed = Installed::new(&TOOLS);
    installed.expect("record -s apis -r", "hmt-record -r --log-dir logs");
    assert!(installed.dir.join("apis").is_dir());
    assert!(!installed.dir.join("specs").exists());
    installed.expect("record -rsapis -p 1", "hmt-record -r -p 1 --log-dir logs");
    installed.expect("record --specs-dir=apis -o -", "hmt-record -o -");
    installed.expect("record --exclude -s -l d", "hmt-record --exclude -s -l d");
    installed.hmt(["record", "-s"]).run().expect_code(2).expect_stderr("--specs-dir");
}

#[test]
fn build_reads_logs_and_writes_into_specs_unless_told_otherwise() {
    let installed = Installed::new(&TOOLS);
    installed.expect("build", "hmt-build --input-file logs --out specs");
    installed.expect("build -m mixed", "hmt-build -m mixed --input-file logs --out specs");
    installed.expect("build -o -", "hmt-build -o - --input-file logs");
    installed.expect("build -i x.jsonl", "hmt-build -i x.jsonl --out specs");
    installed.expect("build -", "hmt-build - --out specs");
    installed.expect("build --source kafka", "hmt-build --source kafka --out specs");
    installed.expect("build --check a.yaml x", "hmt-build --check a.yaml x");
    installed.expect("build logs/", "hmt-build logs/ --out specs");
    installed.expect("build -m replay x.jsonl", "hmt-build -m replay x.jsonl --out specs");
    installed.expect("build -- -x.jsonl", "hmt-build --out specs -- -x.jsonl");
    for told in ["-o -", "-oout.yaml", "--out out", "--out=out.json", "-vo out.yaml"] {
        installed.expect(&format!("build {told} x.jsonl"), &format!("hmt-build {told} x.jsonl"));
    }
    // The value of another flag is not a flag.
    installed.expect("build --title -o=x y", "hmt-build --title -o=x y");
    installed.expect("build --title=-o y", "hmt-build --title=-o y --out specs");
}

#[test]
fn mock_serves_specs_unless_told_otherwise() {
    let installed = Installed::new(&TOOLS);
    installed.expect("mock", "hmt-mock specs");
    installed.expect("mock -p 8001 --seed 3", "hmt-mock -p 8001 --seed 3 specs");
    installed.expect("mock -d", "hmt-mock -d specs");
    for told in ["a.yaml", "-", "-p 1 a.yaml b.yaml", "-k", "-s", "-s -p 1", "stop", "status -p 1"]
    {
        installed.expect(&format!("mock {told}"), &format!("hmt-mock {told}"));
    }
}

#[test]
fn replay_serves_logs_unless_told_otherwise() {
    let installed = Installed::new(&TOOLS);
    installed.expect("replay", "hmt-replay serve logs");
    installed.expect("replay -p 8001 --loop", "hmt-replay serve logs -p 8001 --loop");
    installed.expect("replay serve", "hmt-replay serve logs");
    installed.expect("replay serve --loop", "hmt-replay serve logs --loop");
    installed.expect("replay a.jsonl", "hmt-replay serve a.jsonl");
    for told in ["serve a.jsonl -p 1", "serve -", "serve stop", "serve status -p 1", "-V", "--help"]
    {
        installed.expect(&format!("replay {told}"), &format!("hmt-replay {told}"));
    }
    installed.expect("replay stop", "hmt-replay serve stop");
}

#[test]
fn each_command_ends_with_what_it_made_and_the_next_command() {
    let dir = Dir::new();
    let hmt = |words: &str| dir.program("hmt").args(words.split(' ')).run();
    let last = |run: &Run| run.err().lines().last().unwrap_or_default().to_owned();
    let upstream = Upstream::start(|_| Reply::json(200, &serde_json::json!({"id": 7})));

    let recorder =
        Server::start(dir.program("hmt").args(["record", "-p", "0", "-t", &upstream.url()]));
    recorder.get("/pets").expect_status(200);
    recorder.get("/owners").expect_status(200);
    let run = recorder.stop().expect_code(0).expect_stderr("writing to logs\n");
    assert_eq!(last(&run), "2 exchanges: logs. Next: hmt build");

    let run = hmt("build").expect_code(0).expect_no_stdout();
    assert_eq!(last(&run), "2 exchanges, 2 paths: specs/openapi.json. Next: hmt mock");
    let run = hmt("build -o api.yaml").expect_code(0);
    assert_eq!(last(&run), "2 exchanges, 2 paths: api.yaml. Next: hmt mock api.yaml");
    hmt("build -q").expect_code(0).expect_quiet();
    let run = hmt("build -o -").expect_code(0);
    assert_eq!(run.err(), "", "the spec went to a reader");

    let run = hmt("check").expect_code(0);
    assert_eq!(
        last(&run),
        "2 exchanges compared: 0 errors (in 0 exchanges), 0 undocumented. Next: hmt check --report html=report.html"
    );
    let run = hmt("merge specs/openapi.json api.yaml -o all.yaml").expect_code(0);
    assert_eq!(last(&run), "2 paths: all.yaml. Next: hmt mock all.yaml");

    let mock = Server::start(dir.program("hmt").args(["mock", "-p", "0", "--no-admin"]));
    mock.get("/pets").expect_status(200);
    assert_eq!(last(&mock.stop().expect_code(0)), "2 operations served. Next: hmt check");
    let replay = Server::start(dir.program("hmt").args(["replay", "-p", "0"]));
    replay.get("/pets").expect_status(200);
    let run = replay.stop().expect_code(0);
    assert_eq!(
        last(&run),
        "2 recorded responses served. Next: hmt replay send --target URL --diff"
    );
    // Without the front end, the tools do not print such a line.
    let run = dir.program("hmt-build").args(["logs", "-o", "x.yaml"]).run();
    run.expect_code(0).expect_quiet();
}

#[test]
fn check_compares_logs_with_specs_unless_told_otherwise() {
    let installed = Installed::new(&TOOLS);
    installed.expect("check", "hmt-build --check specs --input-file logs");
    installed.expect("check a.jsonl", "hmt-build a.jsonl --check specs");
    installed.expect("check --check x.yaml", "hmt-build --check x.yaml --input-file logs");
    installed.expect("check --check=x.yaml -", "hmt-build --check=x.yaml -");
    installed.expect(
        "check --report json --fail-on never",
        "hmt-build --report json --fail-on never --check specs --input-file logs",
    );
    installed.expect("check -- -a.jsonl", "hmt-build --check specs -- -a.jsonl");
}

#[test]
fn nothing_is_added_where_there_is_no_output() {
    let installed = Installed::new(&TOOLS);
    let others =
        ["stop", "status", "import a.har", "--help", "-h", "-V", "-p 8001 stop", "--version"];
    for words in others {
        installed.expect(&format!("record {words}"), &format!("hmt-record {words}"));
    }
    installed.expect("build --help", "hmt-build --help");
    // The tool itself reports an invalid command line.
    installed.expect("build --no-such-flag", "hmt-build --no-such-flag");
    assert_eq!(installed.dir.list(""), [""; 0], "no folder was made");
}

#[test]
fn a_tool_that_is_not_beside_is_sought_on_the_path() {
    let installed = Installed::new(&[]);
    let elsewhere = Installed::new(&["mock"]);
    let path = elsewhere.bin.path();
    installed
        .hmt(["mock", "x"])
        .env("PATH", path)
        .run()
        .expect_code(0)
        .expect_stdout("hmt-mock\nx\n");
    let run =
        installed.hmt(["merge", "x"]).env("PATH", path).run().expect_code(1).expect_no_stdout();
    run.expect_stderr("hmt-merge is neither in").expect_stderr("cargo install");
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let dir = Dir::new();
    let hmt = |args: &[&str]| dir.program("hmt").args(args).run();
    hmt(&[]).expect_code(2).expect_no_stdout().expect_stderr("Usage: hmt <COMMAND>");
    hmt(&["recrod"]).expect_code(2).expect_stderr("record");
    hmt(&["completions", "cmd.exe"]).expect_code(2);
    hmt(&["help", "no-such"]).expect_code(2);
    for flag in ["-h", "--help", "help"] {
        let help = hmt(&[flag]).expect_code(0).expect_quiet().out();
        for tool in TOOLS {
            assert!(help.contains(&format!("(hmt-{tool})")), "{help}");
        }
    }
    hmt(&["-V"]).expect_code(0).expect_stdout("hmt 0.");
}

#[test]
fn the_real_tools_are_beside_the_real_front_end() {
    for tool in TOOLS {
        let run = Dir::new().program("hmt").args([tool, "--version"]).run();
        run.expect_code(0).expect_stdout(&format!("hmt-{tool} 0."));
    }
}

#[test]
fn completions_know_all_tools_and_their_flags() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = dir
            .program("hmt")
            .args(["completions", shell])
            .run()
            .expect_code(0)
            .expect_quiet()
            .out();
        for tool in TOOLS {
            assert!(script.contains(&format!("hmt-{tool}")), "{shell}: {tool}");
        }
    }
    let complete = |words: &str, last: &str| -> Run {
        let script = format!(
            "source <(hmt completions bash); COMP_WORDS=({words} {last}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1));
             f=$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f {program} {last}; echo \"${{COMPREPLY[@]}}\"",
            program = words.split(' ').next().unwrap()
        );
        Program::of("bash", dir.path()).args(["-c", &script]).run().expect_code(0)
    };
    assert_eq!(complete("hmt", "rep").out(), "replay\n");
    assert_eq!(complete("hmt build", "--titl").out(), "--title\n");
    assert_eq!(complete("hmt-build", "--titl").out(), "--title\n");
}

#[test]
fn help_shows_a_page_and_without_man_the_tool_s_help() {
    let installed = Installed::new(&TOOLS);
    // A `man` that prints its file.
    let man = installed.dir.join("man");
    fs::create_dir(&man).unwrap();
    symlink(which("cat"), man.join("man")).unwrap();
    let page = |name: &str| installed.hmt(["help", name]).env("PATH", &man).run().expect_code(0);
    page("mock").expect_stdout(".Dt HMT-MOCK 1");
    page("spec").expect_stdout(".Dt HMT-SPEC 5");
    let none = installed.dir.join("none");
    let without = |name: &str| installed.hmt(["help", name]).env("PATH", &none).run();
    assert_eq!(without("mock").expect_code(0).out(), "hmt-mock\n--help\n");
    without("spec").expect_code(1).expect_stderr("hmt-spec.5");
}

fn which(name: &str) -> PathBuf {
    crate::harness::on_path(name).unwrap_or_else(|| panic!("{name} is not on PATH"))
}

#[test]
fn specs_are_kept_current_while_recording() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::json(200, &serde_json::json!({"id": 7})));
    let start = || {
        let args = ["record", "--mode", "gen", "-p", "0", "-t", &upstream.url()];
        Server::start(dir.program("hmt").args(args))
    };
    let spec = format!("specs/{}_gen.json", upstream.authority().replace(':', "_"));
    let hmt = start();
    hmt.get("/pets").expect_status(200);
    // SIGTERM is passed on to the recorder, and the last exchange is in the spec.
    let stopped = hmt.stop().expect_code(0).expect_stderr("seen 1, written 1, dropped 0");
    let made = format!("1 exchange, 1 path: {spec}. Next: hmt mock\n");
    assert!(stopped.err().ends_with(&made), "{}", stopped.err());
    assert!(dir.read(&spec).contains("/pets"));
    // Recordings that were moved away are not forgotten.
    fs::rename(dir.join("logs"), dir.join("away")).unwrap();
    let hmt = start();
    hmt.get("/owners").expect_status(200);
    hmt.stop().expect_code(0);
    let text = dir.read(&spec);
    assert!(text.contains("/pets") && text.contains("/owners"), "{text}");

    let run = |args: &[&str]| dir.program("hmt").args(args).run();
    run(&["record", "--mode", "other"]).expect_code(2).expect_stderr("gen, replay, mixed");
    run(&["record", "-m", "other"]).expect_code(2).expect_stderr("gen, replay, mixed");
    run(&["record", "--mode=gen", "-o", "x.jsonl"]).expect_code(2).expect_stderr("-l DIR");
    run(&["record", "--mode=gen", "stop"]).expect_code(2);
}
