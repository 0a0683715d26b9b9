//! Operations that annotations make stateful, without `--stateful`.

use serde_json::{Value, json};

use crate::harness::{Response, Server};

use super::{mock, source};

const ITEMS: &str = r##"
openapi: 3.0.3
info: {title: Items, version: "1"}
paths:
  /items:
    x-meeshkan-entity: Item
    get:
      x-meeshkan-operation: read
      responses:
        "200":
          description: all
          content:
            application/json:
              schema:
                type: object
                required: [found, at]
                properties:
                  found: {type: array, items: {$ref: "#/components/schemas/Item"}}
                  at: {type: string, enum: [here]}
    post:
      x-meeshkan-operation: insert
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [item], properties: {item: {$ref: "#/components/schemas/Item"}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}}
  /shops/{shop}/items/{id}:
    x-hmt-entity: Item
    parameters:
    - {name: id, in: path, required: true, schema: {type: string}}
    - {name: shop, in: path, required: true, schema: {type: string}}
    get:
      x-hmt-operation: read
      responses:
        "200": {description: one, content: {application/json: {schema: {type: object, required: [item], properties: {item: {$ref: "#/components/schemas/Item"}}}}}}
    put:
      x-hmt-operation: upsert
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}}
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}}
    delete:
      x-hmt-operation: delete
      responses: {"200": {description: gone}, "404": {description: none}}
  /others/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}}
components:
  schemas:
    Item:
      x-meeshkan-id-path: $.itemId
      type: object
      required: [itemId]
      properties:
        itemId: {type: string}
        name: {type: string}
        more: {type: object}
x-meeshkan-data:
  Item: [{itemId: one, name: first}]
"##;

fn send(server: &Server, method: &str, path: &str, body: &Value) -> Response {
    server.request(method, path).json(body).send()
}

#[test]
fn annotated_operations_keep_state() {
    let (_dir, server) = mock(ITEMS, &["--no-validate"]);
    let all = server.get("/items").expect_status(200);
    assert_eq!(source(&all), "state");
    let first = json!({"itemId": "one", "name": "first"});
    assert_eq!(all.json(), json!({"found": [first], "at": "here"}));
    assert_eq!(server.get("/shops/x/items/one").json(), json!({"item": first}));
    server.get("/shops/x/items/two").expect_status(404);

    // A missing id is a UUID; an id that is in use is refused, whether 409 is declared or not.
    let made = send(&server, "POST", "/items", &json!({"item": {"name": "new"}}));
    let made = made.expect_status(201).json();
    assert_eq!(made["itemId"].as_str().unwrap().len(), 36);
    let two = json!({"itemId": "two", "name": "second", "more": {"a": 1}});
    send(&server, "POST", "/items", &json!({"item": two})).expect_status(201);
    send(&server, "POST", "/items", &json!({"item": two})).expect_status(409);
    assert_eq!(server.get("/items").json()["found"].as_array().unwrap().len(), 3);

    let merged = send(&server, "PUT", "/shops/x/items/two", &json!({"more": {"b": 2}}));
    let expected = json!({"itemId": "two", "name": "second", "more": {"a": 1, "b": 2}});
    assert_eq!(merged.expect_status(200).json(), expected);
    let added = send(&server, "PUT", "/shops/x/items/three", &json!({"name": "third"}));
    assert_eq!(added.expect_status(200).json(), json!({"itemId": "three", "name": "third"}));
    server.request("DELETE", "/shops/x/items/two").send().expect_status(200);
    server.request("DELETE", "/shops/x/items/two").send().expect_status(404);
    assert_eq!(source(&server.get("/others/9").expect_status(200)), "generated");
    server.admin("POST", "/storage/reset").send().expect_status(200);
    assert_eq!(server.get("/items").json()["found"], json!([first]));
    server.admin("DELETE", "/storage").send().expect_status(200);
    assert_eq!(server.get("/items").json()["found"], json!([]));
}
