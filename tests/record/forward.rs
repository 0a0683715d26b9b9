//! `--forward`: CONNECT, TLS termination, HTTP/2 on both sides.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::secure::{self, TestAuthority, trusted};
use super::{recorder, records};
use crate::harness::{Dir, Program, Reply, Response, Run, Server, Upstream};

const CA: &str = "data/hmt/ca/hmt-ca.pem";

/// Runs curl with the recorder as a proxy, trusting its authority; prints the HTTP version at the
/// end.
fn curl(dir: &Dir, recorder: &Server, args: &[&str]) -> Run {
    let proxy = recorder.url();
    let fixed = ["-sS", "--max-time", "60", "--proxy", &proxy, "-w", "\n%{http_version}"];
    Program::of("curl", dir.path()).args(fixed).args(args).run()
}

/// The response and its HTTP version.
#[track_caller]
fn told(run: &Run) -> (Value, String) {
    let text = run.out();
    let (body, version) = text.rsplit_once('\n').unwrap();
    (
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{}\n{}", text, run.err())),
        version.to_owned(),
    )
}

#[test]
fn tunnels_are_recorded_by_either_version_on_either_side() {
    let (dir, authority) = (Dir::new(), TestAuthority::new());
    let old = secure::start(&authority, &["http/1.1"], false);
    let new = secure::start(&authority, &["h2", "http/1.1"], false);
    let recorder = recorder(&dir, &["--forward", "--upstream-ca", trusted(&dir, &authority)]);
    for (upstream, upstream_version) in [(&old, "HTTP/1.1"), (&new, "HTTP/2.0")] {
        for (flag, client_version) in [("--http1.1", "1.1"), ("--http2", "2")] {
            let url = format!("https://{upstream}/a%20b?c=d");
            let args = ["--cacert", CA, flag, "-d", "some text", &url];
            let (body, version) = told(&curl(&dir, &recorder, &args).expect_code(0));
            assert_eq!(version, client_version, "{upstream_version} {flag}");
            assert_eq!(body["version"], upstream_version, "{flag}");
            assert_eq!(body["path"], "/a%20b?c=d");
            assert_eq!(body["host"], upstream.as_str());
            assert_eq!(body["upload"], 9);
            assert_eq!(body["via"], Value::Null);
            if upstream_version == "HTTP/2.0" {
                assert_eq!(body["host header"], Value::Null);
            }
        }
    }
    let records = records(recorder);
    assert_eq!(records.len(), 4);
    for record in records {
        assert_eq!(record["request"]["protocol"], "https");
        assert_eq!(record["request"]["path"], "/a%20b?c=d");
        assert_eq!(record["request"]["body"], "some text");
        assert_eq!(record["response"]["statusCode"], 200);
        let headers = &record["request"]["headers"];
        assert_eq!(headers["host"], record["request"]["host"]);
    }
}

#[test]
fn many_streams_of_one_connection() {
    let (dir, authority) = (Dir::new(), TestAuthority::new());
    let upstream = secure::start(&authority, &["h2"], false);
    let recorder = recorder(&dir, &["--forward", "--upstream-ca", trusted(&dir, &authority)]);
    let url = format!("https://{upstream}/[1-60]");
    let args = ["--cacert", CA, "--http2", "-Z", "--parallel-max", "20", &url];
    let run = curl(&dir, &recorder, &args).expect_code(0);
    assert_eq!(run.out().matches("HTTP/2.0").count(), 60);
    let records = records(recorder);
    let mut paths: Vec<&str> =
        records.iter().map(|record| record["request"]["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 60);
}

#[test]
fn who_is_not_trusted_is_refused_on_either_side() {
    let (dir, authority) = (Dir::new(), TestAuthority::new());
    let upstream = secure::start(&authority, &["h2", "http/1.1"], false);
    let recorder =
        recorder(&dir, &["--forward", "--upstream-ca", trusted(&dir, &TestAuthority::new())]);
    let url = format!("https://{upstream}/x");
    let run = curl(&dir, &recorder, &["--cacert", CA, "-w", "\n%{http_code}", &url]);
    assert!(run.out().ends_with("\n502"), "{}", run.out());
    // A client that does not trust the local authority.
    curl(&dir, &recorder, &["--cacert", "upstream-ca.pem", &url]).expect_code(60);
    let run = recorder
        .stop()
        .expect_code(0)
        .expect_stderr("aborted the TLS handshake")
        .expect_stderr("seen 2, written 1, dropped 1 (TLS handshake aborted)");
    let record = &super::parse(&run.out())[0];
    assert!(record["meta"]["hmt"]["error"].as_str().unwrap().contains("no TLS"), "{record}");
    let key = std::fs::metadata(dir.join("data/hmt/ca/hmt-ca.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn plain_http_goes_through_tunnels_too() {
    let (dir, upstream) =
        (Dir::new(), Upstream::start(|request| Reply::new(200, &[], &request.target)));
    let recorder = recorder(&dir, &["--forward"]);
    let run = curl(&dir, &recorder, &["--proxytunnel", &format!("{}/x", upstream.url())]);
    assert!(run.expect_code(0).out().starts_with("/x\n"));
    let record = &records(recorder)[0];
    assert_eq!(record["request"]["protocol"], "http");
    assert_eq!(record["request"]["host"], upstream.authority().as_str());
}

#[test]
fn tunnels_lead_where_they_may() {
    let dir = Dir::new();
    let connect = |recorder: &Server, target: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
        write!(stream, "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").unwrap();
        stream
    };
    let status = |stream| Response::read(&mut BufReader::new(stream), true).status;
    let limited = recorder(&dir, &["--forward", "--allow-host", "*.test"]);
    assert_eq!(status(connect(&limited, "example.com:443")), 403);
    assert_eq!(status(connect(&limited, "a.test")), 400);
    let stream = connect(&limited, "a.test:443");
    let mut reader = BufReader::new(stream);
    assert_eq!(Response::read(&mut reader, true).status, 200);
    // Another host than that of the tunnel.
    reader.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n").unwrap();
    assert_eq!(Response::read(&mut reader, false).status, 421);
    limited.stop().expect_code(0).expect_stderr("seen 3, written 0, dropped 3 (refused)");

    // The recorder itself.
    let open = recorder(&dir, &["--forward"]);
    let own = format!("127.0.0.1:{}", open.port());
    let run = curl(&dir, &open, &["-p", "-w", "\n%{http_code}", &format!("http://{own}/")]);
    assert!(run.out().ends_with("\n508"), "{}", run.out());
    open.stop().expect_code(0);
}

#[test]
fn an_exposed_key_is_refused() {
    let dir = Dir::new();
    recorder(&dir, &["--forward", "--ca-dir", "ca"]).stop().expect_code(0);
    let key = dir.join("ca/hmt-ca.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = dir.program("hmt-record").args(["-p", "0", "--forward", "--ca-dir", "ca"]).run();
    run.expect_code(2).expect_stderr("hmt-ca.key").expect_no_stdout();
    dir.program("hmt-record").args(["--ca-dir", "ca"]).run().expect_code(2);
}

/// The program contains no key: each user's key is created on first use, private whatever the umask
/// is.
#[test]
fn every_user_has_a_key_of_their_own() {
    let program = std::fs::read(crate::harness::exe("hmt-record")).unwrap();
    let text = String::from_utf8_lossy(&program);
    // The code that writes and reads such files contains these markers; a key would follow them.
    let keys = text.split("PRIVATE KEY-----").skip(1);
    for after in keys {
        let line = after.trim_start_matches(['\r', '\n']).split(['\r', '\n']).next().unwrap();
        let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        assert!(line.len() < 40 || !line.chars().all(base64), "{line}");
    }
    let [one, other] = [Dir::new(), Dir::new()];
    let keys = [&one, &other].map(|dir| {
        let script = "umask 000; exec hmt-record -p 0 --forward -o out.jsonl";
        Server::start(Program::of("sh", dir.path()).args(["-c", script])).stop().expect_code(0);
        for (file, mode) in [("", 0o700), ("/hmt-ca.key", 0o600)] {
            let found = std::fs::metadata(dir.join(&format!("data/hmt/ca{file}"))).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "{file}");
        }
        let recording = std::fs::metadata(dir.join("out.jsonl")).unwrap();
        assert_eq!(recording.permissions().mode() & 0o777, 0o600);
        dir.read("data/hmt/ca/hmt-ca.key")
    });
    assert_ne!(keys[0], keys[1]);
}
