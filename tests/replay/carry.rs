//! Replaces values of recorded responses in requests by values of the new responses.

use super::send::{exchange, get, lines, send, write};
use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::{Dir, Reply, Server, Upstream};

/// An API with sessions, tokens and created ids, which are new each time.
fn shop() -> Upstream {
    #[derive(Default)]
    struct Shop {
        counter: u64,
        /// Token, session and form token of each login.
        logins: Vec<(String, String, String)>,
        orders: HashMap<u64, u64>,
    }
    let shop = Mutex::new(Shop::default());
    Upstream::start(move |request| {
        let mut shop = shop.lock().unwrap();
        shop.counter += 7;
        let n = shop.counter;
        let problem = |status| Reply::json(status, &json!({"title": "problem"}));
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let bearer = request.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
        let cookie = request.header("cookie").unwrap_or_default();
        let login = shop.logins.iter().find(|(token, session, _)| {
            Some(token.as_str()) == bearer && cookie.contains(&format!("session={session}"))
        });
        let login = login.cloned();
        let path = request.target.split('?').next().unwrap().to_owned();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method.as_str(), &parts[..]) {
            ("POST", ["login"]) => {
                let (token, session) = (format!("tok-{n}-x"), format!("s{n}"));
                let form = format!("f{n}");
                shop.logins.push((token.clone(), session.clone(), form.clone()));
                let cookie = format!("session={session}; Path=/; HttpOnly");
                let user = json!({"access_token": token, "user": {"id": n, "name": "Ada"}});
                Reply::new(
                    200,
                    &[
                        ("Content-Type", "application/json"),
                        ("Set-Cookie", cookie.as_str()),
                        ("X-CSRF-Token", form.as_str()),
                    ],
                    user.to_string(),
                )
            }
            _ if login.is_none() => problem(401),
            ("POST", ["orders"]) => {
                let (_, _, form) = login.unwrap();
                if request.header("x-csrf-token") != Some(form.as_str()) {
                    return problem(403);
                }
                shop.orders.insert(n, 0);
                let location = format!("/orders/{n}");
                let order = json!({"id": n, "status": "new", "lines": []});
                Reply::new(
                    201,
                    &[("Content-Type", "application/json"), ("Location", location.as_str())],
                    order.to_string(),
                )
            }
            ("POST", ["orders", id, "items"]) => {
                let id: u64 = id.parse().unwrap();
                if body["orderId"] != id || !shop.orders.contains_key(&id) {
                    return problem(409);
                }
                *shop.orders.get_mut(&id).unwrap() += 1;
                Reply::json(201, &json!({"item": {"uuid": format!("0000-{n:08x}-item")}}))
            }
            ("GET", ["orders", id]) => match shop.orders.get(&id.parse().unwrap()) {
                Some(count) => Reply::json(
                    200,
                    &json!({"id": id.parse::<u64>().unwrap(),
                    "status": "new", "items": count}),
                ),
                None => problem(404),
            },
            ("GET", ["search"]) => {
                let known = shop
                    .orders
                    .keys()
                    .any(|id| request.target.ends_with(&format!("?order_id={id}")));
                if known { Reply::json(200, &json!({"found": true})) } else { problem(404) }
            }
            ("DELETE", ["orders", id]) => match shop.orders.remove(&id.parse().unwrap()) {
                Some(_) => Reply::new(204, &[], ""),
                None => problem(404),
            },
            _ => problem(405),
        }
    })
}

/// Uses the shop as a browser does, through a recorder at `url`.
fn shopping(url: &str) {
    let request =
        |method: &str, path: &str| crate::harness::Request::new(method, &format!("{url}{path}"));
    let login = request("POST", "/login").json(&json!({"user": "ada"})).send().expect_status(200);
    let token = login.json()["access_token"].as_str().unwrap().to_owned();
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let form = login.header("x-csrf-token").unwrap().to_owned();
    let with = |method: &str, path: &str| {
        request(method, path)
            .header("authorization", &format!("Bearer {token}"))
            .header("cookie", &format!("theme=dark; {cookie}"))
    };
    let order = with("POST", "/orders").header("x-csrf-token", &form);
    let order = order.json(&json!({"count": 1})).send().expect_status(201);
    let id = order.json()["id"].as_u64().unwrap();
    let path = format!("/orders/{id}");
    with("GET", &path).send().expect_status(200);
    let item = json!({"orderId": id, "sku": "A1"});
    with("POST", &format!("{path}/items")).json(&item).send().expect_status(201);
    with("GET", &format!("/search?order_id={id}")).send().expect_status(200);
    with("DELETE", &path).send().expect_status(204);
    with("GET", &path).send().expect_status(404);
}

/// A recording of `times` visits to a shop.
pub(super) fn recorded_shopping(dir: &Dir, times: usize, flags: &[&str]) -> Upstream {
    let upstream = shop();
    let recorder = dir.program("hmt-record").args(["-p", "0", "-o", "log.jsonl", "--target"]);
    let recorder = Server::start(recorder.arg(upstream.url()).args(flags));
    for _ in 0..times {
        shopping(&recorder.url());
    }
    recorder.stop().expect_code(0);
    upstream
}

#[test]
fn a_login_flow_passes_with_fresh_tokens_and_ids() {
    for flags in [&["--keep-secrets"][..], &[]] {
        let dir = Dir::new();
        let upstream = recorded_shopping(&dir, 3, flags);
        let recorded = lines(&dir.read("log.jsonl"));
        let statuses = |lines: &[Value]| -> Vec<Value> {
            lines.iter().map(|line| line["response"]["statusCode"].clone()).collect()
        };
        for concurrency in ["1", "8"] {
            let before = upstream.received().len();
            let run = send(&dir, &upstream)
                .args(["--unsafe-methods", "-c", concurrency])
                .run()
                .expect_code(0)
                .expect_stderr("sent 21, skipped 0, failed 0")
                .expect_stderr("0 not found");
            assert_eq!(upstream.received().len() - before, 21);
            let new = lines(&run.out());
            let sorted = |mut all: Vec<Value>| {
                all.sort_by_key(Value::as_u64);
                all
            };
            assert_eq!(sorted(statuses(&new)), sorted(statuses(&recorded)), "{run}");
        }
    }
}

#[test]
fn redirects_and_forms_are_followed() {
    let counter = Mutex::new(0);
    let upstream = Upstream::start(move |request| {
        let mut counter = counter.lock().unwrap();
        match request.target.as_str() {
            "/form" => {
                *counter += 1;
                let form = format!(
                    "<form><input type=hidden name='_csrf' value=\"c&amp;{counter}\"></form>"
                );
                Reply::new(200, &[("Content-Type", "text/html")], form)
            }
            "/start" => {
                let location =
                    format!("http://{}/done/{}?code=z{counter}", "api.test", *counter + 40);
                Reply::new(302, &[("Location", location.as_str())], "")
            }
            target if target == format!("/done/{}?code=z{counter}", *counter + 40) => {
                Reply::new(200, &[], "")
            }
            "/post" if request.body == format!("a=1&_csrf=c%26{counter}").as_bytes() => {
                Reply::new(200, &[], "")
            }
            _ => Reply::new(400, &[], ""),
        }
    });
    let dir = Dir::new();
    let form = json!({"response": {"headers": {"content-type": "text/html"},
        "body": "<input value='c&amp;x' name='_csrf'>"}});
    let post = json!({"request": {"headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": "a=1&_csrf=c%26x"}});
    let start = json!({"response": {"statusCode": 302, "headers": {"location": "/done/7?code=q"}}});
    write(
        &dir,
        &[
            exchange("get", "/form", &form),
            exchange("post", "/post", &post),
            exchange("get", "/start", &start),
            exchange("get", "/done/7?code=q", &json!({})),
        ],
    );
    let run = send(&dir, &upstream).arg("--unsafe-methods").run().expect_code(0);
    let statuses: Vec<Value> =
        lines(&run.out()).iter().map(|line| line["response"]["statusCode"].clone()).collect();
    assert_eq!(statuses, [200, 200, 302, 200], "{run}");
}

#[test]
fn what_a_new_response_lacks_is_sent_as_recorded() {
    let upstream = Upstream::start(|_| Reply::json(200, &json!({"other": 1})));
    let dir = Dir::new();
    let created = json!({"response": {"headers": {"content-type": "application/json"},
        "body": "{\"id\": \"ord_1234\", \"count\": 3, \"state\": \"open\"}"}});
    write(&dir, &[exchange("get", "/orders", &created), get("/orders/ord_1234?page=3&state=open")]);
    let run = send(&dir, &upstream).run().expect_code(0);
    assert_eq!(upstream.received()[1].target, "/orders/ord_1234?page=3&state=open");
    run.expect_stderr("0 replaced, 1 not found and sent as recorded");
}

#[test]
fn what_is_served_can_be_sent_to_its_server() {
    let dir = Dir::new();
    let path = crate::harness::fixture("docs/recordings.jsonl");
    let server = Server::start(dir.program("hmt-replay").args(["serve", "-p", "0"]).arg(&path));
    let program = dir.program("hmt-replay").arg("send").arg(&path);
    let run = program.args(["-t", &server.url(), "--unsafe-methods", "--keep-secrets"]).run();
    let new = lines(&run.expect_code(0).out());
    let old = lines(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(new.len(), old.len());
    for (new, old) in new.iter().zip(&old) {
        assert_eq!(new["response"]["statusCode"], old["response"]["statusCode"]);
        assert_eq!(new["response"]["body"], old["response"]["body"]);
    }
}
