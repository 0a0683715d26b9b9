//! Operations that keep state with `--stateful`: collections and items, found by their paths and
//! schemas.

use serde_json::{Value, json};

use crate::harness::{Response, Server};

use super::{mock, source};

const SHOP: &str = r##"
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: https://shop.test/v1}]
paths:
  /users:
    get:
      parameters:
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 3}}
      - {name: offset, in: query, schema: {type: integer, minimum: 0}}
      - {name: status, in: query, schema: {type: array, items: {type: string}}}
      - {name: sort, in: query, schema: {type: string}}
      responses:
        "200":
          description: all
          headers: {Link: {schema: {type: string}}, X-Total-Count: {schema: {type: integer}}}
          content:
            application/json:
              schema:
                type: object
                required: [data, meta]
                properties:
                  data: {type: array, items: {$ref: "#/components/schemas/User"}}
                  meta:
                    type: object
                    required: [total]
                    properties:
                      total: {type: integer}
                      next: {type: string, nullable: true}
                      limit: {type: integer}
                      offset: {type: integer}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
  /users/{userId}:
    parameters: [{name: userId, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        "200":
          description: one
          headers: {ETag: {schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}
        "404": {description: none, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
    put:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
        "412": {description: changed meanwhile}
    patch:
      requestBody:
        required: true
        content:
          application/merge-patch+json: {schema: {type: object}}
          application/json-patch+json: {schema: {type: array, items: {type: object}}}
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}
    delete:
      responses: {"204": {description: gone}}
  /users/{userId}/orders:
    parameters: [{name: userId, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        "200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Order"}}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  /users/{userId}/orders/{orderId}:
    parameters: &order
    - {name: userId, in: path, required: true, schema: {type: integer}}
    - {name: orderId, in: path, required: true, schema: {type: string, format: uuid}}
    get:
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  /users/{userId}/orders/{orderId}/cancel:
    parameters: *order
    post:
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  /users/{userId}/orders/{orderId}/label:
    parameters: *order
    get:
      responses:
        "200": {description: one, content: {application/json: {schema: {type: object, required: [zpl], properties: {zpl: {type: string}}}}}}
  /settings:
    get:
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}
    patch:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}
  /codes/{code}:
    parameters: [{name: code, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Code"}}}}
    put:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Code"}}}}
      responses:
        "200": {description: changed, content: {application/json: {schema: {$ref: "#/components/schemas/Code"}}}}
        "201": {description: made, content: {application/json: {schema: {$ref: "#/components/schemas/Code"}}}}
components:
  schemas:
    User:
      type: object
      required: [id, name, created_at]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string}
        status: {type: string, enum: [active, blocked], default: active}
        password: {type: string, writeOnly: true}
        email: {type: string, nullable: true}
        created_at: {type: string, format: date-time, readOnly: true}
        updatedAt: {type: integer, readOnly: true}
    Order:
      type: object
      required: [id, sku, userId]
      properties:
        id: {type: string, format: uuid, readOnly: true}
        sku: {type: string}
        userId: {type: integer, readOnly: true}
    Settings: {type: object, properties: {theme: {type: string, example: dark}, size: {type: integer, example: 3}}}
    Code: {type: object, required: [code, text], properties: {code: {type: string}, text: {type: string}}}
    Error: {type: object, required: [message], properties: {message: {type: string, example: no}}}
"##;

fn send(server: &Server, method: &str, path: &str, body: &Value) -> Response {
    server.request(method, path).json(body).send()
}

fn add(server: &Server, path: &str, body: &Value) -> Value {
    send(server, "POST", path, body).expect_status(201).json()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["data"].as_array().or(list.as_array()).unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn items_are_made_read_changed_and_deleted() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    let empty = server.get("/users").expect_status(200);
    assert_eq!(source(&empty), "state");
    assert_eq!(empty.json()["data"], json!([]));
    // The server chooses the id. A response contains neither the password nor properties that are
    // not in its schema.
    let sent = json!({"id": 99, "name": "Ann", "password": "x", "passcode": "y"});
    let made = send(&server, "POST", "/v1/users", &sent).expect_status(201);
    assert_eq!(made.header("location"), Some("/v1/users/1"));
    let made = made.json();
    assert_eq!(made["id"], 1);
    assert_eq!(made["status"], "active");
    assert!(made.get("password").is_none() && made.get("passcode").is_none(), "{made}");
    assert!(made.get("email").is_none(), "{made}");
    let read = server.get("/users/1").expect_status(200);
    assert_eq!(read.json(), made);
    assert_eq!(server.get("/users/1").body, read.body);
    assert_eq!(server.get("/users/2").expect_status(404).json(), json!({"message": "no"}));

    let put = json!({"name": "Bea", "status": "blocked", "created_at": "2000-01-01T00:00:00Z"});
    let put = send(&server, "PUT", "/users/1", &put).expect_status(200).json();
    assert_eq!((&put["id"], &put["name"]), (&json!(1), &json!("Bea")));
    assert_eq!(put["created_at"], made["created_at"]);
    let patch = |kind: &str, body: Value| {
        let request = server.request("PATCH", "/users/1").header("content-type", kind);
        request.body(body.to_string()).send()
    };
    let merged = patch("application/merge-patch+json", json!({"email": "a@b.test"}));
    assert_eq!(merged.expect_status(200).json()["email"], "a@b.test");
    let merged = patch("application/merge-patch+json", json!({"email": null, "status": null}));
    let merged = merged.expect_status(200).json();
    assert!(merged.get("email").is_none() && merged.get("status").is_none(), "{merged}");
    let operations = json!([
        {"op": "test", "path": "/name", "value": "Bea"},
        {"op": "replace", "path": "/name", "value": "Cid"},
    ]);
    let patched = patch("application/json-patch+json", operations.clone());
    assert_eq!(patched.expect_status(200).json()["name"], "Cid");
    patch("application/json-patch+json", operations).expect_status(422);
    assert_eq!(server.get("/users/1").json()["name"], "Cid");

    server.request("DELETE", "/users/1").send().expect_status(204);
    server.request("DELETE", "/users/1").send().expect_status(404);
    server.get("/users/1").expect_status(404);
    send(&server, "PUT", "/users/1", &json!({"name": "x"})).expect_status(404);
    // An id is not used again.
    assert_eq!(add(&server, "/users", &json!({"name": "Dan"}))["id"], 2);
    // HEAD responds like GET.
    let head = server.request("HEAD", "/users/2").send().expect_status(200);
    assert!(head.header("content-length").is_some() && head.body.is_empty());
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    for (name, status) in [
        ("Ann", "active"),
        ("Eve", "blocked"),
        ("Ben", "blocked"),
        ("Cid", "active"),
        ("Dan", "active"),
    ] {
        add(&server, "/users", &json!({"name": name, "status": status}));
    }
    let get = |query: &str| server.get(&format!("/v1/users{query}")).expect_status(200);
    let first = get("");
    assert_eq!(first.header("x-total-count"), Some("5"));
    let link = first.header("link").unwrap().to_owned();
    assert!(link.contains("offset=3>; rel=\"next\""), "{link}");
    let first = first.json();
    assert_eq!(names(&first), ["Ann", "Eve", "Ben"]);
    let next = first["meta"]["next"].as_str().unwrap();
    assert_eq!(first["meta"], json!({"total": 5, "next": next, "limit": 3, "offset": 0}));
    let path = next.strip_prefix(&server.url()).unwrap();
    let second = server.get(path).json();
    assert_eq!(names(&second), ["Cid", "Dan"]);
    assert_eq!(second["meta"]["next"], Value::Null);
    assert_eq!(names(&get("?sort=-name&limit=2").json()), ["Eve", "Dan"]);
    assert_eq!(names(&get("?status=blocked&sort=name").json()), ["Ben", "Eve"]);
    let any = get("?status=blocked&status=active&limit=50").json();
    assert_eq!(any["meta"]["total"], 5);
    assert_eq!(names(&get("?name=Cid").json()), ["Cid"]);
    assert_eq!(get("?status=none").json()["data"], json!([]));
    server.get("/users?limit=51").expect_status(422);
}

#[test]
fn nested_items_belong_to_their_parents() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    for name in ["Ann", "Ben"] {
        add(&server, "/users", &json!({"name": name}));
    }
    let order = add(&server, "/users/1/orders", &json!({"sku": "a"}));
    assert_eq!(order["userId"], 1);
    let id = order["id"].as_str().unwrap();
    assert_eq!(server.get("/users/1/orders").json(), json!([order]));
    assert_eq!(server.get("/users/2/orders").json(), json!([]));
    server.get("/users/3/orders").expect_status(404);
    send(&server, "POST", "/users/3/orders", &json!({"sku": "b"})).expect_status(404);
    assert_eq!(server.get(&format!("/users/1/orders/{id}")).json(), order);
    server.get(&format!("/users/2/orders/{id}")).expect_status(404);
    // An action returns the item.
    let path = format!("/users/1/orders/{id}/cancel");
    assert_eq!(server.request("POST", &path).send().expect_status(200).json(), order);
    server.request("POST", &path.replace("/1/", "/2/")).send().expect_status(404);
    // Other data below the item is generated.
    let label = server.get(&format!("/users/1/orders/{id}/label")).expect_status(200);
    assert_eq!(source(&label), "generated");
    // Entities below an item are deleted with it.
    server.request("DELETE", "/users/1").send().expect_status(204);
    server.get(&format!("/users/1/orders/{id}/label")).expect_status(404);
    server.get(&format!("/users/1/orders/{id}")).expect_status(404);
}

#[test]
fn there_is_one_of_some_things() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    assert_eq!(server.get("/settings").json(), json!({"theme": "dark", "size": 3}));
    send(&server, "PATCH", "/settings", &json!({"theme": "light"})).expect_status(200);
    assert_eq!(server.get("/settings").json(), json!({"theme": "light", "size": 3}));
}

#[test]
fn put_makes_an_item_where_it_may() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    server.get("/codes/x").expect_status(404);
    let code = json!({"code": "x", "text": "one"});
    let made = send(&server, "PUT", "/codes/x", &code).expect_status(201);
    assert_eq!(made.header("location"), Some("/codes/x"));
    let changed = json!({"code": "y", "text": "two"});
    let changed = send(&server, "PUT", "/codes/x", &changed).expect_status(200).json();
    assert_eq!(changed, json!({"code": "x", "text": "two"}));
    server.get("/codes/y").expect_status(404);
}

#[test]
fn changes_depend_on_entity_tags() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    add(&server, "/users", &json!({"name": "Ann"}));
    let tag = server.get("/users/1").header("etag").unwrap().to_owned();
    let put = |tag: &str, name: &str| {
        let request = server.request("PUT", "/users/1").header("if-match", tag);
        request.json(&json!({"name": name})).send().status
    };
    assert_eq!(put("\"other\"", "Ben"), 412);
    assert_eq!(put(&tag, "Ben"), 200);
    assert_eq!(put(&tag, "Cid"), 412);
    assert_eq!(server.get("/users/1").json()["name"], "Ben");
}

#[test]
fn a_client_can_prefer_other_answers_and_the_admin_port_resets() {
    let (_dir, server) = mock(SHOP, &["--stateful"]);
    server.get("/users/7").expect_status(404);
    let made = server.request("GET", "/users/7").header("prefer", "code=200").send();
    assert_eq!((made.status, source(&made)), (200, "generated"));
    add(&server, "/users", &json!({"name": "Ann"}));
    let shown = server.admin("GET", "/storage").send().json();
    assert_eq!(shown["entities"]["User"][0]["name"], "Ann");
    server.admin("POST", "/storage/reset").send().expect_status(200);
    server.get("/users/1").expect_status(404);
    server.get("/settings").expect_status(200);
    server.admin("DELETE", "/storage").send().expect_status(200);
    server.get("/users/1").expect_status(404);
    assert_eq!(server.get("/settings").json(), json!({"theme": "dark", "size": 3}));
    // Invalid requests are refused first.
    send(&server, "POST", "/users", &json!({"name": 1})).expect_status(422);
    let (_dir, stateless) = mock(SHOP, &[]);
    assert_eq!(source(&stateless.get("/users/7")), "generated");
}
