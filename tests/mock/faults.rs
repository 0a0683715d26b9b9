//! Faults by flag, by the admin port and by preference, as clients see them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{HANG, Server};

use super::{SHOP, mock};

/// The bytes that are received for a GET, up to the end of the connection or an error.
pub(super) fn raw(server: &Server, path: &str, headers: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read);
    read
}

fn preferring(server: &Server, preference: &str) -> Vec<u8> {
    raw(server, "/items", &format!("Prefer: {preference}\r\n"))
}

#[test]
fn a_client_prefers_a_fault() {
    let (_dir, server) = mock(SHOP, &[]);
    let usual = preferring(&server, "x=y");
    let head = usual.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let body = &usual[head..];
    assert!(usual.starts_with(b"HTTP/1.1 200") && body.len() > 1);
    assert_eq!(preferring(&server, "fault=empty"), b"");
    assert_eq!(preferring(&server, "fault=reset"), b"");
    let garbage = preferring(&server, "fault=garbage");
    assert!(garbage.len() > 100 && !garbage.starts_with(b"HTTP"));
    let cut = preferring(&server, "fault=truncate");
    assert!(cut.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&cut));
    let cut_head = cut.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(&cut[cut_head..], &body[..body.len() / 2]);
    let begin = Instant::now();
    let rate = body.len() * 4;
    let slow = preferring(&server, &format!("fault=slow:{rate}"));
    assert!(slow.ends_with(body) && begin.elapsed() >= Duration::from_millis(100));
    let refused = server.request("GET", "/items").header("prefer", "fault=hang").send();
    assert!(refused.expect_status(404).json()["detail"].as_str().unwrap().contains("slow:"));
    let begin = Instant::now();
    server.request("GET", "/items").header("prefer", "delay=120ms").send().expect_status(200);
    assert!(begin.elapsed() >= Duration::from_millis(120));
}

#[test]
fn a_reset_is_one() {
    let (_dir, server) = mock(SHOP, &["--fault", "reset"]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.write_all(b"GET /items HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn flags_make_rules_for_routes() {
    let flags = [
        "--error-rate",
        "GET /items=1:503",
        "--rate-limit",
        "/items/*=2/1h",
        "--delay",
        "POST *=1ms..2ms",
    ];
    let (_dir, server) = mock(SHOP, &flags);
    let error = server.get("/items").expect_status(503);
    assert_eq!(error.header("x-hmt-source"), Some("fault"));
    assert_eq!(error.json()["title"], "injected error");
    let statuses: Vec<u16> = (1..=3).map(|id| server.get(&format!("/items/{id}")).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let wait = server.get("/items/1").expect_status(429).header("retry-after").unwrap().to_owned();
    assert!((3500..=3600).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    let rules = server.admin("GET", "/faults").send().expect_status(200).json();
    assert_eq!(
        rules,
        json!([
            {"route": "/items/*", "rateLimit": "2/3600000ms"},
            {"route": "POST *", "delay": "1ms..2ms"},
            {"route": "GET /items", "errorRate": "1:503"},
        ])
    );
}

#[test]
fn the_admin_port_changes_rules() {
    let (_dir, server) = mock(SHOP, &[]);
    let rules = json!([{"route": "GET /items", "errorRate": "1:500"}]);
    let put = |rules: &serde_json::Value| server.admin("PUT", "/faults").json(rules).send();
    assert_eq!(put(&rules).expect_status(200).json(), rules);
    server.get("/items").expect_status(500);
    let refused = put(&json!([{"delay": "soon"}])).expect_status(400);
    assert!(refused.json()["detail"].as_str().unwrap().contains("/0: delay"));
    server.get("/items").expect_status(500);
    put(&json!([])).expect_status(200);
    server.get("/items").expect_status(200);
}

#[test]
fn with_a_seed_errors_fall_the_same() {
    let statuses = || -> Vec<u16> {
        let (_dir, server) = mock(SHOP, &["--error-rate", "0.5", "--seed", "7"]);
        (0..20).map(|_| server.get("/items").status).collect()
    };
    let first = statuses();
    assert!(first.contains(&200) && first.contains(&500), "{first:?}");
    assert_eq!(statuses(), first);
}
