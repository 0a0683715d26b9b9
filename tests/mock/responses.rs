//! Which response is sent, and its content.

use std::collections::BTreeSet;

use serde_json::json;

use super::{SHOP, ask, mock, source};

#[test]
fn made_data_is_of_the_schema_and_new_from_call_to_call_with_dynamic() {
    let (_dir, server) = mock(SHOP, &["--dynamic"]);
    let answer = server.get("/items").expect_status(200);
    assert_eq!(source(&answer), "generated");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-total"), Some("5"));
    assert!(answer.header("x-optional").is_some(), "declared headers are sent, required or not");
    let items = answer.json();
    assert!(!items.as_array().unwrap().is_empty());
    for item in items.as_array().unwrap() {
        assert!(item["name"].is_string() && item["price"].is_number(), "{item}");
    }
    let different: BTreeSet<String> = (0..20).map(|_| server.get("/items").text()).collect();
    assert!(different.len() > 1);
    server.stop().expect_code(0);
}

const PETS: &str = r##"
openapi: 3.0.3
info: {title: pets, version: '1'}
paths:
  /pets:
    get:
      responses:
        '200':
          description: ok
          headers:
            X-A: {schema: {type: string, example: hello}}
            X-B: {example: hi, schema: {type: string}}
            X-C: {schema: {type: string, default: dd}}
            X-D: {schema: {type: string, enum: [e1, e2]}}
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
  /dog:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                allOf:
                - {$ref: '#/components/schemas/Pet'}
                - {type: object, properties: {bark: {type: string, example: woof}, age: {type: integer}}}
components:
  schemas:
    Pet:
      type: object
      required: [id]
      properties:
        id: {type: integer, example: 10}
        name: {type: string, example: doggie}
        status: {type: string, enum: [available, sold]}
        kind: {type: string, default: dog}
        owner: {type: object, properties: {name: {type: string, example: Bob}}}
        wrong: {type: integer, example: many}
        none: {type: boolean, default: 'no'}
"##;

#[test]
fn answers_are_composed_of_what_stands_beside_properties() {
    let (_dir, server) = mock(PETS, &[]);
    let pet = json!({"id": 10, "name": "doggie", "status": "available", "kind": "dog",
        "owner": {"name": "Bob"}, "wrong": "many",
        "none": "no"});
    let answer = server.get("/pets").expect_status(200);
    assert_eq!(source(&answer), "generated");
    assert_eq!(answer.json(), json!([pet]));
    for (name, value) in [("x-a", "hello"), ("x-b", "hi"), ("x-c", "dd"), ("x-d", "e1")] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let dog = server.get("/dog").expect_status(200).json();
    assert!(dog["age"].is_i64(), "{dog}");
    let mut expected = pet.clone();
    expected["bark"] = json!("woof");
    expected["age"] = dog["age"].clone();
    assert_eq!(dog, expected);
    // The example that violates its schema is reported once.
    let run = server.stop().expect_code(0);
    let stderr = String::from_utf8_lossy(&run.stderr);
    for fault in ["wrong/example: ", "none/default: "] {
        let fault = format!("/components/schemas/Pet/properties/{fault}");
        assert_eq!(stderr.matches(&fault).count(), 1, "{stderr}");
    }
}

const TEXTS: &str = r##"
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /right: {get: {responses: {'200': {description: d, content: {application/json: {schema: &pet
    {type: object, properties: {id: {type: integer}}}, example: '{"id": 1}'}}}}}}
  /wrong: {get: {responses: {'200': {description: d, content: {application/json: {schema: *pet,
    example: '{"id": "x"}'}}}}}}
  /torn: {get: {responses: {'200': {description: d, content: {application/json: {schema: *pet,
    example: '{"id": '}}}}}}
  /text: {get: {responses: {'200': {description: d, content: {application/json: {schema:
    {type: string}, example: '{"id": '}}}}}}
"##;

#[test]
fn examples_that_are_json_texts_are_checked_as_json() {
    let (_dir, server) = mock(TEXTS, &[]);
    assert_eq!(server.get("/right").json(), json!({"id": 1}));
    assert_eq!(server.get("/wrong").json(), json!({"id": "x"}));
    let run = server.stop().expect_code(0);
    let stderr = String::from_utf8_lossy(&run.stderr);
    let reported = |path: &str| stderr.matches(&format!("/paths/~1{path}/get/responses")).count();
    assert_eq!(["right", "wrong", "torn", "text"].map(reported), [0, 1, 1, 0], "{stderr}");
    assert!(stderr.contains("/example: is a string that is not JSON"), "{stderr}");
}

#[test]
fn verbose_lists_all_examples_that_violate_their_schemas() {
    let properties: Vec<String> =
        (0..25).map(|n| format!("p{n:02}: {{type: integer, example: x}}")).collect();
    let spec = format!(
        r##"
openapi: 3.0.3
info: {{title: t, version: '1'}}
paths:
  /a:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {{type: object, properties: {{{}}}}}
"##,
        properties.join(", ")
    );
    for (flags, listed, counted) in [(&[][..], 10, 1), (&["-v"][..], 25, 0)] {
        let (_dir, server) = mock(&spec, flags);
        let run = server.stop().expect_code(0);
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(stderr.matches("/example: ").count(), listed, "{stderr}");
        let more = "15 more warnings: an example or default violates its schema; -v lists all";
        assert_eq!(stderr.matches(more).count(), counted, "{stderr}");
    }
}

const SHELF: &str = r##"
openapi: 3.0.3
info: {title: shelf, version: '1'}
paths:
  /shelves/{shelfId}/books:
    parameters: [{name: shelfId, in: path, required: true, schema: {type: string}}]
    get:
      parameters:
      - {name: limit, in: query, schema: {type: integer}}
      - {name: page, in: query, schema: {type: integer}}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  page: {type: integer}
                  items: {type: array, minItems: 0, items: {$ref: '#/components/schemas/Book'}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}
      responses:
        '201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}
  /shelves/{shelfId}/books/{bookId}:
    parameters:
    - {name: shelfId, in: path, required: true, schema: {type: string}}
    - {name: bookId, in: path, required: true, schema: {type: integer}}
    get:
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}
    patch:
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}
components:
  schemas:
    Book:
      type: object
      required: [id]
      properties:
        id: {type: integer, readOnly: true, example: 1}
        shelf_id: {type: string}
        title: {type: string, maxLength: 10}
        pages: {type: integer}
"##;

#[test]
fn made_answers_reflect_the_request() {
    let (_dir, server) = mock(SHELF, &[]);
    let book = server.get("/shelves/s1/books/42").expect_status(200).json();
    assert_eq!((&book["id"], &book["shelf_id"]), (&json!(42), &json!("s1")));
    let list = server.get("/shelves/s1/books?limit=1&page=3").json();
    assert_eq!((&list["page"], &list["items"][0]["shelf_id"]), (&json!(3), &json!("s1")));
    assert_eq!(server.get("/shelves/s1/books?limit=0").json()["items"], json!([]));
    let send = |method: &str, path: &str, body: serde_json::Value| {
        server.request(method, path).json(&body).send()
    };
    let made = send("POST", "/shelves/s1/books", json!({"title": "Emma", "pages": 9, "other": 1}));
    let made = made.expect_status(201);
    let book = made.json();
    assert_eq!(
        (&book["title"], &book["pages"], &book["id"]),
        (&json!("Emma"), &json!(9), &json!(1))
    );
    assert!(book.get("other").is_none(), "{book}");
    assert_eq!(made.header("location"), Some("/shelves/s1/books/1"));
    // Values that the response's schema rejects are not reflected.
    let kept =
        send("PATCH", "/shelves/s1/books/7", json!({"title": "far too long a title", "pages": 3}));
    let kept = kept.expect_status(200).json();
    assert_eq!((&kept["id"], &kept["pages"]), (&json!(7), &json!(3)));
    assert!(kept["title"].as_str().is_some_and(|title| title.len() <= 10), "{kept}");

    let (_dir, server) = mock(SHELF, &["--no-reflect"]);
    assert_eq!(server.get("/shelves/s1/books/42").expect_status(200).json()["id"], 1);
}

#[test]
fn the_same_request_gets_the_same_answer_in_each_run() {
    let answers = |flags: &[&str]| {
        let (_dir, server) = mock(SHOP, flags);
        [
            server.get("/items").text(),
            server.get("/items").text(),
            server.get("/items?limit=2").text(),
        ]
    };
    let (first, second) = (answers(&[]), answers(&[]));
    assert_eq!(first, second);
    assert_eq!(first[0], first[1]);
    assert_eq!(first, answers(&["--seed", "0"]));
    let (first, second) =
        (answers(&["--dynamic", "--seed", "3"]), answers(&["--dynamic", "--seed", "3"]));
    assert_eq!(first, second);
    assert_ne!(first[0], first[1]);
    assert_ne!(first, answers(&["--dynamic"]));
}

#[test]
fn a_seed_makes_answers_a_function_of_the_request() {
    let ask = |seed: &str| {
        let (_dir, server) = mock(SHOP, &["--seed", seed]);
        [
            server.get("/items?limit=1"),
            server.get("/items?limit=1"),
            server.get("/items?limit=2"),
            server.get("/https://shop.test/v1/items?limit=1"),
        ]
        .map(|answer| answer.expect_status(200).text())
    };
    let (first, second) = (ask("7"), ask("7"));
    assert_eq!(first, second);
    assert_eq!(first[0], first[1]);
    assert_ne!(first[0], first[2]);
    assert_ne!(first[0], ask("8")[0]);
}

#[test]
fn a_cyclic_schema_ends() {
    let (_dir, server) = mock(SHOP, &[]);
    for _ in 0..20 {
        assert!(server.get("/tree").expect_status(200).json()["children"].is_array());
    }
}

#[test]
fn the_status_is_the_first_success_that_is_declared() {
    let spec = |responses: &str| {
        format!(
            "openapi: 3.0.3\ninfo: {{title: s, version: '1'}}\npaths: {{/x: {{get: {{responses: {{{responses}}}}}}}}}\n"
        )
    };
    for (responses, status) in [
        ("'204': {description: b}, '202': {description: a}, '400': {description: c}", 202),
        ("'404': {description: b}, 2XX: {description: a}, default: {description: c}", 200),
        ("'404': {description: b}, default: {description: a}", 200),
        ("'404': {description: a}, '302': {description: b}", 404),
        ("5XX: {description: a}", 500),
    ] {
        let (_dir, server) = mock(&spec(responses), &[]);
        assert_eq!(server.get("/x").status, status, "{responses}");
    }
    let (_dir, server) = mock(&spec("2XX: {description: a}, default: {description: b}"), &[]);
    assert_eq!(server.get("/x?__code=206").status, 206);
    assert_eq!(server.get("/x?__code=500").status, 500);
}

/// OpenAPI 3.0.4, section 4.7.16 (Responses Object): a code takes precedence over its range, and a
/// range over `default`.
#[test]
fn codes_go_before_ranges_and_ranges_before_the_default() {
    let spec = "openapi: 3.0.4\ninfo: {title: s, version: '1'}\npaths:\n  /x:\n    get:\n      responses:\n\
        \x20       '404': {description: d, content: {text/plain: {example: code}}}\n\
        \x20       4XX: {description: d, content: {text/plain: {example: range}}}\n\
        \x20       default: {description: d, content: {text/plain: {example: default}}}\n";
    let (_dir, server) = mock(spec, &[]);
    for (code, expected) in
        [(404, "code"), (400, "range"), (499, "range"), (500, "default"), (200, "default")]
    {
        let answer = server.get(&format!("/x?__code={code}")).expect_status(code);
        assert_eq!(answer.text(), expected, "{code}");
    }
}

const HEADERS: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /x:
    get:
      deprecated: true
      x-sunset: "2030-01-02"
      responses:
        "200":
          description: d
          headers:
            X-Example: {schema: {type: string}, example: given}
            X-Examples: {schema: {type: integer}, examples: {a: {value: 7}}}
            X-Schema: {schema: {type: string, const: fixed}}
            X-List: {schema: {type: array, items: {const: a}, minItems: 2, maxItems: 2}}
            X-Object: {schema: {type: object, required: [a], properties: {a: {const: 1}}, additionalProperties: false}}
            X-Content: {content: {application/json: {schema: {const: true}}}}
            Content-Type: {schema: {type: string}}
            Transfer-Encoding: {schema: {type: string}}
          content: {application/json: {schema: {type: object}}}
  /y:
    get:
      deprecated: true
      x-deprecated-since: "2023-06-30T23:59:59Z"
      responses: {"204": {description: d, headers: {Sunset: {example: declared}}}}
"##;

/// OpenAPI 3.1.1, section 4.8.21 (Header Object): the style of a header is `simple`.
#[test]
fn declared_headers_are_sent() {
    let (_dir, server) = mock(HEADERS, &[]);
    let answer = server.get("/x").expect_status(200);
    for (name, expected) in [
        ("x-example", "given"),
        ("x-examples", "7"),
        ("x-schema", "fixed"),
        ("x-list", "a,a"),
        ("x-object", "a,1"),
        ("x-content", "true"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(answer.header(name), Some(expected), "{name}");
    }
    assert_eq!(answer.header("transfer-encoding"), None);
}

/// RFC 9745, section 2 (a date, as `@` and seconds), and RFC 8594, section 3 (an HTTP-date).
#[test]
fn what_goes_says_so() {
    let (_dir, server) = mock(HEADERS, &[]);
    let answer = server.get("/x");
    assert_eq!(answer.header("deprecation"), Some("@0"));
    assert_eq!(answer.header("sunset"), Some("Wed, 02 Jan 2030 00:00:00 GMT"));
    let answer = server.get("/y");
    assert_eq!(answer.header("deprecation"), Some("@1688169599"));
    assert_eq!(answer.header("sunset"), Some("declared"));
    assert_eq!(server.get("/nothing").header("deprecation"), None);
}

const LEADS: &str = r##"
openapi: 3.0.4
info: {title: t, version: "1"}
paths:
  /pets/{id}:
    get:
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer}, examples: {cat: {value: 1}, dog: {value: 2}, gone: {value: 9}}}
      - {name: lang, in: query, schema: {type: string}, examples: {chien: {value: fr}}}
      responses:
        "200":
          description: d
          content: {application/json: {examples: {cat: {value: {name: cat}}, dog: {value: {name: dog}}, chien: {value: {name: chien}}}}}
        "404": {description: d, content: {application/json: {examples: {gone: {value: {error: gone}}}}}}
  /orders:
    post:
      requestBody:
        content: {application/json: {examples: {big: {value: {n: 1000}}, small: {value: {n: 1.0}}}}}
      responses:
        "201": {description: d, content: {application/json: {examples: {small: {value: {ok: true}}, big: {value: {wait: true}}}}}}
"##;

/// Examples with the same name belong together: a request with that of a parameter gets that of the
/// response.
#[test]
fn the_request_chooses_among_examples_by_its_own() {
    let (_dir, server) = mock(LEADS, &[]);
    let json = [("Content-Type", "application/json")];
    for (what, body, status, expected) in [
        ("GET /pets/1", "", 200, json!({"name": "cat"})),
        ("GET /pets/2", "", 200, json!({"name": "dog"})),
        ("GET /pets/3", "", 200, json!({"name": "cat"})),
        ("GET /pets/9", "", 404, json!({"error": "gone"})),
        ("GET /pets/3?lang=fr", "", 200, json!({"name": "chien"})),
        ("GET /pets/9?__example=dog", "", 200, json!({"name": "dog"})),
        ("GET /pets/2?__code=404", "", 404, json!({"error": "gone"})),
        ("POST /orders", "{\"n\": 1000}", 201, json!({"wait": true})),
        ("POST /orders", "{\"n\": 1}", 201, json!({"ok": true})),
        ("POST /orders", "{\"n\": 2}", 201, json!({"ok": true})),
    ] {
        let headers = if body.is_empty() { &[] } else { &json[..] };
        let answer = ask(&server, what, headers, body).expect_status(status);
        assert_eq!(answer.json(), expected, "{what} {body}");
    }
}

/// OpenAPI 3.0.4, section 4.7.26 (XML Object).
#[test]
fn xml_is_written_as_the_schema_says() {
    let spec = r##"
openapi: 3.0.4
info: {title: t, version: "1"}
paths:
  /order:
    get:
      responses:
        "200":
          description: d
          content:
            application/xml:
              schema: {$ref: "#/components/schemas/Order"}
              example: {id: 7, tags: [a, "<b>"], lines: [{sku: x}]}
  /orders:
    get:
      responses:
        "200":
          description: d
          content: {text/xml: {schema: {type: array, minItems: 1, maxItems: 1, items: {$ref: "#/components/schemas/Order"}}}}
components:
  schemas:
    Order:
      type: object
      required: [id]
      xml: {name: order}
      properties:
        id: {type: integer, minimum: 5, maximum: 5, xml: {attribute: true}}
        tags: {type: array, items: {type: string, xml: {name: tag}}, xml: {wrapped: true}}
        lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
"##;
    let (_dir, server) = mock(spec, &[]);
    assert_eq!(
        server.get("/order").expect_status(200).text().lines().nth(1).unwrap(),
        "<order id=\"5\"><tags><tag>a</tag><tag>&lt;b&gt;</tag></tags><lines><sku>x</sku></lines></order>"
            .replace("\"5\"", "\"7\"")
    );
    let generated = server.get("/orders").expect_status(200);
    assert_eq!(source(&generated), "generated");
    assert!(generated.text().contains("<order id=\"5\">"), "{}", generated.text());
}

#[test]
fn verbose_lists_operations_and_requests() {
    let (_dir, server) = mock(SHELF, &["-v", "-v"]);
    server.get("/shelves/s1/books/7").expect_status(200);
    let url = server.url();
    let stderr = String::from_utf8_lossy(&server.stop().expect_code(0).stderr).into_owned();
    let listed = stderr.lines().find(|line| line.starts_with("  PATCH "));
    let listed = listed.unwrap_or_else(|| panic!("no PATCH in {stderr}"));
    assert!(listed.starts_with(&format!("  PATCH   {url}/shelves/")), "{listed}");
    assert!(!listed.contains('{'), "{listed}");
    assert!(stderr.contains("GET /shelves/s1/books/7 200 generated"), "{stderr}");
    let (_dir, server) = mock(SHELF, &[]);
    let stderr = String::from_utf8_lossy(&server.stop().expect_code(0).stderr).into_owned();
    assert!(!stderr.contains("  PATCH "), "nothing is listed in a pipe: {stderr}");
}

#[test]
fn a_404_names_base_paths_and_the_nearest_operations() {
    let (_dir, server) = mock(SHOP, &[]);
    let problem = server.get("/item/7").expect_status(404).json();
    assert_eq!(problem["basePaths"], json!(["/v1"]));
    let operations = problem["operations"].as_array().unwrap();
    assert!(operations.contains(&json!("GET /items/{id}")), "{problem}");
    let problem = server.get("/elsewhere").expect_status(404).json();
    assert_eq!(problem.get("operations"), None, "{problem}");
}
