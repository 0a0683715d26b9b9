//! Which recording matches a request.

use serde_json::{Value, json};

use super::{WITH_BODY, serve};
use crate::harness::{Dir, Server};

/// A line with any request, whose response is `body`.
pub(super) fn recorded(request: Value, body: &str) -> String {
    let mut request = request;
    for (key, value) in
        [("method", "get"), ("protocol", "http"), ("host", "h.test"), ("path", "/x")]
    {
        if request.get(key).is_none() {
            request[key] = value.into();
        }
    }
    let response = json!({"statusCode": 200, "headers": {"vary": "x-tenant"}, "body": body});
    format!("{}\n", json!({"request": request, "response": response}))
}

fn multipart(boundary: &str, parts: &[&str]) -> String {
    let part = |part: &&str| format!("--{boundary}\r\nContent-Disposition: form-data; {part}\r\n");
    let parts: String = parts.iter().map(part).collect();
    format!("{parts}--{boundary}--\r\n")
}

#[test]
fn multipart_bodies_are_compared_by_parts() {
    let parts = [
        "name=\"a\"\r\n\r\n1",
        "name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\ntext",
    ];
    let typed = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
    let line = recorded(
        json!({"method": "post", "headers": {"content-type": typed("abc")}, "body": multipart("abc", &parts)}),
        "ok",
    );
    let (_dir, server) = serve(&[line], WITH_BODY);
    let post = |boundary: &str, parts: &[&str]| {
        let request = server.request("POST", "/x").header("Content-Type", &typed(boundary));
        request.body(multipart(boundary, parts)).send()
    };
    assert_eq!(post("----WebKitFormBoundaryXYZ", &parts).expect_status(200).text(), "ok");
    for other in [
        vec![parts[1], parts[0]],
        vec![parts[0]],
        vec![parts[0], "name=\"f\"; filename=\"y.txt\"\r\nContent-Type: text/plain\r\n\r\ntext"],
        vec![parts[0], "name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/html\r\n\r\ntext"],
        vec![parts[0], "name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nother"],
        vec!["name=\"b\"\r\n\r\n1", parts[1]],
    ] {
        let detail = post("abc", &other).expect_status(404).text();
        assert!(detail.contains("multipart"), "{detail}");
    }
}

#[test]
fn numbers_are_compared_exactly() {
    let line = |number: &str| {
        recorded(json!({"method": "post", "body": format!("{{\"n\":{number}}}")}), number)
    };
    let numbers = ["12345678901234567890123", "12345678901234567890124", "0.1", "9007199254740993"];
    let (_dir, server) = serve(&numbers.map(line), WITH_BODY);
    let post =
        |number: &str| server.request("POST", "/x").body(format!("{{\"n\":{number}}}")).send();
    for number in numbers {
        assert_eq!(post(number).text(), number);
    }
    assert_eq!(post("1.0e-1").text(), "0.1");
    assert_eq!(post("123456789012345678901230e-1").text(), numbers[0]);
    for other in ["12345678901234567890125", "0.10000000000000001", "9007199254740992"] {
        assert_eq!(post(other).status, 404, "{other}");
    }
    let detail = post("7").expect_status(404).text();
    assert!(detail.contains("/n (recorded"), "{detail}");
}

#[test]
fn of_several_the_one_with_equal_negotiation_comes_first() {
    let of = |headers: Value, body: &str| recorded(json!({"headers": headers}), body);
    let lines = [
        of(json!({"accept": "text/html"}), "html"),
        of(json!({"range": "bytes=0-1"}), "range"),
        of(json!({"if-none-match": "\"e\""}), "conditional"),
        of(json!({"x-tenant": "2"}), "tenant"),
        of(json!({"accept": "text/csv"}), "csv"),
    ];
    let (_dir, server) = serve(&lines, &[]);
    let get =
        |name: &str, value: &str| server.request("GET", "/x").header(name, value).send().text();
    for _ in 0..2 {
        assert_eq!(get("Accept", "text/csv"), "csv");
        assert_eq!(get("Range", "bytes=0-1"), "range");
        assert_eq!(get("If-None-Match", "\"e\""), "conditional");
        assert_eq!(get("X-Tenant", "2"), "tenant");
        assert_eq!(get("Accept", "text/html"), "html");
    }
    let (_dir, server) = serve(&lines[..3], &["--ignore", "header:range,header:accept"]);
    let get =
        |name: &str, value: &str| server.request("GET", "/x").header(name, value).send().text();
    assert_eq!(get("Range", "bytes=0-1"), "html");
    assert_eq!(get("Accept", "text/csv"), "range");
}

#[test]
fn ignored_parts_may_differ() {
    let lines = [
        recorded(json!({"path": "/x?t=1&q=1"}), "query"),
        recorded(json!({"method": "post", "body": r#"{"a":[{"id":1,"n":2}]}"#}), "json"),
        recorded(json!({"path": "/y", "headers": {"authorization": "Bearer t"}}), "credential"),
    ];
    let (_dir, server) = serve(&lines, &[]);
    assert_eq!(server.get("/x?q=1&t=2").status, 404);
    let detail = server.get("/y").expect_status(404).text();
    assert!(detail.contains("--ignore credentials"), "{detail}");
    let own = server.request("GET", "/y").header("Authorization", "Bearer other").send();
    assert_eq!(own.text(), "credential");

    let ignore = [
        "--match",
        WITH_BODY[1],
        "--ignore",
        "query:t",
        "--ignore",
        "json:/a/*/id",
        "--ignore",
        "credentials",
    ];
    let (_dir, server) = serve(&lines, &ignore);
    assert_eq!(server.get("/x?q=1&t=2").text(), "query");
    assert_eq!(server.get("/x?q=1").text(), "query");
    assert_eq!(server.get("/x?q=2&t=1").status, 404);
    let post = |body: &str| server.request("POST", "/x").body(body).send();
    assert_eq!(post(r#"{"a":[{"id":9,"n":2}]}"#).text(), "json");
    assert_eq!(post(r#"{"a":[{"id":1,"n":3}]}"#).status, 404);
    assert_eq!(server.get("/y").text(), "credential");
    let dir = Dir::new();
    let run = dir.program("hmt-replay").args(["serve", "--ignore", "json:a", "log.jsonl"]).run();
    run.expect_code(2).expect_stderr("JSON pointer");
}

#[test]
fn credentials_are_headers_keys_and_cookies() {
    for (name, value) in
        [("authorization", "Basic dTpw"), ("x-api-key", "k"), ("cookie", "theme=dark; session=1")]
    {
        let line = recorded(json!({"headers": {name: value}}), "mine");
        let (_dir, server) = serve(&[line], &[]);
        assert_eq!(server.get("/x").status, 404, "{name}");
        let plain = server.request("GET", "/x").header("Cookie", "theme=dark").send();
        assert_eq!(plain.status, 404, "{name}");
        let own = server.request("GET", "/x").header(name, value).send();
        assert_eq!(own.expect_status(200).text(), "mine", "{name}");
    }
}

#[test]
fn places_that_were_redacted_match_any_value() {
    let token = "hmt~aaaaaaaaaaaaaaaaaaaaaa";
    let line = json!({
        "meta": {"hmt": {"v": 1, "redacted": ["request.body#/otp", "request.body#/password"]}},
        "request": {"method": "post", "protocol": "http", "host": "h.test", "path": "/x",
            "body": format!("{{\"otp\":123456,\"password\":\"{token}\",\"user\":\"ann\"}}")},
        "response": {"statusCode": 200, "body": "in"},
    });
    let (_dir, server) = serve(&[format!("{line}\n")], WITH_BODY);
    let post = |body: &str| server.request("POST", "/x").body(body).send();
    assert_eq!(post(r#"{"user":"ann","password":"p","otp":999999}"#).text(), "in");
    assert_eq!(post(r#"{"user":"ann","password":"","otp":999999}"#).status, 404);
    assert_eq!(post(r#"{"user":"bob","password":"p","otp":999999}"#).status, 404);
}

#[test]
fn methods_beyond_the_nine_are_matched() {
    let line = json!({
        "meta": {"hmt": {"v": 1, "method": "PROPFIND"}},
        "request": {"method": "post", "protocol": "http", "host": "h.test", "path": "/x"},
        "response": {"statusCode": 207, "body": "found"},
    });
    let (_dir, server) = serve(&[format!("{line}\n")], &[]);
    assert_eq!(server.request("PROPFIND", "/x").send().expect_status(207).text(), "found");
    assert_eq!(server.request("POST", "/x").send().status, 404);
    assert_eq!(server.request("PURGE", "/x").send().status, 404);
}

#[test]
fn with_loop_the_first_comes_again() {
    let lines: Vec<String> = ["1", "2"].map(|body| recorded(json!({}), body)).into();
    let dir = Dir::new();
    dir.write("log.jsonl", lines.concat());
    let program = dir.program("hmt-replay").args(["serve", "-p", "0", "--loop", "log.jsonl"]);
    let server = Server::start(program);
    let got: Vec<String> = (0..5).map(|_| server.get("/x").text()).collect();
    assert_eq!(got, ["1", "2", "1", "2", "1"]);
}

#[test]
fn queries_that_are_no_text_stay_apart() {
    let lines: Vec<String> =
        ["/x?q=%E9", "/x?q=%E8"].map(|path| recorded(json!({"path": path}), path)).into();
    let (_dir, server) = serve(&lines, &[]);
    assert_eq!(server.get("/x?q=%E8").text(), "/x?q=%E8");
    assert_eq!(server.get("/x?q=%E9").text(), "/x?q=%E9");
    assert_eq!(server.get("/x?q=%EA").status, 404);
}
