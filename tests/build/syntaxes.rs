//! Bodies that are not JSON, lists in queries, and GraphQL: the specs of `hmt-build`, and how
//! `hmt-mock` serves them.

use serde_json::{Value, json};

use crate::harness::{Dir, Program, Server, fixture};

fn built(dir: &Dir) -> Value {
    let recording = fixture("recordings/syntaxes.jsonl");
    let build = dir.program("hmt-build").args(["--verify", "-f", "json", "-o", "spec.json"]);
    build.arg(recording).run().expect_code(0).expect_stderr("conform to the spec");
    serde_json::from_str(&dir.read("spec.json")).unwrap()
}

fn served(dir: &Dir) -> Server {
    built(dir);
    let mock: Program = dir.program("hmt-mock").args(["spec.json", "-p", "0", "--no-admin"]);
    Server::start(mock)
}

fn asked(spec: &Value, path: &str, media: &str) -> Value {
    spec["paths"][path]["post"]["requestBody"]["content"][media].clone()
}

#[test]
fn parts_are_properties() {
    let media = asked(&built(&Dir::new()), "/upload", "multipart/form-data");
    let properties = &media["schema"]["properties"];
    assert_eq!(properties["count"], json!({"type": "integer"}));
    assert_eq!(properties["public"], json!({"type": "boolean"}));
    let file = json!({"type": "string", "format": "binary"});
    assert_eq!(properties["file"], file);
    assert_eq!(properties["photos"], json!({"type": "array", "items": file}));
    assert_eq!(properties["meta"]["properties"]["n"], json!({"type": "integer"}));
    assert_eq!(media["schema"]["required"], json!(["count", "file", "meta", "public", "title"]));
    assert_eq!(
        media["encoding"],
        json!({
            "file": {"contentType": "application/pdf, image/png"},
            "meta": {"contentType": "application/json"},
            "photos": {"contentType": "image/jpeg"},
        })
    );
}

#[test]
fn names_in_brackets_are_objects_and_lists() {
    let media = asked(&built(&Dir::new()), "/users", "application/x-www-form-urlencoded");
    let properties = &media["schema"]["properties"];
    let list = |kind: &str| json!({"type": "array", "items": {"type": kind}});
    assert_eq!(properties["user"]["properties"]["tags"], list("string"));
    assert_eq!(properties["user"]["required"], json!(["age", "name", "tags"]));
    assert_eq!(properties["ids"], list("integer"));
    assert_eq!(properties["lines"]["items"]["properties"]["price"]["type"], "number");
    assert_eq!(properties["color"], list("string"));
    assert_eq!(media["encoding"]["user"], json!({"style": "deepObject", "explode": true}));
    assert_eq!(media["encoding"]["color"], Value::Null);
}

#[test]
fn lists_in_queries_have_the_style_that_was_seen() {
    let spec = built(&Dir::new());
    let parameters = spec["paths"]["/items"]["get"]["parameters"].as_array().unwrap();
    let find = |name: &str| parameters.iter().find(|one| one["name"] == name).unwrap();
    for (name, style, explode, kind) in [
        ("ids", json!("form"), json!(false), "array"),
        ("fields", json!("pipeDelimited"), json!(false), "array"),
        ("tag", json!("form"), json!(true), "array"),
        ("x[]", json!("form"), json!(true), "array"),
        ("filter", json!("deepObject"), json!(true), "object"),
        ("ll", Value::Null, Value::Null, "string"),
        ("sort", Value::Null, Value::Null, "string"),
        ("q", Value::Null, Value::Null, "string"),
    ] {
        let one = find(name);
        assert_eq!((&one["style"], &one["explode"]), (&style, &explode), "{name}");
        assert_eq!(one["schema"]["type"], kind, "{name}");
    }
    assert_eq!(find("filter")["schema"]["required"], json!(["status"]));
}

#[test]
fn sequences_have_the_schema_of_an_item() {
    let spec = built(&Dir::new());
    let media = |path: &str, media: &str| {
        spec["paths"][path]["get"]["responses"]["200"]["content"][media].clone()
    };
    let feed = media("/feed", "application/x-ndjson");
    assert_eq!(feed["schema"], json!({"type": "string"}));
    assert_eq!(feed["x-hmt-item-schema"]["required"], json!(["id", "name"]));
    let chat = media("/chat", "text/event-stream");
    let kinds = chat["x-hmt-item-schema"]["anyOf"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["properties"]["delta"] == json!({"type": "string"})));
    assert!(kinds.iter().any(|kind| kind["type"] == "string"), "data that is no JSON");
}

#[test]
fn xml_has_the_keywords_of_openapi() {
    let schema = asked(&built(&Dir::new()), "/orders", "application/xml")["schema"].clone();
    assert_eq!(schema["xml"], json!({"name": "order", "namespace": "urn:shop"}));
    let properties = &schema["properties"];
    assert_eq!(properties["id"], json!({"type": "integer", "xml": {"attribute": true}}));
    assert_eq!(properties["total"], json!({"type": "number"}));
    assert_eq!(properties["line"]["type"], "array");
    assert_eq!(properties["tags"]["xml"], json!({"wrapped": true}));
    assert_eq!(
        properties["dc:title"]["xml"],
        json!({"name": "title", "namespace": "urn:dc", "prefix": "dc"})
    );
}

#[test]
fn the_operations_of_graphql_are_listed() {
    let spec = built(&Dir::new());
    let post = &spec["paths"]["/graphql"]["post"];
    let all = post["x-hmt-graphql"].as_array().unwrap();
    let names: Vec<_> = all.iter().map(|one| (one["kind"].clone(), one["name"].clone())).collect();
    assert_eq!(names, [(json!("mutation"), json!("addPost")), (json!("query"), json!("GetUser"))]);
    assert_eq!(all[1]["variables"]["properties"]["id"], json!({"type": "string"}));
    let user = &all[1]["data"]["properties"]["user"];
    assert_eq!(user["properties"]["name"], json!({"type": "string"}));
    let query = &post["requestBody"]["content"]["application/json"]["schema"]["properties"];
    assert_eq!(query["query"], json!({"type": "string"}));
    let get = &spec["paths"]["/graphql"]["get"]["x-hmt-graphql"];
    assert_eq!((&get[0]["kind"], &get[0]["name"]), (&json!("query"), &json!("me")));
}

fn upload(parts: &[(&str, &str, &str)]) -> String {
    let part = |(name, head, content): &(&str, &str, &str)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{head}\r\n\r\n{content}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--x--\r\n"
}

#[test]
fn the_mock_checks_parts() {
    let dir = Dir::new();
    let server = served(&dir);
    let meta = "\r\nContent-Type: application/json";
    let good = [
        ("title", "", "x"),
        ("count", "", "5"),
        ("public", "", "true"),
        ("meta", meta, r#"{"tags":["a"],"n":1}"#),
        ("file", "; filename=\"a.pdf\"\r\nContent-Type: application/pdf", "%PDF"),
    ];
    let send = |parts: &[(&str, &str, &str)], status: u16| {
        let request = server.request("POST", "/upload");
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        request.body(upload(parts)).send().expect_status(status).text()
    };
    send(&good, 201);
    assert!(send(&good[..4], 422).contains("file"));
    let mut bad = good;
    bad[1].2 = "many";
    assert!(send(&bad, 422).contains("/count"));
    let mut bad = good;
    bad[3].2 = r#"{"tags":"a","n":1}"#;
    assert!(send(&bad, 422).contains("/meta/tags"));
}

#[test]
fn the_mock_writes_sequences_and_xml_of_the_shape_that_was_seen() {
    let dir = Dir::new();
    let server = served(&dir);
    let feed = server.get("/feed").expect_status(200).text();
    let first: Value = serde_json::from_str(feed.lines().next().unwrap()).unwrap();
    assert!(first["id"].is_i64() && first["name"].is_string(), "{feed}");
    let chat = server.get("/chat").expect_status(200).text();
    assert!(chat.starts_with("data: ") && chat.ends_with("\n\n"), "{chat}");
    let order = r#"<order id="1" xmlns="urn:shop" xmlns:d="urn:dc"><d:title>a</d:title><title>b</title><total>1</total><tags><tag>a</tag></tags><line sku="x"><qty>1</qty></line><paid>true</paid><empty/></order>"#;
    let post = |body: &str| {
        server
            .request("POST", "/orders")
            .header("content-type", "application/xml")
            .body(body)
            .send()
    };
    let answer = post(order).expect_status(200).text();
    assert!(answer.contains("<order xmlns=\"urn:shop\" id=\"") && answer.contains("<tags><tag>"));
    // The mock accepts what it writes.
    post(&answer).expect_status(200);
    assert!(
        post(&order.replace("<total>1<", "<total>one<"))
            .expect_status(422)
            .text()
            .contains("/total")
    );
}

#[test]
fn text_between_elements_has_the_type_of_all_such_texts() {
    let dir = Dir::new();
    let line = |body: &str| {
        let headers = json!({"content-type": "application/xml"});
        let request = json!({
            "method": "post", "protocol": "https", "host": "a.test", "path": "/x", "headers": headers,
            "body": body,
        });
        format!("{}\n", json!({"request": request, "response": {"statusCode": 204, "headers": {}}}))
    };
    dir.write(
        "in.jsonl",
        [r#"<r k="1">1</r>"#, "<r>2.5<b>1</b></r>", "<r>\n  <b>1</b>\n</r>"].map(line).concat(),
    );
    let build = dir.program("hmt-build").args(["--verify", "-f", "json", "in.jsonl"]);
    let out = build.run().expect_code(0).expect_stderr("all 3 exchanges conform").out();
    let spec: Value = serde_json::from_str(&out).unwrap();
    let content = &spec["paths"]["/x"]["post"]["requestBody"]["content"];
    let schema = &content["application/xml"]["schema"];
    assert_eq!(schema["properties"]["text"]["type"], "number");
    assert_eq!(schema.get("required"), None);
}
