//! Tests of the index.

use std::borrow::Cow;

use crate::exchange::{Body, Method, Response, parse_query};

use super::*;

fn request<'a>(host: &'a str, path: &'a str, body: &'a str) -> Request<'a> {
    let (pathname, query) = path.split_once('?').unwrap_or((path, ""));
    Request {
        method: if body.is_empty() { Method::Get } else { Method::Post },
        host: Cow::Borrowed(host),
        pathname: Cow::Borrowed(pathname),
        query: parse_query(query),
        body: Body::from_bytes(body.into()),
        ..Request::default()
    }
}

fn recordings(rule: MatchRule, of: &[(&str, &str, &str, &str)]) -> Recordings {
    let mut recordings = Recordings::new(rule);
    for (host, path, body, answer) in of {
        let response = Response {
            status: 200,
            body: Body::from_bytes((*answer).into()),
            ..Response::default()
        };
        let request = request(host, path, body);
        let exchange = Exchange { request, response: Some(response), ..Exchange::default() };
        assert_eq!(recordings.insert(&exchange), Inserted::Kept);
    }
    recordings
}

fn ask(recordings: &Recordings, rule: HostRule, host: &str, path: &str, body: &str) -> String {
    let answer = recordings.answer(&request(host, path, body), rule);
    answer.map_or("-".into(), |answer| String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn each_once_then_the_last_and_the_host_counts_where_it_is_named() {
    let r = recordings(
        MatchRule::default(),
        &[("a", "/x?q=1&p=2", "", "1"), ("b", "/x?p=2&q=1", "", "2"), ("a", "/x?p=2&q=1", "", "3")],
    );
    let plain: Vec<_> = (0..4).map(|_| ask(&r, HostRule::Any, "?", "/x?p=2&q=1", "")).collect();
    assert_eq!(plain, ["1", "2", "3", "3"]);
    let named: Vec<_> = (0..3).map(|_| ask(&r, HostRule::Same, "A:80", "/x?p=2&q=1", "")).collect();
    assert_eq!(named, ["1", "3", "3"]);
    assert_eq!(ask(&r, HostRule::Same, "c", "/x?p=2&q=1", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "a", "/x", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "a", "/x/?p=2&q=1", ""), "-");
}

#[test]
fn an_equal_body_goes_first_and_any_other_after() {
    let of = [("", "/x", r#"{"a":1}"#, "one"), ("", "/x", r#"{"a":2}"#, "two")];
    let r = recordings(MatchRule::default(), &of);
    assert_eq!(ask(&r, HostRule::Same, "any", "/x", r#"{ "a": 2 }"#), "two");
    assert_eq!(ask(&r, HostRule::Any, "", "/x", "else"), "one");
    assert_eq!(ask(&r, HostRule::Any, "", "/x", "else"), "two");
    let r = recordings("path,body".parse().unwrap(), &of);
    assert_eq!(ask(&r, HostRule::Any, "", "/x", "else"), "-");
}

#[test]
fn a_pseudonym_matches_its_secret_or_without_the_key_any() {
    let token = "hmt~aaaaaaaaaaaaaaaaaaaaaa";
    let path = format!("/x?q=1&token={token}");
    let body = format!(r#"{{"password":"{token}","n":1}}"#);
    let of = [("", path.as_str(), "", "get"), ("", "/x", body.as_str(), "post")];
    let mut r = recordings(MatchRule::default(), &of);
    assert_eq!(ask(&r, HostRule::Any, "", "/x?token=secret&q=1", ""), "get");
    assert_eq!(ask(&r, HostRule::Any, "", "/x?token=&q=1", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "", "/x", r#"{"n":1,"password":"p"}"#), "post");
    r.set_pseudonym(|secret| format!("hmt~{}", secret.repeat(22)));
    assert_eq!(ask(&r, HostRule::Any, "", "/x?token=b&q=1", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "", "/x?token=a&q=1", ""), "get");
}

#[test]
fn concurrent_requests_share_the_answers_out() {
    let answers: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    let of: Vec<_> = answers.iter().map(|answer| ("h", "/x", "", answer.as_str())).collect();
    let r = recordings(MatchRule::default(), &of);
    let mut got: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..100).map(|_| ask(&r, HostRule::Any, "", "/x", "")).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    got.sort_by_key(|answer| answer.parse::<u32>().unwrap());
    assert_eq!(got, answers);
}

#[test]
fn a_miss_is_explained() {
    let r = recordings(MatchRule::default(), &[("h", "/users/1", "", ""), ("h", "/a", "", "")]);
    let text = r.explain_miss(&request("h", "/users/2", ""), true);
    assert!(text.contains("GET h/users/1") && text.contains("path"), "{text}");
}
