use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::Value;

use super::super::model::{Method, Protocol};
use super::super::parse_line;
use super::*;

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../../../tests/fixtures/http-types-schema.json");
        let schema: Value = serde_json::from_str(text).unwrap();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    })
}

fn line(exchange: &Exchange<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    write_line(exchange, &mut line);
    line
}

fn pairs(name: &'static str) -> impl Strategy<Value = Pairs<'static>> {
    let pair = (name, any::<String>()).prop_map(|(name, value)| (name.into(), value.into()));
    prop::collection::vec(pair, 0..6)
}

fn body() -> impl Strategy<Value = Body<'static>> {
    prop_oneof![
        Just(Body::Empty),
        any::<String>().prop_map(|text| Body::from_bytes(text.into_bytes())),
        any::<Vec<u8>>().prop_map(Body::from_bytes),
    ]
}

fn time() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    let time = "20[0-9]{2}-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z";
    prop::option::of(time.prop_map(Cow::from))
}

/// serde_json reads eighths exactly, other fractions to the last bit but one.
fn ms() -> impl Strategy<Value = f64> {
    any::<u32>().prop_map(|eighths| f64::from(eighths) / 8.0)
}

prop_compose! {
    fn meta()(
        run in prop::option::of("[a-z0-9]{0,8}"),
        seq in any::<Option<u64>>(),
        connection in any::<Option<u64>>(),
        duration_ms in prop::option::of(ms()),
        sizes in any::<(Option<u64>, Option<u64>)>(),
        incomplete in prop::option::of(prop_oneof![Just(Side::Client), Just(Side::Upstream)]),
        error in any::<Option<String>>(),
        chunks in prop::collection::vec((ms(), any::<u64>()), 0..3),
        trailers in pairs("[a-z-]{1,3}"),
        request_trailers in pairs("[a-z-]{1,3}"),
        texts in any::<(Option<String>, Option<String>)>(),
        bytes in prop::collection::vec(("[a-z]{1,3}", any::<Vec<u8>>()), 0..3),
        violations in any::<Vec<String>>(),
        scope in any::<Option<String>>(),
    ) -> Meta<'static> {
        Meta {
            run: run.map(Cow::from),
            seq,
            connection,
            duration_ms,
            truncated_request: sizes.0,
            truncated_response: sizes.1,
            incomplete,
            error: error.map(Cow::from),
            chunks,
            method: texts.0.map(Cow::from),
            reason: texts.1.map(Cow::from),
            request_header_bytes: Vec::new(),
            response_header_bytes: {
                let mut bytes = bytes;
                bytes.sort_by(|one, other| one.0.cmp(&other.0));
                bytes.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect()
            },
            request_trailers: by_name(request_trailers),
            trailers: by_name(trailers),
            redacted: violations.iter().cloned().map(Cow::from).collect(),
            violations: violations.into_iter().map(Cow::from).collect(),
            scope: scope.map(Cow::from),
        }
    }
}

prop_compose! {
    fn exchange()(
        method in prop::sample::select(&Method::ALL[..]),
        https in any::<bool>(),
        host in "[a-z0-9.:]{0,12}",
        pathname in "/[ -\"$->@-~é\u{0}]{0,12}",
        query in pairs("[a-c]|.{0,4}"),
        headers in pairs("[a-c]|[!-@\\[-~]{0,6}"),
        body_ in body(),
        timestamp in time(),
        response in prop::option::of((100..=999_u16, pairs("[a-c]"), body(), time())),
        meta in meta(),
    ) -> Exchange<'static> {
        Exchange {
            request: Request {
                method,
                protocol: if https { Protocol::Https } else { Protocol::Http },
                host: host.into(),
                pathname: pathname.into(),
                query: by_name(query),
                wire_query: None,
                headers: by_name(headers),
                body: body_,
                timestamp,
            },
            response: response.map(|(status, headers, body, timestamp)| {
                Response { status, headers: by_name(headers), body, timestamp }
            }),
            meta,
        }
    }
}

/// A JSON object keeps the order of one name's values, not that between names.
fn by_name(mut pairs: Pairs<'static>) -> Pairs<'static> {
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    pairs
}

proptest! {
    #[test]
    fn lines_are_valid_and_read_back_the_same(mut exchange in exchange()) {
        let line = line(&exchange);
        prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let json: Value = serde_json::from_slice(&line).unwrap();
        if let Err(error) = schema().validate(&json) {
            prop_assert!(false, "{}: {}", error, json);
        }
        let back = parse_line(&line).unwrap();
        if exchange.request.host.is_empty() {
            // Then the Host header names it.
            exchange.request.host = back.request.host.clone().into_owned().into();
        }
        exchange.request.wire_query = back.request.wire_query.clone();
        prop_assert_eq!(back, exchange);
    }

    #[test]
    fn nothing_makes_the_reader_panic(line in any::<Vec<u8>>()) {
        let _ = parse_line(&line);
    }

    #[test]
    fn no_damage_to_a_good_line_makes_the_reader_panic(
        exchange in exchange(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut line = line(&exchange);
        let place = cut.index(line.len());
        line[place] = byte;
        let _ = parse_line(&line);
        let _ = parse_line(&line[..place]);
    }
}

#[test]
fn a_line_as_people_see_it() {
    let exchange = Exchange {
        request: Request {
            host: "h".into(),
            pathname: "/a b".into(),
            query: vec![
                ("q".into(), "1".into()),
                ("r".into(), "&".into()),
                ("q".into(), "2".into()),
            ],
            headers: vec![("X-A".into(), "1".into()), ("x-a".into(), "2".into())],
            timestamp: Some("2026-01-01T00:00:00Z".into()),
            ..Request::default()
        },
        response: Some(Response {
            status: 204,
            timestamp: Some("yesterday".into()),
            body: Body::Binary(vec![255].into()),
            ..Response::default()
        }),
        meta: Meta::default(),
    };
    let expected = concat!(
        r#"{"meta":{"hmt":{"v":1,"responseBodyBase64":"/w=="}},"#,
        r#""request":{"method":"get","protocol":"http","host":"h","path":"/a b?q=1&r=%26&q=2","pathname":"/a b","#,
        r#""query":{"q":["1","2"],"r":"&"},"headers":{"x-a":["1","2"]},"timestamp":"2026-01-01T00:00:00.000000Z"},"#,
        r#""response":{"statusCode":204,"headers":{}}}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(line(&exchange)).unwrap(), expected);
}
