//! Content negotiation (RFC 9110, section 12.5.1).

use super::{SHOP, ask, mock};

#[test]
fn media_types_are_negotiated() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |accept: &str| server.request("GET", "/items/1").header("Accept", accept).send();
    assert_eq!(get("text/plain").expect_status(200).text(), "a nail");
    let answer = get("text/plain;q=0.2, application/json;q=0.1");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(get("*/*").header("content-type"), Some("application/json"));
    assert_eq!(get("image/*").expect_status(406).json()["offered"][1], "text/plain");
}

/// One resource in several types, in this order.
const TYPES: &str = r##"
openapi: 3.0.4
info: {title: t, version: "1"}
paths:
  /many:
    get:
      responses:
        "200":
          description: d
          content:
            text/html: {example: <p>}
            application/xml: {schema: {type: object}, example: {a: 1}}
            application/json: {example: {a: 1}}
            application/vnd.api+json: {example: {data: 1}}
            text/plain;charset=utf-8: {example: plain}
  /ranges:
    get:
      responses:
        "200":
          description: d
          content:
            text/*: {example: any text}
            application/*: {example: {any: json}}
  /one:
    get:
      responses:
        "200": {description: d, content: {application/problem+json: {example: {title: t}}}}
        "400": {description: d, content: {text/plain: {example: bad}}}
      parameters: [{name: n, in: query, schema: {type: integer}}]
  /none:
    get:
      responses: {"204": {description: d}}
"##;

/// RFC 9110, section 12.5.1: the most specific range counts, a quality of 0 refuses, and without a
/// header everything is accepted.
#[test]
fn the_best_of_what_is_accepted() {
    let (_dir, server) = mock(TYPES, &[]);
    for (path, accept, expected) in [
        ("/many", "", "text/html"),
        ("/many", "*/*", "text/html"),
        ("/many", "text/html", "text/html"),
        ("/many", "TEXT/HTML", "text/html"),
        ("/many", "text/*", "text/html"),
        ("/many", "text/*, text/html;q=0", "text/plain;charset=utf-8"),
        ("/many", "text/html;q=0.4, text/plain;q=0.5", "text/plain;charset=utf-8"),
        ("/many", "text/html;level=1;q=0.4, application/xml;q=0.3", "text/html"),
        ("/many", "application/*;q=0.2, application/xml;q=0.3", "application/xml"),
        ("/many", "application/json;q=0, */*;q=0.1", "text/html"),
        ("/many", "application/json;q=0.001, image/png", "application/json"),
        ("/many", "application/vnd.api+json", "application/vnd.api+json"),
        ("/many", "image/png, image/*;q=0.8, */*;q=0.5", "text/html"),
        ("/many", "text/plain", "text/plain;charset=utf-8"),
        ("/ranges", "text/csv", "text/csv"),
        ("/ranges", "application/vnd.x+json", "application/vnd.x+json"),
        ("/ranges", "*/*", "text/plain"),
        ("/one", "application/problem+json", "application/problem+json"),
    ] {
        let headers = [("Accept", accept)];
        let headers = if accept.is_empty() { &[] } else { &headers[..] };
        let answer = ask(&server, &format!("GET {path}"), headers, "");
        assert_eq!(answer.status, 200, "{path} {accept}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some(expected), "{path} {accept}");
    }
}

/// RFC 9110, section 15.5.7: 406 lists the available types.
#[test]
fn what_is_not_accepted_is_refused_with_what_there_is() {
    let (_dir, server) = mock(TYPES, &[]);
    for (path, accept) in [
        ("/many", "image/png"),
        ("/many", "*/*;q=0"),
        ("/many", "text/*;q=0.0, image/*"),
        ("/one", "application/json"),
        ("/ranges", "image/png"),
    ] {
        let answer = ask(&server, &format!("GET {path}"), &[("Accept", accept)], "");
        assert_eq!(answer.status, 406, "{path} {accept}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(!answer.json()["offered"].as_array().unwrap().is_empty());
    }
    // Without a body nothing can be refused, and an error is sent in the type that it has.
    assert_eq!(ask(&server, "GET /none", &[("Accept", "image/png")], "").status, 204);
    let error = ask(&server, "GET /one?n=x", &[("Accept", "image/png")], "");
    assert_eq!((error.status, error.text()), (400, "bad".to_owned()));
}

const NOTATIONS: &str = r##"
openapi: 3.0.3
info: {title: n, version: '1'}
paths:
  /any:
    get: {responses: {'200': {description: ok, content: {'*/*': {schema: {type: object, required: [x], properties: {x: {type: integer, example: 3}}}}}}}}
  /suffix:
    get: {responses: {'200': {description: ok, content: {application/*+json: {schema: {type: object, properties: {x: {type: integer, example: 3}}}}}}}}
  /png:
    get: {responses: {'200': {description: ok, content: {application/problem+json: {example: {e: 1}}, image/png: {schema: {type: string, format: binary}}}}}}
  /csv:
    get: {responses: {'200': {description: ok, content: {text/csv: {schema: {type: array, items: {type: object, properties: {id: {type: integer, example: 1}, name: {type: string, example: 'a,b'}}}}}}}}}
  /vendor:
    get: {responses: {'200': {description: ok, content: {application/vnd.api+json: {example: {t: api}}}}}}
  /versions:
    get: {responses: {'200': {description: ok, content: {application/json: {example: 1}, application/json; Version=3: {example: 3}}}}}
  /events:
    get: {responses: {'200': {description: ok, content: {text/event-stream: {example: {id: x, delta: hi}}}}}}
  /words:
    get: {responses: {'200': {description: ok, content: {text/event-stream: {schema: {type: string, example: two words}}}}}}
  /wire:
    get: {responses: {'200': {description: ok, content: {text/event-stream: {example: "event: x\ndata: 1\n\n"}}}}}
  /fields:
    get: {responses: {'200': {description: ok, content: {text/event-stream: {example: [{event: a, data: {n: 1}}, {event: b, data: two}]}}}}}
"##;

#[test]
fn bodies_are_in_the_notation_of_their_type() {
    let (_dir, server) = mock(NOTATIONS, &[]);
    for (path, accept, status, content_type, body) in [
        ("/any", "*/*", 200, "application/json", r#"{"x":3}"#),
        ("/any", "application/xml", 200, "application/xml", "<x>3</x>"),
        ("/suffix", "*/*", 200, "application/json", r#"{"x":3}"#),
        ("/suffix", "application/vnd.z+json", 200, "application/vnd.z+json", r#"{"x":3}"#),
        ("/png", "*/*", 200, "image/png", "PNG"),
        ("/csv", "text/csv", 200, "text/csv", "id,name\r\n1,\"a,b\"\r\n"),
        ("/vendor", "application/json", 200, "application/vnd.api+json", r#"{"t":"api"}"#),
        ("/vendor", "text/html", 406, "application/problem+json", "vnd.api"),
        ("/versions", "application/json;version=3", 200, "application/json; Version=3", "3"),
        ("/versions", "application/json", 200, "application/json", "1"),
        ("/words", "*/*", 200, "text/event-stream", "data: two words\n\n"),
        ("/wire", "*/*", 200, "text/event-stream", "event: x\ndata: 1\n\n"),
        ("/events", "*/*", 200, "text/event-stream", "data: {\"id\":\"x\",\"delta\":\"hi\"}\n\n"),
        (
            "/fields",
            "*/*",
            200,
            "text/event-stream",
            "event: a\ndata: {\"n\":1}\n\nevent: b\ndata: two\n\n",
        ),
    ] {
        let answer = server.request("GET", path).header("accept", accept).send();
        let answer = answer.expect_status(status);
        assert_eq!(answer.header("content-type"), Some(content_type), "{path} {accept}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains(body), "{path} {accept}: {text}");
    }
}
