//! Requests and responses against a document with every kind of parameter.

use std::borrow::Cow;

use super::*;
use crate::exchange::{
    Body, Exchange, Meta, Method, Pairs, Protocol, Request, Response, parse_query,
};

fn api() -> Api {
    let text = include_bytes!("../../../tests/fixtures/specs/conform.yaml");
    let document = crate::spec::load(text, "conform.yaml").expect("loads");
    let api = Api::compile(&document).expect("compiles");
    assert_eq!(api.warnings, Vec::<String>::new());
    api
}

fn pairs(pairs: &[(&'static str, &'static str)]) -> Pairs<'static> {
    pairs.iter().map(|(k, v)| (Cow::Borrowed(*k), Cow::Borrowed(*v))).collect()
}

fn request(
    method: Method,
    path: &'static str,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Request<'static> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request {
        method,
        protocol: Protocol::Https,
        host: "api.example.com".into(),
        pathname: path.into(),
        query: parse_query(query),
        wire_query: None,
        headers: pairs(headers),
        body: Body::from_bytes(body.into()),
        timestamp: None,
    }
}

fn violations(api: &Api, request: &Request<'_>) -> Vec<String> {
    match api.find(request.method, &request.pathname, BasePathRule::Optional) {
        Found::Operation(matched) => {
            api.validate_request(&matched, request).iter().map(ToString::to_string).collect()
        }
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn parameters_of_every_style() {
    let api = api();
    let good = "/v1/things/7?limit=5&ids=1&ids=2&csv=1,2&ssv=1+2&psv=1|2&filter[a]=1&filter[b]=x&p=3&q=y&flag=true&json=%7B%22a%22:1%7D&either=x";
    let headers = [("x-ids", "1, 2"), ("cookie", "a=b; sid=12")];
    assert_eq!(violations(&api, &request(Method::Get, good, &headers, "")), [""; 0]);
    let bad = "/v1/things/x?ids=1&ids=z&csv=1,z&ssv=z&psv=1|z&filter[a]=z&p=z&flag=yes&json=%7B%22a%22:%22z%22%7D&empty=";
    let headers = [("x-ids", "1,z"), ("cookie", "sid=z")];
    assert_eq!(
        violations(&api, &request(Method::Get, bad, &headers, "")),
        [
            "path id is not of type integer",
            "query limit is required",
            "query ids/1 is not of type integer",
            "query csv/1 is not of type integer",
            "query ssv/0 is not of type integer",
            "query psv/1 is not of type integer",
            "query filter/a is not of type integer",
            "query exploded/p is not of type integer",
            "query flag is not of type boolean",
            "query json/a is not of type integer",
            "header x-ids/1 is not of type integer",
            "cookie sid is not of type integer",
        ]
    );
    let twice = "/things/7?limit=5&limit=6&limit=101";
    assert_eq!(
        violations(&api, &request(Method::Get, twice, &[], "")),
        ["query limit is not of type integer"]
    );
}

#[test]
fn bodies() {
    let api = api();
    let post = |headers: &[(&'static str, &'static str)], body| {
        violations(&api, &request(Method::Post, "/v1/things", headers, body))
    };
    let json = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(post(&json, "{\"name\":\"x\"}"), [""; 0]);
    assert_eq!(post(&json, "{\"name\":1}"), ["body /name is not of type string"]);
    assert_eq!(post(&json, "{"), ["body is not valid JSON: the JSON is incomplete"]);
    let unquoted = "body is not valid JSON: a key must be in double quotes";
    assert_eq!(post(&json, "{name:1}"), [unquoted]);
    assert_eq!(post(&json, ""), ["body is required"]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(post(&form, "name=x&sizes=1&sizes=2"), [""; 0]);
    assert_eq!(post(&form, "sizes=1&sizes=z").len(), 2);
    let other = [("content-type", "text/csv")];
    assert_eq!(
        post(&other, "a"),
        ["content-type is \"text/csv\", not application/json or application/x-www-form-urlencoded"]
    );
    let deep: &'static str = Box::leak(format!("{{\"name\":{}", "[".repeat(200)).into_boxed_str());
    assert_eq!(post(&json, deep), ["body is not valid JSON: it is nested deeper than 128 levels"]);
}

#[test]
fn exchanges_conform() {
    let api = api();
    let exchange = |path, status, body| Exchange {
        request: request(Method::Get, path, &[], ""),
        response: Some(Response {
            status,
            headers: pairs(&[("content-type", "application/json"), ("x-left", "3")]),
            body: Body::from_bytes(str::as_bytes(body).to_vec()),
            timestamp: None,
        }),
        meta: Meta::default(),
    };
    let texts = |exchange: &Exchange<'_>| match api.conforms(exchange) {
        Ok(()) => Vec::new(),
        Err(violations) => violations.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(texts(&exchange("/v1/things/1?limit=1", 200, "{\"name\":\"x\"}")), [""; 0]);
    assert_eq!(texts(&exchange("/v1/things/1", 404, "{}")), [""; 0], "errors excuse the request");
    assert_eq!(texts(&exchange("/v1/things/1", 204, "")), ["query limit is required"]);
    assert_eq!(
        texts(&exchange("/v1/things/1?limit=1", 301, "")),
        ["status 301 is not declared for /things/{id}"]
    );
    assert_eq!(
        texts(&exchange("/v1/things/1?limit=1", 200, "{\"name\":1}")),
        ["body /name is not of type string"]
    );
    assert!(texts(&exchange("/things/1?limit=1", 200, "{}"))[0].starts_with("path /things/1"));
    let mut part = exchange("/v1/things/1?limit=1", 200, "{\"na");
    assert_eq!(texts(&part).len(), 1);
    part.meta.truncated_response = Some(9);
    assert_eq!(texts(&part), [""; 0]);
    // An unknown origin is not a violation, but a wrong origin for a path item is.
    let mut elsewhere = exchange("/things/1?limit=1", 200, "{\"name\":\"x\"}");
    elsewhere.request.host = "localhost:8000".into();
    assert_eq!(texts(&elsewhere), [""; 0]);
    let mut upload = exchange("/upload", 200, "");
    upload.request.host = "up.example.com".into();
    assert_eq!(texts(&upload), [""; 0]);
    upload.request.host = "api.example.com".into();
    assert_eq!(texts(&upload).len(), 1);
}

#[test]
fn other_methods_are_named() {
    let api = api();
    let Found::MethodNotAllowed(methods) =
        api.find(Method::Patch, "/v1/things/1", BasePathRule::Required)
    else {
        panic!("no operation has PATCH")
    };
    assert_eq!(methods, [Method::Get, Method::Delete].map(Verb::from));
    assert!(matches!(
        api.find(Method::Get, "/things/1", BasePathRule::Required),
        Found::NotFound(_)
    ));
    assert!(matches!(
        api.find(Method::Delete, "/v1/things/1/", BasePathRule::Required),
        Found::Operation(_)
    ));
}
