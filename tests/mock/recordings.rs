//! Exact recordings.

use serde_json::json;

use super::{SHOP, mock, source};

/// A spec with recordings: four answers to one request, one of which occurred twice.
fn recorded() -> String {
    let answer = |body: &str, seq: u64| {
        json!({"status": 200, "headers": {"content-type": "text/plain", "set-cookie": ["a=1", "b=2"]},
            "body": body, "at": "2020-01-01T00:00:00Z", "seq": seq})
    };
    let key = json!({"method": "get", "origin": "https://shop.test", "path": "/v1/items?a=1&b=2"});
    let binary = json!({"method": "post", "origin": "https://shop.test", "path": "/anywhere"});
    let replay = json!([
        {"key": key, "answers": [answer("three", 3), answer("one", 1), answer("two", 2), answer("one", 0)]},
        {"key": binary, "request": {"body": "x=1&y=2"}, "answers": [
            {"status": 599, "headers": {"x-evil": "a\r\nb: c", "X-Good": "ok"}, "bodyBase64": "/wD+"}]},
    ]);
    format!("{SHOP}x-hmt-replay: {replay}\n")
}

#[test]
fn recordings_come_first_each_once_then_the_last() {
    let (_dir, server) = mock(&recorded(), &[]);
    let path = "/https://shop.test/v1/items?b=2&a=1";
    let answers: Vec<String> = (0..5).map(|_| server.get(path).expect_status(200).text()).collect();
    assert_eq!(answers, ["one", "one", "two", "three", "three"]);
    let answer = server.get(path);
    assert_eq!(source(&answer), "recording");
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
    // Each answer is sent once, whether or not a request names the host.
    assert_eq!(server.get("/v1/items?a=1&b=2").text(), "three");
    // Never by path alone; preferences and --dynamic skip recordings.
    assert_eq!(source(&server.get("/v1/items")), "generated");
    assert_eq!(source(&server.get(&format!("{path}&__dynamic=true"))), "generated");
    let answer = server.request("POST", "/anywhere").body("y=2&x=1").send().expect_status(599);
    assert_eq!(answer.body, b"\xff\x00\xfe");
    assert_eq!((answer.header("x-good"), answer.header("b")), (Some("ok"), None));
    server.wait_stderr("1 recorded headers cannot be sent");
    let (_dir, server) = mock(&recorded(), &["--dynamic"]);
    assert_eq!(source(&server.get(path)), "generated");
}
