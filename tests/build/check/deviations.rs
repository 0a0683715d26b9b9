//! Plants deviations into 10,000 exchanges of an API with 100 operations: all of them are found,
//! and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::harness::Dir;

const RESOURCES: usize = 25;
const EXCHANGES: usize = 10_000;

/// Collections with items, four operations each: 100 operations.
fn spec() -> Value {
    let item = json!({
        "type": "object", "required": ["id", "name"], "additionalProperties": false,
        "properties": {
            "id": {"type": "integer"}, "name": {"type": "string", "minLength": 1},
            "state": {"enum": ["new", "paid", "sent"]},
            "at": {"type": "string", "format": "date-time"},
            "price": {"type": "number", "minimum": 0},
            "tags": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
            "owner": {"$ref": "#/components/schemas/Owner"},
        },
    });
    let json_of = |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
    let mut paths = Map::new();
    for n in 0..RESOURCES {
        let limit = json!({"name": "limit", "in": "query", "required": true, "schema": {"type": "integer", "maximum": 100}});
        let id =
            json!({"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}});
        let problem = json!({"description": "problem", "content": json_of("Problem")});
        paths.insert(
            format!("/r{n:02}"),
            json!({
                "get": {"parameters": [limit], "responses": {
                    "200": {"description": "list", "headers": {"X-Total": {"required": true, "schema": {"type": "integer"}}},
                        "content": {"application/json": {"schema": {"type": "object", "required": ["items"],
                            "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}}}}},
                    "400": problem.clone()}},
                "post": {"requestBody": {"required": true, "content": json_of("Draft")}, "responses": {
                    "201": {"description": "made", "content": json_of("Item")}, "422": problem.clone()}},
            }),
        );
        paths.insert(
            format!("/r{n:02}/{{id}}"),
            json!({
                "parameters": [id],
                "get": {"responses": {"200": {"description": "one", "content": json_of("Item")}, "404": problem}},
                "delete": {"responses": {"204": {"description": "gone"}, "404": {"description": "none"}}},
            }),
        );
    }
    json!({
        "openapi": "3.0.3", "info": {"title": "shop", "version": "1"},
        "servers": [{"url": "https://shop.test/api"}], "paths": paths,
        "components": {"schemas": {
            "Item": item,
            "Owner": {"type": "object", "required": ["mail"], "properties": {"mail": {"type": "string", "format": "email"}, "age": {"type": "integer", "nullable": true}}},
            "Draft": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "price": {"type": "number"}}},
            "Problem": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}},
        }},
    })
}

fn item(n: usize) -> Value {
    let state = ["new", "paid", "sent"][n % 3];
    json!({
        "id": n, "name": format!("item {n}"), "state": state,
        "at": "2024-05-06T07:08:09Z", "price": n as f64 / 4.0, "tags": ["a", "b"],
        "owner": {"mail": "a@b.test", "age": null},
    })
}

/// The operations of a resource: method, suffix of the path, its template, and the usual status.
fn exchange(resource: usize, kind: usize, n: usize) -> (Value, String, u16) {
    let json_type = json!({"content-type": "application/json", "server": "nginx", "x-request-id": n.to_string()});
    let (method, path, template, asked, status, answered) = match kind {
        0 => {
            let items: Vec<Value> = (n..n + 3).map(item).collect();
            (
                "get",
                format!("/r{resource:02}?limit={}", n % 100),
                format!("/r{resource:02}"),
                Value::Null,
                200,
                json!({"items": items}),
            )
        }
        1 => (
            "post",
            format!("/r{resource:02}"),
            format!("/r{resource:02}"),
            json!({"name": "x", "price": 1}),
            201,
            item(n),
        ),
        2 if n.is_multiple_of(7) => (
            "get",
            format!("/r{resource:02}/{n}"),
            format!("/r{resource:02}/{{id}}"),
            Value::Null,
            404,
            json!({"title": "none"}),
        ),
        2 => (
            "get",
            format!("/r{resource:02}/{n}"),
            format!("/r{resource:02}/{{id}}"),
            Value::Null,
            200,
            item(n),
        ),
        _ => (
            "delete",
            format!("/r{resource:02}/{n}"),
            format!("/r{resource:02}/{{id}}"),
            Value::Null,
            204,
            Value::Null,
        ),
    };
    let mut headers = json!({"user-agent": "t", "accept": "*/*"});
    if !asked.is_null() {
        headers["content-type"] = "application/json".into();
    }
    let mut request = json!({"method": method, "protocol": "https", "host": "shop.test",
        "path": format!("/api{path}"), "headers": headers});
    let mut response = json!({"statusCode": status, "headers": json_type});
    if kind == 0 {
        response["headers"]["x-total"] = "3".into();
    }
    if !asked.is_null() {
        request["body"] = asked.to_string().into();
    }
    if answered.is_null() {
        response["headers"].as_object_mut().unwrap().remove("content-type");
    } else {
        response["body"] = answered.to_string().into();
    }
    (json!({"request": request, "response": response}), format!("{method} {template}"), status)
}

/// Changes the JSON in a body.
fn edit(exchange: &mut Value, side: &str, change: &dyn Fn(&mut Value)) {
    let mut body: Value = serde_json::from_str(exchange[side]["body"].as_str().unwrap()).unwrap();
    change(&mut body);
    exchange[side]["body"] = body.to_string().into();
}

type Plant = (usize, &'static str, &'static str, fn(&mut Value));

fn remove(body: &mut Value, name: &str) {
    body.as_object_mut().unwrap().remove(name);
}

/// The kind of operation, the rule, the place, and the change of an exchange.
const PLANTS: [Plant; 30] = [
    (0, "required", "response.body#", |e| edit(e, "response", &|b| remove(b, "items"))),
    (0, "required", "response.body#/items/1", |e| {
        edit(e, "response", &|b| remove(&mut b["items"][1], "name"));
    }),
    (0, "type", "response.body#/items/2/id", |e| {
        edit(e, "response", &|b| b["items"][2]["id"] = "7".into());
    }),
    (0, "type", "response.body#/items/0/tags/1", |e| {
        edit(e, "response", &|b| b["items"][0]["tags"][1] = 7.into());
    }),
    (0, "enum", "response.body#/items/0/state", |e| {
        edit(e, "response", &|b| b["items"][0]["state"] = "lost".into());
    }),
    (0, "additionalProperties", "response.body#/items/1/colour", |e| {
        edit(e, "response", &|b| b["items"][1]["colour"] = "red".into());
    }),
    (0, "undocumented-property", "response.body#/next", |e| {
        edit(e, "response", &|b| b["next"] = "x".into());
    }),
    (0, "required-parameter", "request.query.limit", |e| {
        e["request"]["path"] = e["request"]["path"].as_str().unwrap().split('?').next().into();
    }),
    (0, "type", "request.query.limit", |e| {
        e["request"]["path"] =
            e["request"]["path"].as_str().unwrap().replace("limit=", "limit=x").into();
    }),
    (0, "maximum", "request.query.limit", |e| {
        e["request"]["path"] =
            e["request"]["path"].as_str().unwrap().replace("limit=", "limit=9000").into();
    }),
    (0, "undocumented-parameter", "request.query.sort", |e| {
        e["request"]["path"] =
            (e["request"]["path"].as_str().unwrap().to_owned() + "&sort=id").into();
    }),
    (0, "required-header", "response.header.x-total", |e| {
        remove(&mut e["response"]["headers"], "x-total");
    }),
    (0, "type", "response.header.x-total", |e| e["response"]["headers"]["x-total"] = "many".into()),
    (0, "undocumented-header", "response.header.x-page", |e| {
        e["response"]["headers"]["x-page"] = "1".into();
    }),
    (0, "undocumented-header", "request.header.x-tenant", |e| {
        e["request"]["headers"]["x-tenant"] = "a".into();
    }),
    (0, "media-type", "response.header.content-type", |e| {
        e["response"]["headers"]["content-type"] = "text/html".into();
    }),
    (0, "body-syntax", "response.body#", |e| e["response"]["body"] = "{\"items\": [".into()),
    (1, "status", "response.status", |e| e["response"]["statusCode"] = 202.into()),
    (1, "required-body", "request.body#", |e| remove(&mut e["request"], "body")),
    (1, "required", "request.body#", |e| edit(e, "request", &|b| remove(b, "name"))),
    (1, "type", "request.body#/price", |e| edit(e, "request", &|b| b["price"] = "1".into())),
    (1, "undocumented-property", "request.body#/note", |e| {
        edit(e, "request", &|b| b["note"] = "x".into());
    }),
    (1, "media-type", "request.header.content-type", |e| {
        e["request"]["headers"]["content-type"] = "text/xml".into();
    }),
    (1, "minLength", "response.body#/name", |e| edit(e, "response", &|b| b["name"] = "".into())),
    (1, "minimum", "response.body#/price", |e| edit(e, "response", &|b| b["price"] = (-1).into())),
    (1, "maxItems", "response.body#/tags", |e| {
        edit(e, "response", &|b| b["tags"] = json!(["a", "b", "c", "d"]));
    }),
    (1, "format", "response.body#/at", |e| edit(e, "response", &|b| b["at"] = "yesterday".into())),
    (1, "required", "response.body#/owner", |e| edit(e, "response", &|b| b["owner"] = json!({}))),
    (3, "status", "response.status", |e| e["response"]["statusCode"] = 500.into()),
    (3, "undocumented-operation", "request.method", |e| e["request"]["method"] = "patch".into()),
];

/// The planted deviations, and an independent count of exchanges and statuses for each operation.
struct Traffic {
    lines: String,
    planted: BTreeSet<(String, String, String, String)>,
    coverage: BTreeMap<String, BTreeMap<String, u64>>,
}

fn traffic() -> Traffic {
    let (mut lines, mut planted, mut coverage) = (String::new(), BTreeSet::new(), BTreeMap::new());
    let mut state = 1_u64;
    for n in 0..EXCHANGES {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (mut resource, mut kind) =
            ((state >> 33) as usize % RESOURCES, (state >> 50) as usize % 4);
        // The last three are never deleted.
        if kind == 3 && resource >= RESOURCES - 3 {
            kind = 2;
        }
        let plant = PLANTS.get(n / 300).filter(|_| n % 300 == 299);
        if let Some((of_kind, ..)) = plant {
            kind = *of_kind;
            resource = n / 300 % (RESOURCES - 3);
        }
        let (mut exchange, operation, _) = exchange(resource, kind, n);
        if let Some((_, rule, pointer, change)) = plant {
            change(&mut exchange);
            let method = exchange["request"]["method"].as_str().unwrap().to_owned();
            let path = operation.split_once(' ').unwrap().1.to_owned();
            planted.insert((rule.to_string(), method, path, pointer.to_string()));
        }
        if plant.is_none_or(|(_, rule, ..)| *rule != "undocumented-operation") {
            let status = exchange["response"]["statusCode"].to_string();
            let statuses: &mut BTreeMap<String, u64> = coverage.entry(operation).or_default();
            *statuses.entry(status).or_default() += 1;
        }
        lines.push_str(&exchange.to_string());
        lines.push('\n');
    }
    Traffic { lines, planted, coverage }
}

#[test]
fn thirty_planted_deviations_are_found_and_nothing_else() {
    let (dir, traffic) = (Dir::new(), traffic());
    dir.write("spec.json", spec().to_string());
    dir.write("all.jsonl", &traffic.lines);
    let check = |args: &[&str]| {
        let program = dir.program("hmt-build").args(["--check", "spec.json", "--report", "json"]);
        program.args(args).run().expect_code(1)
    };
    let run = check(&["all.jsonl", "--threads", "1"]);
    let report = run.json();
    assert_eq!(report["exchanges"], EXCHANGES);
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap();
    let found: BTreeSet<_> = findings
        .iter()
        .map(|f| (text(f, "rule"), text(f, "method"), text(f, "path"), text(f, "pointer")))
        .collect();
    assert_eq!(traffic.planted.len(), 30);
    assert_eq!(found, traffic.planted);
    assert_eq!(findings.len(), 30);
    for finding in findings {
        assert_eq!(finding["count"], 1, "{finding}");
        let place = finding["examples"][0].as_str().unwrap();
        let line: usize = place.strip_prefix("all.jsonl:").unwrap().parse().unwrap();
        assert_eq!(line % 300, 0, "{finding}");
    }

    // Coverage equals the independent count.
    let operations = report["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 100);
    for operation in operations {
        let name = format!("{} {}", text(operation, "method"), text(operation, "path"));
        let counted = traffic.coverage.get(&name).cloned().unwrap_or_default();
        assert_eq!(operation["exchanges"], counted.values().sum::<u64>(), "{name}");
        assert_eq!(operation["statuses"], json!(counted), "{name}");
    }
    let mut expected = BTreeSet::new();
    for (path, item) in spec()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(responses) = operation["responses"].as_object() else { continue };
            match traffic.coverage.get(&format!("{method} {path}")) {
                None => drop(expected.insert(format!("{method} {path} "))),
                Some(seen) => {
                    let unseen = responses.keys().filter(|status| !seen.contains_key(*status));
                    expected.extend(unseen.map(|status| format!("{method} {path} {status}")));
                }
            }
        }
    }
    let uncovered: BTreeSet<String> = report["uncovered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| format!("{} {} {}", text(u, "method"), text(u, "path"), text(u, "status")))
        .collect();
    assert_eq!(uncovered, expected);
    assert!(expected.contains("delete /r24/{id} "));

    // The report is the same on any number of threads, and for several inputs.
    assert_eq!(check(&["all.jsonl", "--threads", "3"]).json(), report);
}
