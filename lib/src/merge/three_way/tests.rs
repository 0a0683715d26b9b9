use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::merge::tests::{built, document, spec};

fn merged(base: &Value, ours: &Value, theirs: &Value) -> (Value, Vec<Conflict>) {
    let [base, ours, theirs] = [base, ours, theirs].map(|root| document(root.clone()));
    let (document, conflicts) =
        three_way(&base, &ours, &theirs, ConflictPolicy::Union).expect("merges");
    (document.root, conflicts)
}

proptest! {
    #[test]
    fn what_one_side_left_alone_is_the_others(old in built(), new in built()) {
        prop_assert_eq!(merged(&old, &old, &new), (new.clone(), Vec::new()));
        prop_assert_eq!(merged(&old, &new, &old), (new.clone(), Vec::new()));
        prop_assert_eq!(merged(&old, &new, &new), (new.clone(), Vec::new()));
    }

    #[test]
    fn whatever_is_merged_every_reference_resolves(old in built(), a in built(), b in built()) {
        // Broken references would be an error of the merge itself.
        let (_, conflicts) = merged(&old, &a, &b);
        let (_, others) = merged(&old, &b, &a);
        prop_assert_eq!(conflicts.len(), others.len(), "{:?} {:?}", conflicts, others);
    }
}

fn texts(base: &Document, ours: &Document, theirs: &Document) -> (Value, Vec<String>) {
    let (document, conflicts) =
        three_way(base, ours, theirs, ConflictPolicy::Union).expect("merges");
    (document.root, conflicts.iter().map(Conflict::to_string).collect())
}

const BASE: &str = "paths:
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      summary: users
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
  /health: {get: {responses: {'200': {description: OK}}}}
components:
  schemas:
    User: {type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}, ssn: {type: string}}}
";

#[test]
fn edits_and_what_is_new_come_together() {
    let base = spec(BASE);
    let ours = spec(
        "paths:
  /users/{login}:
    parameters: [{name: login, in: path, required: true, description: who, schema: {type: string}}]
    get:
      summary: One user
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 50}}
      responses:
        '200': {description: found, content: {application/json: {schema: {$ref: '#/components/schemas/Customer'}}}}
components:
  schemas:
    Customer: {type: object, required: [a, b], properties: {a: {type: string, enum: [x, y]}, b: {type: string}}}
",
    );
    let theirs = spec(
        "paths:
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      summary: users
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
        - {name: page, in: query, schema: {type: integer}}
      responses:
        '200': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
        '404': {description: Not Found}
  /health: {get: {responses: {'200': {description: OK}}}}
components:
  schemas:
    User: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}, c: {type: string}, ssn: {type: string}}}
",
    );
    let (root, conflicts) = texts(&base, &ours, &theirs);
    assert!(conflicts.is_empty(), "{conflicts:?}");
    let expected = spec(
        "paths:
  /users/{login}:
    parameters: [{name: login, in: path, required: true, description: who, schema: {type: integer}}]
    get:
      summary: One user
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 50}}
        - {name: page, in: query, schema: {type: integer}}
      responses:
        '200': {description: found, content: {application/json: {schema: {$ref: '#/components/schemas/Customer'}}}}
        '404': {description: Not Found}
components:
  schemas:
    Customer: {type: object, required: [a], properties: {a: {type: string, enum: [x, y]}, b: {type: string}, c: {type: string}}}
",
    );
    assert_eq!(root, expected.root, "{root:#}");
}

#[test]
fn true_conflicts_are_told_and_ours_stays() {
    let base = spec(BASE);
    let ours = spec(
        &BASE
            .replace("summary: users", "summary: One")
            .replace("{type: integer}", "{type: integer, maximum: 5}"),
    );
    let theirs = spec(
        &BASE
            .replace("summary: users", "summary: Two")
            .replace("{type: integer}", "{type: string, format: date}")
            .replace("  /health: {get: {responses: {'200': {description: OK}}}}\n", ""),
    );
    let (root, conflicts) = texts(&base, &ours, &theirs);
    assert_eq!(
        conflicts,
        [
            "/paths/~1users~1{id}/get/summary: \"One\" / \"Two\"",
            "/paths/~1users~1{id}/get/parameters/query limit/schema: {\"type\":\"integer\",\"maximum\":5} / {\"type\":\"string\",\"format\":\"date\"}",
        ]
    );
    assert_eq!(root["paths"]["/users/{id}"]["get"]["summary"], "One");
    assert!(root["paths"].get("/health").is_none());
    let last = three_way(&base, &ours, &theirs, ConflictPolicy::Last).expect("merges").0.root;
    assert_eq!(last["paths"]["/users/{id}"]["get"]["summary"], "Two");
    let error =
        three_way(&base, &ours, &theirs, ConflictPolicy::Error).expect_err("differs").to_string();
    assert!(error.contains("\"One\" / \"Two\""), "{error}");
}

#[test]
fn what_is_deleted_here_and_changed_there_is_told() {
    let base = spec(BASE);
    let ours =
        spec(&BASE.replace("  /health: {get: {responses: {'200': {description: OK}}}}\n", ""));
    let theirs = spec(&BASE.replace("/health: {get: {", "/health: {get: {summary: s, "));
    let (root, conflicts) = texts(&base, &ours, &theirs);
    assert!(root["paths"].get("/health").is_none());
    assert!(conflicts[0].starts_with("/paths/~1health: (deleted) / {\"get\""), "{conflicts:?}");
    let (root, conflicts) = texts(&base, &theirs, &ours);
    assert!(root["paths"]["/health"].is_object());
    assert!(conflicts[0].ends_with(" / (deleted)"), "{conflicts:?}");
}

#[test]
fn what_is_referred_to_anew_is_not_lost() {
    let old = spec("paths: {}\ncomponents: {schemas: {E: {type: object}}}");
    let ours = spec("paths: {}");
    let theirs = spec(
        "paths: {/x: {get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/E'}}}}}}}}
components: {schemas: {E: {type: object}}}",
    );
    let (root, conflicts) = texts(&old, &ours, &theirs);
    assert_eq!(root["components"]["schemas"]["E"], json!({"type": "object"}));
    assert_eq!(conflicts, ["/components/schemas/E: (deleted) / {\"type\":\"object\"}"]);
}
