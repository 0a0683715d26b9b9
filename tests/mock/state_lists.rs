//! Lists of a stateful mock: envelopes, cursors, pages, and the initial items.

use serde_json::{Value, json};

use crate::harness::Server;

use super::mock;

/// A spec with a collection `/things` whose list has parameters and a schema.
fn spec(parameters: &str, list: &str, more: &str) -> String {
    format!(
        r##"
openapi: 3.0.3
info: {{title: Things, version: "1"}}
paths:
  /api/things:
    get:
      parameters: {parameters}
      responses:
        "200": {{description: all, content: {{application/json: {{schema: {list}}}}}}}
    post:
      requestBody: {{required: true, content: {{application/json: {{schema: {{$ref: "#/components/schemas/Thing"}}}}}}}}
      responses:
        "201": {{description: made, content: {{application/json: {{schema: {{$ref: "#/components/schemas/Thing"}}}}}}}}
  /api/things/{{thing_id}}:
    get:
      parameters: [{{name: thing_id, in: path, required: true, schema: {{type: string}}}}]
      responses:
        "200": {{description: one, content: {{application/json: {{schema: {{$ref: "#/components/schemas/Thing"}}}}}}}}
components:
  schemas:
    Thing:
      type: object
      required: [id, name]
      properties: {{id: {{type: string}}, name: {{type: string}}, price: {{type: number}}, tags: {{type: array, items: {{type: string}}}}}}
{more}
"##
    )
}

fn fill(server: &Server, count: usize) {
    for number in 1..=count {
        let tags = if number % 2 == 0 { json!(["even"]) } else { json!([]) };
        let thing = json!({"id": format!("t{number}"), "name": format!("n{number}"), "price": number, "tags": tags});
        server.request("POST", "/api/things").json(&thing).send().expect_status(201);
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|thing| thing["id"].as_str().unwrap()).collect()
}

#[test]
fn pages_have_numbers_links_and_totals() {
    let list = r##"{type: object, required: [count, next, previous, results], properties: {count: {type: integer},
        next: {type: string, format: uri, nullable: true}, previous: {type: string, format: uri, nullable: true},
        results: {type: array, items: {$ref: "#/components/schemas/Thing"}}}}"##;
    let parameters = "[{name: page, in: query, schema: {type: integer}}, {name: page_size, in: query, schema: {type: integer, maximum: 4}}]";
    let (_dir, server) = mock(&spec(parameters, list, ""), &["--stateful"]);
    fill(&server, 5);
    let first = server.get("/api/things?page_size=2").json();
    assert_eq!((&first["count"], &first["previous"]), (&json!(5), &Value::Null));
    assert_eq!(ids(&first["results"]), ["t1", "t2"]);
    let next = first["next"].as_str().unwrap().strip_prefix(&server.url()).unwrap().to_owned();
    let second = server.get(&next).json();
    assert_eq!(ids(&second["results"]), ["t3", "t4"]);
    let next = second["next"].as_str().unwrap().strip_prefix(&server.url()).unwrap().to_owned();
    let last = server.get(&next).json();
    assert_eq!((ids(&last["results"]), &last["next"]), (vec!["t5"], &Value::Null));
    assert!(last["previous"].as_str().unwrap().contains("page=2"));
    assert_eq!(ids(&server.get("/api/things?page=9").json()["results"]), [""; 0]);
}

#[test]
fn cursors_lead_through_a_list_that_changes() {
    let list = r##"{type: object, required: [items], properties: {items: {type: array, items: {$ref: "#/components/schemas/Thing"}},
        total: {type: integer}, has_more: {type: boolean}, next_cursor: {type: string}}}"##;
    let parameters = "[{name: cursor, in: query, schema: {type: string}}, {name: limit, in: query, schema: {type: integer, default: 2}}]";
    let (_dir, server) = mock(&spec(parameters, list, ""), &["--stateful"]);
    fill(&server, 5);
    let mut seen = Vec::new();
    let mut path = "/api/things".to_owned();
    loop {
        let page = server.get(&path).expect_status(200).json();
        assert_eq!(page["total"], 5);
        seen.extend(ids(&page["items"]).into_iter().map(str::to_owned));
        assert_eq!(page["has_more"], page.get("next_cursor").is_some());
        let Some(cursor) = page.get("next_cursor") else { break };
        path = format!("/api/things?cursor={}", cursor.as_str().unwrap());
    }
    assert_eq!(seen, ["t1", "t2", "t3", "t4", "t5"]);
    // The id of an item is a cursor too.
    assert_eq!(ids(&server.get("/api/things?cursor=t3").json()["items"]), ["t4", "t5"]);
}

#[test]
fn lists_are_filtered_by_lists_ranges_and_texts() {
    let list = r##"{type: array, items: {$ref: "#/components/schemas/Thing"}}"##;
    let parameters = "[{name: tags, in: query, schema: {type: array, items: {type: string}}}, {name: min_price, in: query, schema: {type: number}}, {name: q, in: query, schema: {type: string}}, {name: id, in: query, explode: false, schema: {type: array, items: {type: string}}}]";
    let (_dir, server) = mock(&spec(parameters, list, ""), &["--stateful"]);
    fill(&server, 5);
    for (query, expected) in [
        ("tags=even", vec!["t2", "t4"]),
        ("tags=even&min_price=3", vec!["t4"]),
        ("q=N5", vec!["t5"]),
        ("id=t1,t3", vec!["t1", "t3"]),
        ("price=2", vec!["t2"]),
    ] {
        assert_eq!(ids(&server.get(&format!("/api/things?{query}")).json()), expected, "{query}");
    }
    let hal = r##"{type: object, properties: {_embedded: {type: object, properties: {things: {type: array, items: {$ref: "#/components/schemas/Thing"}}}},
        _links: {type: object, properties: {next: {type: object, properties: {href: {type: string}}}, self: {type: object, properties: {href: {type: string}}}}},
        page: {type: object, properties: {size: {type: integer}, totalElements: {type: integer}, totalPages: {type: integer}, number: {type: integer}}}}}"##;
    let parameters = "[{name: page, in: query, schema: {type: integer, minimum: 0, default: 0}}, {name: size, in: query, schema: {type: integer, default: 2}}]";
    let (_dir, server) = mock(&spec(parameters, hal, ""), &["--stateful"]);
    fill(&server, 5);
    let page = server.get("/api/things?page=1").json();
    assert_eq!(ids(&page["_embedded"]["things"]), ["t3", "t4"]);
    assert_eq!(page["page"], json!({"size": 2, "totalElements": 5, "totalPages": 3, "number": 1}));
    assert!(page["_links"]["next"]["href"].as_str().unwrap().contains("page=2"));
    let last = server.get("/api/things?page=2").json();
    assert!(last["_links"].get("next").is_none(), "{last}");
}

#[test]
fn the_first_items_come_from_data_examples_or_recordings() {
    let list = r##"{type: array, items: {$ref: "#/components/schemas/Thing"}}"##;
    let data = "x-hmt-data: {things: [{id: a, name: one}]}";
    let (_dir, server) = mock(&spec("[]", list, data), &["--stateful"]);
    assert_eq!(server.get("/api/things").json(), json!([{"id": "a", "name": "one"}]));
    let example = format!("{list}, example: [{{id: b, name: two}}]");
    let (_dir, server) = mock(&spec("[]", &example, ""), &["--stateful"]);
    assert_eq!(server.get("/api/things/b").json(), json!({"id": "b", "name": "two"}));
    let recordings = r##"
x-hmt-replay:
- key: {method: get, origin: "http://api.test", path: "/api/things/c"}
  answers: [{status: 200, headers: {content-type: application/json}, body: '{"id":"c","name":"three","price":3}'}]
- key: {method: get, origin: "http://api.test", path: "/api/things"}
  answers: [{status: 200, headers: {content-type: application/json}, body: '[{"id":"c","name":"three"},{"id":"d","name":"four"}]'}]
"##;
    let (_dir, server) = mock(&spec("[]", list, recordings), &["--stateful"]);
    let three = json!({"id": "c", "name": "three", "price": 3});
    assert_eq!(server.get("/api/things/c").json(), three);
    assert_eq!(ids(&server.get("/api/things").json()), ["c", "d"]);
    fill(&server, 1);
    assert_eq!(ids(&server.get("/api/things").json()), ["c", "d", "t1"]);
}

#[test]
fn an_item_may_come_as_a_list_of_one_and_state_outlives_changed_specs() {
    let pets = r##"
openapi: 3.0.3
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      responses:
        "200": {description: all, content: {application/json: {schema: {$ref: "#/components/schemas/Pets"}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses:
        "201": {description: made}
        "409": {description: taken, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
        default: {description: wrong, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
  /pets/{petId}:
    get:
      parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {description: one, content: {application/json: {schema: {$ref: "#/components/schemas/Pets"}}}}
        default: {description: wrong, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
components:
  schemas:
    Pet: {type: object, required: [id, name], properties: {id: {type: integer}, name: {type: string}}}
    Pets: {type: array, items: {$ref: "#/components/schemas/Pet"}}
    Error: {type: object, required: [why], properties: {why: {type: string}}}
"##;
    let (dir, server) = mock(pets, &["--stateful", "--watch"]);
    let tom = json!({"id": 7, "name": "Tom"});
    let made = server.request("POST", "/pets").json(&tom).send().expect_status(201);
    assert_eq!((made.header("location"), made.body.as_slice()), (Some("/pets/7"), &b""[..]));
    let taken = server.request("POST", "/pets").json(&tom).send().expect_status(409);
    assert!(taken.json()["why"].is_string());
    assert_eq!(server.get("/pets/7").expect_status(200).json(), json!([tom]));
    assert!(server.get("/pets/8").expect_status(404).json()["why"].is_string());
    // Existing items are valid by the changed schema when they are read.
    let changed = pets.replace("required: [id, name],", "required: [id, name, age],");
    let changed = changed.replace(
        "name: {type: string}}",
        "name: {type: string}, age: {type: integer, example: 3}}",
    );
    dir.write("spec.yaml", changed);
    server.wait_stderr("reloaded:");
    let fitted = json!({"id": 7, "name": "Tom", "age": 3});
    assert_eq!(server.get("/pets").json(), json!([fitted]));
}
