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
    for (body, status) in [("no=", 422), ("no", 422), ("no=x", 200), ("any=", 200), ("z=1", 200)] {
        assert_eq!(ask(&server, "POST /form", &form, body).status, status, "{body}");
    }
    for (query, status) in [("no=", 422), ("no", 422), ("no=x", 200), ("any=", 200), ("", 200)] {
        assert_eq!(server.get(&format!("/query?{query}")).status, status, "{query}");
    }
}
