use super::super::model::{Meta, Side};
use super::*;

#[track_caller]
fn read(line: &str) -> Exchange<'_> {
    match parse_line(line.as_bytes()) {
        Ok(exchange) => exchange,
        Err(error) => panic!("{line}: {error}"),
    }
}

#[track_caller]
fn refused(line: &[u8]) -> LineError {
    match parse_line(line) {
        Ok(exchange) => panic!("accepted as {exchange:?}"),
        Err(error) => error,
    }
}

fn pairs(pairs: &Pairs<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn borrows_what_has_no_escapes() {
    let exchange = read(
        r#"{"request":{"method":"get","protocol":"https","host":"api.example.com","path":"/a?x=1","pathname":"/a","headers":{"accept":"*/*"},"query":{"x":"1"}},"response":{"statusCode":200,"headers":{},"body":"plain"}}"#,
    );
    let request = &exchange.request;
    assert!(matches!(request.host, Cow::Borrowed("api.example.com")));
    assert!(matches!(request.pathname, Cow::Borrowed("/a")));
    assert!(matches!(request.headers[0], (Cow::Borrowed("accept"), Cow::Borrowed("*/*"))));
    assert!(matches!(request.query[0], (Cow::Borrowed("x"), Cow::Borrowed("1"))));
    let body = exchange.response.map(|response| response.body);
    assert!(matches!(body, Some(Body::Text(text)) if text.as_str() == "plain"));
}

#[test]
fn path_pathname_or_url_alone() {
    for (fields, host, pathname, query) in [
        (r#""path":"/a/b?x=1&x=2&y=%20z""#, "", "/a/b", &[("x", "1"), ("x", "2"), ("y", " z")][..]),
        (r#""pathname":"/a/b""#, "", "/a/b", &[]),
        (
            r#""url":"HTTPS://me:pw@Api.Example.com:8443/a?q=1#f""#,
            "api.example.com:8443",
            "/a",
            &[("q", "1")],
        ),
        (r#""url":"http://h""#, "h", "/", &[]),
        (r#""url":"http://h?q""#, "h", "/", &[("q", "")]),
        (r#""url":"/only/path?q=1""#, "", "/only/path", &[("q", "1")]),
        (r#""path":"http://h/p?x=1""#, "h", "/p", &[("x", "1")]),
        (r#""path":"/http://h/p""#, "", "/http://h/p", &[]),
        (r#""path":"a""#, "", "/a", &[]),
        (r#""pathname":"/a","path":"/b?x=1""#, "", "/a", &[("x", "1")]),
        (r#""path":"/a?x=1","query":{"y":["2","3"]}"#, "", "/a", &[("y", "2"), ("y", "3")]),
        (r#""path":"/a?x=1","query":{}"#, "", "/a", &[("x", "1")]),
        (r#""path":"/a\u002fb?x=1\u00262""#, "", "/a/b", &[("x", "1"), ("2", "")]),
        (r#""path":"/","headers":{"HOST":"Up.example:80"}"#, "up.example:80", "/", &[]),
        (r#""path":"/","host":"A","url":"http://b/c","headers":{"host":"d"}"#, "a", "/", &[]),
    ] {
        let line = format!(r#"{{"request":{{"method":"get",{fields}}}}}"#);
        let request = read(&line).request;
        assert_eq!((request.host.as_ref(), request.pathname.as_ref()), (host, pathname), "{line}");
        assert_eq!(pairs(&request.query), owned(query), "{line}");
    }
}

#[test]
fn protocol_is_given_or_the_urls_or_http() {
    for (fields, protocol) in [
        (r#""protocol":"HTTPS","path":"/""#, Protocol::Https),
        (r#""url":"https://h/""#, Protocol::Https),
        (r#""url":"https://h/","protocol":"http""#, Protocol::Http),
        (r#""path":"/""#, Protocol::Http),
    ] {
        let line = format!(r#"{{"request":{{"method":"GET",{fields}}}}}"#);
        assert_eq!(read(&line).request.protocol, protocol, "{line}");
    }
}

#[test]
fn header_values_and_names() {
    let exchange = read(
        r#"{"request":{"method":"get","path":"/","headers":{"Set-Cookie":["a=1","b=2"],"set-cookie":"c=3","X-N":5,"x-null":null,"x-t":true}}}"#,
    );
    let expected = [
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("set-cookie", "c=3"),
        ("x-n", "5"),
        ("x-t", "true"),
    ];
    assert_eq!(pairs(&exchange.request.headers), owned(&expected));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let exchange = read(
        r#"{"request":{"method":"get","path":"/x"},"request":{"method":"put","method":"post","path":"/","query":{"a":"1","b":["2","3"],"a":"4","a":["5","6"],"b":"7"}},"response":{"statusCode":200,"statusCode":404}}"#,
    );
    assert_eq!(exchange.request.method, Method::Post);
    assert_eq!(pairs(&exchange.request.query), owned(&[("a", "5"), ("a", "6"), ("b", "7")]));
    assert_eq!(exchange.response.map(|response| response.status), Some(404));
}

#[test]
fn a_hundred_thousand_keys_are_no_trouble() {
    let keys: Vec<String> = (0..100_000).map(|n| format!(r#""k{}":"{n}""#, n % 50_000)).collect();
    let line =
        format!(r#"{{"request":{{"method":"get","path":"/","query":{{{}}}}}}}"#, keys.join(","));
    let query = read(&line).request.query;
    assert_eq!(query.len(), 50_000);
    assert_eq!(query[0].1, "50000");
}

#[test]
fn statuses_in_any_dress() {
    for (text, status) in [("200", 200), ("200.0", 200), (r#""404""#, 404), (r#"" 500 ""#, 500)] {
        let line = format!(
            r#"{{"request":{{"method":"get","path":"/"}},"response":{{"statusCode":{text}}}}}"#
        );
        assert_eq!(read(&line).response.map(|response| response.status), Some(status));
    }
    for text in ["99", "1000", "200.5", r#""ok""#, "null", "-1", "1e400", "[200]"] {
        let line = format!(
            r#"{{"request":{{"method":"get","path":"/"}},"response":{{"statusCode":{text}}}}}"#
        );
        refused(line.as_bytes());
    }
}

#[test]
fn bodies_null_empty_parsed_and_base64() {
    for (fields, meta, body) in [
        (r#""body":null"#, "", Body::Empty),
        (r#""body":"""#, "", Body::Empty),
        (r#""body":"a\nb""#, "", Body::Text("a\nb".into())),
        (r#""bodyAsJson":{"a": [1, 2.50]}"#, "", Body::Text(r#"{"a": [1, 2.50]}"#.into())),
        (r#""body":"kept","bodyAsJson":{}"#, "", Body::Text("kept".into())),
        (r#""body":null,"bodyAsJson":null"#, "", Body::Empty),
        (
            "\"headers\":{}",
            r#""responseBodyBase64":"/wD+""#,
            Body::Binary(vec![255, 0, 254].into()),
        ),
        (r#""body":"x""#, r#""responseBodyBase64":"YWI=""#, Body::Text("ab".into())),
    ] {
        let line = format!(
            r#"{{"request":{{"method":"get","path":"/"}},"response":{{"statusCode":200,{fields}}},"meta":{{"hmt":{{{meta}}}}}}}"#
        );
        assert_eq!(read(&line).response.map(|response| response.body), Some(body), "{line}");
    }
}

#[test]
fn meta_is_read_whole_and_with_tolerance() {
    let line = r#"{"meta":{"mine":[1],"hmt":{"v":1,"run":"r1","seq":7,"connection":3,"durationMs":1.5,"truncated":{"request":9,"response":8},"incomplete":"upstream","error":"why","chunks":[[0,5],[1.5,6]],"method":"PURGE","reason":"Fine","headerBytes":{"request":{"x":"6Q=="},"response":{"y":"/w==","z":"!"}},"trailers":{"request":{"r":"0"},"response":{"t":["1","2"]}},"violations":["v"],"redacted":["authorization"],"scope":"s","new":{"a":1}}},"request":{"method":"get","path":"/"}}"#;
    let expected = Meta {
        run: Some("r1".into()),
        seq: Some(7),
        connection: Some(3),
        duration_ms: Some(1.5),
        truncated_request: Some(9),
        truncated_response: Some(8),
        incomplete: Some(Side::Upstream),
        error: Some("why".into()),
        chunks: vec![(0.0, 5), (1.5, 6)],
        method: Some("PURGE".into()),
        reason: Some("Fine".into()),
        request_header_bytes: vec![("x".into(), vec![0xe9].into())],
        response_header_bytes: vec![("y".into(), vec![0xff].into())],
        request_trailers: vec![("r".into(), "0".into())],
        trailers: vec![("t".into(), "1".into()), ("t".into(), "2".into())],
        violations: vec!["v".into()],
        redacted: vec!["authorization".into()],
        scope: Some("s".into()),
    };
    assert_eq!(read(line).meta, expected);
    for meta in [
        "null",
        "5",
        "[]",
        r#"{"hmt":null}"#,
        r#"{"hmt":"x"}"#,
        r#"{"hmt":{"seq":"seven","run":{},"chunks":3,"truncated":[],"trailers":"x","violations":{}}}"#,
    ] {
        let line = format!(r#"{{"meta":{meta},"request":{{"method":"get","path":"/"}}}}"#);
        assert_eq!(read(&line).meta, Meta::default(), "{line}");
    }
}

#[test]
fn nulls_are_absent() {
    let exchange = read(
        r#"{"request":{"method":"get","path":"/","headers":null,"query":null,"host":null,"protocol":null,"url":null,"pathname":null,"timestamp":null},"response":null,"meta":null}"#,
    );
    assert_eq!(exchange.request.pathname, "/");
    assert_eq!(exchange.response, None);
}

#[test]
fn errors_say_what_and_where() {
    for (line, message, column) in [
        ("", "the JSON is incomplete", 0),
        ("[]", "the line must be an object with a request, not an array", 0),
        ("{}", "no request", 0),
        (r#"{"request":{"path":"/"}}"#, "no request.method", 0),
        (
            r#"{"request":{"method":"brew","path":"/"}}"#,
            r#"method "brew" must be get, put, post, patch, delete, options, trace, head or connect"#,
            0,
        ),
        (r#"{"request":{"method":"get""#, "the JSON is incomplete", 26),
        (
            r#"{"request":{"method":"get","headers":[]}}"#,
            "request.headers must be an object of strings or arrays of strings, not an array",
            0,
        ),
        (
            r#"{"request":{"method":"get","body":{}}}"#,
            "request.body must be a string, not an object",
            0,
        ),
        (r#"{"request":{"method":"get"},"response":{}}"#, "no response.statusCode", 0),
        (
            r#"{"request":{"method":"get","protocol":"gopher"}}"#,
            r#"request.protocol "gopher" must be http or https"#,
            0,
        ),
        (
            r#"{"request":{"method":"get"},"meta":{"hmt":{"requestBodyBase64":"%"}}}"#,
            "meta.hmt.requestBodyBase64 is not base64",
            0,
        ),
        (
            r#"{"request":{"method":"get"}} x"#,
            "there is more text on the line after the JSON object",
            30,
        ),
        (
            r#"{"request":{"method":"get","path":"\ud800"}}"#,
            "not valid JSON: an incomplete surrogate pair in a string",
            0,
        ),
    ] {
        let error = refused(line.as_bytes());
        assert_eq!(error.message, message, "{line}");
        if column > 0 {
            assert_eq!(error.column, column, "{line}");
        }
    }
    assert!(refused(br#"{"request":{"me"#).cut_short);
    assert!(!refused(b"{]").cut_short);
    let error = refused(b"{\"request\":{\"method\":\"g\xff");
    assert_eq!(
        (error.message.as_str(), error.column, error.cut_short),
        ("not valid UTF-8", 23, false)
    );
    assert!(refused(b"{\"a\":\"\xe2\x82").cut_short);
    assert_eq!(
        refused(b"{]").to_string(),
        "not valid JSON: a key must be in double quotes (byte 2)"
    );
}

#[test]
fn depth_bombs_end_as_errors() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(deep.as_bytes());
    refused("{\"request\":".repeat(100_000).as_bytes());
    for field in ["unknown", "meta"] {
        let line = format!(r#"{{"{field}":{deep},"request":{{"method":"get","path":"/"}}}}"#);
        assert_eq!(refused(line.as_bytes()).message, "nested deeper than 128");
    }
    // Brackets in a string do not nest, and 127 levels are the limit elsewhere.
    for value in [format!("[\"\\\"{deep}\"]"), format!("{}{}", "[".repeat(127), "]".repeat(127))] {
        let line = format!(r#"{{"x":{value},"request":{{"method":"get","path":"/"}}}}"#);
        assert_eq!(read(&line).request.pathname, "/");
    }
    // A body may be anything.
    let line = format!(r#"{{"request":{{"method":"get","path":"/","bodyAsJson":{deep}}}}}"#);
    assert_eq!(read(&line).request.body.as_bytes().len(), deep.len());
    let line = format!(r#"{{"request":{{"method":"get","headers":{{"a":{deep}}}}}}}"#);
    refused(line.as_bytes());
}

#[test]
fn decoded_paths_become_those_of_the_wire() {
    let line = r#"{"request":{"method":"get","path":"/é ü/%C3%A9?ß=a b&x=%20"}}"#;
    let exchange = read(line);
    assert_eq!(exchange.request.pathname, "/%C3%A9%20%C3%BC/%C3%A9");
    assert_eq!(exchange.request.query[0], ("ß".into(), "a b".into()));
    let mut written = Vec::new();
    super::super::write_line(&exchange, &mut written);
    let written = String::from_utf8(written).unwrap();
    assert!(
        written.contains(r#""path":"/%C3%A9%20%C3%BC/%C3%A9?%C3%9F=a%20b&x=%20""#),
        "{written}"
    );
}
