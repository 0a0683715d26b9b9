//! Exchanges and limits, made up.

use std::borrow::Cow;

use proptest::prelude::*;

use crate::exchange::{Body, Exchange, Meta, Method, Protocol, Request, Response, Side};
use crate::infer::Limits;

/// An exchange, small enough that collisions are common.
pub(crate) fn exchange() -> impl Strategy<Value = Exchange<'static>> {
    let message = (request(), response(), any::<u8>());
    message.prop_map(|(request, response, odd)| {
        let mut meta = Meta::default();
        match odd {
            0..=5 => meta.incomplete = Some(Side::Upstream),
            6..=10 => meta.truncated_response = Some(1000),
            _ => {}
        }
        Exchange { request, response: (odd < 250).then_some(response), meta }
    })
}

fn request() -> impl Strategy<Value = Request<'static>> {
    let method = prop::sample::select(vec![Method::Get, Method::Post]);
    let host = prop::sample::select(vec!["a.example", "b.example", ""]);
    let segment = prop::sample::select(vec![
        "users",
        "orders",
        "me",
        "alice",
        "bob",
        "carol",
        "7",
        "42",
        "v1",
        "7.json",
        "cus_4f9a",
        "9:cancel",
        "2024-01-15",
        "123e4567-e89b-12d3-a456-426614174000",
    ]);
    let path = (prop::collection::vec(segment, 0..4), any::<bool>());
    let pair = (
        prop::sample::select(vec!["q", "page", "x", "api_key"]),
        prop::sample::select(vec!["1", "true", "a,b", "2024-01-01"]),
    );
    let query = prop::collection::vec(pair, 0..3);
    let credentials = prop::sample::select(vec![
        None,
        Some(("authorization", "Bearer t")),
        Some(("authorization", "Bearer eyJh.eyJz.c2ln")),
        Some(("authorization", "Basic dTpw")),
        Some(("x-api-key", "1")),
        Some(("cookie", "sid=1; a=b")),
    ]);
    (method, host, path, query, body(), credentials).prop_map(
        |(method, host, (segments, slash), query, body, credentials)| {
            let mut pathname = format!("/{}", segments.join("/"));
            if slash && !segments.is_empty() {
                pathname.push('/');
            }
            let query = query.into_iter().map(|(k, v)| (Cow::from(k), Cow::from(v))).collect();
            Request {
                method,
                protocol: Protocol::Https,
                host: host.into(),
                pathname: pathname.into(),
                query,
                wire_query: None,
                headers: [("x-tenant", "t")]
                    .into_iter()
                    .chain(credentials)
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect(),
                body: Body::from_bytes(body.into_bytes()),
                timestamp: None,
            }
        },
    )
}

fn response() -> impl Strategy<Value = Response<'static>> {
    let status = prop::sample::select(vec![200, 200, 200, 201, 401, 404, 404, 405, 500]);
    let media = prop::sample::select(vec![
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
    ]);
    (status, media, body()).prop_map(|(status, media, body)| Response {
        status,
        headers: vec![("content-type".into(), media.into())],
        body: Body::from_bytes(body.into_bytes()),
        timestamp: None,
    })
}

/// A body: JSON text, which may repeat a key, broken text, or nothing.
fn body() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "1",
        "-7",
        "2.5",
        "1e400",
        "18446744073709551616",
        "\"a\"",
        "\"b\"",
        "\"c\"",
        "\"2024-01-01\"",
        "\"x\\ny\"",
        "\"alice@example.com\"",
        "\"a string that is longer than what is kept of one\"",
    ])
    .prop_map(str::to_owned);
    let json = leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "a",
            "b",
            "c",
            "d",
            "42",
            "7",
            "2024-01-15",
            "bob@example.com",
            "type",
            "type",
            "object",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key, inner), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop_oneof![8 => json, 1 => Just("{\"a\":1".to_owned()), 1 => Just(String::new())]
}

/// Caps of 0 to 5, and a valve that closes after some hundred places, or after a few, or never.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    let places = prop::sample::select(vec![1, 11, 16, 30, 100, 1 << 20]);
    (prop::collection::vec(0usize..6, 15), places).prop_map(|(caps, places)| Limits {
        names: caps[0],
        suffixes: caps[1],
        segments: 2 + caps[2],
        origins: caps[3],
        keys: caps[4],
        value_keys: caps[5],
        numbers: caps[6] > 0,
        values: caps[6],
        longest_value: 12,
        depth: 1 + caps[7] as u32,
        body_bytes: 200,
        query: caps[8],
        headers: caps[9],
        fields: caps[10],
        media: caps[11],
        pairs: caps[12].max(1),
        places,
        place_bits: 4,
        credentials: caps[13],
        variants: caps[14],
    })
}
