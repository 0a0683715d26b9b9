//! Tests of mock.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Dir, Response, Server};

/// An API with most of what a mock must heed.
const SHOP: &str = r##"
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
- url: https://shop.test/v1
paths:
  /items:
    get:
      parameters:
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 3}}
      responses:
        "200":
          description: all
          headers:
            X-Total: {required: true, schema: {type: integer, minimum: 5, maximum: 5}}
            X-Optional: {schema: {type: string}}
            Content-Length: {required: true, schema: {type: integer}}
          content:
            application/json:
              schema: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Item"}}
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Item"}
      responses:
        "201": {description: made}
        "400":
          description: wrong
          content:
            application/json:
              example: {error: declared}
  /items/{id}:
    get:
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200":
          description: one
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Item"}
              examples:
                cheap: {value: {name: nail, price: 1}}
                dear: {value: {name: saw, price: 99}}
            text/plain:
              schema: {type: string}
              example: a nail
        "404":
          description: none
          content:
            application/json:
              example: {error: gone}
        default:
          description: else
          content:
            application/json:
              schema: {type: object}
  /items/newest:
    get:
      responses:
        "200": {description: literal, content: {text/plain: {example: newest}}}
  /secret:
    get:
      security: [{key: []}, {login: []}]
      responses:
        "204": {description: fine}
  /tree:
    get:
      responses:
        "200":
          description: cyclic
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Tree"}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: basic}
  schemas:
    Item:
      type: object
      required: [name, price]
      properties:
        name: {type: string, minLength: 1}
        price: {type: number, minimum: 0}
        made: {type: string, format: date-time}
    Tree:
      type: object
      required: [value, children]
      properties:
        value: {type: integer}
        children: {type: array, items: {$ref: "#/components/schemas/Tree"}}
x-hmt-data:
  Item: [{name: nail, price: 1}]
"##;

fn mock(spec: &str, args: &[&str]) -> (Dir, Server) {
    let dir = Dir::new();
    dir.write("spec.yaml", spec);
    let program = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "spec.yaml"]).args(args);
    let server = Server::start(program);
    (dir, server)
}

fn source(answer: &Response) -> &str {
    answer.header("x-hmt-source").unwrap_or("none")
}

#[test]
fn generated_data_is_of_the_schema_and_new_from_call_to_call() {
    let (_dir, server) = mock(SHOP, &[]);
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
fn routes_by_path_by_host_and_by_name() {
    let other = "openapi: 3.0.3\ninfo: {title: o, version: '1'}\nservers: [{url: 'http://other.test'}]\n\
        paths: {/items: {get: {responses: {'200': {description: o, content: {text/plain: {example: other}}}}}}}\n";
    let dir = Dir::new();
    dir.write("specs/1-shop.yaml", SHOP);
    dir.write("specs/2-other.yml", other);
    dir.write("specs/package.json", r#"{"name": "no spec"}"#);
    let start = |flags: &[&str]| {
        let args = ["-p", "0", "-a", "0", "specs"];
        Server::start(dir.program("hmt-mock").args(args).args(flags))
    };
    let server = start(&[]);
    assert!(server.stderr().contains("package.json"));
    let json = |path: &str| {
        server.get(path).expect_status(200).header("content-type") == Some("application/json")
    };
    // A tie goes to the spec given first; a literal segment goes before a template.
    assert!(json("/items") && json("/v1/items"));
    assert_eq!(server.get("/items/newest").text(), "newest");
    assert_eq!(server.get("/http://other.test/items").text(), "other");
    assert!(json("/https://shop.test/v1/items") && json("/http://shop.test/v1/items"));
    assert_eq!(server.get("/https://shop.test/items").status, 404);
    let problem = server.get("/https://nobody.test/items").expect_status(404).json();
    assert!(problem["detail"].as_str().unwrap().contains("nobody.test"), "{problem}");
    assert_eq!(server.get("/http://../items").status, 400);

    let server = start(&["-r"]);
    let get = |host: &str, path: &str| server.request("GET", path).header("Host", host).send();
    assert_eq!(get("other.test", "/items").text(), "other");
    assert_eq!(get(&format!("OTHER.test:{}", server.port()), "/items").text(), "other");
    assert_eq!(get("shop.test", "/v1/items").status, 200);
    assert_eq!(get("shop.test", "/items").status, 404);
    assert_eq!(get("nobody.test", "/items").status, 404);
}

#[test]
fn unknown_paths_and_methods() {
    let (_dir, server) = mock(SHOP, &[]);
    let problem = server.get("/nothing").expect_status(404);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.header("x-hmt-source"), None);
    let refused = server.request("DELETE", "/items").send().expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, POST"));
    let refused = server.request("BREW", "/items").send().expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, POST"));
    let head = server.request("HEAD", "/items").send().expect_status(200);
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_ne!(head.header("content-length"), Some("0"));
}

#[test]
fn invalid_requests_are_refused_with_every_violation() {
    let (_dir, server) = mock(SHOP, &[]);
    let problem = server.get("/items?limit=9").expect_status(422).json();
    let violation = &problem["violations"][0];
    assert_eq!((&violation["in"], &violation["at"]), (&json!("query"), &json!("limit")));
    assert!(violation["message"].is_string());
    // A response that the spec declares for it goes first: here `default`, then 400.
    assert_eq!(source(&server.get("/items/abc").expect_status(422)), "generated");
    let post = |body: Value| server.request("POST", "/items").json(&body).send();
    let answer = post(json!({"name": 1})).expect_status(400);
    assert_eq!((answer.json(), source(&answer)), (json!({"error": "declared"}), "example"));
    assert_eq!(post(json!({"name": "x", "price": 1})).status, 201);
    let wrong = server.request("POST", "/items").header("content-type", "text/csv").body("a,b");
    assert_eq!(wrong.send().status, 415);

    let (_dir, server) = mock(SHOP, &["--no-validate"]);
    assert_eq!(server.get("/items?limit=9").status, 200);
    assert_eq!(server.get("/secret").status, 204);
}

#[test]
fn credentials_are_asked_for() {
    let (_dir, server) = mock(SHOP, &[]);
    let refused = server.get("/secret").expect_status(401);
    let challenges: Vec<&String> =
        refused.headers.iter().filter(|(n, _)| n == "www-authenticate").map(|(_, v)| v).collect();
    assert!(challenges.iter().any(|challenge| challenge.starts_with("Basic ")), "{challenges:?}");
    let get = |name: &str, value: &str| server.request("GET", "/secret").header(name, value).send();
    assert_eq!(get("x-key", "1").status, 204);
    assert_eq!(get("Authorization", "Basic dTpw").status, 204);
    assert_eq!(get("Authorization", "Bearer t").status, 401);
}

#[test]
fn examples_wishes_and_fresh_data() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |prefer: &str| server.request("GET", "/items/1").header("Prefer", prefer).send();
    let usual = server.get("/items/1").expect_status(200);
    assert_eq!((usual.json()["name"].clone(), source(&usual)), (json!("nail"), "example"));
    assert_eq!(get("example=dear").expect_status(200).json()["price"], 99);
    assert_eq!(server.get("/items/1?__example=dear").json()["price"], 99);
    assert_eq!(get("code=404").expect_status(404).json(), json!({"error": "gone"}));
    assert_eq!(source(&server.get("/items/1?__code=503").expect_status(503)), "generated");
    assert_eq!(source(&get("dynamic=true").expect_status(200)), "generated");
    assert_eq!(get("example=none").expect_status(404).json()["title"], "the wish cannot be met");
    assert_eq!(server.get("/items?__code=418").expect_status(404).json()["status"], 404);
    assert_eq!(server.get("/items?__code=x").status, 404);
    let (_dir, server) = mock(SHOP, &["--dynamic"]);
    assert_eq!(source(&server.get("/items/1")), "generated");
    assert_eq!(source(&server.get("/items/1?__dynamic=false")), "example");
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

#[test]
fn media_types_are_negotiated() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |accept: &str| server.request("GET", "/items/1").header("Accept", accept).send();
    assert_eq!(get("text/plain").expect_status(200).text(), "a nail");
    let answer = get("text/plain;q=0.2, application/json;q=0.1");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(get("*/*").header("content-type"), Some("application/json"));
    assert_eq!(get("image/*").expect_status(406).json()["offered"][1], "text/plain");
}

/// A spec with recordings: four answers to one request, one of which came twice.
fn recorded() -> String {
    let answer = |body: &str, seq: u64| {
        json!({"status": 200, "headers": {"content-type": "text/plain", "set-cookie": ["a=1", "b=2"]},
            "body": body, "at": "2020-01-01T00:00:00Z", "seq": seq})
    };
    let key = json!({"method": "get", "origin": "https://shop.test", "path": "/v1/items?a=1&b=2"});
    let binary = json!({"method": "post", "origin": "https://shop.test", "path": "/anywhere"});
    let replay = json!([
        {"key": key, "answers": [answer("three", 3), answer("one", 1), answer("two", 2), answer("one", 0)]},
        {"key": binary, "request": {"body": "x=1&y=2"}, "answers": [
            {"status": 599, "headers": {"x-evil": "a\r\nb: c", "X-Good": "ok"}, "bodyBase64": "/wD+"}]},
    ]);
    format!("{SHOP}x-hmt-replay: {replay}\n")
}

#[test]
fn recordings_come_first_each_once_then_the_last() {
    let (_dir, server) = mock(&recorded(), &[]);
    let path = "/https://shop.test/v1/items?b=2&a=1";
    let answers: Vec<String> = (0..5).map(|_| server.get(path).expect_status(200).text()).collect();
    assert_eq!(answers, ["one", "one", "two", "three", "three"]);
    let answer = server.get(path);
    assert_eq!(source(&answer), "recording");
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
    // Plain routing is a sequence of its own, over all hosts.
    assert_eq!(server.get("/v1/items?a=1&b=2").text(), "one");
    // Never by path alone; a wish and --dynamic pass recordings by.
    assert_eq!(source(&server.get("/v1/items")), "generated");
    assert_eq!(source(&server.get(&format!("{path}&__dynamic=true"))), "generated");
    let answer = server.request("POST", "/anywhere").body("y=2&x=1").send().expect_status(599);
    assert_eq!(answer.body, b"\xff\x00\xfe");
    assert_eq!((answer.header("x-good"), answer.header("b")), (Some("ok"), None));
    server.wait_stderr("1 recorded headers cannot stand in an answer");
    let (_dir, server) = mock(&recorded(), &["--dynamic"]);
    assert_eq!(source(&server.get(path)), "generated");
}

#[test]
fn pages_of_other_origins_may_read_the_answers() {
    let (_dir, server) = mock(SHOP, &[]);
    assert_eq!(server.get("/items").header("access-control-allow-origin"), None);
    let get = server.request("GET", "/items").header("Origin", "http://page.test").send();
    assert_eq!(get.header("access-control-allow-origin"), Some("http://page.test"));
    let preflight = server.request("OPTIONS", "/items").header("Origin", "http://page.test");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").send();
    assert_eq!(preflight.expect_status(204).header("access-control-allow-methods"), Some("POST"));
    let (_dir, server) = mock(SHOP, &["--no-cors"]);
    let get = server.request("GET", "/items").header("Origin", "http://page.test").send();
    assert_eq!(get.header("access-control-allow-origin"), None);
}

#[test]
fn the_admin_port_keeps_scope_and_storage() {
    let (_dir, server) = mock(SHOP, &[]);
    assert_eq!(server.admin("GET", "/health").send().expect_status(200).json()["operations"], 6);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({}));
    server.admin("POST", "/scope").body("name=a%20test").send().expect_status(200);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({"name": "a test"}));
    server.admin("POST", "/scope").body("other=1").send().expect_status(400);
    server.admin("DELETE", "/scope").send().expect_status(200);
    assert_eq!(server.admin("GET", "/scope").send().json(), json!({}));
    server.admin("DELETE", "/storage").send().expect_status(200);
    server.admin("POST", "/storage/reset").send().expect_status(200);
    server.admin("POST", "/storage/other").send().expect_status(501);
    server.admin("GET", "/nothing").send().expect_status(404);
    let refused = server.admin("PUT", "/scope").send().expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, POST, DELETE"));
}

#[test]
fn the_admin_port_refuses_foreign_hosts_and_origins() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |name: &str, value: &str| server.admin("GET", "/health").header(name, value).send();
    assert_eq!(get("Host", "evil.test").status, 403);
    let port = server.admin_url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    assert_eq!(get("Host", &format!("evil.test:{port}")).status, 403);
    assert_eq!(get("Host", &format!("localhost:{port}")).status, 200);
    let foreign = get("Origin", "http://evil.test").expect_status(403);
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert_eq!(get("Origin", &format!("http://127.0.0.1:{port}")).status, 200);
}

#[test]
fn served_exchanges_are_logged_with_their_scope() {
    let (dir, server) = mock(SHOP, &["-l", "logs", "-o", "-"]);
    server.admin("POST", "/scope").body("name=mine").send().expect_status(200);
    server.get("/items?limit=1").expect_status(200);
    server.request("BREW", "/items").send().expect_status(405);
    server.get("/items?limit=9").expect_status(422);
    let lines = server.wait_lines(2);
    let name = dir.list("logs").pop().unwrap();
    assert!(name.starts_with("mock-") && name.ends_with(".jsonl"), "{name}");
    assert_eq!(dir.read(&format!("logs/{name}")).lines().collect::<Vec<_>>(), lines);
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first["meta"]["hmt"]["scope"], "mine");
    assert_eq!(first["request"]["query"]["limit"], "1");
    assert!(first["request"]["timestamp"].is_string());
    assert_eq!(first["response"]["headers"]["x-hmt-source"], "generated");
    let second: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(second["response"]["statusCode"], 422);
    server.stop().expect_code(0);
}

#[test]
fn a_dead_log_is_told_and_the_mock_goes_on() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let (_dir, server) = mock(SHOP, &["-o", "/dev/full"]);
    server.get("/items").expect_status(200);
    server.get("/items").expect_status(200);
    server.stop().expect_code(1).expect_stderr("0 written, 2 lost").expect_stderr("/dev/full");
}

#[test]
fn secrets_are_logged_as_pseudonyms_which_replay_still_matches() {
    let (dir, server) = mock(SHOP, &["-o", "served.jsonl", "--no-validate"]);
    let items = "/items?token=s3cret&limit=1";
    let answer = server.request("GET", items).header("X-Api-Key", "s3cret").send().text();
    server.stop().expect_code(0);
    let log = dir.read("served.jsonl");
    assert!(log.contains("hmt~") && !log.contains("s3cret"), "{log}");

    let start = |flags: &[&str]| {
        let args = ["serve", "-p", "0", "served.jsonl"];
        Server::start(dir.program("hmt-replay").args(args).args(flags))
    };
    let replay = start(&[]);
    assert_eq!(replay.get(items).text(), answer);
    assert_eq!(replay.get("/items?token=other&limit=1").status, 404);
    std::fs::remove_file(dir.join("data/hmt/redact.key")).unwrap();
    let replay = start(&[]);
    assert_eq!(replay.get("/items?limit=1&token=other").text(), answer);
    assert_eq!(replay.get("/items?limit=1&token=").status, 404);
    let run = dir.program("hmt-replay").args(["serve", "--redact-key", "no.key", "served.jsonl"]);
    run.run().expect_code(1).expect_stderr("no.key");

    let (dir, server) = mock(SHOP, &["-o", "-", "--keep-secrets"]);
    server.get(items);
    assert!(server.wait_lines(1)[0].contains("s3cret"));
    assert!(!dir.exists("data"));
}

#[test]
fn what_cannot_be_served_is_said() {
    let dir = Dir::new();
    dir.write("empty.yaml", "");
    dir.write("version.yaml", "openapi: 9.0.0\ninfo: {}\npaths: {}\n");
    let broken = SHOP.replace("schemas/Tree\"", "schemas/Bush\"");
    dir.write("broken.yaml", broken);
    dir.write("replay.yaml", format!("{SHOP}x-hmt-replay: [{{key: 1}}]\n"));
    dir.write("none/readme.txt", "");
    for (args, said) in [
        (vec!["empty.yaml"], "empty.yaml"),
        (vec!["version.yaml"], "9.0.0"),
        (vec!["broken.yaml"], "#/components/schemas/Bush"),
        (vec!["replay.yaml"], "/x-hmt-replay/0/key"),
        (vec!["missing.yaml"], "missing.yaml"),
        (vec!["none"], "no spec in this folder"),
        (vec!["http://h.test/spec.yaml"], "curl"),
        (vec!["-", "-"], "standard input"),
    ] {
        let run =
            dir.program("hmt-mock").args(["-p", "0", "-a", "0"]).args(&args).stdin(SHOP).run();
        run.expect_code(1).expect_stderr(said).expect_no_stdout();
    }
    dir.program("hmt-mock").run().expect_code(2);
}

#[test]
fn specs_come_by_standard_input_too() {
    let dir = Dir::new();
    let program = dir.program("hmt-mock").args(["-p", "0", "--no-admin", "-"]).stdin(SHOP);
    let server = Server::start(program);
    server.get("/items").expect_status(200);
    assert!(!server.stderr().contains("admin on"));
}

#[test]
fn a_busy_port_names_its_flag() {
    let (dir, server) = mock(SHOP, &[]);
    let port = server.port().to_string();
    let run = |args: [&str; 4]| dir.program("hmt-mock").args(args).arg("spec.yaml").run();
    run(["-p", &port, "-a", "0"]).expect_code(1).expect_stderr("-p/--port");
    run(["-p", "0", "-a", &port]).expect_code(1).expect_stderr("-a/--admin-port");
}
