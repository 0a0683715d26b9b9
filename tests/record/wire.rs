//! The traffic that client and upstream see, and the record.

use std::io::Write as _;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::json;

use super::{parse, recorder, records};
use crate::harness::{Dir, Received, Reply, Request, Upstream};

fn echo(request: &Received) -> Reply {
    let body = json!({"path": request.target, "body": String::from_utf8_lossy(&request.body)});
    Reply::json(200, &body)
}

#[test]
fn the_path_names_the_target() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let recorder = recorder(&dir, &[]);
    let response = recorder
        .request("POST", &format!("/{}/pets//1?b=2&a=1&a=x%20y", upstream.url()))
        .header("Connection", "close, X-Hop")
        .header("X-Hop", "1")
        .header("Proxy-Authorization", "Basic eDp5")
        .header("X-End", "2")
        .header("X-End", "3")
        .body("hello")
        .send()
        .expect_status(200);
    assert_eq!(response.json()["path"], "/pets//1?b=2&a=1&a=x%20y");

    let received = &upstream.received()[0];
    assert_eq!(received.body, b"hello");
    assert_eq!(received.header("host"), Some(upstream.authority().as_str()));
    assert_eq!(received.header("x-end"), Some("2"));
    assert_eq!(received.header("content-length"), Some("5"));
    for dropped in ["via", "x-hop", "proxy-authorization", "transfer-encoding"] {
        assert_eq!(received.header(dropped), None, "{dropped}");
    }

    let record = &records(recorder)[0];
    let request = &record["request"];
    assert_eq!(request["method"], "post");
    assert_eq!(request["protocol"], "http");
    assert_eq!(request["host"], upstream.authority().as_str());
    assert_eq!(request["pathname"], "/pets//1");
    assert_eq!(request["query"], json!({"b": "2", "a": ["1", "x y"]}));
    assert_eq!(request["body"], "hello");
    assert_eq!(request["headers"]["host"], upstream.authority().as_str());
    assert_eq!(request["headers"]["x-end"], json!(["2", "3"]));
    for dropped in ["x-hop", "proxy-authorization", "connection", "via"] {
        assert!(request["headers"].get(dropped).is_none(), "{dropped}");
    }
    assert_eq!(record["response"]["statusCode"], 200);
    assert_eq!(record["response"]["headers"]["content-type"], "application/json");
    let hmt = &record["meta"]["hmt"];
    assert_eq!((&hmt["v"], &hmt["seq"], &hmt["connection"]), (&json!(1), &json!(1), &json!(1)));
    assert!(hmt["run"].is_string() && hmt["durationMs"].is_number());
}

#[test]
fn headers_name_the_target() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let recorder = recorder(&dir, &["-r"]);
    let host = upstream.authority();
    let ask = |scheme: &str| {
        recorder.request("GET", "/x").header("Host", &host).header(scheme, "http").send()
    };
    ask("X-HMT-Scheme").expect_status(200);
    ask("X-Meeshkan-Scheme").expect_status(200);
    let wrong = recorder.request("GET", "/x").header("Host", &host).header("X-HMT-Scheme", "ftp");
    wrong.send().expect_status(400);
    assert_eq!(upstream.received()[0].header("x-hmt-scheme"), None);
    let records = records(recorder);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["request"]["host"], host.as_str());
    assert!(records[0]["request"]["headers"].get("x-hmt-scheme").is_none());
}

#[test]
fn one_target_for_all_and_absolute_form() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let base = format!("{}/api/", upstream.url());
    let fixed = recorder(&dir, &["--target", &base]);
    assert_eq!(fixed.get("/x?y").expect_status(200).json()["path"], "/api/x?y");
    let absolute = |url: &str| {
        let request = format!("GET {url} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        crate::harness::exchange_raw(
            &format!("127.0.0.1:{}", fixed.port()),
            request.as_bytes(),
            false,
        )
    };
    assert_eq!(absolute(&format!("{}/z", upstream.url())).expect_status(200).json()["path"], "/z");
    absolute("http://other.test/").expect_status(403);
    assert_eq!(records(fixed).len(), 2);

    let proxy = recorder(&dir, &[]);
    let url = format!("{}/proxied", upstream.url());
    let request = format!("GET {url} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let authority = format!("127.0.0.1:{}", proxy.port());
    let response = crate::harness::exchange_raw(&authority, request.as_bytes(), false);
    assert_eq!(response.expect_status(200).json()["path"], "/proxied");
    assert_eq!(records(proxy)[0]["request"]["host"], upstream.authority().as_str());
}

fn compress(encoding: &str, text: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "raw deflate" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(text).unwrap();
            packed
        }
        "zstd" => zstd::encode_all(text, 1).unwrap(),
        _ => text.to_vec(),
    }
}

#[test]
fn encodings_are_undone_in_the_record_only() {
    let text =
        r#"{"name":"späti","many":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
    let answer = move |request: &Received| {
        let encoding = request.target[1..].replace('-', " ");
        let header = encoding.trim_start_matches("raw ").to_owned();
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", header.as_str())];
        Reply::new(200, &headers, compress(&encoding, text.as_bytes()))
    };
    let (dir, upstream) = (Dir::new(), Upstream::start(answer));
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    for encoding in ["gzip", "deflate", "raw-deflate", "br", "zstd"] {
        let response = recorder.get(&format!("/{encoding}")).expect_status(200);
        assert_eq!(
            response.body,
            compress(&encoding.replace('-', " "), text.as_bytes()),
            "{encoding}"
        );
    }
    let records = records(recorder);
    assert_eq!(records.len(), 5);
    for record in records {
        assert_eq!(record["response"]["body"], text, "{}", record["request"]["path"]);
    }
}

#[test]
fn binary_bodies_both_ways() {
    let image: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let answer = image.clone();
    let upstream = Upstream::start(move |request: &Received| {
        assert_eq!(request.body, [0xff, 0x00, 0xfe]);
        Reply::new(200, &[("Content-Type", "image/png")], &answer)
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    let response = recorder.request("PUT", "/i.png").body([0xff, 0x00, 0xfe]).send();
    assert_eq!(response.expect_status(200).body, image);
    let record = &records(recorder)[0];
    let decode = |name: &str| {
        let text = record["meta"]["hmt"][name].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    assert_eq!(decode("responseBodyBase64"), image);
    assert_eq!(decode("requestBodyBase64"), [0xff, 0x00, 0xfe]);
    assert!(record["response"].get("body").is_none());
}

#[test]
fn chunks_pass_as_they_come() {
    let upstream = Upstream::start(|request: &Received| {
        assert_eq!(request.body, b"upload in chunks");
        let chunks: [&[u8]; 3] = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"];
        Reply::chunked(200, &[("Content-Type", "text/event-stream")], &chunks)
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    let request = b"POST /events HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
        7\r\nupload \r\n9\r\nin chunks\r\n0\r\n\r\n";
    let authority = format!("127.0.0.1:{}", recorder.port());
    let response = crate::harness::exchange_raw(&authority, request, false).expect_status(200);
    assert!(response.complete);
    assert_eq!(response.header("transfer-encoding"), Some("chunked"));
    assert_eq!(response.text(), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    assert_eq!(upstream.received()[0].header("transfer-encoding"), Some("chunked"));
    let record = &records(recorder)[0];
    assert_eq!(record["request"]["body"], "upload in chunks");
    assert_eq!(record["response"]["body"], "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    let chunks = record["meta"]["hmt"]["chunks"].as_array().unwrap();
    let bytes: u64 = chunks.iter().map(|chunk| chunk[1].as_u64().unwrap()).sum();
    assert_eq!(bytes, 27);
}

#[test]
fn answers_without_body() {
    let upstream = Upstream::start(|request: &Received| match request.method.as_str() {
        "HEAD" => {
            Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 4321\r\nConnection: close\r\n\r\n".to_vec())
        }
        "DELETE" => Reply::new(204, &[], ""),
        _ => Reply::new(304, &[("ETag", "\"1\"")], ""),
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    let head = recorder.request("HEAD", "/").send().expect_status(200);
    assert_eq!(head.header("content-length"), Some("4321"));
    let deleted = recorder.request("DELETE", "/").send().expect_status(204);
    assert_eq!(deleted.header("content-length"), None);
    assert_eq!(recorder.get("/").expect_status(304).header("etag"), Some("\"1\""));
    let statuses: Vec<_> =
        records(recorder).iter().map(|record| record["response"]["statusCode"].clone()).collect();
    assert_eq!(statuses, [200, 204, 304]);
}

#[test]
fn long_bodies_pass_whole_and_are_recorded_in_part() {
    let body = "é".repeat(50_000);
    let answer = body.clone();
    let upstream = Upstream::start(move |request: &Received| {
        assert_eq!(request.body.len(), 100_000);
        Reply::new(200, &[("Content-Type", "text/plain; charset=utf-8")], &answer)
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url(), "--max-body", "999"]);
    let response = recorder.request("POST", "/").body(body.clone()).send().expect_status(200);
    assert_eq!(response.text(), body);
    let record = &records(recorder)[0];
    // Truncated at a whole character.
    assert_eq!(record["response"]["body"], "é".repeat(499));
    assert_eq!(record["request"]["body"], "é".repeat(499));
    assert_eq!(
        record["meta"]["hmt"]["truncated"],
        json!({"request": 100_000, "response": 100_000})
    );
}

#[test]
fn other_methods_are_recorded_by_their_name() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    recorder.request("PURGE", "/x").send().expect_status(200);
    assert_eq!(upstream.received()[0].method, "PURGE");
    let record = &records(recorder)[0];
    assert_eq!(
        (&record["request"]["method"], &record["meta"]["hmt"]["method"]),
        (&json!("post"), &json!("PURGE"))
    );
}

#[test]
fn secrets_stay_on_the_wire() {
    const CANARY: &str = "c4n4ry-s3cr3t";
    let upstream = Upstream::start(|request: &Received| {
        let cookie = format!("sid={CANARY}; Path=/");
        let location = format!("/next?api_key={CANARY}");
        let headers = [
            ("Content-Type", "application/json"),
            ("Set-Cookie", cookie.as_str()),
            ("Location", location.as_str()),
        ];
        assert!(request.header("authorization").unwrap().contains(CANARY));
        Reply::new(200, &headers, json!({"data": [{"access_token": CANARY}]}).to_string())
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-l", "logs", "-o", "-", "-v"]);
    let response = recorder
        .request("POST", &format!("/login?token={CANARY}&page=1"))
        .header("Authorization", &format!("Bearer {CANARY}"))
        .header("Cookie", &format!("session={CANARY}; theme=dark"))
        .header("X-Api-Key", CANARY)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("user=jo&password={CANARY}"))
        .send()
        .expect_status(200);
    assert!(response.text().contains(CANARY));
    assert!(upstream.received()[0].target.contains(CANARY));
    assert_eq!(upstream.received()[0].body, format!("user=jo&password={CANARY}").as_bytes());

    let run = recorder.stop().expect_code(0);
    let files: String =
        dir.list("logs").iter().map(|name| dir.read(&format!("logs/{name}"))).collect();
    for text in [run.out(), run.err(), files.clone()] {
        assert!(!text.contains(CANARY), "{text}");
    }
    let record = &parse(&files)[0];
    let header = record["request"]["headers"]["authorization"].as_str().unwrap();
    assert!(header.starts_with("Bearer hmt~"), "{header}");
    assert_eq!(record["request"]["query"]["page"], "1");

    let kept = super::recorder(&dir, &["-t", &upstream.url(), "--keep-secrets"]);
    kept.request("POST", "/").header("Authorization", &format!("Bearer {CANARY}")).body("").send();
    assert!(records(kept)[0].to_string().contains(CANARY));
}

#[test]
fn hosts_cannot_lead_out_of_the_log_folder() {
    let (dir, upstream) = (Dir::new(), Upstream::start(echo));
    let recorder = recorder(&dir, &["-r", "-l", "logs", "--connect-timeout", "1s"]);
    let before = dir.list("");
    let authority = format!("127.0.0.1:{}", recorder.port());
    for host in [
        "../x", "/etc/x", "..", ".", "a/b", "a\\b", "a%2fb", "a b", "", "a\u{1}b", "x:0",
        "x:65536", "x:80:80", "user@x", "[::1", "[x]", "é", "a..b", "-o", "CON/../x",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let status = crate::harness::exchange_raw(&authority, request.as_bytes(), false).status;
        // A valid name that does not exist is resolved, and not found.
        assert!(status == 400 || (host == "-o" && status >= 500), "{host:?}: {status}");
    }
    for request in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"] {
        let status = crate::harness::exchange_raw(&authority, request.as_bytes(), false).status;
        assert_eq!(status, 400, "{request}");
    }
    let host = upstream.authority();
    Request::new("GET", &format!("http://{authority}/")).header("Host", &host).send();
    recorder.stop().expect_code(0);
    assert_eq!(dir.list(""), before);
    let expected = format!("{}-recordings.jsonl", host.replace(':', "_"));
    let logs: Vec<String> =
        dir.list("logs").into_iter().filter(|name| !name.starts_with("-o-")).collect();
    assert_eq!(logs, [expected]);
}
