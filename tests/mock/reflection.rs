//! Answers reflect the request: its path, its body, and the kind of a union that was sent.

use serde_json::json;

use super::{ask, mock};

const USERS: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /users:
    post:
      requestBody:
        content:
          application/json: {schema: {$ref: "#/components/schemas/User"}}
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/User"}}
          application/xml: {schema: {$ref: "#/components/schemas/User"}}
      responses:
        "201":
          description: d
          headers: {Location: {schema: {type: string, format: uri}}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/User"}}
            application/xml: {schema: {$ref: "#/components/schemas/User"}}
  /users/{userName}:
    parameters: [{name: userName, in: path, required: true, schema: {type: string}}]
    get:
      responses: {"200": {description: d, content: {application/xml: {schema: {$ref: "#/components/schemas/User"}}}}}
  /jobs:
    post: {responses: {"201": {description: d, headers: {Location: {schema: {type: string}}}}}}
  /jobs/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {responses: {"200": {description: d}}}
components:
  schemas:
    User:
      type: object
      properties:
        userName: {type: string}
        age: {type: integer}
        tags: {type: array, items: {type: string}}
        address: {type: object, properties: {city: {type: string}}}
"##;

/// The item has no id, and one list, which does not make it an envelope.
#[test]
fn items_without_an_id_reflect_the_body() {
    let (_dir, server) = mock(USERS, &[]);
    let expected =
        json!({"userName": "a b", "age": 3, "tags": ["p", "q"], "address": {"city": "X"}});
    for (content_type, body) in [
        ("application/json", expected.to_string()),
        ("application/x-www-form-urlencoded", "userName=a+b&age=3&tags=p&tags=q&address[city]=X".to_owned()),
        ("application/xml", "<User><userName>a b</userName><age>3</age><tags>p</tags><tags>q</tags><address><city>X</city></address></User>".to_owned()),
    ] {
        let answer = ask(&server, "POST /users", &[("content-type", content_type)], &body);
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json(), expected, "{content_type}");
        assert_eq!(answer.header("location"), Some("/users/a%20b"), "{content_type}");
    }
}

#[test]
fn xml_reflects_the_request() {
    let (_dir, server) = mock(USERS, &[]);
    let answer = server.get("/users/bob");
    assert!(answer.text().contains("<userName>bob</userName>"), "{}", answer.text());
    let headers = [("content-type", "application/json"), ("accept", "application/xml")];
    let answer = ask(&server, "POST /users", &headers, r#"{"userName": "ann"}"#);
    assert!(answer.text().contains("<userName>ann</userName>"), "{}", answer.text());
    assert_eq!(answer.header("location"), Some("/users/ann"));
}

#[test]
fn a_location_without_a_body_is_the_uri_of_an_item() {
    let (_dir, server) = mock(USERS, &[]);
    let answer = ask(&server, "POST /jobs", &[], "").expect_status(201);
    let location = answer.header("location").unwrap_or_default();
    assert!(location.starts_with("/jobs/"), "{location}");
    server.get(location).expect_status(200);
    assert_eq!(ask(&server, "POST /jobs", &[], "").header("location"), Some(location));
}

const UNION: &str = r##"
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /pets:
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses: {"201": {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {responses: {"200": {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}}}
components:
  schemas:
    Pet:
      oneOf: [{$ref: "#/components/schemas/Cat"}, {$ref: "#/components/schemas/Dog"}]
      discriminator: {propertyName: kind}
    Cat: {type: object, required: [kind], properties: {id: {type: integer}, kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {id: {type: integer}, kind: {type: string}, bark: {type: string}}}
"##;

/// The branches have all their required properties in common.
#[test]
fn unions_reflect_the_kind_that_was_sent() {
    let (_dir, server) = mock(UNION, &[]);
    let json = [("content-type", "application/json")];
    let sent = r#"{"kind": "Dog", "bark": "woof", "id": 4}"#;
    let answer = ask(&server, "POST /pets", &json, sent).expect_status(201).json();
    assert_eq!(answer, json!({"id": 4, "kind": "Dog", "bark": "woof"}));
    let refused =
        ask(&server, "POST /pets", &json, r#"{"kind": "Bird"}"#).expect_status(422).text();
    assert!(refused.contains("/kind") && refused.contains(r#"\"Cat\", \"Dog\""#), "{refused}");
    let answer = server.get("/pets/77").expect_status(200).json();
    assert_eq!((&answer["id"], &answer["kind"]), (&json!(77), &json!("Cat")));
}
