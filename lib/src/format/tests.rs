use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::json;

use super::*;

fn independent(format: &str) -> jsonschema::Validator {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&json!({"type": "string", "format": format}))
        .expect("a legal schema")
}

#[test]
fn what_is_generated_is_detected_and_accepted_elsewhere() {
    for format in FORMATS {
        let validator = independent(format.name);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        for _ in 0..500 {
            let text = format.generate(&mut rng);
            assert!((format.detect)(&text), "{} detects {text}", format.name);
            assert!(format.infer.is_none_or(|infer| infer(&text)), "{} infers {text}", format.name);
            assert!(validator.is_valid(&json!(text)), "{} is valid elsewhere: {text}", format.name);
        }
    }
}

#[test]
fn inferred_formats_come_first_and_names_are_unique() {
    let inferred: Vec<bool> = FORMATS.iter().map(StringFormat::inferred).collect();
    assert!(inferred.is_sorted_by(|a, b| a >= b));
    assert!(FORMATS.len() <= 64);
    for (at, format) in FORMATS.iter().enumerate() {
        assert!(
            FORMATS[..at].iter().all(|other| other.name != format.name),
            "{} twice",
            format.name
        );
    }
    assert_eq!(
        first(detect_mask("10.0.0.1", inferred_mask())).map(|format| format.name),
        Some("ipv4")
    );
    assert!(first(0).is_none());
}

/// Texts similar to the formats, with their characters in the same proportions.
fn near() -> impl Strategy<Value = String> {
    let hard = prop::sample::select(HARD.iter().map(|(_, text)| *text).collect::<Vec<_>>());
    let format = (0..FORMATS.len(), any::<u64>())
        .prop_map(|(at, seed)| FORMATS[at].generate(&mut Xoshiro256PlusPlus::seed_from_u64(seed)));
    let mutated = (
        prop_oneof![format, hard.prop_map(String::from)],
        any::<prop::sample::Index>(),
        "[-0-9a-fTtZz:/@.%+\\[\\]?#é \n\"]{0,2}",
    )
        .prop_map(|(mut text, at, inserted)| {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if !places.is_empty() {
                let place = places[at.index(places.len())];
                let end = place + text[place..].chars().next().map_or(0, char::len_utf8);
                text.replace_range(place..end, &inserted);
            }
            text
        });
    prop_oneof![
        mutated,
        "[0-9]{1,4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2}))?",
        "[a-z:/@.0-9%?#\\[\\]-]{0,24}",
        "\\PC{0,16}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    /// The soundness of inference depends on this.
    #[test]
    fn what_is_inferred_is_valid_elsewhere(text in near()) {
        for format in FORMATS {
            if format.infer.is_some_and(|infer| infer(&text)) {
                prop_assert!((format.detect)(&text), "{} infers but does not detect {text:?}", format.name);
                prop_assert!(independent(format.name).is_valid(&json!(text)), "{} {text:?}", format.name);
            }
        }
    }

    #[test]
    fn detection_never_panics(text in any::<String>()) {
        for format in FORMATS {
            let _ = (format.detect)(&text);
        }
    }
}

/// `(formats that detect it, text)`
const HARD: &[(&[&str], &str)] = &[
    (&["date-time"], "2024-02-29T23:59:59.123456789+14:00"),
    (&["date-time"], "2016-12-31T23:59:60Z"),
    (&["date-time"], "0000-01-01T00:00:00Z"),
    (&["date-time"], "2024-01-01t00:00:00z"),
    (&[], "2024-01-01T12:00:60Z"),
    (&[], "2023-02-29T00:00:00Z"),
    (&["date-time-local"], "2024-01-01T00:00:00"),
    (&[], "2024-01-01 00:00:00Z"),
    (&[], "2024-01-01T24:00:00Z"),
    (&[], "2024-01-01T00:00:00.Z"),
    (&["date"], "2024-12-31"),
    (&[], "2024-13-01"),
    (&[], "2024-00-10"),
    (&["time"], "23:20:50.52Z"),
    (&["time-local"], "23:20:50"),
    (&["uuid"], "F308A72C-fa84-11eb-9a03-0242ac130003"),
    (&[], "f308a72cfa8411eb9a030242ac130003"),
    (&["email"], "a+b@example.com"),
    (&["email"], "\"a b\"@example.com"),
    (&["email"], "a@[127.0.0.1]"),
    (&["email"], "root@localhost"),
    (&[], "a..b@example.com"),
    (&[], ".a@example.com"),
    (&[], "a@b@example.com"),
    (&[], "a@-example.com"),
    (&["uri"], "https://user:pw@example.com:8080/a/b%20c?d=e/f?g#h"),
    (&["uri"], "http://[2001:db8::1]/"),
    (&["uri"], "urn:isbn:0451450523"),
    (&["uri"], "mailto:a@example.com"),
    (&[], "https://example.com/{id}"),
    (&[], "https://example.com/a b"),
    (&[], "https://exämple.com/"),
    (&[], "https://example.com/%zz"),
    (&["uri-reference"], "../a?b#c"),
    (&["ipv4"], "127.0.0.1"),
    (&[], "127.0.0.01"),
    (&[], "256.1.1.1"),
    (&["ipv6"], "::"),
    (&["ipv6"], "::ffff:192.0.2.1"),
    (&[], "fe80::1%eth0"),
    (&["duration"], "P1Y2M3DT4H5M6S"),
    (&["duration"], "P4W"),
    (&[], "P1Y2W"),
    (&[], "PT"),
    (&[], "P"),
    (&["iban"], "DE89 3704 0044 0532 0130 00"),
    (&[], "DE89 3704 0044 0532 0130 01"),
    (&["uri-template"], "/users/{id}{?page,size:3,x*}"),
    (&["http-date"], "Sun, 06 Nov 1994 08:49:37 GMT"),
    (&["phone"], "+49 (30) 901820"),
];

#[test]
fn hard_cases() {
    let told_apart = [
        "date-time",
        "date-time-local",
        "date",
        "time",
        "time-local",
        "uuid",
        "email",
        "uri",
        "ipv4",
        "ipv6",
        "duration",
        "iban",
        "http-date",
    ];
    for (expected, text) in HARD {
        for name in told_apart {
            let format = by_name(name).expect("a format of the table");
            // A colon after letters makes many texts URIs, which is not tested here.
            let found = (format.detect)(text);
            if name != "uri" || expected.contains(&"uri") || text.contains("//") {
                assert_eq!(found, expected.contains(&name), "{name} {text}");
            }
        }
        for name in *expected {
            assert!(by_name(name).is_some_and(|format| (format.detect)(text)), "{name} {text}");
        }
    }
}

#[test]
fn evidence_is_stricter_than_validity() {
    for text in [
        "sha256:ab12",
        "urn:isbn:1",
        "2016-12-31T23:59:60Z",
        "root@localhost",
        "file:///etc",
        "2024-01-01t00:00:00z",
    ] {
        assert_eq!(detect_mask(text, inferred_mask()), 0, "{text}");
    }
}
