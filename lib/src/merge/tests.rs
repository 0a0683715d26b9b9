//! The laws of merging on random built documents, and cases that those do not cover.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::recorded::is_recordings_only;
use crate::spec::{Document, Format, Version, load, to_text};

pub(super) fn document(root: Value) -> Document {
    Document { root, source: "random".to_owned(), version: Version::V3_0, warnings: Vec::new() }
}

fn merge(documents: &[&Value]) -> Value {
    let documents: Vec<Document> = documents.iter().map(|root| document((*root).clone())).collect();
    specs(&documents, ConflictPolicy::Union).expect("merges")
}

fn text(root: &Value) -> String {
    to_text(root, Format::Yaml)
}

fn schema() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"type": "integer"})),
        Just(json!({"type": "string", "format": "date"})),
        Just(json!({"type": "string", "enum": ["a", "b"]})),
        Just(json!({"enum": [{"a": 1, "b": "2024-01-15"}]})),
        Just(json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}})),
        Just(
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}})
        ),
        Just(json!({"type": "object", "properties": {"a": {"type": "string", "nullable": true}}})),
    ]
}

fn parameters() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::btree_map("[pq]", (schema(), any::<bool>()), 0..3).prop_map(|all| {
        all.into_iter()
            .map(|(name, (schema, required))| {
                let mut parameter = json!({"name": name, "in": "query"});
                if required {
                    parameter["required"] = json!(true);
                }
                parameter["schema"] = schema;
                parameter
            })
            .collect()
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let body = prop::option::of((schema(), any::<bool>()));
    let responses = prop::collection::btree_map(
        prop_oneof![Just("200"), Just("404"), Just("default")],
        prop::option::of(schema()),
        1..3,
    );
    (parameters(), body, responses).prop_map(|(parameters, body, responses)| {
        let mut operation = Map::new();
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), parameters.into());
        }
        if let Some((schema, required)) = body {
            let mut body = json!({});
            if required {
                body["required"] = json!(true);
            }
            body["content"] = json!({"application/json": {"schema": schema}});
            operation.insert("requestBody".to_owned(), body);
        }
        let responses: Map<_, _> = responses
            .into_iter()
            .map(|(status, schema)| {
                let mut response = json!({"description": status});
                if let Some(schema) = schema {
                    response["content"] = json!({"application/json": {"schema": schema}});
                }
                (status.to_owned(), response)
            })
            .collect();
        operation.insert("responses".to_owned(), responses.into());
        operation.into()
    })
}

fn path_item(names: &str, operations: Vec<(&'static str, Value)>) -> Value {
    let mut item = Map::new();
    if !names.is_empty() {
        item.insert(
            "parameters".to_owned(),
            json!([{"name": names, "in": "path", "required": true, "schema": {"type": "string"}}]),
        );
    }
    item.extend(operations.into_iter().map(|(method, operation)| (method.to_owned(), operation)));
    item.into()
}

fn replay() -> impl Strategy<Value = Vec<Value>> {
    let answers = prop::collection::vec((0..3_u64, "[ab]"), 1..4);
    prop::collection::btree_map("/[ab]", answers, 0..3).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(path, mut answers)| {
                answers.sort();
                let answers: Vec<Value> = answers
                    .into_iter()
                    .map(|(seq, body)| json!({"body": body, "headers": {}, "seq": seq, "status": 200}))
                    .collect();
                json!({"key": {"method": "get", "origin": "http://a", "path": path}, "answers": answers})
            })
            .collect()
    })
}

/// A document as a builder writes it: sorted, with one or several hosts.
pub(super) fn built() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        Just(("/a", "")),
        Just(("/a/", "")),
        Just(("/a/{id}", "id")),
        Just(("/a/{name}", "name")),
        Just(("/b", "")),
        Just(("/b/{id}/c", "id")),
    ];
    let operations =
        (prop::option::of(operation()), prop::option::of(operation())).prop_map(|(get, post)| {
            [("get", get), ("post", post)]
                .into_iter()
                .filter_map(|(m, o)| Some((m, o?)))
                .collect::<Vec<_>>()
        });
    let paths = prop::collection::vec((path, operations), 0..4);
    let hosts = prop::collection::btree_set("http://[ab]", 0..3);
    // Only objects become components.
    let component = schema().prop_map(|schema| {
        if schema["type"] == "object" { schema } else { json!({"type": "object"}) }
    });
    (paths, hosts, component, prop::option::of(replay())).prop_map(
        |(paths, hosts, component, replay)| {
            let mut items: Map<String, Value> = Map::new();
            for ((template, name), operations) in paths {
                // A document has each path once, regardless of names and spelling.
                let bare = |path: &str| path.trim_end_matches('/').replace("{name}", "{id}");
                if !operations.is_empty() && !items.keys().any(|key| bare(key) == bare(template)) {
                    items.insert(template.to_owned(), path_item(name, operations));
                }
            }
            items.sort_keys();
            let mut root = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1.0.0"}});
            if !hosts.is_empty() {
                root["servers"] = hosts.iter().map(|host| json!({"url": host})).collect();
            }
            root["paths"] = items.into();
            root["components"] = json!({"schemas": {"A": component}});
            if let Some(replay) = replay {
                root["x-hmt-replay"] = replay.into();
            }
            // Recordings without inferred schemas have other paths: only those of the recordings.
            if is_recordings_only(&root) {
                root.as_object_mut().expect("an object").shift_remove("x-hmt-replay");
            }
            root
        },
    )
}

proptest! {
    #[test]
    fn laws(a in built(), b in built(), c in built()) {
        prop_assert_eq!(text(&merge(&[&a, &a])), text(&a), "a document with itself is itself");
        prop_assert_eq!(text(&merge(&[&a, &b])), text(&merge(&[&b, &a])), "the order does not matter");
        let (left, right) = (merge(&[&a, &b]), merge(&[&b, &c]));
        prop_assert_eq!(text(&merge(&[&left, &c])), text(&merge(&[&a, &right])), "nor the grouping");
        prop_assert_eq!(text(&merge(&[&left, &b])), text(&left), "what is in it adds nothing");
    }

    #[test]
    fn what_is_merged_is_openapi(a in built(), b in built()) {
        let merged = merge(&[&a, &b]);
        let typed: Result<openapiv3::OpenAPI, _> = serde_json::from_value(merged.clone());
        prop_assert!(typed.is_ok(), "{:?} {}", typed.err(), merged);
        let read = load(text(&merged).as_bytes(), "merged.yaml").expect("loads");
        prop_assert_eq!(read.root, merged);
    }
}

fn yaml(text: &str) -> Document {
    load(text.as_bytes(), "test.yaml").expect("loads")
}

pub(super) fn spec(rest: &str) -> Document {
    yaml(&format!("openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\n{rest}"))
}

#[test]
fn recordings_go_under_templates_that_take_them() {
    let replay = spec(
        "paths:
  /users/: {post: {responses: {'201': {description: Created}}}}
  /users/1: {get: {responses: {'200': {description: OK, content: {application/json: {schema: {enum: [{id: 1}]}}}}}}}
  /users/me: {get: {responses: {'200': {description: OK}}}}
x-hmt-replay: []
",
    );
    let generated = spec(
        "paths:
  /users: {get: {responses: {'200': {description: OK}}}}
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {responses: {'200': {description: OK, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}}}
",
    );
    let merged =
        specs(&[replay.clone(), generated.clone()], ConflictPolicy::Union).expect("merges");
    let paths: Vec<&String> = merged["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths, ["/users", "/users/me", "/users/{id}"]);
    assert_eq!(merged["paths"]["/users"]["x-hmt-trailing-slash"], "both");
    assert!(merged["paths"]["/users"]["post"].is_object());
    let schema = &merged["paths"]["/users/{id}"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(
        *schema,
        generated.root["paths"]["/users/{id}"]["get"]["responses"]["200"]["content"]["application/json"]
            ["schema"]
    );
    assert_eq!(specs(&[generated, replay], ConflictPolicy::Union).expect("merges"), merged);
}

#[test]
fn hosts_stay_apart() {
    let a = spec(
        "servers: [{url: 'http://a'}]\npaths: {/x: {get: {responses: {}}}, /y: {get: {responses: {}}}}",
    );
    let b = spec("servers: [{url: 'http://b'}]\npaths: {/y: {get: {responses: {}}}}");
    let merged = specs(&[a, b], ConflictPolicy::Union).expect("merges");
    assert_eq!(merged["servers"], json!([{"url": "http://a"}, {"url": "http://b"}]));
    assert_eq!(merged["paths"]["/x"]["servers"], json!([{"url": "http://a"}]));
    assert!(merged["paths"]["/y"].get("servers").is_none());
}

#[test]
fn components_are_renamed_on_a_real_clash_only() {
    let a = spec(
        "paths: {}\ncomponents: {schemas: {E: {type: object, properties: {a: {}}}, S: {type: object}}}",
    );
    let b = spec(
        "paths: {/x: {get: {responses: {'200': {$ref: '#/components/responses/R'}}}}}
components:
  schemas: {E: {type: object, properties: {b: {$ref: '#/components/schemas/S'}}}, S: {type: string}}
  responses: {R: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}
",
    );
    let merged = specs(&[a.clone(), b.clone()], ConflictPolicy::Union).expect("merges");
    let schemas = &merged["components"]["schemas"];
    assert_eq!(
        schemas["E"]["properties"],
        json!({"a": {}, "b": {"$ref": "#/components/schemas/S_2"}})
    );
    assert_eq!(
        (&schemas["S"]["type"], &schemas["S_2"]["type"]),
        (&json!("object"), &json!("string"))
    );
    let response = &merged["components"]["responses"]["R"]["content"]["application/json"]["schema"];
    assert_eq!(*response, json!({"$ref": "#/components/schemas/S_2"}));
    let again = specs(&[document(merged.clone()), b], ConflictPolicy::Union).expect("merges");
    assert_eq!(again["components"]["schemas"].as_object().map(Map::len), Some(3));
    assert_eq!(specs(&[a.clone(), a.clone()], ConflictPolicy::Error).expect("merges"), a.root);
}

#[test]
fn conflicts_are_chosen_or_named() {
    let a = spec("paths: {/x: {get: {summary: one, responses: {'200': {description: d}}}}}");
    let b = spec("paths: {/x: {get: {summary: two, responses: {'200': {description: d}}}}}");
    let summary = |policy| {
        specs(&[b.clone(), a.clone()], policy)
            .map(|root| root["paths"]["/x"]["get"]["summary"].clone())
    };
    assert_eq!(summary(ConflictPolicy::Union).expect("merges"), "one");
    assert_eq!(summary(ConflictPolicy::First).expect("merges"), "two");
    assert_eq!(summary(ConflictPolicy::Last).expect("merges"), "one");
    let error = summary(ConflictPolicy::Error).expect_err("differs").to_string();
    assert!(error.contains("test.yaml") && error.contains("/paths/~1x/get/summary"), "{error}");
}

#[test]
fn credentials_and_unknown_keywords_survive() {
    let a = spec(
        "x-a: {k: 1}\nsecurity: [{key: []}]\npaths: {/x: {get: {x-note: n, responses: {}}}, /y: {get: {responses: {}}}}",
    );
    let b = spec("x-b: 2\npaths: {/y: {get: {security: [{login: []}], responses: {}}}}");
    let merged = specs(&[a, b], ConflictPolicy::Union).expect("merges");
    assert_eq!((&merged["x-a"], &merged["x-b"]), (&json!({"k": 1}), &json!(2)));
    assert!(merged.get("security").is_none());
    assert_eq!(merged["paths"]["/x"]["get"]["security"], json!([{"key": []}]));
    assert_eq!(merged["paths"]["/y"]["get"]["security"], json!([{"key": []}, {"login": []}]));
    assert_eq!(merged["paths"]["/x"]["get"]["x-note"], "n");
}

#[test]
fn older_documents_take_the_form_of_newer() {
    let a = spec(
        "paths: {/x: {get: {responses: {'200': {description: d, content: {application/json: {schema: {type: string, nullable: true}}}}}}}}",
    );
    let b = yaml(
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {responses: {'200': {description: d, content: {application/json: {schema: {type: integer}}}}}}}}",
    );
    let merged = specs(&[a, b], ConflictPolicy::Union).expect("merges");
    assert_eq!(merged["openapi"], "3.1.0");
    assert_eq!(
        merged["paths"]["/x"]["get"]["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"anyOf": [{"type": ["integer", "null"]}, {"type": "string"}]})
    );
}

#[test]
fn parameters_of_path_items_hold_for_their_own_operations() {
    let a = spec(
        "paths: {/x: {parameters: [{name: q, in: query, required: true, schema: {}}], get: {responses: {}}}}",
    );
    let b = spec(
        "paths: {/x: {get: {responses: {}}, post: {operationId: p, responses: {}}}, /z: {get: {operationId: p, responses: {}}}}",
    );
    let merged = specs(&[a, b], ConflictPolicy::Union).expect("merges");
    let item = &merged["paths"]["/x"];
    assert!(item.get("parameters").is_none() && item["post"].get("parameters").is_none());
    assert_eq!(item["get"]["parameters"], json!([{"name": "q", "in": "query", "schema": {}}]));
    assert_eq!(merged["paths"]["/z"]["get"]["operationId"], "p_2");
}

/// Equal names get the same numbers, whatever was merged first.
#[test]
fn operation_ids_do_not_depend_on_the_order() {
    let of = |path: &str| {
        spec(&format!("paths: {{{path}: {{get: {{operationId: x, responses: {{}}}}}}}}"))
    };
    let all = [of("/b"), of("/c"), of("/a")];
    let merge = |documents: &[Document]| Document {
        root: specs(documents, ConflictPolicy::Union).unwrap(),
        ..documents[0].clone()
    };
    let [b, c, a] = all.clone();
    let once = merge(&all).root;
    let left = merge(&[merge(&[b.clone(), c.clone()]), a.clone()]).root;
    let right = merge(&[c, merge(&[a, b])]).root;
    let ids = |root: &Value| {
        ["/a", "/b", "/c"].map(|path| root["paths"][path]["get"]["operationId"].clone())
    };
    assert_eq!(ids(&once), ["x", "x_2", "x_3"]);
    assert_eq!(ids(&left), ids(&once));
    assert_eq!(ids(&right), ids(&once));
}

/// Names that people gave stay when traffic is added.
#[test]
fn operation_ids_of_the_first_stay_when_it_is_widened() {
    let ours = spec("paths: {/z: {get: {operationId: x, responses: {}}}}");
    let built = spec("paths: {/a: {get: {operationId: x, responses: {}}}}");
    let root = specs(&[ours, built], ConflictPolicy::Widen).unwrap();
    assert_eq!(root["paths"]["/z"]["get"]["operationId"], "x");
    assert_eq!(root["paths"]["/a"]["get"]["operationId"], "x_2");
}
