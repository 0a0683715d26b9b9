use serde_json::{Value, json};

use super::*;

const JSON: Option<&str> = Some("application/json");

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

fn with_mark(mark: &[u8], bytes: &[u8]) -> Vec<u8> {
    [mark, bytes].concat()
}

#[test]
fn json_in_every_charset() {
    let text = r#"{"name":"é"}"#;
    let latin1 = b"{\"name\":\"\xe9\"}".to_vec();
    let sjis = b"{\"name\":\"\x93\xfa\"}".to_vec();
    for (name, bytes, content_type, expected) in [
        ("plain", text.into(), JSON, "é"),
        ("UTF-8 with a mark", with_mark(b"\xef\xbb\xbf", text.as_bytes()), JSON, "é"),
        ("Latin-1", latin1.clone(), Some("application/json; charset=ISO-8859-1"), "é"),
        ("Latin-1, quoted", latin1.clone(), Some("application/json;charset=\"latin1\""), "é"),
        ("Latin-1, not declared", latin1, JSON, "é"),
        ("Shift_JIS", sjis, Some("application/json; charset=shift_jis"), "日"),
        ("UTF-16 LE", utf16(text, false), Some("application/json; charset=utf-16le"), "é"),
        ("UTF-16 BE", utf16(text, true), Some("application/json; charset=utf-16be"), "é"),
        ("UTF-16, the wrong end", utf16(text, true), Some("application/json; charset=utf-16"), "é"),
        ("UTF-16, not declared", utf16(text, false), JSON, "é"),
        (
            "a mark wins",
            with_mark(b"\xff\xfe", &utf16(text, false)),
            Some("a/json;charset=utf-8"),
            "é",
        ),
        ("a mark, big end", with_mark(b"\xfe\xff", &utf16(text, true)), JSON, "é"),
        ("declared, but recorded as text", text.into(), Some("a/json; charset=latin1"), "é"),
        ("half a pair", br#"{"name":"\ud83d"}"#.to_vec(), JSON, "\u{fffd}"),
        ("the other half", br#"{"name":"a\uDE00b"}"#.to_vec(), JSON, "a\u{fffd}b"),
        ("two halves", br#"{"name":"\ud83d\ud83d\ude00"}"#.to_vec(), JSON, "\u{fffd}😀"),
        ("no half", br#"{"name":"\\ud83d\ude00"}"#.to_vec(), JSON, "\\ud83d\u{fffd}"),
        (
            "ISO-2022-JP",
            b"{\"name\":\"\x1b$B\x46\x7c\x1b(B\"}".to_vec(),
            Some("application/json; charset=iso-2022-jp"),
            "日",
        ),
    ] {
        let body = Body::from_bytes(bytes);
        let value: Result<Value, NotJson> = parse_json(&body, content_type);
        assert_eq!(value, Ok(json!({"name": expected})), "{name}");
    }
}

#[test]
fn what_is_no_json_is_named() {
    for (bytes, expected) in [
        (&b"<html>Bad gateway</html>"[..], NotJson::Html),
        (b"\n<!DOCTYPE html><p>", NotJson::Html),
        (b"<h1>502</h1><HTML>", NotJson::Html),
        (b"<?xml version='1.0'?><html/>", NotJson::Xml),
        (b"<error/>", NotJson::Xml),
        (b"{\"a\":1", NotJson::CutShort),
        (b" \r\n", NotJson::Blank),
        (b"\xef\xbb\xbf", NotJson::Blank),
        (b"{\"a\":NaN}", NotJson::NotANumber),
        (b"[-Infinity]", NotJson::NotANumber),
        (b"{\"a\":1}\n{\"a\":2}", NotJson::Several),
        (b"callback({})", NotJson::Other),
        (b"\x80\x81\x00", NotJson::Other),
    ] {
        let body = Body::lent(bytes);
        assert_eq!(parse_json::<Value>(&body, JSON), Err(expected), "{:?}", bytes.escape_ascii());
    }
    let deep = Body::from_bytes(vec![b'['; 1000]);
    assert_eq!(parse_json::<Value>(&deep, JSON), Err(NotJson::Deep));
}

#[test]
fn the_bytes_decide_where_the_type_does_not() {
    let object = Body::lent(b" {\"a\":1}");
    let scalar = Body::lent(b"17");
    let page = Body::lent(b"[draft] a page");
    let is_json = |body: &Body<'_>, content_type: Option<&str>| {
        json_by_rule::<Value>(body, content_type).is_some_and(|read| read.is_ok())
    };
    for content_type in [
        None,
        Some(""),
        Some("json"),
        Some("text/html"),
        Some("text/plain; charset=utf-8"),
        Some("text/xml"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
    ] {
        assert!(is_json(&object, content_type), "{content_type:?}");
        assert!(!is_json(&page, content_type), "{content_type:?}");
        let typed = content_type.is_some_and(|declared| declared.contains('/'));
        assert_eq!(is_json(&scalar, content_type), !typed, "{content_type:?}");
    }
    for content_type in ["application/octet-stream", "image/png", "application/xml"] {
        assert!(json_by_rule::<Value>(&object, Some(content_type)).is_none(), "{content_type}");
    }
    assert!(json_by_rule::<Value>(&page, JSON).is_some_and(|read| read.is_err()));
}

#[test]
fn media_types() {
    for (content_type, media, syntax) in [
        ("Application/JSON; charset=utf-8", Some("application/json"), Syntax::Json),
        ("application/vnd.api+json", Some("application/vnd.api+json"), Syntax::Json),
        ("application/x-amz-json-1.1", Some("application/x-amz-json-1.1"), Syntax::Json),
        ("text/json", Some("text/json"), Syntax::Json),
        ("application/x-ndjson", Some("application/x-ndjson"), Syntax::Sequence),
        ("text/event-stream", Some("text/event-stream"), Syntax::Sequence),
        ("application/soap+xml", Some("application/soap+xml"), Syntax::Xml),
        ("text/html", Some("text/html"), Syntax::Text),
        ("image/png", Some("image/png"), Syntax::Binary),
        ("multipart/mixed; boundary=x", Some("multipart/mixed"), Syntax::Multipart),
        ("", None, Syntax::Binary),
        ("json", None, Syntax::Binary),
    ] {
        assert_eq!(media_type(content_type).as_deref(), media);
        assert_eq!(Syntax::of(media.unwrap_or_default()), syntax, "{content_type}");
    }
}
