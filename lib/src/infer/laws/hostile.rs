//! Whatever lines contain, each is folded or rejected, and all other laws hold for the
//! folded ones.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::json;

use super::config;
use super::documents::is_openapi;
use super::traffic::limits;
use crate::exchange::parse_line;
use crate::infer::{Builder, Options, Partial, StateConfig};

/// Bodies that may break parsers: lone surrogates, depth, out-of-range numbers, duplicate or huge
/// keys, other bytes.
fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            r#""\ud800""#,
            r#"{"\udfff":"\ud800x"}"#,
            "1e400",
            "-1e-400",
            "[1E+99999]",
            r#"{"a":1,"a":"b","a":null}"#,
            r#"{"":{"":[]}}"#,
            "\u{0}",
            "\u{feff}{}",
            r#"{"a":18446744073709551616}"#,
            "nul",
            "[1,]",
            "{\"a\"",
        ])
        .prop_map(str::to_owned),
        (0usize..3000).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
        (0usize..300).prop_map(|depth| format!(
            "{}1{}",
            r#"{"a":"#.repeat(depth),
            "}".repeat(depth)
        )),
        (0usize..70_000).prop_map(|length| format!("{{\"{}\":1}}", "k".repeat(length))),
        (0usize..200).prop_map(|count| {
            let keys: Vec<String> = (0..count).map(|n| format!("\"{n}\":{n}")).collect();
            format!("{{{}}}", keys.join(","))
        }),
    ]
}

/// A line of one exchange.
fn whole() -> impl Strategy<Value = Vec<u8>> {
    let path = prop_oneof![
        Just("/a/b".to_owned()),
        any::<String>().prop_map(|text| format!("/{text}")),
        (0usize..60).prop_map(|depth| "/a".repeat(depth)),
        Just("/%ff%00/%2F?%=%&==&a[]=1".to_owned()),
    ];
    let media = prop::sample::select(vec![
        "application/json",
        "text/html; charset=\u{1}",
        "",
        "application/x-www-form-urlencoded",
    ]);
    (path, body(), body(), media, prop::sample::select(vec![200, 404, 599, 100])).prop_map(
        |(path, request, response, media, status)| {
            json!({
                "request": {"method": "post", "host": "a", "path": path, "headers": {"content-type": media}, "body": request},
                "response": {"statusCode": status, "headers": {"content-type": media}, "body": response},
            })
            .to_string()
            .into_bytes()
        },
    )
}

/// A line: most are valid exchanges, some have changed bytes, and some are random.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    prop_oneof![
        8 => whole(),
        3 => (whole(), changes).prop_map(|(mut line, changes)| {
            for (at, byte) in changes {
                let at = at.index(line.len());
                line[at] = byte;
            }
            line
        }),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

fn built<'l>(lines: impl Iterator<Item = &'l Vec<u8>>, config: &StateConfig) -> Builder {
    let mut builder = Builder::new(config.clone());
    for line in lines {
        if let Ok(exchange) = parse_line(line) {
            builder.fold(&exchange);
        }
    }
    builder
}

fn nothing_breaks(lines: &[Vec<u8>], config: &StateConfig) -> TestCaseResult {
    let builder = built(lines.iter(), config);
    let partial = builder.to_partial();
    prop_assert_eq!(&built(lines.iter().rev(), config).to_partial(), &partial);
    let mut again = Builder::new(config.clone());
    again
        .add(Partial::parse(partial.as_bytes()).expect("what was written is read"))
        .expect("same configuration");
    prop_assert_eq!(again.to_partial(), partial);
    is_openapi(&builder.finalise(&Options::default()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        rng_seed: super::seed(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn hostile_lines_break_nothing(lines in prop::collection::vec(line(), 0..12), limits in limits(), mode in 0u8..3) {
        nothing_breaks(&lines, &config(limits, mode))?;
        nothing_breaks(&lines, &StateConfig::new(super::Mode::Gen))?;
    }
}

/// A state is nested deeper than the bodies in it.
#[test]
fn partials_of_deep_bodies_are_read() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [20, 60, 126, 128, 200] {
            let body = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let line = json!({
                "request": {"method": "get", "host": "a", "path": "/", "headers": {}},
                "response": {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body},
            });
            let lines = [line.to_string().into_bytes()];
            nothing_breaks(&lines, &StateConfig::new(super::Mode::Mixed)).expect("nothing breaks");
        }
    }
    let bomb = format!("{{\"config\":{}", "[".repeat(100_000));
    assert!(Partial::parse(bomb.as_bytes()).is_err());
}
