//! Outgoing connections: proxies, client certificates.

use std::io::{BufRead as _, BufReader, Write as _, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use super::secure::{self, TestAuthority, trusted};
use super::{recorder, records};
use crate::harness::{Dir, Program, Reply, Server, Upstream};

/// A proxy that accepts every tunnel, and reports the heads of its requests.
fn tunnel_proxy() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let target = head.split(' ').nth(1).unwrap().to_owned();
            tell.send(head).unwrap();
            let mut client = client;
            let Ok(mut upstream) = TcpStream::connect(&target) else {
                let _ = client.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
                continue;
            };
            client.write_all(b"HTTP/1.1 200 OK\r\nX-Y: z\r\n\r\n").unwrap();
            let mut back = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let _ = copy(&mut back.0, &mut back.1);
                let _ = back.1.shutdown(Shutdown::Both);
            });
            thread::spawn(move || {
                let _ = copy(&mut reader, &mut upstream);
                let _ = upstream.shutdown(Shutdown::Both);
            });
        }
    });
    (address.to_string(), told)
}

#[test]
fn https_goes_through_a_tunnel_of_the_proxy() {
    let (dir, authority) = (Dir::new(), TestAuthority::new());
    let upstream = secure::start(&authority, &["h2", "http/1.1"], false);
    let (proxy, told) = tunnel_proxy();
    let url = format!("http://jo:s3cret@{proxy}");
    let args = ["--upstream-proxy", &url, "--upstream-ca", trusted(&dir, &authority)];
    let through = recorder(&dir, &args);
    let path = format!("/https://{upstream}/x");
    assert_eq!(through.get(&path).expect_status(200).json()["version"], "HTTP/2.0");
    let head = told.recv().unwrap();
    assert!(head.starts_with(&format!("CONNECT {upstream} HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic am86czNjcmV0\r\n"), "{head}");
    let refused = through.get("/https://127.0.0.1:1/x").expect_status(502);
    assert!(refused.text().contains("503"), "{}", refused.text());
    told.recv().unwrap();
    let run = through.stop().expect_code(0);
    assert!(!run.out().contains("s3cret") && !run.out().contains("am86czNjcmV0"));

    // A proxy from the environment is not used for local targets, nor for those in NO_PROXY.
    let program = || {
        let program = dir.program("hmt-record").args(["-p", "0", "--upstream-ca", args[3]]);
        program.env("HTTPS_PROXY", format!("http://{proxy}"))
    };
    let here = Server::start(program());
    here.get(&path).expect_status(200);
    here.get("/https://no-such-host.invalid/").expect_status(502);
    assert!(told.recv().unwrap().starts_with("CONNECT no-such-host.invalid:443 "));
    here.stop().expect_code(0);
    let excepted = Server::start(program().env("NO_PROXY", "invalid"));
    excepted.get("/https://no-such-host.invalid/").expect_status(502);
    excepted.stop().expect_code(0);
    assert!(told.try_recv().is_err());
}

#[test]
fn http_is_asked_of_the_proxy_by_its_url() {
    let dir = Dir::new();
    let proxy = Upstream::start(|request| Reply::new(200, &[], &request.target));
    let recorder = recorder(&dir, &["--upstream-proxy", &proxy.url()]);
    let response = recorder.get("/http://no-such-host.invalid:81/x?y=1").expect_status(200);
    assert_eq!(response.text(), "http://no-such-host.invalid:81/x?y=1");
    assert_eq!(proxy.received()[0].header("host"), Some("no-such-host.invalid:81"));
    let record = &records(recorder)[0];
    assert_eq!(record["request"]["host"], "no-such-host.invalid:81");
    assert_eq!(record["request"]["path"], "/x?y=1");
    let wrong = |url: &str| dir.program("hmt-record").args(["--upstream-proxy", url]).run();
    wrong("socks5://h:1").expect_code(2).expect_stderr("socks");
    wrong("http://u:hunter2@h:x").expect_code(2);
    let wrong = Program::new("hmt-record", dir.path()).env("HTTPS_PROXY", "https://h:1");
    wrong.run().expect_code(2).expect_stderr("HTTPS_PROXY");
}

#[test]
fn upstreams_can_know_whom_they_talk_to() {
    let (dir, authority) = (Dir::new(), TestAuthority::new());
    let upstream = secure::start(&authority, &["http/1.1"], true);
    let (certificate, key) = authority.sign("client");
    dir.write("client.pem", certificate);
    dir.write("client.key", key);
    let ca = trusted(&dir, &authority);
    let path = format!("/https://{upstream}/x");
    let identity = ["--client-cert", "client.pem", "--client-key", "client.key"];
    let known = recorder(&dir, &[["--upstream-ca", ca].as_slice(), &identity].concat());
    known.get(&path).expect_status(200);
    known.stop().expect_code(0);
    let unknown = recorder(&dir, &["--upstream-ca", ca]);
    unknown.get(&path).expect_status(502);
    unknown.stop().expect_code(0);
    let run = |args: &[&str]| dir.program("hmt-record").args(args).run();
    run(&["--client-cert", "client.pem"]).expect_code(2);
    let (_, other) = authority.sign("other");
    dir.write("other.key", other);
    run(&["--client-cert", "client.pem", "--client-key", "other.key"])
        .expect_code(1)
        .expect_stderr("other.key");
}
