//! What counts as a difference, and what does not.

use std::sync::Arc;

use super::*;

fn line(target: &str, content_type: &str, body: &str) -> String {
    serde_json::json!({
        "request": {"method": "get", "protocol": "http", "host": "old.test", "path": target},
        "response": {"statusCode": 200, "headers": {"content-type": content_type}, "body": body},
    })
    .to_string()
}

/// Compares pairs of bodies in one run, and returns all differences.
fn differences(pairs: &[(&str, &str, &str)], rules: &str) -> Vec<String> {
    let rules = IgnoreRule::read_all(rules).unwrap();
    let mut differ = Differ::new(DiffOptions { rules, ..DiffOptions::default() });
    for (target, old, new) in pairs {
        let kind = if old.starts_with(['{', '[']) { "application/json" } else { "text/plain" };
        let (old, new) = (line(target, kind, old), line(target, kind, new));
        let new = new.replace("old.test", "new.test");
        let new = parse_line(new.as_bytes()).unwrap();
        let place = (&Arc::from("f"), 1);
        let line = old.as_bytes();
        differ.compare(&Comparison { line, new: &new, place, replaced: &[] });
    }
    let result = differ.finish();
    let entry = |(key, difference): (&Key, &Difference)| {
        format!("{} {} {}", key.rule, difference.shown, difference.message)
    };
    result.differences.iter().map(entry).collect()
}

fn one(old: &str, new: &str) -> Vec<String> {
    differences(&[("/items", old, new)], "")
}

#[test]
fn differences_are_named_by_place() {
    for (old, new, expected) in [
        (r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#, "value response.body#/a/b recorded 1, now 2"),
        (r#"{"a":1}"#, r#"{}"#, "missing response.body#/a recorded 1, now absent"),
        (r#"{}"#, r#"{"a":[]}"#, "extra response.body#/a recorded absent, now an array of 0 items"),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, "type response.body#/a recorded 1, now \"1\""),
        (
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            "order response.body#/a recorded an array of 2 items, now the same items in another order",
        ),
        (
            r#"{"a":[1,2]}"#,
            r#"{"a":[1]}"#,
            "length response.body#/a recorded an array of 2 items, now an array of 1 item",
        ),
        (
            r#"[{"id":1,"n":"a"},{"id":2,"n":"b"}]"#,
            r#"[{"id":2,"n":"c"},{"id":1,"n":"a"}]"#,
            "value response.body#/1/n recorded \"b\", now \"c\"",
        ),
        (
            r#"[{"id":1},{"id":2},{"id":3}]"#,
            r#"[{"id":3},{"id":1}]"#,
            "missing response.body#/1 recorded an object of 1 member, now absent",
        ),
        ("a\nb\nc", "a\nx\nc", "text response.body recorded from line 2: \"b\", now \"x\""),
        ("a\r\nb\n", "a\nb", "text response.body recorded the same lines, now other line ends"),
        ("a", "", "text response.body recorded from line 1: \"a\", now absent"),
    ] {
        assert_eq!(one(old, new), [expected]);
    }
}

#[test]
fn equal_values_are_no_differences() {
    for (old, new) in [
        (r#"{"a":1.0,"b":"x"}"#, r#"{ "b" : "x", "a" : 1 }"#),
        (r#"[{"id":1},{"id":2}]"#, r#"[{"id":2},{"id":1}]"#),
        (r#"{"url":"http://old.test/x"}"#, r#"{"url":"http://new.test/x"}"#),
        (r#"{"id":17,"self":"/items/17"}"#, r#"{"id":42,"self":"/items/42"}"#),
        (r#"{"self":"/items/17","id":17}"#, r#"{"self":"/items/42","id":42}"#),
        (r#"[{"id":1,"n":1},{"id":2,"n":1}]"#, r#"[{"id":11,"n":1},{"id":12,"n":1}]"#),
        (
            r#"{"x":"0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001"}"#,
            r#"{"x":"7d444840-9dc0-11d1-b245-5ffdce74fad2"}"#,
        ),
        ("token hmt~aaaaaaaaaaaaaaaaaaaaaa.", "token hmt~bbbbbbbbbbbbbbbbbbbbbb."),
    ] {
        assert_eq!(one(old, new), [""; 0], "{old}");
    }
}

#[test]
fn an_id_that_the_request_names_has_no_other_value() {
    let found = differences(&[("/items/17", r#"{"id":17}"#, r#"{"id":18}"#)], "");
    assert_eq!(found, ["value response.body#/id recorded 17, now 18"]);
    let twice = [
        ("/items", r#"{"id":17}"#, r#"{"id":18}"#),
        ("/items?again", r#"{"id":17}"#, r#"{"id":19}"#),
    ];
    assert_eq!(differences(&twice, ""), ["value response.body#/id recorded 17, now 19"]);
}

#[test]
fn rules_ignore_places() {
    let (old, new) = (r#"{"a":[{"t":1}],"b":{"c":1}}"#, r#"{"a":[{"t":2}],"b":3}"#);
    let with = |rules: &str| differences(&[("/items", old, new)], rules).len();
    assert_eq!(with(""), 2);
    assert_eq!(with("json:/a/*/t"), 1);
    assert_eq!(with("json:/a/0/t\njson:/b # why"), 0);
    assert_eq!(with("POST /items json:/a\nGET /other json:/a"), 2);
    assert_eq!(with("GET /it* json:"), 0);
}

#[test]
fn what_varies_is_learned() {
    let mut differ = Differ::new(DiffOptions {
        learns: true,
        learns_from_recording: true,
        ..DiffOptions::default()
    });
    let body = |n: u32| format!(r#"{{"items":[{{"ts":{n}}}],"x":1}}"#);
    for (at, (old, new)) in [(1, 5), (2, 6), (2, 7)].into_iter().enumerate() {
        let kind = "application/json";
        let old = line("/time/1", kind, &body(old));
        let new = line("/time/1", kind, &body(new).replace("\"x\":1", "\"x\":2"));
        let new = parse_line(new.as_bytes()).unwrap();
        let place = (&Arc::from("f"), at as u64 + 1);
        differ.compare(&Comparison { line: old.as_bytes(), new: &new, place, replaced: &[] });
    }
    let result = differ.finish();
    assert_eq!(result.learned.len(), 1, "{:?}", result.learned);
    assert_eq!((result.differing, result.differences.len(), result.ignored), (3, 1, 3));
    let text = result.extended_rules("json:/x  # mine\n", &[]);
    let expected = "json:/x  # mine\nGET /time/* json:/items/*/ts  # varies: f:1 and f:2 are equal requests: 1 / 2\n";
    assert_eq!(text, expected);
    assert_eq!(IgnoreRule::read_all(&text).unwrap().len(), 2);
    let known = IgnoreRule::read_all("json:/items").unwrap();
    assert_eq!(result.extended_rules("json:/items\n", &known), "json:/items\n");
}

#[test]
fn paths_become_templates() {
    assert_eq!(template("/api/v1/orders/17/items/ab12cd34"), "/api/v1/orders/{id}/items/{id}");
    assert_eq!(template("/oauth2/token"), "/oauth2/token");
}
