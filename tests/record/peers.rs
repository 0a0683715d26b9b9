//! Real servers and clients: nginx, git.

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{recorder, records};
use crate::harness::{Dir, HANG, Program, Received, Reply, Response, Upstream, on_path, skipped};

/// True if a program is missing; in CI this is a failure.
fn is_missing(program: &str) -> bool {
    let missing = on_path(program).is_none() && !Path::new("/usr/sbin").join(program).is_file();
    if missing {
        skipped(program);
    }
    missing
}

/// Nginx as a child process, killed with the test.
struct Nginx(std::process::Child);

impl Nginx {
    fn start(dir: &Dir, port: u16) -> Nginx {
        dir.write("www/page.html", "<p>some text</p>\n".repeat(1000));
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
             events {{}}\n\
             http {{\n\
             access_log off; client_body_temp_path t1; proxy_temp_path t2;\n\
             fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n\
             types {{ text/html html; }}\n\
             gzip on; etag on;\n\
             server {{ listen 127.0.0.1:{port}; root www; }}\n\
             }}\n"
        );
        dir.write("nginx.conf", config);
        let program = on_path("nginx").unwrap_or_else(|| "/usr/sbin/nginx".into());
        let mut command = Command::new(program);
        command.arg("-p").arg(dir.path()).args(["-c", "nginx.conf"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (nginx, start) = (Nginx(child), Instant::now());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < HANG, "nginx does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(authority: &str, host: &str, headers: &str) -> Response {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let request = format!(
        "GET /page.html HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n{headers}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    Response::read(&mut BufReader::new(stream), false)
}

#[test]
fn nginx_answers_as_it_answers_clients() {
    if is_missing("nginx") {
        return;
    }
    let dir = Dir::new();
    // Nginx cannot choose a port itself.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _nginx = Nginx::start(&dir, port);
    let authority = format!("127.0.0.1:{port}");
    let recorder = recorder(&dir, &["-t", &format!("http://{authority}")]);
    let through = format!("127.0.0.1:{}", recorder.port());
    let (direct, seen) = (get(&authority, &authority, ""), get(&through, &authority, ""));
    assert_eq!((direct.status, direct.header("content-encoding")), (200, Some("gzip")));
    let etag = direct.header("etag").unwrap();
    assert!(etag.starts_with("W/"), "{etag}");
    for name in ["content-encoding", "etag", "vary", "content-type", "content-length"] {
        assert_eq!(seen.header(name), direct.header(name), "{name}");
    }
    assert_eq!(seen.body, direct.body);
    let again = format!("If-None-Match: {etag}\r\n");
    assert_eq!(get(&through, &authority, &again).status, 304);
    let records = records(recorder);
    let text = records[0]["response"]["body"].as_str().unwrap();
    assert_eq!(text, "<p>some text</p>\n".repeat(1000));
}

/// Responds like `git http-backend` (its manual documents the variables).
fn git_server(root: &Path, request: &Received) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&request.body).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8_lossy(&output[..end]), &output[end + 4..]);
    let mut status = "200 OK".to_owned();
    let mut headers = String::new();
    for line in head.lines() {
        match line.strip_prefix("Status: ") {
            Some(given) => status = given.to_owned(),
            None => writeln!(headers, "{line}\r").unwrap(),
        }
    }
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    Reply([head.as_bytes(), body].concat())
}

#[test]
fn git_clones_through_it() {
    if is_missing("git") {
        return;
    }
    let dir = Dir::new();
    let git = |args: &[&str]| {
        let fixed =
            ["-c", "user.name=a", "-c", "user.email=a@a.test", "-c", "init.defaultBranch=main"];
        Program::of("git", dir.path()).args(fixed).args(args).run().expect_code(0)
    };
    git(&["init", "-q", "source"]);
    let bytes: Vec<u8> =
        (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    dir.write("source/data.bin", &bytes);
    git(&["-C", "source", "add", "."]);
    git(&["-C", "source", "commit", "-q", "-m", "first"]);
    git(&["clone", "-q", "--bare", "source", "served/repo.git"]);
    let root = dir.join("served");
    let upstream = Upstream::start(move |request| git_server(&root, request));
    let recorder = recorder(&dir, &[]);
    let url = format!("{}/{}/repo.git", recorder.url(), upstream.url());
    git(&["clone", "-q", &url, "copy"]);
    assert_eq!(dir.read_bytes("copy/data.bin"), bytes);
    let records = records(recorder);
    assert!(records.len() >= 2, "{}", records.len());
    assert!(records.iter().all(|record| record["response"]["statusCode"] == 200));
}
