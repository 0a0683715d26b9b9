//! Random exchanges and limits.

use std::borrow::Cow;

use proptest::prelude::*;

use crate::exchange::{Body, Exchange, Meta, Method, Protocol, Request, Response, Side};
use crate::infer::Limits;

/// An exchange, small enough that collisions are frequent.
pub(crate) fn exchange() -> impl Strategy<Value = Exchange<'static>> {
    let message = (request(), response(), any::<u8>());
    message.prop_map(|(request, response, odd)| {
        let mut meta = Meta::default();
        match odd {
            0..=5 => meta.incomplete = Some(Side::Upstream),
            6..=10 => meta.truncated_response = Some(1000),
            11..=15 => meta.truncated_request = Some(1000),
            245..=249 => meta.error = Some("refused".into()),
            // A replaced value is an ordinary text.
            16..=20 => meta.redacted = vec!["response.body#/a".into()],
            _ => {}
        }
        Exchange { request, response: (odd < 245).then_some(response), meta }
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
    let message = (media(), body());
    (method, host, path, query, message, credentials).prop_map(
        |(method, host, (segments, slash), query, (media, body), credentials)| {
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
                    .chain(media.map(|media| ("content-type", media)))
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect(),
                body: Body::from_bytes(body),
                timestamp: None,
            }
        },
    )
}

fn response() -> impl Strategy<Value = Response<'static>> {
    let status = prop::sample::select(vec![200, 200, 200, 201, 401, 404, 404, 405, 500]);
    (status, media(), body()).prop_map(|(status, media, body)| Response {
        status,
        headers: media.map(|media| ("content-type".into(), media.into())).into_iter().collect(),
        body: Body::from_bytes(body),
        timestamp: None,
    })
}

/// A Content-Type, or none.
fn media() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("application/json"),
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("application/json; charset=iso-8859-1"),
        Some("text/plain"),
        Some("text/html; charset=utf-8"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/octet-stream"),
        Some("json"),
    ])
}

/// A body: JSON text, possibly with duplicate keys, in one of several encodings; invalid JSON; or
/// nothing.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let other = prop::sample::select(vec![
        &b"{\"a\":1"[..],
        b"<html>Bad gateway</html>",
        b"{\"a\":NaN}",
        b" \r\n",
        b"a=1&b=x",
        b"[draft] a page",
        b"{\"a\":\"\\ud83d\"}",
        b"{\"a\":\"\xe9\"}",
        b"\x80\x81\x00",
        b"",
    ]);
    prop_oneof![
        8 => json().prop_map(String::into_bytes),
        1 => json().prop_map(|text| [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        1 => json().prop_map(|text| {
            let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }),
        3 => other.prop_map(<[u8]>::to_vec),
    ]
}

fn json() -> impl Strategy<Value = String> {
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
    leaf.prop_recursive(4, 24, 4, |inner| {
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
    })
}

/// Caps of 0 to 5, which are lowered after several hundred places, after a few, or never.
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
