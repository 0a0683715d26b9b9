//! Which operation a request is for, and the error if there is none.

use super::{SHOP, ask, mock};
use crate::harness::{Dir, Server};

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
    // Among equals, the first spec counts; a literal segment takes precedence over a template.
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
    assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    let refused = server.request("BREW", "/items").send().expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    let head = server.request("HEAD", "/items").send().expect_status(200);
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_ne!(head.header("content-length"), Some("0"));
}

const PATHS: &str = r##"
openapi: 3.0.4
info: {title: t, version: "1"}
servers:
- {url: "https://{tenant}.a.test/{stage}", variables: {tenant: {default: demo}, stage: {default: v1, enum: [v1, beta]}}}
- {url: /rel}
paths:
  /pets/{id}: {get: {responses: {"200": {description: d, content: {text/plain: {example: templated}}}}}}
  /pets/mine: {get: {responses: {"200": {description: d, content: {text/plain: {example: concrete}}}}}}
  /pets/{id}.json: {get: {responses: {"200": {description: d, content: {text/plain: {example: partial}}}}}}
  /pets/{from}-{to}: {get: {responses: {"200": {description: d, content: {text/plain: {example: pair}}}}}}
  /pets/{id}/toys/: {get: {responses: {"200": {description: d, content: {text/plain: {example: slash}}}}}, post: {responses: {"201": {description: d}}}}
  /caf%C3%A9/{x}: {get: {responses: {"200": {description: d, content: {text/plain: {example: encoded}}}}}}
  /matrix/{m}: {get: {parameters: [{name: m, in: path, required: true, style: matrix, schema: {type: integer}}], responses: {"200": {description: d, content: {text/plain: {example: matrix}}}}}}
  /label{l}: {get: {parameters: [{name: l, in: path, required: true, style: label, schema: {type: integer}}], responses: {"200": {description: d, content: {text/plain: {example: label}}}}}}
  /own:
    servers: [{url: "https://own.test"}]
    get: {responses: {"200": {description: d, content: {text/plain: {example: own}}}}}
  /opt: {options: {responses: {"200": {description: d, content: {text/plain: {example: options}}}}}, head: {responses: {"204": {description: d}}}}
"##;

/// OpenAPI 3.0.4, section 4.7.8.1: concrete paths take precedence over templated ones.
#[test]
fn the_most_specific_path_is_taken() {
    let (_dir, server) = mock(PATHS, &[]);
    for (path, expected) in [
        ("/pets/mine", "concrete"),
        ("/pets/m%69ne", "concrete"),
        ("/pets/1", "templated"),
        ("/pets/mine2", "templated"),
        ("/pets/a%2Fb", "templated"),
        ("/pets/1.json", "partial"),
        ("/pets/.json", "templated"),
        ("/pets/1-2", "pair"),
        ("/pets/1/toys/", "slash"),
        ("/pets/1/toys", "slash"),
        ("/pets/mine/", "concrete"),
        ("/caf%C3%A9/1", "encoded"),
        ("/caf%c3%a9/1", "encoded"),
        ("/matrix/;m=5", "matrix"),
        ("/label.5", "label"),
        ("/v1/pets/mine", "concrete"),
        ("/beta/pets/mine", "concrete"),
        ("/rel/pets/mine", "concrete"),
        ("/https://demo.a.test/v1/pets/mine", "concrete"),
        ("/https://acme.a.test/beta/pets/mine", "concrete"),
        ("/https://any.test/rel/pets/mine", "concrete"),
        ("/https://own.test/own", "own"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.text()), (200, expected.to_owned()), "{path}");
    }
}

#[test]
fn what_has_no_path_is_told_the_nearest() {
    let (_dir, server) = mock(PATHS, &[]);
    for (path, detail) in [
        ("/pets/1/toy", "/pets/{id}/toys/"),
        ("/pets", "/pets/"),
        ("/pets/1/toys/2", "/pets/{id}/toys/"),
        ("/nothing", "no path of the specs matches /nothing"),
        ("/https://acme.a.test/v3/pets/mine", "no path"),
        ("/https://own.test/pets/mine", "no path"),
        ("/matrix", "/matrix/{m}"),
    ] {
        let answer = server.get(path).expect_status(404);
        let problem = answer.json();
        let found = problem["detail"].as_str().unwrap();
        assert!(found.contains(detail), "{path}: {found}");
    }
}

/// RFC 9110, sections 9.3.2 (HEAD), 9.3.7 (OPTIONS), 15.5.6 (405 has `Allow`).
#[test]
fn methods_that_a_path_has_and_has_not() {
    let (_dir, server) = mock(PATHS, &[]);
    for (what, status, allow) in [
        ("HEAD /pets/1", 200, None),
        ("HEAD /opt", 204, None),
        ("OPTIONS /opt", 200, None),
        ("DELETE /pets/1", 405, Some("GET, HEAD, OPTIONS")),
        ("DELETE /pets/1/toys", 405, Some("GET, HEAD, OPTIONS, POST")),
        ("GET /opt", 405, Some("HEAD, OPTIONS")),
        ("OPTIONS /pets/1", 204, Some("GET, HEAD, OPTIONS")),
        ("OPTIONS /nothing", 404, None),
        ("HEAD /nothing", 404, None),
    ] {
        let answer = ask(&server, what, &[], "");
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(answer.header("allow"), allow, "{what}");
    }
    let get = server.get("/pets/1");
    let head = ask(&server, "HEAD /pets/1", &[], "");
    assert_eq!(get.header("content-length"), head.header("content-length"));
    assert!(head.body.is_empty());
}
