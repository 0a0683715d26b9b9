//! Findings of single exchanges, and which findings of many are kept.

use serde_json::{Value, json};

use super::*;
use crate::exchange::parse_line;
use crate::report::Example;
use crate::spec::load;

const SPEC: &str = r##"
openapi: 3.0.3
info: {title: t, version: '1'}
servers: [{url: 'http://api.test/v1'}]
paths:
  /pets:
    get:
      parameters:
        - {name: limit, in: query, required: true, schema: {type: integer}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {kind: {type: string}}}}
      responses:
        '200':
          description: all
          headers: {x-total: {schema: {type: integer}}}
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}
        default: {description: error}
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses: {'201': {description: made}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses:
        '200': {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Closed'}}}}
        '404': {description: none}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: {type: string}
        kind: {enum: [cat, dog]}
        tags: {type: object, additionalProperties: {type: string}}
        born: {type: string, format: date}
    Closed:
      type: object
      additionalProperties: false
      properties: {name: {type: string}}
"##;

fn checker() -> Checker {
    Checker::new(&[load(SPEC.as_bytes(), "pets.yaml").expect("loads")]).expect("compiles")
}

/// An exchange, with these bodies as JSON.
fn line(method: &str, path: &str, asked: &Value, status: u16, answered: &Value) -> Value {
    let message = |body: &Value| match body {
        Value::Null => json!({"headers": {}}),
        body => json!({"headers": {"content-type": "application/json"}, "body": body.to_string()}),
    };
    let (mut request, mut response) = (message(asked), message(answered));
    for (key, value) in
        [("method", method), ("protocol", "http"), ("host", "api.test"), ("path", path)]
    {
        request[key] = value.into();
    }
    response["statusCode"] = status.into();
    json!({"request": request, "response": response})
}

fn get(path: &str, status: u16, body: &Value) -> Value {
    line("get", path, &Value::Null, status, body)
}

/// The findings of an exchange: severity, rule and sentence.
fn found(exchange: &Value) -> Vec<String> {
    let text = exchange.to_string();
    let exchange = parse_line(text.as_bytes()).expect("an exchange");
    match checker().check(&exchange) {
        Verdict::Operation(_, _, findings) => {
            findings.iter().map(|found| format!("{} {found}", found.rule)).collect()
        }
        Verdict::Unknown(path, finding) => vec![format!("{path} {finding}")],
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn what_conforms_and_is_documented_is_not_found() {
    let pets = json!([{"name": "Tom", "kind": "cat", "tags": {"a": "b"}, "born": "2020-02-03"}]);
    let mut exchange = get("/v1/pets?limit=3&filter[kind]=cat", 200, &pets);
    exchange["response"]["headers"]["x-total"] = "1".into();
    exchange["response"]["headers"]["server"] = "nginx".into();
    exchange["request"]["headers"]["x-forwarded-for"] = "::1".into();
    assert_eq!(found(&exchange), [""; 0]);
    assert_eq!(found(&get("/v1/pets/7", 404, &Value::Null)), [""; 0]);
    assert_eq!(found(&get("/v1/nothing", 404, &Value::Null)), ["Absent"]);
    let mut preflight = line("options", "/v1/pets", &Value::Null, 204, &Value::Null);
    preflight["request"]["headers"]["access-control-request-method"] = "POST".into();
    assert_eq!(found(&preflight), ["Preflight"]);
}

#[test]
fn contradictions_are_errors() {
    let pets = json!([
        {"name": "Tom"}, {"name": 1, "kind": "cow"}, {"born": "today"}, {"name": 2, "tags": {"a": 1, "b": 2}}
    ]);
    assert_eq!(
        found(&get("/v1/pets", 200, &pets)),
        [
            "type error: response.body#/1/name is not of type string",
            "enum error: response.body#/1/kind is not one of \"cat\", \"dog\"",
            "required error: response.body#/2 lacks the required property \"name\"",
            "format error: response.body#/2/born is not of format date",
            "type error: response.body#/3/tags/a is not of type string",
            "required-parameter error: request.query.limit is required",
        ]
    );
    assert_eq!(
        found(&get("/v1/pets/x", 200, &json!({"name": "a", "age": 3}))),
        [
            "additionalProperties error: response.body#/age is not allowed",
            "type error: request.path.id is not of type integer",
        ]
    );
    assert_eq!(
        found(&get("/v1/pets/1", 418, &Value::Null)),
        ["status error: response.status 418 is not declared for /pets/{id}"]
    );
    let mut html = get("/v1/pets?limit=1", 200, &json!("x"));
    html["response"]["headers"]["content-type"] = "text/html".into();
    assert_eq!(
        found(&html),
        ["media-type error: response.header.content-type is \"text/html\", not application/json"]
    );
    assert_eq!(
        found(&line("post", "/v1/pets", &Value::Null, 201, &Value::Null)),
        ["required-body error: request.body# is required"]
    );
    let mut torn = get("/v1/pets?limit=1", 200, &json!([]));
    torn["response"]["body"] = "[{".into();
    assert!(found(&torn)[0].starts_with("body-syntax error: response.body# is not valid JSON"));
}

#[test]
fn a_request_that_was_refused_contradicts_nothing() {
    assert_eq!(found(&line("get", "/v1/pets?x=1", &Value::Null, 400, &Value::Null)), [""; 0]);
}

#[test]
fn what_the_spec_does_not_have_is_undocumented() {
    let mut exchange = line(
        "post",
        "/v1/pets?dry=1",
        &json!({"name": "a", "owner": {"id": 1}}),
        201,
        &Value::Null,
    );
    exchange["request"]["headers"]["x-tenant"] = "t".into();
    exchange["response"]["headers"]["location"] = "/v1/pets/1".into();
    assert_eq!(
        found(&exchange),
        [
            "undocumented-property undocumented: request.body#/owner is not in the spec",
            "undocumented-parameter undocumented: request.query.dry is not in the spec",
            "undocumented-header undocumented: request.header.x-tenant is not in the spec",
            "undocumented-header undocumented: response.header.location is not in the spec",
        ]
    );
    assert_eq!(
        found(&line("delete", "/v1/pets/1", &Value::Null, 204, &Value::Null)),
        ["/pets/{id} undocumented: request.method DELETE is not in the spec, only GET"]
    );
    assert_eq!(
        found(&get("/v1/owners/7", 200, &Value::Null)),
        ["/v1/owners/{} undocumented: request.path is not in the spec"]
    );
}

#[test]
fn replaced_values_are_exempt_from_what_only_the_original_has() {
    let mut exchange =
        get("/v1/pets?limit=1", 200, &json!([{"name": "a", "kind": "hmt~x", "born": "hmt~y"}]));
    exchange["meta"] = json!({"hmt": {"v": 1, "redacted": ["response.body#/0/kind"]}});
    assert_eq!(found(&exchange), ["format error: response.body#/0/born is not of format date"]);
}

fn tally(lines: &[Value], order: impl Iterator<Item = usize>) -> FindingTally {
    let checker = checker();
    let mut tally = FindingTally::default();
    for at in order {
        let text = lines[at].to_string();
        let exchange = parse_line(text.as_bytes()).expect("an exchange");
        tally.add(&checker, &exchange, || RecordPlace {
            order: (0, at as u64 + 1),
            example: Example {
                place: format!("f:{}", at + 1),
                file: Some(("f".to_owned(), at as u64 + 1)),
            },
        });
    }
    tally
}

#[test]
fn equal_findings_are_one_with_the_first_three_places() {
    let wrong = |count: usize| {
        let pets: Vec<Value> = (0..count).map(|_| json!({"name": 1})).collect();
        get("/v1/pets?limit=1", 200, &pets.into())
    };
    let mut lines = vec![get("/v1/pets?limit=1", 200, &json!([{"name": "a"}, {"name": 2}]))];
    lines.extend((1..6).map(wrong));
    lines.push(get("/v1/pets/1", 404, &Value::Null));
    let report = tally(&lines, 0..lines.len()).report(&checker(), &[]);
    assert_eq!(
        report.document,
        json!({
            "exchanges": 7,
            "operations": [
                {"method": "get", "path": "/pets", "exchanges": 6, "statuses": {"200": 6}},
                {"method": "post", "path": "/pets", "exchanges": 0, "statuses": {}},
                {"method": "get", "path": "/pets/{id}", "exchanges": 1, "statuses": {"404": 1}},
            ],
            "findings": [{
                "rule": "type", "severity": "error", "method": "get", "path": "/pets", "status": "200",
                "pointer": "response.body#/1/name", "message": "is not of type string", "count": 6,
                "examples": ["f:1", "f:2", "f:3"],
            }],
            "uncovered": [
                {"method": "get", "path": "/pets", "status": "default"},
                {"method": "post", "path": "/pets"},
                {"method": "get", "path": "/pets/{id}", "status": "200"},
            ],
        })
    );
    // In two halves, the second one first.
    let mut parts = tally(&lines, 3..lines.len());
    parts.merge(tally(&lines, 0..3));
    assert_eq!(parts.report(&checker(), &[]).document, report.document);
}

#[test]
fn what_is_kept_does_not_grow_and_does_not_depend_on_the_order() {
    let lines: Vec<Value> = (0..12_000u32)
        .map(|n| {
            let word: String = n.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
            get(&format!("/v1/{word}/x"), 200, &Value::Null)
        })
        .collect();
    let forwards = tally(&lines, 0..lines.len()).report(&checker(), &[]);
    assert_eq!(forwards.document["findings"].as_array().map(Vec::len), Some(10_000));
    assert!(
        forwards.summary.iter().any(|line| line.contains("2000 occurrences")),
        "{:?}",
        forwards.summary
    );
    let mut parts = tally(&lines, 5_000..lines.len());
    parts.merge(tally(&lines, (0..5_000).rev()));
    assert_eq!(parts.report(&checker(), &[]).document, forwards.document);
}

#[test]
fn levels_decide_what_fails() {
    let lines = [get("/v1/pets?limit=1&x=1", 200, &json!([]))];
    let fails = |level: &str| {
        let level: FailOn = level.parse().expect("a level");
        tally(&lines, 0..1).report(&checker(), &[level]).fails()
    };
    assert_eq!(
        ["error", "undocumented", "uncovered", "never"].map(fails),
        [false, true, true, false]
    );
    assert!("warn".parse::<FailOn>().is_err());
}

#[test]
fn of_several_specs_the_one_that_names_the_host_counts() {
    let other = SPEC.replace("api.test", "other.test").replace("type: integer", "type: string");
    let documents = [
        load(other.as_bytes(), "other.yaml").expect("loads"),
        load(SPEC.as_bytes(), "pets.yaml").expect("loads"),
    ];
    let checker = Checker::new(&documents).expect("compiles");
    let spec_of = |exchange: &Value| {
        let text = exchange.to_string();
        match checker.check(&parse_line(text.as_bytes()).expect("an exchange")) {
            Verdict::Operation(at, ..) => Some(at),
            _ => None,
        }
    };
    let mut exchange = get("/v1/pets/1", 200, &json!({}));
    assert_eq!(spec_of(&exchange), Some(1));
    exchange["request"]["host"] = "other.test".into();
    assert_eq!(spec_of(&exchange), Some(0));
    exchange["request"]["host"] = "third.test".into();
    assert_eq!(spec_of(&exchange), Some(0));
}

#[test]
fn rules_are_sorted_and_told_apart() {
    assert!(
        RULES.is_sorted_by(|a, b| a.0.to_ascii_lowercase() < b.0.to_ascii_lowercase()),
        "{RULES:?}"
    );
}
