use std::io::Cursor;

use super::super::block::Record;
use super::super::capture::Entries;
use super::*;
use crate::exchange::{Body, Exchange, header, parse_line};

/// A reader that returns one byte at a time, to test every boundary.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

/// `Ok(line)` or `Err(other record)`, with the number of the entry.
fn read_with(input: Box<dyn Read + Send>, block: usize) -> Vec<(u64, Result<String, String>)> {
    let har = Box::new(Har::new(input, SiblingFiles::Nothing));
    let mut har = Entries::new("a.har".into(), har, block);
    let mut found = Vec::new();
    while let Some(block) = har.next_block().unwrap() {
        for (number, record) in block.records() {
            found.push((
                number,
                match record {
                    Record::Line(line) => Ok(String::from_utf8(line.to_vec()).unwrap()),
                    other => Err(format!("{other:?}")),
                },
            ));
        }
    }
    found
}

fn entries(entries: &str) -> Vec<(u64, Result<String, String>)> {
    let har = format!(
        r#"{{"log": {{"version":"1.2","comment":"\"entries\":[1]","pages":[{{"entries":[2]}}],"entries" : [{entries}], "x":[3]}}}}"#
    );
    let whole = read_with(Box::new(Cursor::new(har.clone().into_bytes())), 1 << 20);
    let dripped = read_with(Box::new(Drip(Cursor::new(har.into_bytes()))), 1);
    assert_eq!(whole, dripped);
    whole
}

fn one(entry: &str) -> String {
    match entries(entry).as_slice() {
        [(1, Ok(line))] => line.clone(),
        other => panic!("{other:?}"),
    }
}

fn parse(line: &str) -> Exchange<'_> {
    parse_line(line.as_bytes()).unwrap()
}

#[test]
fn a_browsers_entry() {
    let line = one(
        r#"{"startedDateTime":"2026-01-01T00:00:00.250+01:00","time":750.5,"_priority":"High","cache":{},"timings":{},
        "request":{"method":"POST","url":"https://API.example.com/a%20b?x=1&x=2#frag","httpVersion":"h3",
            "headers":[{"name":":method","value":"POST"},{"name":"Accept","value":"*/*"},{"name":"Cookie","value":"a=1"}],
            "queryString":[],"cookies":[],"bodySize":2,"postData":{"mimeType":"application/json","text":"{}"}},
        "response":{"status":200,"statusText":"OK","headers":[{"name":"Set-Cookie","value":"a=1"},{"name":"set-cookie","value":"b=2"}],
            "content":{"size":3,"mimeType":"image/png","text":"/wD+","encoding":"base64"},"redirectURL":""}}"#,
    );
    let exchange = parse(&line);
    assert_eq!(exchange.request.host, "api.example.com");
    assert_eq!(exchange.request.pathname, "/a%20b");
    assert_eq!(exchange.request.query.len(), 2);
    // The media type is that of the body's description.
    assert_eq!(exchange.request.headers.len(), 3);
    assert_eq!(exchange.request.body, Body::Text("{}".into()));
    assert_eq!(exchange.request.timestamp.as_deref(), Some("2025-12-31T23:00:00.250000Z"));
    assert_eq!(exchange.meta.duration_ms, Some(750.5));
    let response = exchange.response.unwrap();
    assert_eq!(response.body, Body::Binary(vec![255, 0, 254].into()));
    assert_eq!(response.headers.len(), 3);
    assert_eq!(response.timestamp.as_deref(), Some("2025-12-31T23:00:01.000500Z"));
}

#[test]
fn form_parameters_without_text_become_a_body() {
    let line = one(
        r#"{"request":{"method":"post","url":"http://h/","headers":[],"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"1&2"},{"name":"c"}]}},"response":{"status":204}}"#,
    );
    assert_eq!(parse(&line).request.body, Body::Text("a+b=1%262&c=".into()));
}

#[test]
fn no_answer_says_why() {
    for (response, why) in [
        (r#"{"status":0,"statusText":"","_error":"net::ERR_ABORTED"}"#, Some("net::ERR_ABORTED")),
        (r#"{"status":0,"statusText":""}"#, Some("no response in the archive")),
        (r#"{"status":-1,"statusText":"gone"}"#, Some("gone")),
        ("null", None),
    ] {
        let line = one(&format!(
            r#"{{"request":{{"method":"GET","url":"http://h/","headers":[]}},"response":{response}}}"#
        ));
        let exchange = parse(&line);
        assert_eq!(exchange.response, None);
        assert_eq!(exchange.meta.error.as_deref(), why);
    }
}

#[test]
fn bodies_that_the_tool_did_not_keep_are_truncated_ones() {
    let line = one(
        r#"{"request":{"method":"PUT","url":"http://h/","headers":[],"bodySize":5},"response":{"status":200,"headers":[],"content":{"size":9,"mimeType":"text/html"}}}"#,
    );
    let meta = parse(&line).meta;
    assert_eq!((meta.truncated_request, meta.truncated_response), (Some(5), Some(9)));
    let line = one(
        r#"{"request":{"method":"GET","url":"http://h/","headers":[]},"response":{"status":304,"headers":[],"content":{"size":9,"text":"cached"}}}"#,
    );
    assert_eq!(parse(&line).response.unwrap().body, Body::Empty);
}

#[test]
fn pseudo_headers_name_the_host_where_nothing_else_does() {
    let line = one(
        r#"{"request":{"method":"GET","url":"/p","headers":[{"name":":authority","value":"H:1"},{"name":"A","value":null}]},"response":{"status":200}}"#,
    );
    let exchange = parse(&line);
    assert_eq!((exchange.request.host.as_ref(), exchange.request.pathname.as_ref()), ("h:1", "/p"));
    assert_eq!(header(&exchange.request.headers, "a"), Some(""));
}

#[test]
fn what_mitmproxy_writes() {
    // As its `savehar` writes it: sizes of -1, listed cookies, HTTP/2 pseudo-headers, bytes in
    // base64.
    let line = one(
        r#"{"startedDateTime":"2026-01-02T03:04:05.678901+00:00","time":12.5,"request":{"method":"POST","url":"https://h.test/a?b=1",
        "httpVersion":"HTTP/2.0","cookies":[{"name":"a","value":"1"}],
        "headers":[{"name":":method","value":"POST"},{"name":":authority","value":"h.test"},{"name":"cookie","value":"a=1"}],
        "queryString":[{"name":"b","value":"1"}],"headersSize":31,"bodySize":-1,
        "postData":{"mimeType":"application/json","text":"{\"n\":1}","params":[]}},
        "response":{"status":200,"statusText":"","httpVersion":"HTTP/2.0","headers":[{"name":"content-encoding","value":"gzip"}],
        "cookies":[],"content":{"size":3,"compression":0,"mimeType":"image/png","text":"/wD+","encoding":"base64"},
        "redirectURL":"","headersSize":-1,"bodySize":-1},"cache":{},"timings":{"connect":-1.0,"ssl":-1.0,"send":1.0,"receive":0,"wait":2}}"#,
    );
    let exchange = parse(&line);
    let names = exchange.request.headers.iter().map(|(name, _)| name.as_ref());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["cookie", "content-type"],
        "a listed cookie is no second header"
    );
    assert_eq!(exchange.request.body, Body::Text("{\"n\":1}".into()));
    let response = exchange.response.unwrap();
    assert_eq!(response.body, Body::Binary(vec![255, 0, 254].into()));
    let meta = exchange.meta;
    assert_eq!((meta.truncated_request, meta.truncated_response), (None, None));
}

#[test]
fn cookies_that_are_only_listed_become_headers() {
    let line = one(
        r#"{"request":{"method":"GET","url":"http://h/","cookies":[{"name":"a","value":"1"},{"name":"b"}]},
        "response":{"status":200,"headers":null,"cookies":[{"name":"s","value":"x","path":"/","httpOnly":true,"secure":false,
        "sameSite":"Lax","expires":null},{"name":"t","value":"y","domain":""}]}}"#,
    );
    let exchange = parse(&line);
    assert_eq!(header(&exchange.request.headers, "cookie"), Some("a=1; b="));
    let set: Vec<String> =
        exchange.response.unwrap().headers.iter().map(|(_, value)| value.to_string()).collect();
    assert_eq!(set, ["s=x; Path=/; SameSite=Lax; HttpOnly", "t=y"]);
}

#[test]
fn what_is_no_http_is_passed_over_and_counted() {
    let entry = |url: &str| {
        format!(r#"{{"request":{{"method":"","url":"{url}"}},"response":{{"status":101}}}}"#)
    };
    let mut all: Vec<String> = [
        "wss://h.test/socket?x=1",
        "ws://h/",
        "data:text/plain,x",
        "blob:https://h/1",
        "about:blank",
        "file:///etc/x",
        "chrome-extension://abc/x.js",
    ]
    .map(entry)
    .into();
    let good = r#"{"request":{"method":"GET","url":"http://h/"},"response":{"status":200}}"#;
    all.insert(2, good.to_owned());
    all.push(good.to_owned());
    let har = format!("{{\"log\":{{\"entries\":[{}]}}}}", all.join(","));
    let har = Box::new(Har::new(Box::new(Cursor::new(har)), SiblingFiles::Nothing));
    let mut entries = Entries::new("a.har".into(), har, 1 << 20);
    let mut numbers = Vec::new();
    while let Some(block) = entries.next_block().unwrap() {
        numbers.extend(block.records().map(|(number, _)| number));
    }
    assert_eq!(numbers, [3, 9]);
    let note = entries.notes().join(" ");
    assert!(note.contains("7 entries skipped") && note.contains("wss 1"), "{note}");
    // A port is not a scheme.
    let line =
        one(r#"{"request":{"method":"GET","url":"localhost:80/x"},"response":{"status":200}}"#);
    assert_eq!(parse(&line).response.unwrap().status, 200);
}

#[test]
fn what_is_missing_or_null_is_no_error() {
    for entry in [
        r#"{"request":{"method":"GET","url":"http://h/"},"response":{"status":200}}"#,
        r#"{"startedDateTime":null,"time":null,"request":{"method":"GET","url":"http://h/","headers":null,"cookies":null,
            "postData":null,"bodySize":null},"response":{"status":200,"headers":null,"cookies":null,"content":null}}"#,
        r#"{"startedDateTime":"soon","time":-1,"request":{"method":"GET","url":"http://h/","postData":{"mimeType":null,"text":null,
            "params":null}},"response":{"status":200,"content":{"size":-1,"text":null,"encoding":null}}}"#,
    ] {
        let line = one(entry);
        let exchange = parse(&line);
        assert_eq!(exchange.response.unwrap().status, 200, "{entry}");
        assert_eq!((exchange.request.body, exchange.meta.truncated_response), (Body::Empty, None));
    }
}

#[test]
fn odd_entries_are_rejected_by_number_and_the_rest_goes_on() {
    let good =
        r#"{"request":{"method":"GET","url":"http://h/","headers":[]},"response":{"status":200}}"#;
    let found = entries(&format!(
        r#"{good}, 5, {{"request":{{"method":"B W","url":"http://h/"}}}}, "x]\"", {{"request":{{"method":"GET"}}}}, {{}}, null, {good}"#
    ));
    let kinds: Vec<(u64, bool)> = found.iter().map(|(n, found)| (*n, found.is_ok())).collect();
    let expected: Vec<(u64, bool)> =
        (1..=8).map(|number| (number, number == 1 || number == 8)).collect();
    assert_eq!(kinds, expected);
    let told = format!("{found:?}");
    for part in ["is not an HTTP method", "no request.url", "no request", "not an object"] {
        assert!(told.to_lowercase().contains(&part.to_lowercase()), "{part} in {told}");
    }
}

#[test]
fn cut_archives_give_their_whole_entries() {
    let har =
        r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://h/"}},{"request":{"me"#;
    let found = read_with(Box::new(Cursor::new(har)), 1 << 20);
    assert!(found[0].1.is_ok(), "{found:?}");
    assert_eq!(found.len(), 2);
    let why = found[1].1.as_ref().unwrap_err();
    assert!(why.contains("cut off") && why.contains("before it: 1"), "{why}");
    for cut in [&har[..10], &har[..har.len() - 20]] {
        let found = read_with(Box::new(Cursor::new(cut.to_owned())), 1 << 20);
        assert!(found.last().unwrap().1.is_err(), "{cut}");
    }
    // The entries are complete, but the archive is not.
    let whole =
        r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://h/"}}],"x":{"]}":1}}}"#;
    for (cut, records) in [(0, 1), (1, 2), (2, 2), (12, 2)] {
        let cut = whole[..whole.len() - cut].to_owned();
        assert_eq!(read_with(Box::new(Cursor::new(cut.clone())), 1 << 20).len(), records, "{cut}");
    }
    assert_eq!(read_with(Box::new(Cursor::new("")), 10), []);
    assert_eq!(entries(""), []);
}

#[test]
fn what_is_no_archive_says_so() {
    for text in ["{}", "[1]", "{\"log\":{\"entries\":{}}}", "{\"entries\":[]}"] {
        let mut har = Har::new(Box::new(Cursor::new(text)), SiblingFiles::Nothing);
        let error = har.next().err().unwrap();
        assert!(error.to_string().contains("no list of entries (log.entries)"), "{text}: {error}");
    }
}

#[test]
fn forms_of_files_become_multipart() {
    let line = one(
        r#"{"request":{"method":"POST","url":"http://h/up","headers":[{"name":"Content-Type","value":"multipart/form-data; boundary=--x1"}],
        "postData":{"mimeType":"multipart/form-data; boundary=--x1","params":[{"name":"title","value":"Q1"},
        {"name":"file","fileName":"a.pdf","contentType":"application/pdf"}]}},"response":{"status":201}}"#,
    );
    let request = parse(&line).request;
    assert_eq!(
        request.body.as_str(),
        Some(
            "----x1\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nQ1\r\n----x1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\r\n----x1--\r\n"
        )
    );
    let line = one(
        r#"{"request":{"method":"POST","url":"http://h/up","headers":[{"name":"Content-Type","value":"multipart/form-data"}],
        "postData":{"mimeType":"multipart/form-data","params":[{"name":"a","value":"1"}]}},"response":{"status":201}}"#,
    );
    let request = parse(&line).request;
    let media = header(&request.headers, "content-type").unwrap();
    let boundary = media.split_once("boundary=").unwrap().1;
    assert!(request.body.as_str().unwrap().starts_with(&format!("--{boundary}\r\n")));
}

#[test]
fn what_tools_write_besides_the_standard() {
    // Invalid base64, a listed query, headers joined by line breaks, a separate media type, numbers
    // as text, a lone surrogate, a custom method.
    let line = one(
        r#"{"time":"3","request":{"method":"PURGE","url":"http://h/p#f","queryString":[{"name":"q","value":"a b"},{"name":"n","value":5}],
        "headers":{"not":"a list"}},"response":{"status":"200","headers":[{"name":"Set-Cookie","value":"a=1\nb=2"}],
        "content":{"size":"-1","mimeType":"application/json","encoding":"base64","text":"{\"a\":\"\ud83d\"}"}}}"#,
    );
    let exchange = parse(&line);
    assert_eq!(exchange.meta.method.as_deref(), Some("PURGE"));
    assert_eq!(exchange.request.query, [("q".into(), "a b".into()), ("n".into(), "5".into())]);
    let response = exchange.response.unwrap();
    assert_eq!(response.body.as_str(), Some("{\"a\":\"\u{fffd}\"}"));
    assert_eq!(header(&response.headers, "content-type"), Some("application/json"));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
}

#[test]
fn bodies_may_lie_beside_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "[1]").unwrap();
    let har = r#"{"log":{"entries":[
        {"request":{"method":"GET","url":"http://h/"},"response":{"status":200,"content":{"size":-1,"mimeType":"application/json","_file":"a.json"}}},
        {"request":{"method":"GET","url":"http://h/"},"response":{"status":200,"content":{"size":-1,"mimeType":"application/json","_file":"../b"}}}]}}"#;
    let beside = SiblingFiles::of_file(&folder.path().join("x.har"));
    let mut har = Har::new(Box::new(Cursor::new(har)), beside);
    let CaptureEntry::Exchange(found) = har.next().unwrap() else { panic!("no exchange") };
    assert_eq!(found.response.unwrap().body.as_str(), Some("[1]"));
    let CaptureEntry::Exchange(lost) = har.next().unwrap() else { panic!("no exchange") };
    assert_eq!(lost.meta.truncated_response, Some(0));
    assert_eq!(har.notes().len(), 1);
}
