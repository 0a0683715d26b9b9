//! No client gets a complete response without its record: tests of records that cannot be written.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::{parse, recorder};
use crate::harness::{Dir, HANG, Program, Received, Reply, Server, Upstream, exe, on_path};

/// Everything that a server sends to one request until it closes the connection, and whether that
/// was a reset.
fn raw(port: u16, request: &str) -> (Vec<u8>, bool) {
    let mut received = Vec::new();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return (received, true) };
    stream.set_read_timeout(Some(HANG)).unwrap();
    let ended = stream.write_all(request.as_bytes());
    let ended = ended.and_then(|()| stream.read_to_end(&mut received));
    (received, ended.is_err())
}

/// Requests `/ID`; true if the response was complete.
fn is_answered(port: u16, id: usize, size: usize) -> bool {
    let request = format!("GET /{id} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let (received, _) = raw(port, &request);
    let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    received.len() - head - 4 == size
}

/// Answers each request with a body whose size `size` returns for its id.
fn sized(size: fn(usize) -> usize) -> Upstream {
    Upstream::start(move |request: &Received| {
        let id: usize = request.target[1..].parse().unwrap();
        Reply::new(200, &[("Content-Type", "text/plain")], "x".repeat(size(id)))
    })
}

/// Sends requests from several clients at once until each has had an incomplete response, or `most`
/// complete ones. Returns the ids of the complete ones.
fn load(port: u16, clients: usize, most: usize, size: fn(usize) -> usize) -> BTreeSet<usize> {
    let ask = move |client: usize| {
        let ids = (0..most).map(|round| client * 1_000 + round);
        ids.take_while(|id| is_answered(port, *id, size(*id))).collect::<Vec<_>>()
    };
    let clients: Vec<_> = (0..clients).map(|client| thread::spawn(move || ask(client))).collect();
    clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
}

/// The ids of complete exchanges in files whose lines must all be complete.
fn recorded(dir: &Dir, files: &[String]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| dir.exists(file)) {
        for record in parse(&dir.read(file)) {
            let path = record["request"]["path"].as_str().unwrap();
            found.insert(path[1..].parse().unwrap());
        }
    }
    found
}

#[test]
fn no_kind_of_answer_comes_whole_without_its_record() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let upstream = Upstream::start(|request: &Received| match request.target.as_str() {
        "/length" => Reply::new(200, &[], "body"),
        "/chunked" => Reply::chunked(200, &[], &[b"one", b"two"]),
        "/close" => Reply(b"HTTP/1.0 200 OK\r\n\r\nbody".to_vec()),
        "/204" => Reply::new(204, &[], ""),
        "/304" => Reply::new(304, &[("ETag", "\"1\"")], ""),
        "/413" => Reply::new(413, &[], "too large"),
        "/101" => Reply(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
                .to_vec(),
        ),
        other => Reply::new(200, &[], other),
    });
    // The listener was closed, so connections fail.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (method, path, version) in [
        ("GET", "/length", "1.1"),
        ("GET", "/length", "1.0"),
        ("GET", "/chunked", "1.1"),
        ("GET", "/chunked", "1.0"),
        ("GET", "/close", "1.1"),
        ("GET", "/close", "1.0"),
        ("HEAD", "/length", "1.1"),
        ("GET", "/204", "1.1"),
        ("GET", "/304", "1.1"),
        ("POST", "/413", "1.1"),
        ("GET", "/101", "1.1"),
        ("GET", "/dead", "1.1"),
    ] {
        let dir = Dir::new();
        let target = if path == "/dead" { format!("http://{dead}") } else { upstream.url() };
        let recorder = recorder(&dir, &["-t", &target, "-o", "/dev/full"]);
        let upgrade = if path == "/101" { "Connection: upgrade\r\nUpgrade: x\r\n" } else { "" };
        let request = format!(
            "{method} {path} HTTP/{version}\r\nHost: h\r\n{upgrade}Content-Length: 0\r\n\r\n"
        );
        let (received, reset) = raw(recorder.port(), &request);
        let received = String::from_utf8_lossy(&received);
        // Responses of unknown length have begun by then. To an HTTP/1.0 client, only a reset shows
        // that they are incomplete.
        let may_begin = method == "GET" && matches!(path, "/chunked" | "/close");
        let no_end = if version == "1.0" { reset } else { !received.ends_with("0\r\n\r\n") };
        let shows_the_cut = received.is_empty() || may_begin && no_end;
        assert!(shows_the_cut, "{method} {path} HTTP/{version}: {received}");
        let run = recorder.end().expect_code(1);
        let run = run.expect_stderr("/dev/full: cannot be written: No space left on device");
        run.expect_stderr("free some space there")
            .expect_stderr("written 0, dropped 1 (write failed)");
    }
}

#[test]
fn a_long_answer_is_cut_where_its_record_fails() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    // Longer than what the recorder reads before it begins to respond.
    let long = "x".repeat(4 << 20);
    for chunked in [false, true] {
        let long = long.clone();
        let upstream = Upstream::start(move |_| match chunked {
            false => Reply::new(200, &[], &long),
            true => Reply::chunked(200, &[], &[long.as_bytes(), b"end"]),
        });
        let dir = Dir::new();
        let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "/dev/full"]);
        let (received, _) = raw(recorder.port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert!(!received.ends_with(b"0\r\n\r\n"), "{chunked}");
        assert!(chunked || received.len() < 4 << 20, "{chunked}");
        recorder.end().expect_code(1);
    }
}

#[test]
fn a_limit_on_the_size_of_files_cuts_answers_and_leaves_whole_lines() {
    let size = |id: usize| if id.is_multiple_of(3) { 20_000 } else { 100 };
    let upstream = sized(size);
    let log = format!("logs/{}-recordings.jsonl", upstream.authority().replace(':', "_"));
    for (sinks, files) in [
        ("-o out.jsonl", vec!["out.jsonl".to_owned()]),
        ("-o out.jsonl --durable fsync", vec!["out.jsonl".to_owned()]),
        ("-l logs", vec![log]),
        ("-o a.jsonl -o b.jsonl", vec!["a.jsonl".to_owned(), "b.jsonl".to_owned()]),
    ] {
        let dir = Dir::new();
        // In blocks of 512 bytes, or of 1 KiB in some shells.
        let command = format!(
            "ulimit -f 200; exec {} -p 0 -t {} {sinks}",
            exe("hmt-record").display(),
            upstream.url()
        );
        let recorder = Server::start(Program::of("sh", dir.path()).args(["-c", &command]));
        let answered = load(recorder.port(), 4, 200, size);
        let run = recorder.end().expect_code(1).expect_stderr("File too large");
        let run = run.expect_stderr("ulimit -f").expect_stderr(files[0].as_str());
        let recorded = recorded(&dir, &files);
        assert!(answered.is_subset(&recorded), "{sinks}: {answered:?} {recorded:?}\n{run}");
        assert!(!answered.is_empty(), "{sinks}\n{run}");
    }
}

#[test]
fn a_recorder_that_may_drop_goes_on_after_a_limit() {
    let size = |id: usize| if id == 1 { 300_000 } else { 100 };
    let (dir, upstream) = (Dir::new(), sized(size));
    let command = format!(
        "ulimit -f 200; exec {} -p 0 -t {} -o out.jsonl --on-sink-error drop",
        exe("hmt-record").display(),
        upstream.url()
    );
    let recorder = Server::start(Program::of("sh", dir.path()).args(["-c", &command]));
    // The second record exceeds the file size limit; the other records still fit.
    for id in 0..4 {
        assert!(is_answered(recorder.port(), id, size(id)), "{id}");
    }
    let run = recorder.stop().expect_code(1);
    run.expect_stderr("seen 4, written 3, dropped 1 (write failed)");
    assert_eq!(recorded(&dir, &["out.jsonl".to_owned()]), BTreeSet::from([0, 2, 3]));
}

/// Lets each system call on the recording fail once, and then permanently, one after the other.
#[test]
fn each_failing_call_leaves_no_answer_without_its_record() {
    let found = on_path("strace").is_some();
    assert!(found || std::env::var_os("CI").is_none(), "strace is needed");
    if !found {
        return;
    }
    let size = |id: usize| if id.is_multiple_of(2) { 100 } else { 70_000 };
    let upstream = Arc::new(sized(size));
    let log = format!("logs/{}-recordings.jsonl", upstream.authority().replace(':', "_"));
    type Case<'c> = (&'c [&'c str], &'c str, &'c [(&'c str, &'c str)]);
    let cases: [Case<'_>; 4] = [
        (&["-o", "out.jsonl"], "out.jsonl", &[("write", "ENOSPC"), ("write", "EIO")]),
        (
            &["-o", "out.jsonl", "--durable", "fsync"],
            "out.jsonl",
            &[("write", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO")],
        ),
        (&["-l", "logs"], &log, &[("write", "ENOSPC"), ("openat", "EMFILE")]),
        (&["-o", "out.jsonl", "-o", "other.jsonl"], "out.jsonl", &[("write", "ENOSPC")]),
    ];
    let mut injected = 0;
    for (sinks, file, faults) in cases {
        for (call, error) in faults {
            for (number, when) in (1..=3).flat_map(|number| [(number, ""), (number, "+")]) {
                let dir = Dir::new();
                let fault = format!("inject={call}:error={error}:when={number}{when}");
                dir.write(file, "");
                // Only calls on this file count.
                let absolute = dir.join(file);
                let paths = ["-P", absolute.to_str().unwrap()];
                let mut traced = Program::of("strace", dir.path());
                // With one thread, the numbers of calls are stable.
                traced = traced.env("TOKIO_WORKER_THREADS", "1");
                traced =
                    traced.args(["-f", "-qqq", "-o", "trace"]).args(paths).args(["-e", &fault]);
                traced = traced.arg(exe("hmt-record")).args(["-p", "0", "-t", &upstream.url()]);
                let places =
                    sinks.iter().map(|word| match word.contains("jsonl") || *word == "logs" {
                        true => dir.join(word).display().to_string(),
                        false => (*word).to_owned(),
                    });
                let server = Server::spawn(traced.args(places));
                server.wait_stderr("\n");
                if !server.stderr().contains("listening on ") {
                    // The file could not be opened.
                    server.end().expect_code(1).expect_stderr(file);
                    injected += 1;
                    continue;
                }
                let answered = load(server.port(), 3, 4, size);
                let trace = || dir.read("trace");
                let hit = trace().contains("(INJECTED)");
                if hit && sinks.len() == 2 {
                    server.wait_stderr("no destination for records is left");
                }
                // The signal is sent to the recorder, not to strace.
                let children = format!("/proc/{0}/task/{0}/children", server.pid());
                let child = std::fs::read_to_string(children).unwrap_or_default();
                if let Some(child) = child.split_whitespace().next() {
                    let _ = Command::new("kill").arg(child).stderr(Stdio::null()).status();
                }
                let run = server.end();
                assert_eq!(run.status.code(), Some(i32::from(hit)), "{sinks:?} {fault}\n{run}");
                if hit {
                    injected += 1;
                    assert!(run.err().contains(file), "{sinks:?} {fault}\n{run}");
                }
                let files = [file.to_owned(), "other.jsonl".to_owned()];
                let recorded = recorded(&dir, &files);
                assert!(
                    answered.is_subset(&recorded),
                    "{sinks:?} {fault}: {answered:?}, {recorded:?}\n{run}\n{}",
                    trace()
                );
            }
        }
    }
    assert!(injected > 20, "only {injected} faults were tried");
}

/// A file system in memory of 256 KiB, unmounted when dropped.
struct SmallDisk<'d>(&'d Dir);

impl SmallDisk<'_> {
    /// `None` if mounting is not permitted.
    fn mount(dir: &Dir) -> Option<SmallDisk<'_>> {
        std::fs::create_dir(dir.join("disk")).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(dir.join("disk"));
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(SmallDisk(dir))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.join("disk")).status();
    }
}

#[test]
fn a_full_file_system_cuts_answers_and_leaves_whole_lines() {
    let size = |id: usize| if id.is_multiple_of(3) { 20_000 } else { 100 };
    let upstream = sized(size);
    let log = format!("disk/logs/{}-recordings.jsonl", upstream.authority().replace(':', "_"));
    for (sinks, file) in [
        (&["-o", "disk/out.jsonl"][..], "disk/out.jsonl"),
        (&["-o", "disk/out.jsonl", "--durable", "fsync"], "disk/out.jsonl"),
        (&["-l", "disk/logs"], &log),
    ] {
        let dir = Dir::new();
        let Some(_disk) = SmallDisk::mount(&dir) else { return };
        let recorder = recorder(&dir, &[&["-t", &upstream.url()], sinks].concat());
        let answered = load(recorder.port(), 4, 200, size);
        let run = recorder.end().expect_code(1).expect_stderr("No space left on device");
        let recorded = recorded(&dir, &[file.to_owned()]);
        assert!(answered.is_subset(&recorded), "{sinks:?}: {answered:?} {recorded:?}\n{run}");
        assert!(!answered.is_empty(), "{sinks:?}\n{run}");
    }
}

/// Four recorders append to one file. The one with a file size limit fails; the others continue.
#[test]
fn a_client_of_http2_sees_a_reset_where_the_record_failed() {
    let curl = Command::new("curl").arg("--version").output();
    let speaks = curl.is_ok_and(|run| String::from_utf8_lossy(&run.stdout).contains("HTTP2"));
    assert!(speaks || std::env::var_os("CI").is_none(), "curl with HTTP/2 is needed");
    if !speaks || !Path::new("/dev/full").exists() {
        return;
    }
    let dir = Dir::new();
    // An upstream that also supports HTTP/2.
    dir.write(
        "one.jsonl",
        "{\"request\":{\"method\":\"get\",\"path\":\"/1\"},\"response\":{\"statusCode\":200,\"body\":\"whole\"}}\n",
    );
    let replay = dir.program("hmt-replay").args(["serve", "-p", "0", "one.jsonl"]);
    let upstream = Server::start(replay);
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "/dev/full"]);
    let run = Program::of("curl", dir.path())
        .args(["-sS", "--http2-prior-knowledge", &format!("{}/1", recorder.url())])
        .run();
    // 92: the stream was reset; the others: the connection ended before the response did.
    assert!(matches!(run.status.code(), Some(92 | 16 | 18 | 52 | 56)), "{run}");
    run.expect_no_stdout();
    recorder.end().expect_code(1).expect_stderr("seen 1, written 0, dropped 1 (write failed)");
    upstream.stop().expect_stderr("answered 1");
}

#[test]
fn two_answers_on_one_connection_are_told_apart() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    // The first one is recorded, the second one is not: its client sees the end of the connection
    // and nothing else.
    let size = |id: usize| if id == 1 { 300_000 } else { 100 };
    let (dir, upstream) = (Dir::new(), sized(size));
    let command = format!(
        "ulimit -f 200; exec {} -p 0 -t {} -o out.jsonl",
        exe("hmt-record").display(),
        upstream.url()
    );
    let recorder = Server::start(Program::of("sh", dir.path()).args(["-c", &command]));
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(b"GET /0 HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0);
    }
    reader.read_exact(&mut vec![0; size(0)]).unwrap();
    stream.write_all(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut rest = Vec::new();
    let _ = reader.read_to_end(&mut rest);
    assert!(rest.len() < size(1), "{}", rest.len());
    recorder.end().expect_code(1);
    assert_eq!(recorded(&dir, &["out.jsonl".to_owned()]), BTreeSet::from([0]));
}
