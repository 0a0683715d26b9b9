//! References between files, unresolved references, and warnings at the start.

use crate::harness::{Dir, Reply, Server, Upstream};

/// A spec with one operation, GET /a, whose response has the schema.
fn spec(schema: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\npaths:\n  /ok:\n    get: {{responses: {{'200': {{description: d, content: {{text/plain: {{example: fine}}}}}}}}}}\n  /a:\n    get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}}}\n"
    )
}

#[test]
fn the_reference_root_is_the_folder_of_the_spec_or_another() {
    let dir = Dir::new();
    dir.write("api/inside.yaml", spec("{$ref: '../api/defs/x.yaml'}"));
    dir.write("api/outside.yaml", spec("{$ref: '../shared/x.yaml'}"));
    dir.write("api/defs/x.yaml", "{type: object, required: [k], properties: {k: {enum: [7]}}}");
    dir.write("shared/x.yaml", "{type: object, required: [k], properties: {k: {enum: [8]}}}");
    dir.write("other/y.yaml", "{}");
    let outside = spec("{$ref: 'shared/x.yaml'}");
    let stdin = || dir.program("hmt-mock").stdin(outside.as_str());
    for (program, args, k) in [
        (dir.program("hmt-mock"), &["api/inside.yaml"][..], Some(7)),
        (dir.program("hmt-mock"), &["--ref-root", ".", "api/outside.yaml"], Some(8)),
        (dir.program("hmt-mock"), &["--ref-root", "shared", "api/outside.yaml"], Some(8)),
        (dir.program("hmt-mock"), &["api/outside.yaml"], None),
        (dir.program("hmt-mock"), &["--ref-root", "other", "api/outside.yaml"], None),
        (stdin(), &["--ref-root", ".", "-"], Some(8)),
        (stdin(), &["-"], None),
    ] {
        let server = Server::start(program.args(["-p", "0", "--no-admin"]).args(args));
        server.get("/ok").expect_status(200);
        let answer = server.get("/a").expect_status(200);
        match k {
            Some(k) => assert_eq!(answer.json()["k"], k, "{args:?}"),
            None => assert!(server.stderr().contains("--ref-root"), "{args:?}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_reference_root_are_not_followed() {
    let dir = Dir::new();
    dir.write("api/spec.yaml", spec("{$ref: link.yaml}"));
    dir.write("secret.yaml", "{enum: [secret]}");
    let link = dir.path().join("api/link.yaml");
    std::os::unix::fs::symlink(dir.path().join("secret.yaml"), link).expect("a symbolic link");
    let args = ["-p", "0", "--no-admin", "api/spec.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    assert!(!server.get("/a").expect_status(200).text().contains("secret"));
    assert!(server.stderr().contains("link"), "{}", server.stderr());
}

#[test]
fn a_reference_that_leads_nowhere_is_a_warning() {
    let dir = Dir::new();
    dir.write(
        "spec.yaml",
        spec("{type: object, required: [x], properties: {x: {$ref: '#/gone'}}}"),
    );
    let args = ["-p", "0", "--no-admin", "spec.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    assert_eq!(server.get("/ok").expect_status(200).text(), "fine");
    assert!(server.get("/a").expect_status(200).json().get("x").is_some());
    let stderr = server.stderr();
    let pointer = "/paths/~1a/get/responses/200/content/application~1json/schema/properties/x";
    assert_eq!(stderr.matches(pointer).count(), 1, "{stderr}");
    let strict = dir.program("hmt-mock").args(args).arg("--strict").run();
    strict.expect_code(1).expect_stderr(pointer).expect_stderr("--strict");
    dir.write("spec.yaml", spec("{}"));
    Server::start(dir.program("hmt-mock").args(args).arg("--strict")).get("/ok").expect_status(200);
}

#[test]
fn references_stand_where_bundlers_follow_them() {
    let dir = Dir::new();
    dir.write(
        "spec.yaml",
        "openapi: 3.1.0
info: {$ref: info.yaml}
paths:
  /op: {get: {$ref: op.yaml}}
  /params: {get: {parameters: {$ref: params.yaml}, responses: {'204': {description: d}}}}
  /responses: {get: {responses: {$ref: responses.yaml}}}
  /props: {get: {responses: {'200': {description: d, content: {application/json: {schema: {type: object, required: [q], properties: {$ref: props.yaml}}}}}}}}
  /example: {get: {responses: {'200': {description: d, content: {application/json: {example: {at: {$ref: raw.json}}}}}}}}
  /component: {get: {responses: {'200': {description: d, content: {application/json: {example: {$ref: '#/components/examples/E'}}}}}}}
  /external: {get: {responses: {'200': {description: d, content: {application/json: {examples: {a: {externalValue: raw.json}}}}}}}}
  /left: {get: {responses: {'200': {description: d, content: {application/json: {example: {$ref: not-there.json}}}}}}}
  /id: {get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: 'https://ids.test/n'}}}}}}}
components:
  examples: {E: {value: [1, 2]}}
  schemas:
    N: {$id: 'https://ids.test/n', const: node}
",
    );
    for (name, text) in [
        ("info.yaml", "{title: t, version: '1'}"),
        (
            "op.yaml",
            "responses: {'200': {description: d, content: {application/json: {example: op}}}}",
        ),
        ("params.yaml", "- {name: q, in: query, required: true, schema: {type: string}}"),
        ("responses.yaml", "'200': {description: d, content: {$ref: content.yaml}}"),
        ("content.yaml", "application/json: {example: content}"),
        ("props.yaml", "q: {type: string, enum: [props]}"),
        ("raw.json", "[\"raw\"]"),
    ] {
        dir.write(name, text);
    }
    let args = ["-p", "0", "--no-admin", "--strict", "spec.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    for (path, body) in [
        ("/op", r#""op""#),
        ("/responses", r#""content""#),
        ("/props", r#"{"q":"props"}"#),
        ("/example", r#"{"at":["raw"]}"#),
        ("/component", "[1,2]"),
        ("/external", r#"["raw"]"#),
        ("/left", r#"{"$ref":"not-there.json"}"#),
        ("/id", r#""node""#),
    ] {
        assert_eq!(server.get(path).expect_status(200).text(), body, "{path}");
    }
    server.get("/params").expect_status(422);
    server.get("/params?q=1").expect_status(204);
}

#[test]
fn what_is_doubtful_is_warned_of_once() {
    let dir = Dir::new();
    dir.write(
        "spec.yaml",
        "openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a:
    post:
      security: [{nope: []}]
      parameters:
        - {name: e, in: query, schema: {type: string, enum: []}}
        - {name: p, in: query, schema: {type: string, pattern: '/^[a-z]+$/i'}}
  /b: {$ref: '#/paths/~1a'}
",
    );
    let args = ["-p", "0", "--no-admin", "spec.yaml"];
    let server = Server::start(dir.program("hmt-mock").args(args));
    let stderr = server.stderr();
    for part in [
        "\"nope\" is not defined",
        "enum: has no values",
        "JavaScript literal",
        "responses is missing",
    ] {
        assert_eq!(stderr.matches(part).count(), 1, "{part}: {stderr}");
    }
    for (query, status) in [("?e=x&p=ABC", 200), ("?p=1", 422)] {
        let answer = super::ask(&server, &format!("POST /a{query}"), &[], "");
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
    }
}

#[test]
fn other_servers_are_asked_only_where_that_is_allowed() {
    let dir = Dir::new();
    let other = Upstream::start(|received| match received.target.as_str() {
        "/defs.yaml" => Reply::new(200, &[], "K: {enum: [7]}\nM: {$ref: 'more/m.yaml'}\n"),
        "/more/m.yaml" => Reply::new(302, &[("Location", "/moved.yaml")], ""),
        "/moved.yaml" => Reply::new(200, &[], "{enum: [8]}"),
        _ => Reply::new(302, &[("Location", "http://169.254.169.254/latest")], ""),
    });
    let url = other.url();
    let text = spec(&format!(
        "{{required: [k, m], properties: {{k: {{$ref: '{url}/defs.yaml#/K'}}, m: {{$ref: '{url}/defs.yaml#/M'}}, z: {{$ref: '{url}/z'}}}}}}"
    ));
    dir.write("spec.yaml", &text);
    let home = Upstream::start(move |_| Reply::new(200, &[], text.as_bytes()));
    let home_url = format!("{}/spec.yaml", home.url());
    let start = |args: &[&str]| {
        let program = dir.program("hmt-mock").args(["-p", "0", "--no-admin"]).args(args.to_vec());
        let server = Server::start(program);
        server.get("/ok").expect_status(200);
        server
    };
    // A file does not come from a private address, so its references must not lead to one.
    assert!(start(&["spec.yaml"]).stderr().contains("--remote-refs"));
    assert!(start(&[&home_url]).stderr().contains("--remote-refs"));
    assert!(start(&["--remote-refs", "spec.yaml"]).stderr().contains("private address"));
    assert_eq!(other.received().len(), 0);
    let server = start(&["--remote-refs", &home_url]);
    let answer = server.get("/a").expect_status(200).json();
    assert_eq!((&answer["k"], &answer["m"]), (&7.into(), &8.into()));
    assert!(server.stderr().contains("link-local"), "{}", server.stderr());
    let targets: Vec<String> = other.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets.iter().filter(|target| *target == "/defs.yaml").count(), 1, "{targets:?}");
}
