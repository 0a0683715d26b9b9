//! Features of OpenAPI 3.2: methods, the query as one value, sequences.

use serde_json::{Value, json};

use super::{ask, mock};

const LATEST: &str = r##"
openapi: 3.2.0
info: {title: t, version: "1"}
paths:
  /search:
    query:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [text]}}}}
      responses: {"200": {description: d, content: {application/json: {schema: {const: {found: 1}}}}}}
    additionalOperations:
      COPY: {responses: {"201": {description: d}}}
      Mixed-Case: {responses: {"202": {description: d}}}
      POST: {responses: {"203": {description: d}}}
    get:
      parameters:
      - in: querystring
        name: whole
        required: true
        content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}}}}}
      responses: {"204": {description: d}}
  /form:
    get:
      parameters:
      - in: querystring
        name: whole
        content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: integer}, b: {type: array, items: {type: integer}}}, additionalProperties: false}}}
      responses: {"204": {description: d}}
  /stream:
    get:
      responses:
        "200":
          description: d
          content:
            application/jsonl: {itemSchema: &item {type: object, required: [id], properties: {id: {type: integer}}}}
            application/json-seq: {itemSchema: *item}
            text/event-stream: {itemSchema: {type: object, required: [event, data], properties: {event: {const: add}, data: {type: string, minLength: 1}, retry: {type: integer, minimum: 0}}}}
  /examples:
    get:
      responses:
        "200":
          description: d
          content:
            application/jsonl: {itemSchema: {}, examples: {e: {dataValue: [{a: 1}, 2]}}}
            text/event-stream: {itemSchema: {}, examples: {e: {serializedValue: "data: 1\n\n"}}}
    post:
      requestBody: {content: {application/jsonl: {itemSchema: *item}, text/event-stream: {itemSchema: {required: [data]}}}}
      responses: {"204": {description: d}}
"##;

/// OpenAPI 3.2.0, section 4.9 (Path Item Object): `query` is the method QUERY, and the keys of
/// `additionalOperations` are methods as sent, without those that have their own field.
#[test]
fn methods_of_any_name() {
    let (_dir, server) = mock(LATEST, &[]);
    let body = [("Content-Type", "application/json")];
    for (call, sent, status) in [
        ("QUERY /search", r#"{"text":"x"}"#, 200),
        ("QUERY /search", "{}", 422),
        ("QUERY /search", "", 422),
        ("COPY /search", "", 201),
        ("Mixed-Case /search", "", 202),
        ("MIXED-CASE /search", "", 405),
        ("POST /search", "", 405),
        ("LINK /search", "", 405),
        ("QUERY /form", "", 405),
        ("QUERY /none", "", 404),
        ("OPTIONS /search", "", 204),
    ] {
        let headers = if sent.is_empty() { &[][..] } else { &body[..] };
        let answer = ask(&server, call, headers, sent);
        assert_eq!(answer.status, status, "{call} {sent}: {}", answer.text());
        if status == 405 && call.ends_with("/search") || call.starts_with("OPTIONS") {
            let allow = answer.header("allow");
            assert_eq!(allow, Some("COPY, GET, HEAD, Mixed-Case, OPTIONS, QUERY"), "{call}");
        }
    }
    let answer = ask(&server, "QUERY /search", &body, r#"{"text":"x"}"#);
    assert_eq!(answer.json(), json!({"found": 1}));
    assert!(server.stderr().contains("/paths/~1search/additionalOperations/POST"));
}

/// Earlier versions have no such keywords.
#[test]
fn methods_of_earlier_versions() {
    let (_dir, server) = mock(&LATEST.replace("3.2.0", "3.1.1"), &[]);
    assert_eq!(ask(&server, "QUERY /search", &[], "").status, 405);
}

/// OpenAPI 3.2.0, section 4.12.2 (Parameter Locations): `querystring` is the whole query, in its
/// media type.
#[test]
fn the_query_as_one_value() {
    let (_dir, server) = mock(LATEST, &[]);
    for (path, at) in [
        ("/search?%7B%22a%22%3A1%7D", None),
        ("/search?%7B%22a%22%3A%20%22x%3Dy%26z%22%7D", Some("/a")),
        ("/search?%7B%7D", Some("")),
        ("/search?a=1", Some("")),
        ("/search", Some("whole")),
        ("/form", None),
        ("/form?a=1&b=2&b=3", None),
        ("/form?a=x", Some("/a")),
        ("/form?b=1&b=x", Some("/b/1")),
        ("/form?c=1", Some("/c")),
    ] {
        let answer = ask(&server, &format!("GET {path}"), &[], "");
        match at {
            None => assert_eq!(answer.status, 204, "{path}: {}", answer.text()),
            Some(at) => {
                let found = answer.expect_status(422).json()["violations"][0].clone();
                assert_eq!((&found["in"], &found["at"]), (&json!("query"), &json!(at)), "{path}");
            }
        }
    }
}

/// OpenAPI 3.2.0, section 4.14.3 (Sequential Media Types): `itemSchema` describes each value of the
/// sequence. RFC 7464 for JSON text sequences; HTML, section 9.2.6, for events.
#[test]
fn sequences_are_made_of_their_items() {
    let (_dir, server) = mock(LATEST, &[]);
    let get = |media: &str| {
        let answer = ask(&server, "GET /stream", &[("Accept", media)], "").expect_status(200);
        assert_eq!(answer.header("content-type"), Some(media));
        answer.text()
    };
    let item = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let lines = get("application/jsonl");
    assert!(lines.ends_with('\n'), "{lines:?}");
    assert!(lines.lines().count() > 1, "{lines:?}");
    assert!(lines.lines().all(|line| item(line)["id"].is_i64()), "{lines:?}");
    let records = get("application/json-seq");
    let mut parts = records.split('\u{1e}');
    assert_eq!(parts.next(), Some(""));
    assert!(parts.all(|part| part.ends_with('\n') && item(part)["id"].is_i64()), "{records:?}");
    let events = get("text/event-stream");
    assert!(events.ends_with("\n\n"), "{events:?}");
    let is_whole = |event: &str| {
        event.lines().any(|line| line == "event: add")
            && event.lines().any(|line| line.starts_with("data: "))
    };
    assert!(events.trim_end().split("\n\n").all(is_whole), "{events:?}");
    let example = |media| ask(&server, "GET /examples", &[("Accept", media)], "").text();
    assert_eq!(example("application/jsonl"), "{\"a\":1}\n2\n");
    assert_eq!(example("text/event-stream"), "data: 1\n\n");
    for (media, body, status) in [
        ("application/jsonl", "{\"id\":1}\n{\"id\":2}\n", 204),
        ("application/jsonl", "{\"id\":1}\n{}\n", 422),
        ("application/jsonl", "{\"id\":1}{}", 422),
        ("text/event-stream", "data: 1\n\n", 204),
        ("text/event-stream", "event: x\n\n", 422),
    ] {
        let answer = ask(&server, "POST /examples", &[("Content-Type", media)], body);
        assert_eq!(answer.status, status, "{media} {body:?}: {}", answer.text());
    }
}
