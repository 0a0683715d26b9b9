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
        assert_eq!(recordings.insert(&exchange, b"").unwrap(), Inserted::Kept);
    }
    recordings
}

fn ask(recordings: &Recordings, rule: HostRule, host: &str, path: &str, body: &str) -> String {
    let answer = recordings.answer(&Lookup::new(&request(host, path, body), rule)).unwrap();
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
    assert_eq!(named, ["3", "3", "3"], "each once, however it was asked for");
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
    assert_eq!(
        ask(&r, HostRule::Any, "", "/x", "else"),
        "two",
        "all were given, so the last again"
    );
    let r = recordings("path,body".parse().unwrap(), &of);
    assert_eq!(ask(&r, HostRule::Any, "", "/x", "else"), "-");
}

/// Requests to `/x` with these headers, whose answers are numbered from 0.
fn with_headers(of: &[&[(&'static str, &'static str)]]) -> Recordings {
    let mut recordings = Recordings::new(MatchRule::default());
    for (number, headers) in of.iter().enumerate() {
        let body = Body::from_bytes(number.to_string().into_bytes());
        let headers_of_answer = vec![("vary".into(), "x-tenant".into())];
        let response =
            Response { status: 200, body, headers: headers_of_answer, ..Response::default() };
        let exchange =
            Exchange { request: headed(headers), response: Some(response), ..Exchange::default() };
        recordings.insert(&exchange, b"").unwrap();
    }
    recordings
}

fn headed(headers: &[(&'static str, &'static str)]) -> Request<'static> {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Request { headers: headers.collect(), ..request("", "/x", "") }
}

fn ask_with(recordings: &Recordings, headers: &[(&'static str, &'static str)]) -> String {
    let answer = recordings.answer(&Lookup::new(&headed(headers), HostRule::Any)).unwrap();
    answer.map_or("-".into(), |answer| String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn equal_negotiation_headers_come_before_the_order() {
    let r = with_headers(&[
        &[("accept", "a/b")],
        &[("range", "bytes=0-1")],
        &[("if-none-match", "\"e\"")],
        &[("x-tenant", "1")],
        &[("accept", "a/b"), ("x-tenant", "2")],
    ]);
    assert_eq!(ask_with(&r, &[("range", "bytes=0-1")]), "1");
    assert_eq!(ask_with(&r, &[("range", "bytes=0-1")]), "1", "and again");
    assert_eq!(ask_with(&r, &[("if-none-match", "\"e\"")]), "2");
    assert_eq!(ask_with(&r, &[("x-tenant", "2"), ("accept", "a/b")]), "4");
    assert_eq!(ask_with(&r, &[("accept", "a/b")]), "0");
    assert_eq!(ask_with(&r, &[("x-tenant", "1"), ("accept", "c/d")]), "3");
}

#[test]
fn answers_that_fit_alike_come_in_order() {
    let r = with_headers(&[&[("accept", "a/b")], &[("accept", "c/d")], &[("accept", "a/b")]]);
    let got: Vec<_> = (0..5).map(|_| ask_with(&r, &[("accept", "e/f")])).collect();
    assert_eq!(got, ["0", "1", "2", "2", "2"]);
    let mut r = with_headers(&[&[("accept", "a/b")], &[("accept", "c/d")]]);
    r.set_loop(true);
    let got: Vec<_> = (0..5).map(|_| ask_with(&r, &[])).collect();
    assert_eq!(got, ["0", "1", "0", "1", "0"]);
}

#[test]
fn a_request_without_a_credential_does_not_take_one_that_had_it() {
    let r = with_headers(&[&[("authorization", "Bearer a")], &[("authorization", "Bearer b")]]);
    assert_eq!(ask_with(&r, &[]), "-");
    let why = r.explain_miss(&Lookup::new(&headed(&[]), HostRule::Any));
    assert!(why.contains("credential"), "{why}");
    assert_eq!(ask_with(&r, &[("authorization", "Bearer b")]), "1");
    assert_eq!(ask_with(&r, &[("cookie", "sid=1")]), "0", "of its own, whatever it is");
    let mut rule = MatchRule::default();
    rule.ignored.credentials = true;
    let mut ignoring = Recordings::new(rule);
    let response = Response { status: 200, ..Response::default() };
    let request = headed(&[("x-api-key", "k")]);
    ignoring
        .insert(&Exchange { request, response: Some(response), ..Exchange::default() }, b"")
        .unwrap();
    assert_eq!(ask_with(&ignoring, &[]), "");
}

#[test]
fn ignored_parts_do_not_count() {
    let mut rule: MatchRule = "method,path,query,body".parse().unwrap();
    rule.ignored.extend(["query:t", "json:/at"].map(|text| text.parse().unwrap()));
    let of = [("", "/x?t=1&q=1", "", "get"), ("", "/x", r#"{"a":1,"at":5}"#, "post")];
    let r = recordings(rule, &of);
    assert_eq!(ask(&r, HostRule::Any, "", "/x?q=1&t=2", ""), "get");
    assert_eq!(ask(&r, HostRule::Any, "", "/x?q=1", ""), "get");
    assert_eq!(ask(&r, HostRule::Any, "", "/x?q=2&t=1", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "", "/x", r#"{"a":1,"at":6}"#), "post");
    assert_eq!(ask(&r, HostRule::Any, "", "/x", r#"{"a":2,"at":5}"#), "-");
}

#[test]
fn a_request_that_was_never_answered_is_named() {
    let mut r = recordings(MatchRule::default(), &[("h", "/a", "", "")]);
    let mut exchange = Exchange { request: request("h", "/dead", ""), ..Exchange::default() };
    exchange.meta.error = Some("connection refused".into());
    assert!(matches!(r.insert(&exchange, b""), Ok(Inserted::LeftOut(_))));
    let text = r.explain_miss(&Lookup::new(&request("h", "/dead", ""), HostRule::Same));
    assert!(text.contains("connection refused") && text.contains("h/dead"), "{text}");
}

#[test]
fn a_pseudonym_in_the_path_stands_for_its_secret() {
    let token = "hmt~aaaaaaaaaaaaaaaaaaaaaa";
    let path = format!("/reset/{token}/go");
    let r = recordings(MatchRule::default(), &[("", path.as_str(), "", "ok")]);
    assert_eq!(ask(&r, HostRule::Any, "", "/reset/secret/go", ""), "ok");
    assert_eq!(ask(&r, HostRule::Any, "", "/reset//go", ""), "-");
    assert_eq!(ask(&r, HostRule::Any, "", "/reset/secret/stop", ""), "-");
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
    let text = r.explain_miss(&Lookup::new(&request("h", "/users/2", ""), HostRule::Same));
    assert!(text.contains("GET h/users/1") && text.contains("path"), "{text}");
}

#[test]
fn many_hosts_are_told_apart() {
    let hosts: Vec<String> = (0..40).map(|number| format!("h{number}.test")).collect();
    let of: Vec<(&str, &str, &str, &str)> = hosts
        .iter()
        .flat_map(|host| [(host.as_str(), "/x", "", host.as_str()), (host, "/y", "a=1", host)])
        .collect();
    let recordings = recordings(MatchRule::default(), &of);
    assert_eq!(recordings.len(), 80);
    for host in hosts.iter().rev() {
        assert_eq!(ask(&recordings, HostRule::Same, host, "/x", ""), *host);
        assert_eq!(ask(&recordings, HostRule::Same, host, "/y", "a=2"), *host, "any body");
    }
    assert_eq!(ask(&recordings, HostRule::Same, "other.test", "/x", ""), "-");
    let any: Vec<String> =
        (0..3).map(|_| ask(&recordings, HostRule::Any, "other.test", "/y", "a=1")).collect();
    assert!(any.iter().all(|answer| answer != "-"), "{any:?}");
}
