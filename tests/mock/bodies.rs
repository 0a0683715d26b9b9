//! Bodies of requests, by media type.

use serde_json::{Value, json};

use super::{SHOP, ask, mock, source};

#[test]
fn invalid_requests_are_refused_with_every_violation() {
    let (_dir, server) = mock(SHOP, &[]);
    let problem = server.get("/items?limit=9").expect_status(422).json();
    let violation = &problem["violations"][0];
    assert_eq!((&violation["in"], &violation["at"]), (&json!("query"), &json!("limit")));
    assert!(violation["message"].is_string());
    // A response that the spec declares for it takes precedence: here `default`, then 400.
    assert_eq!(source(&server.get("/items/abc").expect_status(422)), "generated");
    let post = |body: Value| server.request("POST", "/items").json(&body).send();
    let answer = post(json!({"name": 1})).expect_status(400);
    assert_eq!((answer.json(), source(&answer)), (json!({"error": "declared"}), "example"));
    assert_eq!(post(json!({"name": "x", "price": 1})).status, 201);
    let wrong = server.request("POST", "/items").header("content-type", "text/csv").body("a,b");
    assert_eq!(wrong.send().status, 415);

    let (_dir, server) = mock(SHOP, &["--no-validate"]);
    assert_eq!(server.get("/items?limit=9").status, 200);
    assert_eq!(server.get("/secret").status, 204);
}

const BODIES: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /json:
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}, application/*+json: {schema: {type: array}}}}
      responses: {"204": {description: d}}
  /form:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string, minLength: 1}
                age: {type: integer}
                tags: {type: array, items: {type: integer}}
                csv: {type: array, items: {type: integer}}
                filter: {type: object, properties: {a: {type: integer}}}
                meta: {type: object, properties: {a: {type: integer}}}
              additionalProperties: false
            encoding:
              csv: {style: form, explode: false}
              filter: {style: deepObject, explode: true}
              meta: {contentType: application/json}
      responses: {"204": {description: d}}
  /multipart:
    post:
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [file]
              properties:
                file: {type: string, format: binary}
                count: {type: integer}
                pet: {$ref: "#/components/schemas/Pet"}
                tags: {type: array, items: {type: integer}}
      responses: {"204": {description: d}}
  /xml:
    post:
      requestBody: {required: true, content: {application/xml: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses: {"204": {description: d}}
  /yaml:
    post:
      requestBody: {required: true, content: {application/yaml: {schema: {$ref: "#/components/schemas/Pet"}}, application/apply-patch+yaml: {schema: {type: object, required: [kind]}}}}
      responses: {"204": {description: d}}
  /any:
    post:
      requestBody: {required: true, content: {"*/*": {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses: {"204": {description: d}}
  /lines:
    post:
      requestBody: {required: true, content: {application/x-ndjson: {schema: {$ref: "#/components/schemas/Pet"}}, application/jsonl: {schema: {type: array, maxItems: 2, items: {type: integer}}}}}
      responses: {"204": {description: d}}
  /text:
    post:
      requestBody: {required: true, content: {text/plain: {schema: {type: string, maxLength: 3}}, application/octet-stream: {}}}
      responses: {"204": {description: d}}
  /flow:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [id, name, secret]
              properties: {id: {type: integer, readOnly: true}, name: {type: string}, secret: {type: string, writeOnly: true}}
      responses:
        "200":
          description: d
          content:
            application/json:
              schema:
                type: object
                required: [id, secret]
                properties: {id: {type: integer, readOnly: true}, secret: {type: string, writeOnly: true}}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      xml: {name: pet}
      properties:
        name: {type: string, maxLength: 5}
        id: {type: integer, xml: {attribute: true}}
        tags: {type: array, items: {type: integer, xml: {name: tag}}, xml: {wrapped: true}}
        nick: {type: array, items: {type: string}}
        born: {type: string, format: date}
"##;

/// OpenAPI 3.1.1, sections 4.8.13 to 4.8.15 (Request Body, Media Type, Encoding); RFC 7578 for
/// multipart/form-data, RFC 9512 for YAML. A range of types allows any type that can express the
/// schema.
#[test]
fn bodies_of_every_type() {
    let (_dir, server) = mock(BODIES, &[]);
    let form = "application/x-www-form-urlencoded";
    let multipart = "multipart/form-data; boundary=x";
    let part = |head: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let whole = |parts: &[String]| format!("{}--x--\r\n", parts.concat());
    let file = part("name=\"file\"; filename=\"a.bin\"", "any");
    let json_part = |content: &str| {
        format!(
            "--x\r\nContent-Disposition: form-data; name=pet\r\nContent-Type: application/json\r\n\r\n{content}\r\n"
        )
    };
    for (path, kind, body, expected) in [
        ("/json", "application/json", r#"{"name":"x"}"#.to_owned(), None),
        ("/json", "application/json; charset=utf-8", r#"{"name":"x","tags":[1]}"#.into(), None),
        ("/json", "application/vnd.x+json", "[]".into(), None),
        ("/json", "application/vnd.x+json", "{}".into(), Some("")),
        ("/json", "application/json", r#"{"name":"x","tags":["a"]}"#.into(), Some("/tags/0")),
        ("/json", "application/json", r#"{"name":"too long"}"#.into(), Some("/name")),
        ("/json", "application/json", r#"{"name":"x","born":"2024-02-30"}"#.into(), Some("/born")),
        ("/json", "application/json", "{\"name\":".into(), Some("")),
        ("/json", "application/json", "nonsense".into(), Some("")),
        (
            "/form",
            form,
            "name=a+b&age=3&tags=1&tags=2&csv=1,2&filter[a]=1&meta=%7B%22a%22:1%7D".into(),
            None,
        ),
        ("/form", form, "name=a&tags=1".into(), None),
        ("/form", form, "age=3".into(), Some("")),
        ("/form", form, "name=".into(), Some("/name")),
        ("/form", form, "name=a&age=x".into(), Some("/age")),
        ("/form", form, "name=a&tags=1&tags=x".into(), Some("/tags/1")),
        ("/form", form, "name=a&csv=1,x".into(), Some("/csv/1")),
        ("/form", form, "name=a&filter[a]=x".into(), Some("/filter/a")),
        ("/form", form, "name=a&meta[a]=1&tags[]=1&tags[]=2".into(), None),
        ("/form", form, "name=a&tags[0]=x".into(), Some("/tags/0")),
        ("/form", form, "name=a&meta=%7B%22a%22:%22x%22%7D".into(), Some("/meta/a")),
        ("/form", form, "name=a&other=1".into(), Some("/other")),
        ("/multipart", multipart, whole(std::slice::from_ref(&file)), None),
        (
            "/multipart",
            multipart,
            whole(&[
                file.clone(),
                part("name=count", "3"),
                part("name=tags", "1"),
                part("name=tags", "2"),
            ]),
            None,
        ),
        ("/multipart", multipart, whole(&[file.clone(), json_part(r#"{"name":"x"}"#)]), None),
        ("/multipart", multipart, whole(&[part("name=count", "3")]), Some("")),
        ("/multipart", multipart, whole(&[file.clone(), part("name=count", "x")]), Some("/count")),
        (
            "/multipart",
            multipart,
            whole(&[file.clone(), json_part(r#"{"name":1}"#)]),
            Some("/pet/name"),
        ),
        (
            "/multipart",
            multipart,
            whole(&[file.clone(), part("name=tags", "1"), part("name=tags", "x")]),
            Some("/tags/1"),
        ),
        ("/multipart", multipart, file.clone(), Some("")),
        (
            "/xml",
            "application/xml",
            "<pet id=\"1\"><name>x</name><tags><tag>1</tag><tag>2</tag></tags><nick>a</nick></pet>"
                .into(),
            None,
        ),
        (
            "/xml",
            "application/xml; charset=utf-8",
            "<?xml version=\"1.0\"?><pet><name>x</name></pet>".into(),
            None,
        ),
        ("/xml", "application/xml", "<pet/>".into(), Some("")),
        ("/xml", "application/xml", "<pet id=\"a\"><name>x</name></pet>".into(), Some("/id")),
        (
            "/xml",
            "application/xml",
            "<pet><name>x</name><tags><tag>a</tag></tags></pet>".into(),
            Some("/tags/0"),
        ),
        ("/xml", "application/xml", "<pet><name>x</pet>".into(), Some("")),
        ("/xml", "application/xml", "<pet><name><a>x</a></name></pet>".into(), Some("/name")),
        ("/yaml", "application/yaml", "name: x\ntags: [1, 2]\n".into(), None),
        ("/yaml", "application/yaml", r#"{"name": "x"}"#.into(), None),
        ("/yaml", "application/yaml", "name: x\ntags: [a]\n".into(), Some("/tags/0")),
        ("/yaml", "application/yaml", "name: 1\n".into(), Some("/name")),
        ("/yaml", "application/yaml", "name: 'x\n".into(), Some("")),
        ("/yaml", "application/yaml", "tags: []\n".into(), Some("")),
        ("/yaml", "application/apply-patch+yaml", "kind: Pod\n".into(), None),
        ("/yaml", "application/apply-patch+yaml", "- kind\n".into(), Some("")),
        ("/any", "application/json", r#"{"name":"x"}"#.into(), None),
        ("/any", "application/json", r#"{"name":1}"#.into(), Some("/name")),
        ("/any", "text/yaml", "name: 1".into(), Some("/name")),
        ("/any", "application/xml", "<pet/>".into(), Some("")),
        ("/any", "text/yml", "name: 1".into(), Some("/name")),
        ("/any", "multipart/mixed; boundary=x", whole(&[part("name=name", "a")]), None),
        ("/any", "multipart/mixed; boundary=x", whole(&[part("name=id", "a")]), Some("")),
        ("/any", "multipart/mixed; boundary=x", "--x\r\nA: b\r\n\r\nc\r\n--x--".into(), None),
        ("/any", "application/vnd.x", r#"{"name":1}"#.into(), Some("/name")),
        ("/any", "application/vnd.x", "k8s\0opaque".into(), None),
        ("/any", "image/png", "\u{7f}PNG".into(), Some("")),
        ("/any", "text/plain", "a text is no object".into(), Some("")),
        ("/lines", "application/x-ndjson", "{\"name\":\"a\"}\n{\"name\":\"b\"}\n".into(), None),
        (
            "/lines",
            "application/x-ndjson",
            "{\"name\":\"a\"}\n{\"name\":1}\n".into(),
            Some("/1/name"),
        ),
        ("/lines", "application/x-ndjson", "{\"name\":\"a\"}\n{".into(), Some("")),
        ("/lines", "application/jsonl", "1\n2".into(), None),
        ("/lines", "application/jsonl", "1\n\"2\"".into(), Some("/1")),
        ("/lines", "application/jsonl", "1\n2\n3\n".into(), Some("")),
        ("/text", "text/plain", "abc".into(), None),
        ("/text", "text/plain", "abcd".into(), Some("")),
        ("/text", "application/octet-stream", "anything at all".into(), None),
    ] {
        let answer = ask(&server, &format!("POST {path}"), &[("Content-Type", kind)], &body);
        match expected {
            None => assert_eq!(answer.status, 204, "{path} {body}: {}", answer.text()),
            Some(at) => {
                assert_eq!(answer.status, 422, "{path} {body}");
                let violation = answer.json()["violations"][0].clone();
                assert_eq!(
                    (&violation["in"], &violation["at"]),
                    (&json!("body"), &json!(at)),
                    "{body}"
                );
            }
        }
    }
}

/// RFC 9110, section 15.5.16: an undeclared type is a 415; a missing required body a 422.
#[test]
fn other_types_and_no_body() {
    let (_dir, server) = mock(BODIES, &[]);
    for (path, kind, body, status) in [
        ("/json", "text/csv", "a", 415),
        ("/json", "application/xml", "<a/>", 415),
        ("/form", "application/json", "{}", 415),
        ("/multipart", "text/plain", "a", 415),
        ("/text", "text/html", "a", 415),
        ("/json", "application/json", "", 422),
        ("/xml", "application/xml", "", 422),
        ("/form", "application/x-www-form-urlencoded", "", 204),
    ] {
        let answer = ask(&server, &format!("POST {path}"), &[("Content-Type", kind)], body);
        assert_eq!(answer.status, status, "{path} {kind} {body:?}: {}", answer.text());
    }
}

/// OpenAPI 3.1.1, section 4.8.24.4.3 and JSON Schema validation, section 9.4: read-only properties
/// need not be sent, write-only ones are not returned.
#[test]
fn read_only_and_write_only() {
    let (_dir, server) = mock(BODIES, &[]);
    let json = [("Content-Type", "application/json")];
    let post = |body: &str| ask(&server, "POST /flow", &json, body);
    for _ in 0..5 {
        let answer = post(r#"{"name":"x","secret":"s"}"#).expect_status(200).json();
        assert!(answer["id"].is_i64() && answer.get("secret").is_none(), "{answer}");
    }
    assert_eq!(post(r#"{"name":"x"}"#).status, 422);
    assert_eq!(post(r#"{"id":"x","name":"x","secret":"s"}"#).status, 422);
}
