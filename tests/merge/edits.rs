//! Edits of specs, and what happens to the edits when traffic is added.

use serde_json::{Value, json};

use crate::harness::{Dir, Run, fixture};

pub(super) fn shop() -> String {
    std::fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

/// A folder with the shop's recordings in two shards, and a tracked partial of each.
pub(super) fn shards() -> Dir {
    let dir = Dir::new();
    let shop = shop();
    let lines: Vec<&str> = shop.lines().collect();
    let (a, b) = lines.split_at(lines.len() / 2);
    for (name, lines) in [("a", a), ("b", b), ("all", &lines[..])] {
        let file = format!("{name}.jsonl");
        dir.write(&file, lines.join("\n") + "\n");
        let out = format!("{name}.partial.json");
        build(&dir, &["--partial", "--track-inputs", &file, "-o", &out]).expect_code(0);
    }
    dir
}

pub(super) fn build(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-build").args(args).run()
}

pub(super) fn merge(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-merge").args(args).run()
}

#[test]
fn three_ways() {
    let dir = Dir::new();
    dir.write("old.jsonl", shop());
    build(&dir, &["old.jsonl", "-o", "old.yaml"]).expect_code(0);
    let old = dir.read("old.yaml");
    let edited = old
        .replacen("title: api.shop.example", "title: Shop", 1)
        .replacen("{productName}", "{slug}", 1)
        .replacen("- name: productName", "- name: slug", 1);
    dir.write("ours.yaml", &edited);
    let new = old.replacen("title: api.shop.example", "title: other", 1).replacen(
        "description: OK",
        "description: Fine",
        1,
    );
    dir.write("new.yaml", &new);
    let run = merge(&dir, &["--base", "old.yaml", "ours.yaml", "new.yaml"]).expect_code(0);
    assert_eq!(run.err(), "/info/title: \"Shop\" / \"other\"\n");
    assert_eq!(run.out(), edited.replacen("description: OK", "description: Fine", 1));
    let last = merge(&dir, &["--conflict", "last", "--base", "old.yaml", "ours.yaml", "new.yaml"]);
    assert_eq!(last.expect_code(0).yaml()["info"]["title"], "other");
    merge(&dir, &["--conflict", "error", "--base", "old.yaml", "ours.yaml", "new.yaml"])
        .expect_code(1)
        .expect_no_stdout()
        .expect_stderr("/info/title");
    merge(&dir, &["--base", "old.yaml", "ours.yaml"]).expect_code(2).expect_stderr("--base");
    merge(&dir, &["--base", "none.yaml", "ours.yaml", "new.yaml"])
        .expect_code(1)
        .expect_stderr("none.yaml");
    // A partial counts as new too.
    build(&dir, &["--partial", "old.jsonl", "-o", "p.partial.json"]).expect_code(0);
    let same = merge(&dir, &["--base", "old.yaml", "p.partial.json", "ours.yaml"]);
    assert_eq!(same.expect_code(0).expect_quiet().out(), edited);
    merge(&dir, &["--base", "old.yaml", "p.partial.json", "p.partial.json"]).expect_code(2);
}

/// An exchange of the shop: a GET with a JSON response.
fn line(path: &str, status: u16, body: &Value) -> String {
    let json = json!({
        "request": {"method": "get", "protocol": "https", "host": "api.shop.example", "path": path, "headers": {}},
        "response": {"statusCode": status, "headers": {"content-type": "application/json"}, "body": body.to_string()},
    });
    format!("{json}\n")
}

fn user(id: u32, name: &str) -> Value {
    json!({"id": id, "email": "a@b.example", "name": name, "score": 1, "created": "2026-01-04T10:00:00Z", "phone": null, "tags": []})
}

fn product(currency: &str) -> Value {
    json!({"slug": "lamp", "price": {"amount": 1, "currency": currency}, "next": null})
}

/// A folder with the shop's traffic and its spec, and more traffic: a longer name, a known
/// currency, the path that the tests delete, and a new one.
fn edited(edits: &[(&str, &str)]) -> Dir {
    let dir = Dir::new();
    dir.write("old.jsonl", shop());
    build(&dir, &["old.jsonl", "-o", "api.yaml"]).expect_code(0);
    let mut spec = dir.read("api.yaml");
    for (old, new) in edits {
        assert!(spec.contains(old), "{old}\n{spec}");
        spec = spec.replacen(old, new, 1);
    }
    dir.write("api.yaml", spec);
    let new = [
        line("/v1/users/9", 200, &user(9, "Bartholomew")),
        line("/v1/products/lamp/", 200, &product("EUR")),
        line("/v1/health", 200, &json!("fine")),
        line("/v1/stock", 200, &json!([{"sku": "A", "count": 3}])),
    ];
    dir.write("new.jsonl", new.concat());
    dir
}

const HEALTH: &str = "  /v1/health:
    get:
      tags:
        - health
      summary: Get the health
      operationId: getHealth
      responses:
        '200':
          description: OK
          content:
            text/plain:
              schema:
                type: string
";

/// Possible edits: rename and describe a parameter, close a set, limit a length, delete a path.
const EDITS: [(&str, &str); 6] = [
    ("/v1/products/{productName}/", "/v1/products/{slug}/"),
    (
        "      - name: productName\n",
        "      - name: slug\n        description: The product's name in URLs\n",
    ),
    (
        "                      currency:\n                        type: string\n",
        "                      currency:\n                        type: string\n                        enum: [EUR, USD]\n",
    ),
    (
        "        name:\n          type: string\n        phone",
        "        name:\n          type: string\n          maxLength: 5\n        phone",
    ),
    (
        "    User:\n      type: object\n",
        "    User:\n      type: object\n      description: A customer\n",
    ),
    (HEALTH, ""),
];

#[test]
fn edits_are_kept_widened_and_told() {
    let dir = edited(&EDITS);
    let before = dir.read("api.yaml");
    let run = build(&dir, &["--verify", "-a", "api.yaml", "new.jsonl", "-o", "api.yaml"]);
    let told = run.expect_code(0).err();
    let name = "/components/schemas/User/properties/name";
    for line in [
        format!("hmt-build: {name}: maxLength 5 was widened, because the traffic contradicts it\n"),
        "hmt-build: /paths/~1v1~1health: stays deleted, although the traffic contains it\n"
            .to_owned(),
        "all 4 exchanges conform to the spec; 1 belong to parts that were deleted from the spec\n"
            .to_owned(),
    ] {
        assert!(told.contains(&line), "{line}\n{told}");
    }
    let spec: Value = serde_saphyr::from_str(&dir.read("api.yaml")).unwrap();
    let product = &spec["paths"]["/v1/products/{slug}/"];
    assert_eq!(product["parameters"][0]["description"], "The product's name in URLs");
    let schema = &product["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let currency = &schema["properties"]["price"]["properties"]["currency"];
    assert_eq!(currency["enum"], json!(["EUR", "USD"]));
    assert_eq!(spec["components"]["schemas"]["User"]["description"], "A customer");
    let limited = spec.pointer(name).unwrap();
    assert_eq!((&limited["type"], limited.get("maxLength")), (&json!("string"), None));
    let paths: Vec<&String> = spec["paths"].as_object().unwrap().keys().collect();
    assert!(paths.contains(&&"/v1/stock".to_owned()), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("health") || path.contains("productName")));
    assert_eq!(spec["x-hmt-conflicts"], json!([{"at": name, "was": {"maxLength": 5}}]));
    assert_eq!(spec["x-hmt-deleted"], json!(["/paths/~1v1~1health"]));
    // Everything else is unchanged.
    let after = dir.read("api.yaml");
    let lost: Vec<&str> = before.lines().filter(|line| !after.contains(line)).collect();
    assert_eq!(lost.len(), 3, "the limit, the base, and how the set is written: {lost:?}");

    // However often it is built again, with any number of threads, nothing changes, and nothing is
    // reported twice.
    for threads in ["1", "2", "4"] {
        let again =
            ["-a", "api.yaml", "new.jsonl", "old.jsonl", "-o", "api.yaml", "--threads", threads];
        build(&dir, &again).expect_code(0).expect_quiet();
        assert_eq!(dir.read("api.yaml"), after);
    }
    // Removed from the list, the path returns.
    let wanted = after.replacen("x-hmt-deleted:\n  - /paths/~1v1~1health\n", "", 1);
    assert_ne!(wanted, after);
    dir.write("api.yaml", wanted);
    build(&dir, &["-a", "api.yaml", "old.jsonl", "-o", "api.yaml"]).expect_code(0).expect_quiet();
    assert!(dir.read("api.yaml").contains("/v1/health"));
}

#[test]
fn names_and_deleted_parts_stay() {
    let page = "        - name: page
          in: query
          required: true
          schema:
            type: integer
";
    let dir = edited(&[
        (page, ""),
        ("        score:\n          type: number\n", ""),
        ("        - score\n", ""),
        (
            "        '404':\n          description: Not Found\n          content:\n            text/plain:\n              schema:\n                type: string\n",
            "",
        ),
    ]);
    let spec = dir.read("api.yaml").replace("/schemas/User'", "/schemas/Customer'");
    let spec = spec.replacen("    User:\n", "    Customer:\n", 1);
    dir.write("api.yaml", spec.replacen("operationId: getHealth", "operationId: health", 1));
    let edited = dir.read("api.yaml");
    let run =
        build(&dir, &["--verify", "-a", "api.yaml", "old.jsonl", "new.jsonl", "-o", "api.yaml"]);
    let told = run.expect_code(0).err();
    let spec: Value = serde_saphyr::from_str(&dir.read("api.yaml")).unwrap();
    let schemas: Vec<&String> = spec["components"]["schemas"].as_object().unwrap().keys().collect();
    assert!(
        schemas.contains(&&"Customer".to_owned()) && !schemas.contains(&&"User".to_owned()),
        "{schemas:?}"
    );
    assert!(spec["components"]["schemas"]["Customer"]["properties"].get("score").is_none());
    assert_eq!(spec["paths"]["/v1/health"]["get"]["operationId"], "health");
    for place in [
        "/paths/~1v1~1users/get/parameters/query page",
        "/components/schemas/Customer/properties/score",
        "/paths/~1v1~1products~1{productName}~1/get/responses/404",
    ] {
        assert!(told.contains(&format!("{place}: stays deleted")), "{place}\n{told}");
    }
    for line in edited.lines().filter(|line| !line.starts_with("x-hmt-base")) {
        assert!(dir.read("api.yaml").contains(line), "{line}");
    }
}

#[test]
fn specs_that_others_wrote_are_all_edits() {
    let dir = edited(&[]);
    let spec = "openapi: 3.0.3
info: {title: Shop, version: '7'}
servers: [{url: 'https://api.shop.example/v1'}]
paths:
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, maximum: 4}}]
    get:
      deprecated: true
      summary: One user
      responses:
        '200':
          description: The user
          content:
            application/json:
              schema:
                type: object
                required: [id, name, nick]
                properties:
                  id: {type: integer, minimum: 1}
                  name: {type: string, pattern: '^[A-Z]'}
";
    dir.write("api.yaml", spec);
    let run =
        build(&dir, &["--verify", "-a", "api.yaml", "old.jsonl", "new.jsonl", "-o", "api.yaml"]);
    let told = run.expect_code(0).err();
    let user = "/paths/~1users~1{id}/get/responses/200/content/application~1json/schema";
    assert!(
        told.contains(&format!("{user}: required [\"id\",\"name\",\"nick\"] was widened")),
        "{told}"
    );
    assert!(
        told.contains("/paths/~1users~1{id}/parameters/0/schema: maximum 4 was widened"),
        "{told}"
    );
    let spec: Value = serde_saphyr::from_str(&dir.read("api.yaml")).unwrap();
    let get = &spec["paths"]["/users/{id}"]["get"];
    assert_eq!((&get["summary"], &get["deprecated"]), (&json!("One user"), &json!(true)));
    let schema = spec.pointer(user).unwrap();
    assert_eq!(schema["required"], json!(["id", "name"]));
    assert_eq!(schema["properties"]["id"], json!({"type": "integer", "minimum": 1}));
    assert_eq!(schema["properties"]["name"], json!({"type": "string", "pattern": "^[A-Z]"}));
    assert_eq!(schema["properties"]["email"]["format"], "email");
    let after = dir.read("api.yaml");
    build(&dir, &["-a", "api.yaml", "old.jsonl", "-o", "api.yaml"]).expect_code(0).expect_quiet();
    assert_eq!(dir.read("api.yaml"), after);
}

#[test]
fn a_partial_only_tells_its_sum() {
    let dir = edited(&EDITS);
    build(&dir, &["--partial", "new.jsonl", "-o", "new.partial.json"]).expect_code(0);
    let run = build(&dir, &["-a", "api.yaml", "new.partial.json", "-o", "out.yaml"]);
    // It limits the length of names, but two currencies are not an enumeration yet.
    run.expect_code(0).expect_stderr("maxLength 5 was widened").expect_stderr("enum [");
    let spec: Value = serde_saphyr::from_str(&dir.read("out.yaml")).unwrap();
    assert_eq!(spec["components"]["schemas"]["User"]["description"], "A customer");
    assert!(spec["paths"].get("/v1/health").is_none());
    let first = dir.read("out.yaml");
    build(&dir, &["-a", "out.yaml", "new.partial.json", "-o", "out.yaml"])
        .expect_code(0)
        .expect_quiet();
    assert_eq!(dir.read("out.yaml"), first);
}

#[test]
fn a_state_goes_on() {
    let dir = shards();
    let whole = build(&dir, &["all.jsonl"]).expect_code(0).out();
    build(&dir, &["--state", "s", "a.jsonl"]).expect_code(0);
    let run = build(&dir, &["--state", "s", "b.jsonl"]).expect_code(0).expect_quiet();
    assert_eq!(run.out(), whole, "as one run over all");
    let plain = build(&dir, &["--partial", "all.jsonl"]).expect_code(0).out();
    assert_eq!(dir.read("s"), plain);
    // Also from a pipe, and without new input.
    let piped = dir.program("hmt-build").args(["--state", "s", "-"]).stdin("").run();
    assert_eq!(piped.expect_code(0).out(), whole);
    // An error leaves it unchanged.
    dir.write("bad.jsonl", "{}\n");
    build(&dir, &["--state", "s", "bad.jsonl"]).expect_code(1);
    build(&dir, &["--state", "s", "-m", "mixed", "a.jsonl"])
        .expect_code(1)
        .expect_no_stdout()
        .expect_stderr("cannot continue from the state in s");
    assert_eq!(dir.read("s"), plain);
    dir.write("no", "openapi: 3.0.3\n");
    build(&dir, &["--state", "no", "a.jsonl"])
        .expect_code(1)
        .expect_stderr("is not a state of hmt-build");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(dir.join("s")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_tracked_state_reads_what_is_new() {
    let dir = Dir::new();
    let shop = shop();
    let lines: Vec<&str> = shop.split_inclusive('\n').collect();
    let args = ["--state", "s", "--track-inputs", "-v", "logs/"];
    let upto = |count: usize| lines[..count].concat();
    dir.write("logs/a.jsonl", upto(5));
    dir.write("logs/b.jsonl", lines[20..].concat());
    build(&dir, &args).expect_code(0);
    let first = dir.read("s");
    build(&dir, &args).expect_code(0).expect_stderr("logs/a.jsonl: nothing new");
    assert_eq!(dir.read("s"), first);
    // The log grows, is incomplete, and is finally complete. A copy is not new.
    for (count, torn) in [(9, "{\"request\": {"), (12, ""), (20, "")] {
        dir.write("logs/a.jsonl", upto(count) + torn);
        dir.write("logs/copy.jsonl", lines[20..].concat());
        build(&dir, &args).expect_code(0);
    }
    let spec = build(&dir, &args).expect_code(0).out();
    dir.write("all.jsonl", shop.clone());
    assert_eq!(spec, build(&dir, &["all.jsonl"]).expect_code(0).out());
    let mut state: Value = serde_json::from_str(&dir.read("s")).unwrap();
    assert_eq!(state["exchanges"], json!(lines.len()));
    state.as_object_mut().unwrap().remove("inputs");
    let plain = build(&dir, &["--partial", "all.jsonl"]).expect_code(0).json();
    assert_eq!(state, plain);
    // Messages count lines from the start of the file.
    dir.write("logs/a.jsonl", upto(20) + "nonsense\n" + lines[0]);
    build(&dir, &args).expect_code(3).expect_stderr("logs/a.jsonl:21: ");
}
