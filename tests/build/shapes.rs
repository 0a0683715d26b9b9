//! Results for real traffic: paths, maps, headers, servers and names, a row for each kind.

use serde_json::{Value, json};

use crate::harness::Dir;

const HOST: &str = "https://api.example.com";

/// An exchange: method, URL after the host (or a whole one), status, body.
type Row<'a> = (&'a str, &'a str, u16, &'a str);

fn line((method, url, status, body): Row<'_>) -> String {
    let url = if url.contains("://") { url.to_owned() } else { format!("{HOST}{url}") };
    let (protocol, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let line = json!({
        "request": {"method": method, "protocol": protocol, "host": host, "path": path},
        "response": {
            "statusCode": status,
            "headers": {"content-type": "application/json"},
            "body": body,
        },
    });
    format!("{line}\n")
}

/// The spec of some lines; every exchange conforms to it.
fn built(lines: &str, args: &[&str]) -> Value {
    let dir = Dir::new();
    let run = dir.program("hmt-build").args(["--verify", "-"]).args(args).stdin(lines).run();
    run.expect_code(0).yaml()
}

fn paths(spec: &Value) -> Vec<String> {
    spec["paths"].as_object().unwrap().keys().cloned().collect()
}

fn operation_ids(spec: &Value) -> Vec<String> {
    let items = spec["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    operations.filter_map(|o| o["operationId"].as_str().map(str::to_owned)).collect()
}

/// Paths and operationIds of traffic.
struct Case {
    name: &'static str,
    rows: &'static [Row<'static>],
    paths: &'static [&'static str],
    ids: &'static [&'static str],
}

const EMPTY: &str = r#"{"data":[],"meta":{"page":1}}"#;
const CASES: &[Case] = &[
    Case {
        name: "empty lists of collections",
        rows: &[
            ("get", "/api/v1/users", 200, EMPTY),
            ("get", "/api/v1/orders", 200, EMPTY),
            ("get", "/api/v1/invoices", 200, EMPTY),
            ("get", "/api/v1/products", 200, EMPTY),
            ("get", "/api/v1/tags", 200, EMPTY),
            ("get", "/api/v1/teams", 200, EMPTY),
            ("get", "/api/v1/roles", 200, EMPTY),
            ("get", "/api/v1/plans", 200, EMPTY),
            ("get", "/api/v1/events", 200, EMPTY),
            ("get", "/api/v1/files", 200, EMPTY),
            ("get", "/api/v1/notes", 200, EMPTY),
            ("get", "/api/v1/tasks", 200, EMPTY),
        ],
        paths: &[
            "/api/v1/events",
            "/api/v1/files",
            "/api/v1/invoices",
            "/api/v1/notes",
            "/api/v1/orders",
            "/api/v1/plans",
            "/api/v1/products",
            "/api/v1/roles",
            "/api/v1/tags",
            "/api/v1/tasks",
            "/api/v1/teams",
            "/api/v1/users",
        ],
        ids: &[],
    },
    Case {
        name: "remote procedures",
        rows: &[
            ("post", "/rpc/getUser", 200, r#"{"ok":true}"#),
            ("post", "/rpc/listUsers", 200, r#"{"ok":true}"#),
            ("post", "/rpc/sendMail", 200, r#"{"ok":true}"#),
            ("post", "/rpc/resetPassword", 200, r#"{"ok":true}"#),
            ("post", "/rpc/createTeam", 200, r#"{"ok":true}"#),
            ("post", "/rpc/ping", 200, r#"{"ok":true}"#),
        ],
        paths: &[
            "/rpc/createTeam",
            "/rpc/getUser",
            "/rpc/listUsers",
            "/rpc/ping",
            "/rpc/resetPassword",
            "/rpc/sendMail",
        ],
        ids: &["createTeam", "getUser", "listUsers", "ping", "resetPassword", "sendMail"],
    },
    Case {
        name: "dotted procedures",
        rows: &[
            ("get", "/api/users.list", 200, r#"{"ok":true}"#),
            ("get", "/api/users.get", 200, r#"{"ok":true}"#),
            ("get", "/api/chat.postMessage", 200, r#"{"ok":true}"#),
            ("get", "/api/files.upload", 200, r#"{"ok":true}"#),
        ],
        paths: &["/api/chat.postMessage", "/api/files.upload", "/api/users.get", "/api/users.list"],
        ids: &["postChatMessage", "uploadFiles", "getUsers", "listUsers"],
    },
    Case {
        name: "keys of OData",
        rows: &[
            ("get", "/odata/Products", 200, r#"{"value":[{"ID":1,"Price":1.5}]}"#),
            ("get", "/odata/Products(1)", 200, r#"{"ID":1,"Price":1.5}"#),
            ("get", "/odata/Products(2)", 200, r#"{"ID":2,"Price":1.5}"#),
            ("get", "/odata/Products(2)/Category", 200, r#"{"c":1}"#),
            ("get", "/odata/Users('ann')", 200, r#"{"Login":"ann"}"#),
            ("get", "/odata/Users(%27bob%27)", 200, r#"{"Login":"bob"}"#),
            ("get", "/odata/Lines(OrderID=1,Name='x')", 200, r#"{"n":1}"#),
            ("get", "/odata/$metadata", 200, r#"{"m":1}"#),
        ],
        paths: &[
            "/odata/$metadata",
            "/odata/Lines(OrderID={orderId},Name={name})",
            "/odata/Products",
            "/odata/Products({id})",
            "/odata/Products({id})/Category",
            "/odata/Users({id})",
        ],
        ids: &[
            "getMetadata",
            "getLine",
            "listProducts",
            "getProduct",
            "getProductCategory",
            "getUser",
        ],
    },
    Case {
        name: "representations",
        rows: &[
            ("get", "/report.csv", 200, r#"{"a":1}"#),
            ("get", "/report.json", 200, r#"{"a":1}"#),
            ("get", "/items/1.json", 200, r#"{"a":1}"#),
            ("get", "/items/2.json", 200, r#"{"a":1}"#),
        ],
        paths: &["/items/{itemId}.json", "/report.csv", "/report.json"],
        ids: &["getItem", "getReportCsv", "getReportJson"],
    },
    Case {
        name: "languages before all paths",
        rows: &[
            ("get", "/en-us/news", 200, r#"[{"t":"a"}]"#),
            ("get", "/de/news", 200, r#"[{"t":"a"}]"#),
            ("get", "/de/events/4", 200, r#"{"t":"a"}"#),
            ("get", "/health", 200, r#"{"up":true}"#),
        ],
        paths: &["/health", "/{locale}/events/{eventId}", "/{locale}/news"],
        ids: &["getHealth", "getEvent", "listNews"],
    },
    Case {
        name: "values that a list names",
        rows: &[
            (
                "get",
                "/v1/ridetypes",
                200,
                r#"{"types":[{"ride_type":"lux"},{"ride_type":"plus"}]}"#,
            ),
            ("put", "/v1/sandbox/ridetypes/lux", 200, r#"{"a":1}"#),
            ("put", "/v1/sandbox/ridetypes/plus", 200, r#"{"a":1}"#),
        ],
        paths: &["/v1/ridetypes", "/v1/sandbox/ridetypes/{ridetypeName}"],
        ids: &[],
    },
    Case {
        name: "versions within a path",
        rows: &[
            ("get", "/accounts/v3/accounts", 200, r#"{"accounts":[{"id":1}]}"#),
            ("post", "/v1/payments/confirm", 200, r#"{"id":1}"#),
        ],
        paths: &["/accounts/v3/accounts", "/v1/payments/confirm"],
        ids: &["listAccounts", "confirmPayment"],
    },
];

#[test]
fn paths_and_operation_ids() {
    for case in CASES {
        let lines: String = case.rows.iter().map(|row| line(*row)).collect();
        let spec = built(&lines, &[]);
        assert_eq!(paths(&spec), case.paths, "{}", case.name);
        if !case.ids.is_empty() {
            assert_eq!(operation_ids(&spec), case.ids, "{}", case.name);
        }
    }
}

#[test]
fn a_refused_value_makes_no_text_of_a_number() {
    for (value, status) in [("undefined", 400), ("null", 500), ("NaN", 422), ("a-b", 400)] {
        let mut lines: String = ["/pets/1", "/pets/2", "/pets/3"]
            .map(|path| line(("get", path, 200, r#"{"id":1}"#)))
            .concat();
        lines += &line(("get", &format!("/pets/{value}"), status, r#"{"e":1}"#));
        let spec = built(&lines, &[]);
        assert_eq!(paths(&spec), ["/pets/{petId}"], "{value}");
        let item = &spec["paths"]["/pets/{petId}"];
        assert_eq!(item["parameters"][0]["schema"], json!({"type": "integer"}), "{value}");
        assert!(item["get"]["responses"][status.to_string()].is_object(), "{value}");
    }
}

#[test]
fn servers_have_no_default_ports() {
    let lines = line(("get", "https://api.example.com:443/x", 200, "{}"))
        + &line(("get", "http://api.example.com:80/x", 200, "{}"))
        + &line(("get", "http://api.example.com:8080/x", 200, "{}"));
    let spec = built(&lines, &[]);
    let urls: Vec<&str> =
        spec["servers"].as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap()).collect();
    assert_eq!(
        urls,
        ["http://api.example.com", "http://api.example.com:8080", "https://api.example.com"]
    );
}

#[test]
fn a_base_path_and_another_host_have_one_path() {
    let dir = Dir::new();
    let spec = r"
openapi: 3.0.3
info: {title: C, version: 1.0.0}
servers: [{url: 'https://www.example.com/api/users'}]
paths:
  /v2/username:
    get: {operationId: u2, summary: Keep, responses: {'200': {description: ok}}}
";
    dir.write("spec.yaml", spec);
    let lines = line(("get", "https://www.example.com/api/users/v2/username", 200, r#"{"n":1}"#))
        + &line(("get", "http://localhost:3000/v2/username", 200, r#"{"u":"x"}"#));
    let run = dir
        .program("hmt-build")
        .args(["-a", "spec.yaml", "--verify", "-"])
        .stdin(lines.as_str())
        .run()
        .expect_code(0);
    let spec = run.yaml();
    assert_eq!(paths(&spec), ["/v2/username"]);
    let urls: Vec<&str> =
        spec["servers"].as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["http://localhost:3000", "https://www.example.com/api/users"]);
    assert_eq!(spec["paths"]["/v2/username"]["get"]["operationId"], "u2");
}

#[test]
fn a_page_is_named_by_what_it_lists() {
    let row = r#"{"id":1,"slug":"x","name":"x","match":"","matching_algorithm":6,"is_insensitive":true,"owner":null,"document_count":3}"#;
    let page = format!(r#"{{"count":1,"next":null,"previous":null,"all":[1],"results":[{row}]}}"#);
    let lines = line(("get", "/api/cities/", 200, &page))
        + &line(("get", "/api/zones/", 200, &page))
        + &line(("get", "/api/cities/1/", 200, row));
    let spec = built(&lines, &[]);
    let names: Vec<&String> = spec["components"]["schemas"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["City", "CityPage"]);
}

#[test]
fn headers_are_those_of_the_api() {
    let request = json!({
        "x-tenant-id": "t", "idempotency-key": "k", "postman-token": "p", "cache-control": "no-cache",
        "x-recaptcha-token": "r", "sec-ch-ua": "x", "traceparent": "00-a-b-01", "sentry-trace": "y",
        "upgrade-insecure-requests": "1", "save-data": "on", "alt-used": "h", "x-csrf-token": "c",
    });
    let answer = json!({
        "content-type": "application/json", "link": "<x>", "x-total-count": "3", "retry-after": "1",
        "etag": "e", "vary": "v", "cf-ray": "r", "x-amzn-requestid": "i", "x-powered-by": "p",
        "x-request-id": "q", "content-security-policy": "c", "x-vercel-id": "d", "server-timing": "s",
    });
    let line = json!({
        "request": {"method": "get", "host": "h", "path": "/a?=1", "headers": request},
        "response": {"statusCode": 200, "headers": answer, "body": "{}"},
    });
    let spec = built(&format!("{line}\n"), &[]);
    let get = &spec["paths"]["/a"]["get"];
    let names: Vec<&str> =
        get["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["idempotency-key", "x-tenant-id"]);
    let headers: Vec<&String> =
        get["responses"]["200"]["headers"].as_object().unwrap().keys().collect();
    assert_eq!(headers, ["link", "retry-after", "x-total-count"]);
    assert_eq!(get["security"], Value::Null);
}
