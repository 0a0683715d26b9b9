//! Redirects and cookies of an upstream are rewritten to point to the recorder.

use serde_json::json;

use super::{recorder, records};
use crate::harness::{Dir, Received, Reply, Upstream};

fn redirecting(request: &Received) -> Reply {
    let host = request.header("host").unwrap();
    let location = format!("http://{host}/next");
    let headers = [
        ("Location", location.as_str()),
        ("Set-Cookie", "sid=1; Domain=127.0.0.1; Path=/shop"),
        ("Set-Cookie", "plain=2"),
    ];
    Reply::new(302, &headers, "")
}

#[test]
fn they_lead_back_and_are_recorded_as_they_came() {
    let (dir, upstream) = (Dir::new(), Upstream::start(redirecting));
    let by_path = recorder(&dir, &["--keep-secrets"]);
    let answer = by_path.get(&format!("/{}/a/b", upstream.url())).expect_status(302);
    let back = format!("{}/{}", by_path.url(), upstream.url());
    assert_eq!(answer.header("location"), Some(format!("{back}/next").as_str()));
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    let path = format!("/{}", upstream.url());
    assert_eq!(cookies, [format!("sid=1; Path={path}/shop"), format!("plain=2; Path={path}/a")]);
    // A client that uses the recorder as a proxy keeps the upstream's own names.
    let request =
        format!("GET {}/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", upstream.url());
    let authority = format!("127.0.0.1:{}", by_path.port());
    let proxied = crate::harness::exchange_raw(&authority, request.as_bytes(), false);
    let original = format!("{}/next", upstream.url());
    assert_eq!(proxied.header("location"), Some(original.as_str()));
    for record in records(by_path) {
        assert_eq!(record["response"]["headers"]["location"], original.as_str());
        let kept = json!(["sid=1; Domain=127.0.0.1; Path=/shop", "plain=2"]);
        assert_eq!(record["response"]["headers"]["set-cookie"], kept);
    }

    let base = format!("{}/shop", upstream.url());
    let fixed = recorder(&dir, &["-t", &upstream.url()]);
    let answer = fixed.get("/a").expect_status(302);
    assert_eq!(answer.header("location"), Some(format!("{}/next", fixed.url()).as_str()));
    assert_eq!(answer.header("set-cookie"), Some("sid=1; Path=/shop"));
    let based = recorder(&dir, &["-t", &base, "--rewrite-redirects"]);
    let answer = based.get("/a").expect_status(302);
    // A path outside of the target's path cannot be reached through the recorder.
    assert_eq!(answer.header("location"), Some(original.as_str()));
    assert_eq!(answer.header("set-cookie"), Some("sid=1; Path=/"));
    let untouched = recorder(&dir, &["-t", &upstream.url(), "--no-rewrite-redirects"]);
    let answer = untouched.get("/a").expect_status(302);
    assert_eq!(answer.header("location"), Some(original.as_str()));
    assert_eq!(answer.header("set-cookie"), Some("sid=1; Domain=127.0.0.1; Path=/shop"));
}
