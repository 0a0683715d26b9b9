//! The laws for bodies that are not JSON, lists in queries, and GraphQL.
//!
//! Here HMT's own validator judges soundness, as `--verify` does: JSON Schema does not support
//! forms, sequences, XML and parameter styles.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;

use super::documents::is_openapi;
use super::{Exchanges, config, folded, limits};
use crate::conform::Api;
use crate::exchange::{Body, Exchange, Meta, Method, Protocol, Request, Response};
use crate::infer::{Builder, Limits, Mode, Options, StateConfig, undescribed};
use crate::spec::load;

/// A body with its media type.
type Typed = (&'static str, Vec<u8>);

fn scalar() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["1", "-7", "2.5", "true", "", "x", "a b", "2024-01-15", "007", "é"])
}

fn form() -> impl Strategy<Value = Typed> {
    let name = prop::sample::select(vec![
        "a", "b", "a[b]", "a[c]", "a[b][c]", "l[]", "l[0]", "l[1]", "l", "o[0][p]", "o[1][p]",
        "o[1][q]", "m[1001]", "m[7]", "t[x][]", "type", "z]", "y[", "w[v]u",
    ]);
    prop::collection::vec((name, scalar()), 0..6).prop_map(|pairs| {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            text.append_pair(name, value);
        }
        ("application/x-www-form-urlencoded", text.finish().into_bytes())
    })
}

fn multipart() -> impl Strategy<Value = Typed> {
    let part = (
        prop::sample::select(vec!["a", "b", "files[]", "u[v]"]),
        prop::sample::select(vec!["", "; filename=\"f.bin\""]),
        prop::sample::select(vec![
            "",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: application/json\r\n",
            "Content-Type: image/png\r\n",
        ]),
        prop_oneof![
            scalar().prop_map(|text| text.as_bytes().to_vec()),
            Just(br#"{"a":1,"b":["x"]}"#.to_vec()),
            Just(br#"{"a":"s"}"#.to_vec()),
            Just(vec![0xff, 0]),
        ],
    );
    (prop::collection::vec(part, 0..5), 0..8u8).prop_map(|(parts, odd)| {
        let mut body = Vec::new();
        for (name, file, head, content) in parts {
            let disposition = format!("Content-Disposition: form-data; name=\"{name}\"{file}\r\n");
            body.extend_from_slice(format!("--x\r\n{disposition}{head}\r\n").as_bytes());
            body.extend_from_slice(&content);
            body.extend_from_slice(b"\r\n");
        }
        // One in eight is truncated.
        if odd > 0 {
            body.extend_from_slice(b"--x--\r\n");
        }
        ("multipart/form-data; boundary=x", body)
    })
}

fn json() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#"{"a":1}"#,
        r#"{"a":"x","b":[1,2.5]}"#,
        r#"{"b":[{"c":null}]}"#,
        "1",
        "[]",
        "null",
        "\"s\"",
    ])
}

fn sequence() -> impl Strategy<Value = Typed> {
    let values = prop::collection::vec(prop_oneof![9 => json(), 1 => Just("[DONE]")], 0..4);
    (values, 0..3u8).prop_map(|(values, kind)| {
        let write = |before: &str, after: &str| -> String {
            values.iter().map(|value| format!("{before}{value}{after}")).collect()
        };
        match kind {
            0 => ("application/x-ndjson", write("", "\n").into_bytes()),
            1 => ("application/json-seq", write("\u{1e}", "\n").into_bytes()),
            _ => ("text/event-stream", write("event: e\ndata: ", "\n\n").into_bytes()),
        }
    })
}

fn xml() -> impl Strategy<Value = Typed> {
    let content = prop_oneof![
        scalar().prop_map(str::to_owned),
        Just("<b>1</b>".to_owned()),
        Just("<b>1</b><b>x</b>".to_owned()),
        Just("<b k=\"1\"/><c>2.5</c>".to_owned()),
        Just("<n:b xmlns:n=\"urn:n\">x</n:b><b>1</b>".to_owned()),
        Just("<l><i>1</i><i>2</i></l>".to_owned()),
        Just("<l/>".to_owned()),
        Just("<l><i><j>1</j></i></l>".to_owned()),
    ];
    let attribute = prop::sample::select(vec!["", " k=\"1\"", " k=\"v\"", " xmlns=\"urn:d\""]);
    (
        prop::sample::select(vec!["r", "r", "s"]),
        attribute,
        prop::collection::vec(content, 0..3),
        0..12u8,
    )
        .prop_map(|(root, attribute, content, odd)| {
            let end = if odd == 0 { "" } else { ">" };
            let text = format!("<{root}{attribute}>{}</{root}{end}", content.concat());
            ("application/xml", text.into_bytes())
        })
}

fn graphql() -> impl Strategy<Value = Typed> {
    let document = prop::sample::select(vec![
        "{ me { id } }",
        "query Q($a: Int) { user(a: $a) { id } }",
        "mutation { add(a: 1) { id } }",
        "no document",
    ]);
    (document, json()).prop_map(|(document, variables)| {
        let call = serde_json::json!({"query": document, "variables": serde_json::from_str::<serde_json::Value>(variables).expect("JSON")});
        ("application/json", call.to_string().into_bytes())
    })
}

fn typed() -> impl Strategy<Value = Typed> {
    prop_oneof![
        4 => form(),
        4 => multipart(),
        3 => sequence(),
        4 => xml(),
        2 => graphql(),
        1 => json().prop_map(|text| ("application/json", format!("{{\"data\":{text}}}").into_bytes())),
    ]
}

fn query() -> impl Strategy<Value = Vec<(Cow<'static, str>, Cow<'static, str>)>> {
    let name = prop::sample::select(vec![
        "ids", "tags[]", "f[a]", "f[b]", "f[b][c]", "f", "fields", "q", "l[0]", "g[x][]", "g[x]",
    ]);
    let value = prop::sample::select(vec![
        "1", "1,2", "3,4,5", "a", "a,b", "a|b", "a b", "x|y|z", "", "1,", "1.5,2.5",
    ]);
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    })
}

fn exchange() -> impl Strategy<Value = Exchange<'static>> {
    let method = prop::sample::select(vec![Method::Post, Method::Post, Method::Get]);
    let status = prop::sample::select(vec![200, 200, 200, 400]);
    (method, status, query(), typed(), typed()).prop_map(
        |(method, status, query, asked, answered)| {
            let typed = |(media, body): Typed| {
                (vec![("content-type".into(), media.into())], Body::from_bytes(body))
            };
            let (headers, body) = typed(asked);
            let request = Request {
                method,
                protocol: Protocol::Https,
                host: "a.example".into(),
                pathname: "/x".into(),
                query,
                headers,
                body,
                ..Request::default()
            };
            let (headers, body) = typed(answered);
            let response = Response { status, headers, body, ..Response::default() };
            Exchange { request, response: Some(response), meta: Meta::default() }
        },
    )
}

fn all_conform(builder: &Builder, exchanges: &Exchanges) -> TestCaseResult {
    let root = builder.clone().finalise(&Options::default());
    is_openapi(&root)?;
    let document = load(root.to_string().as_bytes(), "spec").expect("a document");
    let api = Api::compile(&document).expect("compiles");
    for exchange in exchanges {
        // Malformed bodies are in no schema, unless most bodies are malformed.
        let odd = undescribed(exchange);
        if odd.request || odd.response {
            continue;
        }
        let found = api.conforms(exchange);
        prop_assert!(found.is_ok(), "{:?}: {:?}\nin {:#}", found, exchange, root);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn order(
        (one, other) in prop::collection::vec(exchange(), 0..16)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        limits in limits(),
    ) {
        super::order_does_not_matter(&one, &other, &config(limits, 0))?;
    }

    #[test]
    fn shards(
        all in prop::collection::vec((exchange(), 0usize..5), 0..16),
        merges in prop::collection::vec(any::<Index>(), 8),
        limits in limits(),
    ) {
        super::shards_merge_to_the_whole(&all, &merges, &config(limits, 0))?;
    }

    #[test]
    fn coarsening(all in prop::collection::vec(exchange(), 0..16), limits in limits(), level in 0u32..4) {
        super::coarsening_is_folding_under_lower_caps(&all, &limits, level)?;
    }

    #[test]
    fn places(all in prop::collection::vec(exchange(), 0..16), limits in limits()) {
        super::every_place_is_counted(&all, &config(limits, 0))?;
    }

    #[test]
    fn what_went_in_is_valid(all in prop::collection::vec(exchange(), 0..10), limits in limits()) {
        all_conform(&folded(&all, &StateConfig::new(Mode::Gen)), &all)?;
        // Bodies that are too long to be examined are excluded.
        let limits = Limits { body_bytes: 8 << 20, pairs: 1024, ..limits };
        all_conform(&folded(&all, &config(limits, 0)), &all)?;
    }
}
