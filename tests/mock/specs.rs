//! Sources of specs.

use super::{SHOP, ask};
use crate::harness::{Dir, Reply, Server, Upstream};

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
        (vec!["--strict", "broken.yaml"], "#/components/schemas/Bush"),
        (vec!["replay.yaml"], "/x-hmt-replay/0/key"),
        (vec!["missing.yaml"], "missing.yaml"),
        (vec!["none"], "this folder contains no specs"),
        (vec!["-", "-"], "standard input"),
    ] {
        let run =
            dir.program("hmt-mock").args(["-p", "0", "-a", "0"]).args(&args).stdin(SHOP).run();
        run.expect_code(1).expect_stderr(said).expect_no_stdout();
    }
    dir.program("hmt-mock").run().expect_code(2);
}

/// Swagger 2.0, Parameters Definitions Object, Responses Definitions Object and Reference Object:
/// any reference may point to another file.
#[test]
fn references_of_swagger_lead_to_other_files() {
    let dir = Dir::new();
    dir.write("api/swagger.yaml", "swagger: '2.0'\ninfo: {title: t, version: '1'}\nconsumes: [application/json]\nproduces: [application/json]\nparameters:\n  shared: {$ref: 'parts.yaml#/limit'}\npaths:\n  /pets:\n    parameters: [{$ref: 'parts.yaml#/limit'}]\n    get: {responses: {'200': {$ref: 'parts.yaml#/all'}}}\n    post: {parameters: [{$ref: 'parts.yaml#/pet'}], responses: {'201': {description: d}}}\n    put: {parameters: [{$ref: 'parts.yaml#/field'}], consumes: [application/x-www-form-urlencoded], responses: {'204': {description: d}}}\n    delete: {parameters: [{$ref: '#/parameters/shared'}], responses: {'204': {description: d}}}\n  /more: {$ref: 'paths.yaml#/more'}\n");
    dir.write("api/parts.yaml", "limit: {name: limit, in: query, type: integer, maximum: 9}\npet: {name: pet, in: body, required: true, schema: {$ref: '#/Pet'}}\nfield: {name: age, in: formData, required: true, type: integer}\nall: {description: d, schema: {type: array, minItems: 1, items: {$ref: '#/Pet'}}}\nPet: {type: object, required: [name], properties: {name: {type: string, enum: [rex]}}}\n");
    dir.write("api/paths.yaml", "more:\n  get: {parameters: [{$ref: 'parts.yaml#/limit'}], responses: {'200': {$ref: 'parts.yaml#/all'}}}\n");
    let args = ["-p", "0", "--no-admin", "api/swagger.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    for path in ["/pets", "/more"] {
        assert_eq!(server.get(path).expect_status(200).json()[0]["name"], "rex", "{path}");
        assert_eq!(server.get(&format!("{path}?limit=10")).status, 422, "{path}");
    }
    let form = "application/x-www-form-urlencoded";
    for (call, kind, body, status) in [
        ("POST /pets", "application/json", r#"{"name":"rex"}"#, 201),
        ("POST /pets", "application/json", r#"{"name":"max"}"#, 422),
        ("POST /pets", "application/json", "", 422),
        ("PUT /pets", form, "age=3", 204),
        ("PUT /pets", form, "age=x", 422),
        ("DELETE /pets?limit=3", form, "", 204),
        ("DELETE /pets?limit=x", form, "", 422),
    ] {
        let answer = ask(&server, call, &[("Content-Type", kind)], body);
        assert_eq!(answer.status, status, "{call} {body}: {}", answer.text());
    }
}

#[test]
fn specs_come_by_standard_input_too() {
    let dir = Dir::new();
    let program = dir.program("hmt-mock").args(["-p", "0", "--no-admin", "-"]).stdin(SHOP);
    let server = Server::start(program);
    server.get("/items").expect_status(200);
    assert!(!server.stderr().contains("admin on"));
}

/// OpenAPI 3.1.1, section 4.6 (references to other documents, relative to the referring one).
#[test]
fn references_lead_to_other_files() {
    let dir = Dir::new();
    dir.write("api/openapi.yaml", "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /pets: {$ref: paths/pets.yaml}\n  /tree: {$ref: 'paths/more.json#/tree'}\n");
    dir.write("api/paths/pets.yaml", "get:\n  responses:\n    '200': {description: d, content: {application/json: {schema: {$ref: '../schemas.yaml#/Pet'}}}}\n");
    dir.write("api/paths/more.json", r#"{"tree": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "../schemas.yaml#/Node"}}}}}}}}"#);
    dir.write("api/schemas.yaml", "Pet: {type: object, required: [name], properties: {name: {const: rex}}}\nNode: {type: object, required: [kids], properties: {kids: {type: array, items: {$ref: '#/Node'}}}}\n");
    let args = ["-p", "0", "--no-admin"];
    let server = Server::start(dir.program("hmt-mock").args(args).arg("api/openapi.yaml"));
    assert_eq!(server.get("/pets").expect_status(200).json()["name"], "rex");
    assert!(server.get("/tree").expect_status(200).json()["kids"].is_array());
    // In a folder, referenced files are not separate specs.
    let server = Server::start(dir.program("hmt-mock").args(args).arg("api"));
    assert_eq!(server.get("/pets").expect_status(200).json()["name"], "rex");
}

#[test]
fn specs_come_from_urls_with_what_they_refer_to() {
    let upstream = Upstream::start(|request| match request.target.as_str() {
        "/old" => Reply::new(302, &[("Location", "/api/spec.yaml")], ""),
        "/api/spec.yaml" => Reply::new(
            200,
            &[],
            "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/pets: {$ref: 'a%20b.yaml'}}\n",
        ),
        "/api/a%20b.yaml" => Reply::new(
            200,
            &[],
            "get: {responses: {'200': {description: d, content: {text/plain: {example: far}}}}}\n",
        ),
        _ => Reply::new(404, &[], ""),
    });
    let dir = Dir::new();
    let args = ["-p", "0", "--no-admin"];
    let url = format!("{}/api/spec.yaml", upstream.url());
    let server = Server::start(dir.program("hmt-mock").args(args).arg(&url));
    assert_eq!(server.get("/pets").expect_status(200).text(), "far");
    let gone = format!("{}/gone.yaml", upstream.url());
    dir.program("hmt-mock").args(args).arg(&gone).run().expect_code(1).expect_stderr("404");
    dir.program("hmt-mock")
        .args(args)
        .arg("http://127.0.0.1:1/x")
        .run()
        .expect_code(1)
        .expect_stderr("127.0.0.1:1");
}

#[test]
fn changed_files_are_loaded_again() {
    let dir = Dir::new();
    let spec =
        "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/pets: {$ref: pets.yaml}}\n";
    let pets = |text: &str| {
        format!(
            "get: {{responses: {{'200': {{description: d, content: {{text/plain: {{example: {text}}}}}}}}}}}\n"
        )
    };
    dir.write("spec.yaml", spec);
    dir.write("pets.yaml", pets("one"));
    let args = ["-p", "0", "-a", "0", "--watch", "spec.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    assert_eq!(server.get("/pets").text(), "one");
    server.admin("POST", "/scope").body("name=kept").send().expect_status(200);
    dir.write("pets.yaml", pets("second"));
    server.wait_stderr("reloaded: 1 specs, 1 operations");
    assert_eq!(server.get("/pets").text(), "second");
    dir.write("spec.yaml", "openapi: [");
    server.wait_stderr("the previous specs stay");
    assert_eq!(server.get("/pets").text(), "second");
    dir.write("spec.yaml", spec.replace("/pets:", "/animals:"));
    // Once for each valid change.
    let again = || server.stderr().matches("reloaded: ").count() == 2;
    while !again() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(server.get("/animals").text(), "second");
    assert_eq!(server.get("/pets").status, 404);
    assert_eq!(server.admin("GET", "/scope").send().json()["name"], "kept");
}
