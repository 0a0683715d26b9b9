//! What users of other mocks, and fuzzers that know OpenAPI, expect. Each case was a difference
//! found with the test harness of Prism or with schemathesis.

use serde_json::json;

use super::{ask, mock, source};

const PETS: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /pet/{petId}:
    parameters: [{name: petId, in: path, required: true, schema: {type: integer}}]
    get: {responses: {"200": {description: d}}}
    post: {responses: {"200": {description: d}}}
  /pet/findByStatus:
    get: {responses: {"200": {description: d}}}
  /user/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    put: {responses: {"200": {description: d}}}
  /user/me:
    get: {responses: {"200": {description: d}}}
  /pet:
    post:
      requestBody:
        content:
          application/xml:
            schema:
              type: object
              properties:
                name: {type: string}
                category: {type: object, properties: {id: {type: integer}}}
                tags:
                  type: array
                  xml: {wrapped: true}
                  items: {type: object, xml: {name: tag}, properties: {id: {type: integer}}}
                note: {type: object, properties: {text: {type: string, xml: {x-hmt-text: true}}}}
      responses: {"200": {description: d}}
  /sized:
    get:
      responses:
        "200": {description: d, content: {application/json: {schema: {type: object, properties: {text: {type: string}}}}}}
  /form:
    post:
      requestBody:
        content: {application/x-www-form-urlencoded: {schema: {type: object}}}
      responses:
        "200": {description: d, content: {application/json: {schema: {type: object, properties: {text: {type: string}}}}}}
  /described:
    get:
      responses:
        "200": {content: {description: fine, application/json: {example: "ok"}}}
  /packed:
    get:
      responses:
        "200": {description: d, content: {gzip: {schema: {type: string, format: binary}}}}
  /named:
    get:
      responses:
        "200": {description: d, content: {data: {schema: {type: object}}}}
"##;

/// OpenAPI, Paths Object: a path without parameters is matched first. It hides a template only
/// where the path cannot be one of the template's.
#[test]
fn a_concrete_path_hides_a_template_that_its_text_does_not_fit() {
    let (_dir, server) = mock(PETS, &[]);
    for (what, status, allow) in [
        ("POST /pet/findByStatus", 405, Some("GET, HEAD, OPTIONS")),
        ("OPTIONS /pet/findByStatus", 204, Some("GET, HEAD, OPTIONS")),
        ("GET /pet/findByStatus", 200, None),
        ("POST /pet/7", 200, None),
        // There is no path that `other` could be, so that the parameter is wrong.
        ("POST /pet/other", 422, None),
        ("PUT /user/me", 200, None),
        ("DELETE /user/me", 405, Some("GET, HEAD, OPTIONS, PUT")),
    ] {
        let answer = ask(&server, what, &[], "");
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(answer.header("allow"), allow, "{what}");
    }
}

#[test]
fn text_in_xml_is_no_object_and_no_list() {
    let (_dir, server) = mock(PETS, &[]);
    let xml = [("content-type", "application/xml")];
    for (body, status) in [
        ("<pet><name>a</name><category><id>1</id></category></pet>", 200),
        ("<pet><category/><tags/></pet>", 200),
        ("<pet><tags><tag><id>1</id></tag></tags></pet>", 200),
        ("<pet> </pet>", 200),
        ("<pet><note>a text</note></pet>", 200),
        ("<pet>text</pet>", 422),
        ("<pet><category>0</category></pet>", 422),
        ("<pet><tags>true</tags></pet>", 422),
        ("<pet><tags><tag>null</tag></tags></pet>", 422),
    ] {
        let answer = ask(&server, "POST /pet", &xml, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}

/// RFC 9110, section 9.3.2.
#[test]
fn the_head_of_generated_data_is_that_of_get() {
    let (_dir, server) = mock(PETS, &[]);
    let (get, head) = (server.get("/sized"), ask(&server, "HEAD /sized", &[], ""));
    assert_eq!(get.header("content-length"), head.header("content-length"));
}

#[test]
fn answers_depend_on_the_parsed_body() {
    let (_dir, server) = mock(PETS, &[]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = |body: &str| ask(&server, "POST /form", &form, body).text();
    assert_eq!(post("a=1&b=2"), post("b=2&a=1"));
    assert_eq!(post("a=1+2"), post("a=1%202"));
    assert_ne!(post("a=1&a=2"), post("a=2&a=1"));
    assert_ne!(post("a=1"), post("a=2"));
}

#[test]
fn a_key_of_content_that_is_no_media_type_is_ignored() {
    let (_dir, server) = mock(PETS, &[]);
    let answer = server.get("/described").expect_status(200);
    assert_eq!(
        (answer.json(), answer.header("content-type")),
        (json!("ok"), Some("application/json"))
    );
    let warning = "/paths/~1described/get/responses/200/content/description: is not a media type";
    server.wait_stderr(warning);
    let answer = server.get("/named").expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    server.wait_stderr("content/data: is not a media type; it is read as application/json");
    let answer = server.get("/packed").expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
}

const ERRORS: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /cats:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, properties: {name: {type: string, maxLength: 3}}}}}
      responses:
        "200": {description: d, content: {application/json: {examples: {cat: {value: {name: tom}}}}}}
        "422":
          description: d
          content:
            application/json:
              examples: {short: {value: {message: too short}}, empty: {value: {message: empty}}}
"##;

/// A client that asks for the error it causes may choose its example.
#[test]
fn examples_of_errors_can_be_chosen() {
    let (_dir, server) = mock(ERRORS, &[]);
    let json = [("content-type", "application/json")];
    for (query, status, expected) in [
        ("", 422, json!({"message": "too short"})),
        ("?__code=422&__example=empty", 422, json!({"message": "empty"})),
        ("?__example=empty", 422, json!({"message": "empty"})),
        ("?__example=cat", 422, json!({"message": "too short"})),
        ("?__code=200&__example=cat", 422, json!({"message": "too short"})),
    ] {
        let answer = ask(&server, &format!("POST /cats{query}"), &json, r#"{"name": "long"}"#);
        assert_eq!((answer.status, answer.json()), (status, expected), "{query}");
        assert_eq!(source(&answer), "example");
        assert!(answer.header("x-hmt-violations").is_some(), "{query}");
    }
    let absent = "POST /cats?__code=422&__example=gone";
    let answer = ask(&server, absent, &json, r#"{"name": "long"}"#).expect_status(404);
    assert!(answer.text().contains("gone"), "{}", answer.text());
}

const SWAGGER: &str = r##"
swagger: "2.0"
info: {title: t, version: "1"}
paths:
  /range:
    get:
      produces: [text/plain, text/html]
      responses: {"200": {description: d, examples: {"*/*": hello}, schema: {type: string}}}
  /exact:
    get:
      produces: [text/plain, text/html]
      responses: {"200": {description: d, examples: {"text/*": any, text/html: page}, schema: {type: string}}}
  /form:
    post:
      consumes: [application/x-www-form-urlencoded, multipart/form-data]
      parameters:
      - {name: no, in: formData, type: string, allowEmptyValue: false}
      - {name: any, in: formData, type: string}
      - {name: yes, in: formData, type: integer, allowEmptyValue: true}
      - {name: csv, in: formData, type: array, items: {type: integer}}
      - {name: ssv, in: formData, type: array, items: {type: integer}, collectionFormat: ssv}
      - {name: tsv, in: formData, type: array, items: {type: integer}, collectionFormat: tsv}
      - {name: pipes, in: formData, type: array, items: {type: integer}, collectionFormat: pipes}
      - {name: multi, in: formData, type: array, items: {type: integer}, collectionFormat: multi}
      responses: {"200": {description: d}}
  /lists/{pipes}:
    get:
      parameters:
      - {name: pipes, in: path, required: true, type: array, items: {type: integer}, collectionFormat: pipes}
      - {name: tsv, in: query, type: array, items: {type: integer}, collectionFormat: tsv}
      - {name: X-List, in: header, type: array, items: {type: integer}, collectionFormat: ssv}
      responses: {"200": {description: d}}
  /query:
    get:
      parameters:
      - {name: no, in: query, type: string, allowEmptyValue: false}
      - {name: any, in: query, type: string}
      responses: {"200": {description: d}}
"##;

#[test]
fn examples_for_ranges_in_swagger() {
    let (_dir, server) = mock(SWAGGER, &[]);
    assert_eq!(server.get("/range").text(), "hello");
    let html = [("accept", "text/html")];
    assert_eq!(ask(&server, "GET /range", &html, "").text(), "hello");
    assert_eq!(ask(&server, "GET /exact", &html, "").text(), "page");
    assert_eq!(server.get("/exact").text(), "any");
}

#[test]
fn empty_values() {
    let (_dir, server) = mock(SWAGGER, &[]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (body, status) in [
        ("no=", 422),
        ("no", 422),
        ("no=x", 200),
        ("any=", 200),
        ("yes=", 200),
        ("yes=1", 200),
        ("yes=x", 422),
        ("z=1", 200),
    ] {
        assert_eq!(ask(&server, "POST /form", &form, body).status, status, "{body}");
    }
    for (query, status) in [("no=", 422), ("no", 422), ("no=x", 200), ("any=", 200), ("", 200)] {
        assert_eq!(server.get(&format!("/query?{query}")).status, status, "{query}");
    }
}

#[test]
fn lists_of_swagger_in_each_format_and_place() {
    let (_dir, server) = mock(SWAGGER, &[]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (body, status) in [
        ("csv=1,2", 200),
        ("csv=", 200),
        ("csv=1|2", 422),
        ("ssv=1+2", 200),
        ("tsv=1%092", 200),
        ("tsv=1,2", 422),
        ("pipes=1|2", 200),
        ("multi=1&multi=2", 200),
        ("multi=1,2", 422),
    ] {
        assert_eq!(ask(&server, "POST /form", &form, body).status, status, "{body}");
    }
    for (path, list, status) in [
        ("/lists/1%7C2", "1 2", 200),
        ("/lists/1|2", "1", 200),
        ("/lists/1,2", "1", 422),
        ("/lists/1?tsv=1%092", "1", 200),
        ("/lists/1?tsv=1,2", "1", 422),
        ("/lists/1", "1,2", 422),
    ] {
        let headers = [("x-list", list)];
        assert_eq!(
            ask(&server, &format!("GET {path}"), &headers, "").status,
            status,
            "{path} {list}"
        );
    }
}

const ANSWERS: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /any:
    get: {responses: {"200": {description: d, content: {"*/*": {schema: {type: object, properties: {a: {const: 1}}}}}}}}
  /example:
    get: {responses: {"200": {description: d, content: {"*/*": {example: {a: 1}}}}}}
  /tag:
    get: {responses: {"204": {description: d, headers: {ETag: {schema: {const: '"v1"'}}, X-List: {schema: {type: array, items: {const: a}}}}}}}
  /list:
    get: {responses: {"200": {description: d, content: {text/event-stream: {schema: {type: array, items: {type: object, properties: {a: {const: 1}}}}}}}}}
  /text:
    get: {responses: {"200": {description: d, content: {text/event-stream: {schema: {type: string, minLength: 1}}}}}}
  /open:
    post: {requestBody: {content: {application/json: {}}}, responses: {"201": {description: d}}}
  "/#Action=Create":
    post: {responses: {"200": {description: d, content: {text/plain: {example: create}}}}}
  "/#Action=Delete":
    post: {responses: {"200": {description: d, content: {text/plain: {example: delete}}}}}
"##;

#[test]
fn a_range_becomes_a_type_that_can_hold_the_body() {
    let (_dir, server) = mock(ANSWERS, &[]);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
    for path in ["/any", "/example"] {
        for (accept, status, content_type, body) in [
            ("*/*", 200, "application/json", "{\"a\":1}"),
            (browser, 200, "application/json", "{\"a\":1}"),
            ("application/xml", 200, "application/xml", "<a>1</a>"),
            ("image/png", 406, "application/problem+json", "none of the media types"),
        ] {
            let answer = ask(&server, &format!("GET {path}"), &[("accept", accept)], "");
            let found = (answer.status, answer.header("content-type").unwrap_or_default());
            assert_eq!(found, (status, content_type), "{path} {accept}");
            assert!(answer.text().contains(body), "{path} {accept}: {}", answer.text());
        }
    }
}

#[test]
fn values_of_headers_keep_their_quotes() {
    let (_dir, server) = mock(ANSWERS, &[]);
    let answer = server.get("/tag");
    assert_eq!((answer.header("etag"), answer.header("x-list")), (Some("\"v1\""), Some("a")));
}

/// A list is several events, and a text is the data of one.
#[test]
fn events_of_lists_and_texts() {
    let (_dir, server) = mock(ANSWERS, &[]);
    assert_eq!(server.get("/list").text(), "data: {\"a\":1}\n\n".repeat(3));
    let text = server.get("/text").text();
    assert!(text.starts_with("data: ") && text.ends_with("\n\n"), "{text}");
}

#[test]
fn the_depth_of_bodies_without_a_schema_is_limited() {
    let (_dir, server) = mock(ANSWERS, &[]);
    let json = [("content-type", "application/json")];
    for (body, status) in [
        ("[".repeat(3000) + &"]".repeat(3000), 422),
        ("{\"a\":".repeat(300) + "1" + &"}".repeat(300), 422),
        ("[".repeat(100) + &"]".repeat(100), 201),
    ] {
        assert_eq!(ask(&server, "POST /open", &json, &body).status, status);
    }
}

/// APIs of AWS have one path for all actions; their clients send the action in a form.
#[test]
fn a_form_tells_operations_with_one_path_apart() {
    let (_dir, server) = mock(ANSWERS, &[]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (body, expected) in [("Action=Delete&Id=1", "delete"), ("Action=Create", "create")] {
        assert_eq!(ask(&server, "POST /", &form, body).text(), expected);
    }
    assert_eq!(ask(&server, "POST /?Action=Delete", &[], "").text(), "delete");
}

const UPLOADS: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /body:
    post:
      requestBody:
        required: true
        content:
          application/octet-stream: {schema: {type: string, format: binary}}
          text/plain: {schema: {type: string, minLength: 1}}
          application/json: {schema: {}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: string}}}}
      responses: {"200": {description: d}}
"##;

/// An empty file and a form without fields are bodies; an empty JSON text is none.
#[test]
fn required_bodies_that_are_empty() {
    let (_dir, server) = mock(UPLOADS, &[]);
    for (content_type, status) in [
        (Some("application/octet-stream"), 200),
        (Some("application/x-www-form-urlencoded"), 200),
        (Some("text/plain"), 422),
        (Some("application/json"), 422),
        (None, 422),
    ] {
        let headers: Vec<_> = content_type.into_iter().map(|t| ("content-type", t)).collect();
        assert_eq!(ask(&server, "POST /body", &headers, "").status, status, "{content_type:?}");
    }
}

const WRONG: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a:
    get: {responses: {"200": {$ref: "#/components/responses/Both"}, "404": {$ref: "#/components/responses/Both"}}}
    post:
      security: [{gone: []}]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Wrong"}}}}
      responses: {"200": {$ref: "#/components/responses/Both"}}
  /b:
    get:
      security: [{gone: []}]
      responses: {"200": {description: d, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Wrong"}}}}}}
components:
  responses:
    Both: {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Wrong"}}, text/json: {schema: {$ref: "#/components/schemas/Wrong"}}}}
  schemas:
    Wrong:
      type: object
      required: [none]
      properties:
        ref: {$ref: "#/components/schemas/Gone"}
        number: {type: integer, example: text}
        literal: {type: string, pattern: "/^a/i"}
        nothing: {type: string, enum: []}
        none: {allOf: [{type: string}, {type: integer}]}
"##;

/// Parts that many operations share are reported once, in one file and in two specs alike.
#[test]
fn no_warning_is_given_twice() {
    let (dir, server) = mock(WRONG, &[]);
    server.get("/b");
    let said = server.stop().err();
    let mut lines: Vec<&str> = said.lines().filter(|line| line.contains("/components")).collect();
    for word in ["Gone", "number", "literal", "nothing", "none"] {
        assert!(lines.iter().any(|line| line.contains(word)), "{word}: {said}");
    }
    let count = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), count, "{said}");
    drop(dir);
}
