//! Other parts of a built spec: names, tags, summaries, credentials.

use serde_json::{Value, json};

use crate::harness::{Dir, Server};

/// A line of a recording.
fn line(method: &str, target: &str, headers: &Value, status: u16, body: &Value) -> String {
    let line = json!({
        "request": {
            "method": method, "protocol": "https", "host": "api.example", "path": target,
            "headers": headers,
        },
        "response": {
            "statusCode": status, "headers": {"content-type": "application/json"},
            "body": body.to_string(),
        },
    });
    format!("{line}\n")
}

fn get(target: &str, headers: &Value, status: u16) -> String {
    line("get", target, headers, status, &json!({"ok": true}))
}

/// The spec of some lines, as `hmt-build -` makes it.
fn built(lines: &str) -> Value {
    let dir = Dir::new();
    dir.program("hmt-build").args(["--verify", "-"]).stdin(lines).run().expect_code(0).yaml()
}

const PSEUDONYM: &str = "hmt~0123456789abcdefghijkl";

#[test]
fn operations_have_names_tags_and_summaries() {
    let mut lines = line("get", "/api/v1/users", &json!({}), 200, &json!([{"id": 1}]));
    for id in 1..4 {
        lines += &line("get", &format!("/api/v1/users/{id}"), &json!({}), 200, &json!({"id": id}));
    }
    lines += &line("post", "/api/v1/users", &json!({}), 201, &json!({"id": 4}));
    lines += &line("post", "/api/v1/users/1/lock", &json!({}), 200, &json!({}));
    let spec = built(&lines);
    let words = |path: &str, method: &str| {
        let operation = &spec["paths"][path][method];
        let text = |key: &str| operation[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(operation["tags"], json!(["users"]), "{operation}");
        (text("operationId"), text("summary"))
    };
    let pair = |id: &str, summary: &str| (id.to_owned(), summary.to_owned());
    assert_eq!(words("/api/v1/users", "get"), pair("listUsers", "List users"));
    assert_eq!(words("/api/v1/users", "post"), pair("createUser", "Create a user"));
    assert_eq!(words("/api/v1/users/{userId}", "get"), pair("getUser", "Get a user"));
    assert_eq!(words("/api/v1/users/{userId}/lock", "post"), pair("lockUser", "Lock a user"));
    assert_eq!(spec["tags"], json!([{"name": "users"}]));
}

#[test]
fn names_of_an_initial_spec_stay() {
    let dir = Dir::new();
    dir.write("api.yaml", "\
openapi: 3.0.3
info: {title: t, version: '1'}
tags: [{name: People}]
paths:
  /users: {get: {tags: [People], operationId: people, summary: All of them, responses: {'200': {description: ok}}}}
");
    let lines = get("/users", &json!({}), 200) + &get("/users/7", &json!({}), 200);
    let spec = dir
        .program("hmt-build")
        .args(["-a", "api.yaml", "-"])
        .stdin(lines)
        .run()
        .expect_code(0)
        .yaml();
    let operation = &spec["paths"]["/users"]["get"];
    assert_eq!(operation["operationId"], "people");
    assert_eq!(operation["summary"], "All of them");
    assert_eq!(operation["tags"], json!(["People"]));
    assert_eq!(spec["paths"]["/users/{userId}"]["get"]["operationId"], "getUser");
}

#[test]
fn credentials_of_all_good_requests_are_asked_for() {
    let bearer = json!({"authorization": format!("Bearer {PSEUDONYM}")});
    let lines = get("/mine", &bearer, 200)
        + &get("/mine", &json!({}), 401)
        + &get("/either", &bearer, 200)
        + &get("/either", &json!({"authorization": "Basic dTpw"}), 200)
        + &get("/both", &json!({"x-api-key": "1", "x-app-secret": "2"}), 200)
        + &get("/some", &json!({"x-api-key": "1"}), 200)
        + &get("/some", &json!({}), 200)
        + &get("/open", &json!({}), 200)
        + &get("/found?api_key=hidden&q=1", &json!({}), 200);
    let spec = built(&lines);
    let security = |path: &str| spec["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/mine"), json!([{"bearerAuth": []}]));
    assert_eq!(security("/either"), json!([{"basicAuth": []}, {"bearerAuth": []}]));
    assert_eq!(security("/both"), json!([{"apiKey": [], "appSecret": []}]));
    assert_eq!(security("/some"), json!([{"apiKey": []}, {}]));
    assert_eq!(security("/open"), Value::Null);
    assert_eq!(security("/found"), json!([{"apiKeyQuery": []}]));
    assert_eq!(spec["paths"]["/found"]["get"]["parameters"].as_array().unwrap().len(), 1);
    assert_eq!(
        spec["components"]["securitySchemes"],
        json!({
            "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "apiKeyQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
            "appSecret": {"type": "apiKey", "in": "header", "name": "x-app-secret"},
            "basicAuth": {"type": "http", "scheme": "basic"},
            "bearerAuth": {"type": "http", "scheme": "bearer"},
        })
    );
}

#[test]
fn tokens_are_web_tokens_only_where_all_are() {
    let jwt = json!({"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln"});
    let spec = built(&get("/a", &jwt, 200));
    assert_eq!(spec["paths"]["/a"]["get"]["security"], json!([{"jwtAuth": []}]));
    assert_eq!(spec["components"]["securitySchemes"]["jwtAuth"]["bearerFormat"], "JWT");
    let opaque = json!({"authorization": "Bearer abc"});
    let spec = built(&(get("/a", &jwt, 200) + &get("/b", &opaque, 200)));
    for path in ["/a", "/b"] {
        assert_eq!(spec["paths"][path]["get"]["security"], json!([{"bearerAuth": []}]));
    }
}

/// A browser sends its cookies with every request; only a refusal without them shows that they are
/// required.
#[test]
fn a_session_is_asked_for_where_a_request_without_was_refused() {
    let cookie = json!({"cookie": "theme=dark; sid=1"});
    let granted = get("/mine", &cookie, 200);
    assert_eq!(built(&granted)["paths"]["/mine"]["get"]["security"], Value::Null);
    let spec = built(&(granted + &get("/mine", &json!({}), 401)));
    assert_eq!(spec["paths"]["/mine"]["get"]["security"], json!([{"sidCookie": []}]));
}

#[test]
fn no_secret_is_in_a_spec() {
    let lines = get("/a?api_key=hidden1", &json!({"authorization": "Bearer hidden2"}), 200)
        + &get("/a", &json!({"x-api-key": "hidden3", "cookie": "sid=hidden4"}), 200)
        + &get("/b", &json!({"authorization": "hidden5 hidden6"}), 200);
    let dir = Dir::new();
    let run = dir.program("hmt-build").arg("-").stdin(lines).run().expect_code(0);
    assert!(!run.out().contains("hidden"), "{run}");
}

#[test]
fn a_mock_of_what_was_built_takes_the_recorded_credentials() {
    let requests = [
        ("/a", json!({"authorization": format!("Bearer {PSEUDONYM}")})),
        ("/b", json!({"authorization": format!("Basic {PSEUDONYM}")})),
        ("/c", json!({"authorization": format!("AWS4-HMAC-SHA256 {PSEUDONYM}")})),
        ("/d", json!({"authorization": PSEUDONYM})),
        ("/e", json!({"x-api-key": PSEUDONYM})),
        ("/f", json!({"cookie": format!("a=b; sid={PSEUDONYM}")})),
        ("/g?access_token=hmt~0123456789abcdefghijkl", json!({})),
    ];
    let granted = requests.iter().map(|(target, headers)| get(target, headers, 200));
    let refused = requests
        .iter()
        .map(|(target, _)| get(target.split('?').next().unwrap_or_default(), &json!({}), 401));
    let lines: String = granted.chain(refused).collect();
    let dir = Dir::new();
    dir.program("hmt-build").args(["-", "-o", "spec.yaml"]).stdin(lines).run().expect_code(0);
    let mock = Server::start(dir.program("hmt-mock").args(["-p", "0", "--no-admin", "spec.yaml"]));
    for (target, headers) in &requests {
        let bare = target.split('?').next().unwrap_or_default();
        mock.request("GET", bare).send().expect_status(401);
        let mut request = mock.request("GET", target);
        for (name, value) in headers.as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request.send().expect_status(200);
    }
}

#[test]
fn recordings_merged_in_leave_credentials_as_they_are() {
    let dir = Dir::new();
    let bearer = json!({"authorization": format!("Bearer {PSEUDONYM}")});
    dir.write("in.jsonl", get("/a", &bearer, 200));
    for mode in ["gen", "replay", "mixed"] {
        let out = format!("{mode}.yaml");
        dir.program("hmt-build").args(["-m", mode, "in.jsonl", "-o", &out]).run().expect_code(0);
    }
    for order in [["gen.yaml", "replay.yaml"], ["replay.yaml", "gen.yaml"]] {
        let merged = dir.program("hmt-merge").args(order).run().expect_code(0);
        assert_eq!(merged.out(), dir.read("mixed.yaml"));
    }
}
