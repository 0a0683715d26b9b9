//! Which values of requests are carried, and which are only equal by chance.

use super::*;
use crate::exchange::{Exchange, parse_line};

fn exchange(text: &str) -> Exchange<'_> {
    parse_line(text.as_bytes()).expect("an exchange")
}

fn answered(target: &str, headers: &str, body: &str) -> String {
    let body = serde_json::Value::from(body);
    format!(
        r#"{{"request":{{"method":"post","path":"{target}"}},"response":{{"statusCode":200,"headers":{headers},"body":{body}}}}}"#
    )
}

/// The values that a request uses after a response.
fn uses(target: &str, headers: &str, body: &str, request: &Draft) -> Vec<String> {
    let line = answered(target, headers, body);
    let first = exchange(&line);
    let mut table = Table::new(Secrets::default());
    let response = first.response.as_ref().expect("a response");
    table.remember(&first.request, response, None);
    table.uses(request, &[], None).into_iter().map(|used| used.old.into()).collect()
}

fn get(target: &str) -> Draft {
    Draft { target: target.to_owned(), ..Draft::default() }
}

#[test]
fn small_numbers_count_only_where_names_agree() {
    let after = |target: &str, body: &str, next: &str| uses(target, "{}", body, &get(next)).len();
    let order = r#"{"id":17,"count":3}"#;
    assert_eq!(after("/orders", order, "/orders/17"), 1);
    assert_eq!(after("/api/orders", order, "/v2/orders/17/items"), 1);
    assert_eq!(after("/orders", order, "/search?order_id=17"), 1);
    assert_eq!(after("/orders", r#"{"data":{"id":17}}"#, "/orders/17"), 1);
    assert_eq!(after("/checkout", r#"{"orderId":17}"#, "/orders/17"), 1);
    assert_eq!(after("/checkout", r#"{"order":{"id":17}}"#, "/orders/17"), 1);
    for next in ["/users/17", "/orders?page=17", "/orders/3", "/orders?count=3", "/17"] {
        assert_eq!(after("/orders", order, next), 0, "{next}");
    }
    assert_eq!(after("/orders", r#"{"status":"open"}"#, "/orders?status=open"), 0);
}

#[test]
fn distinctive_values_count_anywhere() {
    let body = r#"{"x":"0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001","url":"/a/tok_9f8e7d?c=zz11zz"}"#;
    let next = Draft {
        target: "/b/0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001?k=zz11zz".to_owned(),
        headers: vec![("x-any".parse().unwrap(), b"v1;tok_9f8e7d".to_vec())],
        body: br#"{"query":"q(id: \"0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001\")","t":"tok_9f8e7d"}"#
            .to_vec(),
    };
    let found = uses("/a", "{}", body, &next);
    // Within escapes, positions are unknown.
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_value_that_was_sent_before_comes_from_the_client() {
    let line = answered("/users", "{}", r#"{"name":"ada-1815","id":"u_123456"}"#);
    let first = exchange(&line);
    let mut table = Table::new(Secrets::default());
    let sent = Draft { body: br#"{"name":"ada-1815"}"#.to_vec(), ..get("/users") };
    assert!(table.uses(&sent, &[], None).is_empty());
    table.remember(&first.request, first.response.as_ref().unwrap(), None);
    let found = table.uses(&get("/users/u_123456?name=ada-1815"), &[], None);
    assert_eq!(found.len(), 1);
    assert_eq!(&*found[0].old, "u_123456");
}

#[tokio::test]
async fn new_values_are_written_in_the_syntax_of_their_place() {
    let headers = r#"{"set-cookie":["sid=abc; Path=/","b=1"],"content-type":"application/json"}"#;
    let line = answered("/orders", headers, r#"{"id":17,"token":"old-token-1"}"#);
    let first = exchange(&line);
    let mut table = Table::new(Secrets::default());
    let slot = table
        .remember(&first.request, first.response.as_ref().unwrap(), None)
        .expect("it has values");
    let mut draft = Draft {
        target: "/orders/17?t=old-token-1".to_owned(),
        headers: vec![
            ("authorization".parse().unwrap(), b"Bearer old-token-1".to_vec()),
            ("cookie".parse().unwrap(), b"x=1; sid=abc".to_vec()),
        ],
        body: br#"{"order_id": 17, "token": "old-token-1"}"#.to_vec(),
    };
    let found = table.uses(&draft, &[], None);
    assert_eq!(found.len(), 6);
    let mut headers = http::HeaderMap::new();
    headers.append("set-cookie", "sid=n;Secure".parse().unwrap());
    headers.append("content-type", "application/json".parse().unwrap());
    let body = r#"{"token":"a/b \"c\"","id":"x-1"}"#.into();
    slot.fill(Some(Answered { headers, body }));
    let applied = apply(&mut draft, &found).await;
    assert_eq!((applied.replaced.len(), applied.kept), (6, 0));
    assert_eq!(draft.target, "/orders/x-1?t=a%2Fb%20%22c%22");
    assert_eq!(draft.headers[0].1, b"Bearer a/b \"c\"");
    assert_eq!(draft.headers[1].1, b"x=1; sid=n");
    assert_eq!(draft.body, br#"{"order_id": "x-1", "token": "a/b \"c\""}"#);
    let empty = table.uses(&get("/orders/17"), &[], None);
    let kept = apply(&mut get("/orders/17"), &empty).await;
    assert_eq!(kept.kept, 0);
}
