use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::Value;

use super::super::model::{Method, Protocol};
use super::super::parse_line;
use super::*;

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../../../../tests/fixtures/http-types-schema.json");
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
        // Mostly escapes, so that the text may take more than twice its bytes.
        "[\\x00-\\x1f\"ab]{0,40}".prop_map(|text| Body::from_bytes(text.into_bytes())),
    ]
}

fn time() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    let time = "20[0-9]{2}-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z";
    prop::option::of(time.prop_map(Cow::from))
}

/// serde_json reads eighths exactly, but other fractions only approximately.
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
        pathname in "/[!\"$->@-~]{0,12}",
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

/// A JSON object keeps the order of one name's values, but not the order between names.
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
            // Then the Host header provides it.
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

/// The maximum line length in the tests below.
const SHORT_LINE: usize = 64 << 10;

/// The line of a GET with these bodies, which must be readable, and the parsed result.
fn read_back(request: &[u8], response: &[u8], check: impl FnOnce(&Value, &Exchange<'_>)) {
    let exchange = Exchange {
        request: Request {
            host: "h".into(),
            pathname: "/".into(),
            body: Body::lent(request),
            ..Request::default()
        },
        response: Some(Response { status: 200, body: Body::lent(response), ..Response::default() }),
        meta: Meta { seq: Some(1), ..Meta::default() },
    };
    let mut line = Vec::new();
    write_within(&exchange, SHORT_LINE, &mut line);
    assert!(line.len() <= SHORT_LINE + 1, "{}", line.len());
    let json: Value = serde_json::from_slice(&line).unwrap();
    check(&json, &parse_line(&line).unwrap());
}

#[test]
fn a_text_of_escapes_is_base64() {
    let zeros = vec![0; 12 << 10];
    read_back(b"q", &zeros, |json, back| {
        assert!(json["response"].get("body").is_none());
        assert!(json["meta"]["hmt"]["responseBodyBase64"].is_string());
        assert_eq!(json["request"]["body"], "q");
        assert_eq!(back.response.as_ref().unwrap().body.as_bytes(), zeros);
        assert_eq!(back.meta.truncated_response, None);
    });
    // Twice its bytes is still text.
    for (text, base64) in
        [("\"\"", false), ("\"\n\t", false), ("\u{1}", true), ("\u{1}aaaaa", false)]
    {
        read_back(text.as_bytes(), b"", |json, back| {
            assert_eq!(json["meta"]["hmt"].get("requestBodyBase64").is_some(), base64, "{text:?}");
            assert_eq!(back.request.body.as_str(), Some(text));
        });
    }
}

#[test]
fn a_line_that_would_be_too_long_is_base64_or_truncated() {
    // As text it would take 80 KiB; in base64 it takes 53 KiB.
    let quotes = "\"".repeat(40 << 10);
    read_back(b"", quotes.as_bytes(), |json, back| {
        assert!(json["meta"]["hmt"]["responseBodyBase64"].is_string());
        assert!(back.response.as_ref().unwrap().body.as_str() == Some(&quotes));
        assert_eq!(back.meta.truncated_response, None);
    });
    // Too long in any form.
    let long = "ü".repeat(34 << 10);
    read_back(b"request", long.as_bytes(), |_, back| {
        let kept = back.response.as_ref().unwrap().body.as_str().unwrap();
        assert!(long.starts_with(kept) && kept.len() > SHORT_LINE - 1000, "{}", kept.len());
        assert_eq!(back.meta.truncated_response, Some(long.len() as u64));
        assert_eq!(back.meta.truncated_request, None);
        assert_eq!(back.request.body.as_str(), Some("request"));
    });
    let binary = vec![0xff; 60 << 10];
    read_back(&binary, &binary, |_, back| {
        let kept = back.request.body.as_bytes().len();
        assert!(kept > 23 << 10 && kept < 25 << 10, "{kept}");
        assert_eq!(back.response.as_ref().unwrap().body.as_bytes().len(), kept);
        assert_eq!(back.meta.truncated_request, Some(60 << 10));
        assert_eq!(back.meta.truncated_response, Some(60 << 10));
    });
}
