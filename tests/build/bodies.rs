//! Bodies in any charset, without a type, with a wrong type, and invalid for their type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::Dir;

const GOOD: &str = r#"{"id":1,"name":"x"}"#;

/// The message that has the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Request => "request",
            Side::Response => "response",
        }
    }

    /// The `content` of the only operation.
    fn content(self, spec: &Value) -> &Value {
        let path = &spec["paths"]["/x"];
        match self {
            Side::Request => &path["post"]["requestBody"]["content"],
            Side::Response => &path["get"]["responses"]["200"]["content"],
        }
    }

    fn schema(self, spec: &Value) -> &Value {
        let schema = &self.content(spec)["application/json"]["schema"];
        let component = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        component.map_or(schema, |pointer| spec.pointer(pointer).unwrap())
    }
}

/// A line with a body of a type; an empty type is absent.
fn line(side: Side, content_type: &str, body: &[u8], hmt: &Value) -> String {
    let headers = match content_type {
        "" => json!({}),
        named => json!({"content-type": named}),
    };
    let mut line = json!({
        "request": {"method": "get", "protocol": "https", "host": "h", "path": "/x", "headers": {}},
        "response": {"statusCode": 200, "headers": {}},
        "meta": {"hmt": hmt},
    });
    if side == Side::Request {
        line["request"]["method"] = json!("post");
    }
    line[side.name()]["headers"] = headers;
    match std::str::from_utf8(body) {
        Ok(text) => line[side.name()]["body"] = json!(text),
        Err(_) => {
            let key = format!("{}BodyBase64", side.name());
            line["meta"]["hmt"][key] = json!(STANDARD.encode(body));
        }
    }
    format!("{line}\n")
}

fn good(side: Side) -> String {
    line(side, "application/json", GOOD.as_bytes(), &json!({}))
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// An unusual body.
struct Odd {
    name: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    /// Its metadata in the record.
    hmt: Value,
    /// Its name in the warning.
    warning: Option<&'static str>,
}

/// Name, type, body, metadata in the record, and name in the warning.
type Row = (&'static str, &'static str, Vec<u8>, Value, Option<&'static str>);

fn odd_bodies(side: Side) -> Vec<Odd> {
    const JSON: &str = "application/json";
    const LATIN1: &str = "application/json; charset=ISO-8859-1";
    let name = side.name();
    let cut = br#"{"id":5,"na"#;
    let by = if side == Side::Request { "client" } else { "upstream" };
    let latin1 = b"{\"id\":1,\"name\":\"\xe9\"}";
    let deep = [vec![b'['; 300], vec![b']'; 300]].concat();
    let rows: Vec<Row> = vec![
        ("HTML", JSON, b"<html>Bad gateway</html>".to_vec(), json!({}), Some("an HTML page")),
        ("torn", JSON, cut.to_vec(), json!({}), Some("cut short")),
        (
            "NaN",
            JSON,
            br#"{"id":NaN,"name":"x"}"#.to_vec(),
            json!({}),
            Some("with NaN or Infinity"),
        ),
        ("blanks", JSON, b" \r\n ".to_vec(), json!({}), Some("blank")),
        ("JSON Lines", JSON, [GOOD, GOOD].join("\n").into(), json!({}), Some("several values")),
        ("deep", JSON, deep, json!({}), Some("nested deeper than 128 levels")),
        ("bytes", JSON, vec![0x81, 0, 0x82], json!({}), Some("other text or bytes")),
        ("empty", JSON, Vec::new(), json!({}), None),
        ("BOM", JSON, format!("\u{feff}{GOOD}").into(), json!({}), None),
        ("Latin-1", LATIN1, latin1.to_vec(), json!({}), None),
        ("Latin-1, not declared", JSON, latin1.to_vec(), json!({}), None),
        ("UTF-16", JSON, utf16(GOOD), json!({}), None),
        ("surrogate", JSON, br#"{"id":1,"name":"\ud83d"}"#.to_vec(), json!({}), None),
        ("truncated", JSON, cut.to_vec(), json!({"truncated": {name: 99}}), None),
        ("incomplete", JSON, cut.to_vec(), json!({"incomplete": by}), None),
        ("no type", "", GOOD.into(), json!({}), None),
        ("no legal type", "json", GOOD.into(), json!({}), None),
        ("no type, cut by the recorder", "", cut.to_vec(), json!({"truncated": {name: 99}}), None),
        ("text/plain", "text/plain; charset=utf-8", GOOD.into(), json!({}), None),
        ("text/html", "text/html", GOOD.into(), json!({}), None),
        ("form", "application/x-www-form-urlencoded", GOOD.into(), json!({}), None),
    ];
    rows.into_iter()
        .map(|(name, content_type, body, hmt, warning)| Odd {
            name,
            content_type,
            body,
            hmt,
            warning,
        })
        .collect()
}

fn expected() -> Value {
    json!({
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    })
}

/// One unusual body in a hundred does not change the schema, however the lines are merged.
#[test]
fn one_odd_body_changes_no_schema() {
    for side in [Side::Request, Side::Response] {
        let dir = Dir::new();
        dir.write("good.jsonl", good(side).repeat(99));
        dir.program("hmt-build").args(["good.jsonl", "-o", "good.yaml"]).run().expect_code(0);
        let partial = |input: &str, output: &str| {
            dir.program("hmt-build").args(["--partial", input, "-o", output]).run().expect_code(0);
        };
        partial("good.jsonl", "good.partial.json");
        for odd in odd_bodies(side) {
            let one = line(side, odd.content_type, &odd.body, &odd.hmt);
            dir.write("one.jsonl", &one);
            dir.write("all.jsonl", good(side).repeat(60) + &one + &good(side).repeat(39));
            partial("one.jsonl", "one.partial.json");
            let place = match side {
                Side::Request => "POST /x request application/json",
                Side::Response => "GET /x 200 application/json",
            };
            let warning =
                odd.warning.map(|what| format!("1 of 100 bodies of {place} is not JSON ({what})"));
            for (args, is_whole) in [
                (&["hmt-build", "--verify", "--evidence", "all.jsonl"][..], true),
                (&["hmt-build", "--verify", "--threads", "3", "all.jsonl"], true),
                (&["hmt-build", "--verify", "-a", "good.yaml", "all.jsonl"], true),
                (&["hmt-build", "--verify", "-a", "good.yaml", "one.jsonl"], false),
                (&["hmt-merge", "one.partial.json", "good.partial.json"], true),
                (&["hmt-merge", "good.partial.json", "one.partial.json"], true),
            ] {
                let run = dir.program(args[0]).args(&args[1..]).run().expect_code(0);
                let mut schema = side.schema(&run.yaml()).clone();
                schema.as_object_mut().map(|schema| schema.shift_remove("x-hmt-evidence"));
                assert_eq!(schema, expected(), "{side:?}, {}\n{run}", odd.name);
                match &warning {
                    Some(warning) if is_whole => drop(run.expect_stderr(warning)),
                    Some(_) => {}
                    None => assert!(!run.err().contains("not JSON"), "{}\n{run}", odd.name),
                }
            }
        }
    }
}

#[test]
fn the_warning_says_where_the_first_stands() {
    let dir = Dir::new();
    let page = line(Side::Response, "application/json", b"<!doctype html>", &json!({}));
    dir.write("in.jsonl", good(Side::Response).repeat(7) + &page + &page);
    let run = dir.program("hmt-build").args(["--evidence", "in.jsonl"]).run().expect_code(0);
    let run = run.expect_stderr(
        "in.jsonl:8: 2 of 9 bodies of GET /x 200 application/json are not JSON (2 HTML pages)",
    );
    let spec = run.yaml();
    let media = &Side::Response.content(&spec)["application/json"];
    assert_eq!(media["x-hmt-evidence"], json!({"n": 9, "unrecorded": 0, "unread": 2}));
}

/// If half of the bodies are something else, the schema is open, which is neutral in a merge.
#[test]
fn many_odd_bodies_leave_the_schema_open() {
    let side = Side::Response;
    let dir = Dir::new();
    let page = line(side, "application/json", b"<html>", &json!({}));
    dir.write("half.jsonl", good(side) + &page);
    dir.write("good.jsonl", good(side).repeat(2));
    let half = dir.program("hmt-build").args(["--verify", "half.jsonl", "-o", "half.yaml"]).run();
    half.expect_code(0).expect_stderr("its schema accepts any value");
    dir.program("hmt-build").args(["good.jsonl", "-o", "good.yaml"]).run().expect_code(0);
    let spec = dir.program("hmt-merge").arg("half.yaml").run().expect_code(0).yaml();
    assert_eq!(side.schema(&spec), &json!({"x-hmt-unread": true}));
    for args in [["half.yaml", "good.yaml"], ["good.yaml", "half.yaml"]] {
        for conflict in ["union", "first", "last", "error"] {
            let merge = dir.program("hmt-merge").args(["--conflict", conflict]).args(args);
            let spec = merge.run().expect_code(0).yaml();
            assert_eq!(side.schema(&spec), &expected(), "{args:?} {conflict}");
        }
    }
}

/// JSON with another type is described as JSON, next to other bodies of that type.
#[test]
fn json_under_the_name_of_another_type() {
    let dir = Dir::new();
    let side = Side::Response;
    for content_type in [
        "text/html",
        "text/plain",
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let media = content_type.split(';').next().unwrap();
        let json = line(side, content_type, GOOD.as_bytes(), &json!({}));
        dir.write("json.jsonl", &json);
        let build = dir.program("hmt-build").args(["--verify", "json.jsonl"]);
        let spec = build.run().expect_code(0).yaml();
        assert_eq!(side.content(&spec)[media]["schema"], expected(), "{content_type}");
        dir.write("mixed.jsonl", json + &line(side, content_type, b"a=1&b=2", &json!({})));
        dir.program("hmt-build").args(["--verify", "mixed.jsonl"]).run().expect_code(0);
    }
    dir.write("untyped.jsonl", line(side, "", b"[{\"a\":1}]", &json!({})));
    let spec = dir.program("hmt-build").args(["--verify", "untyped.jsonl"]).run().expect_code(0);
    assert_eq!(side.schema(&spec.yaml())["type"], "array");
}

#[test]
fn messages_without_a_type_beside_typed_ones_conform() {
    let dir = Dir::new();
    for side in [Side::Request, Side::Response] {
        let mut lines = good(side);
        for body in [GOOD, "a=1", "<p>", "17", "{\"id\":", "[]"] {
            lines += &line(side, "", body.as_bytes(), &json!({}));
        }
        lines += &line(side, "text/html", b"<p>", &json!({}));
        lines += &line(side, "application/x-www-form-urlencoded", b"id=1", &json!({}));
        dir.write("in.jsonl", lines);
        for mode in ["gen", "mixed", "replay"] {
            dir.program("hmt-build")
                .args(["--verify", "-m", mode, "in.jsonl"])
                .run()
                .expect_code(0);
        }
    }
}

/// Refused requests do not show what is valid.
#[test]
fn refused_requests_describe_nothing_where_others_were_answered() {
    let exchange = |query: &str, body: &str, status: u16| {
        let line = json!({
            "request": {"method": "post", "host": "h", "path": format!("/x{query}"),
                "headers": {"content-type": "application/json"}, "body": body},
            "response": {"statusCode": status, "headers": {}},
        });
        format!("{line}\n")
    };
    let built = |lines: &str| {
        let dir = Dir::new();
        dir.program("hmt-build").arg("--verify").stdin(lines).run().expect_code(0).yaml()
    };
    let good = exchange("?q=1", GOOD, 201).repeat(3);
    let bad = exchange("?q=x&debug=1", r#"{"id":"?","extra":1}"#, 400) + &exchange("", "<p>", 500);
    let operation = |spec: &Value| {
        let post = &spec["paths"]["/x"]["post"];
        (post["parameters"].clone(), post["requestBody"].clone())
    };
    assert_eq!(operation(&built(&good)), operation(&built(&(good.clone() + &bad))));
    // If there are no other requests, refused ones are used.
    let (parameters, body) = operation(&built(&bad));
    assert_eq!(parameters[0]["name"], "debug");
    assert!(body["content"]["application/json"].is_object());
}

/// Requests without any response still describe paths, parameters and bodies.
#[test]
fn requests_alone_are_described() {
    let dir = Dir::new();
    let mut lines = String::new();
    for id in 0..6 {
        let line = json!({"request": {
            "method": "put", "host": "h", "path": format!("/things/{id}?dry=true"),
            "headers": {"content-type": "application/json"}, "body": GOOD,
        }});
        lines += &format!("{line}\n");
    }
    dir.write("in.jsonl", &lines);
    let run = dir.program("hmt-build").args(["--verify", "in.jsonl"]).run().expect_code(0);
    let run = run.expect_stderr("all 6 requests conform to the spec; no answer to them");
    let spec = run.yaml();
    let put = &spec["paths"]["/things/{thingId}"]["put"];
    assert_eq!(put["parameters"][0]["name"], "dry", "{run}");
    assert_eq!(put["requestBody"]["content"]["application/json"]["schema"], expected());
    assert_eq!(put["responses"], json!({"default": {"description": "No response was recorded"}}));
    // They have no effect on an answered operation.
    let answered = json!({
        "request": {"method": "put", "host": "h", "path": "/things/7", "headers": {}},
        "response": {"statusCode": 204, "headers": {}},
    });
    dir.write("in.jsonl", format!("{lines}{answered}\n"));
    let run = dir.program("hmt-build").args(["--verify", "in.jsonl"]).run().expect_code(0);
    let run = run.expect_stderr("all 7 exchanges conform to the spec; of 6 only the request");
    let spec = run.yaml();
    let put = &spec["paths"]["/things/{thingId}"]["put"];
    assert_eq!(put["responses"], json!({"204": {"description": "No Content"}}));
    assert!(put.get("requestBody").is_none());
    // A failed request does not show what is valid.
    let failed = json!({
        "request": {"method": "get", "host": "h", "path": "/gone", "headers": {}},
        "meta": {"hmt": {"error": "dns"}},
    });
    dir.write("in.jsonl", format!("{failed}\n"));
    let run = dir.program("hmt-build").arg("in.jsonl").run().expect_code(0);
    assert_eq!(run.yaml()["paths"], json!({}));
    run.expect_stderr("1 exchanges failed before they had a response, and were ignored");
}
