//! A body under a declared type and encoding: the first line is the content type, the second the
//! content encoding, the rest the bytes.
#![no_main]

use hmt_core::exchange::{
    Body, BodyText, DecodeLimits, body_text, decode_body, form_parts, json_by_rule, media_type,
    mended_json, parse_json, type_of_bytes,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let mut head = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (Some(content_type), Some(encoding)) = (head(), head()) else { return };
    let Some(bytes) = parts.next() else { return };
    let limits = DecodeLimits { max_size: 1 << 20, ..DecodeLimits::default() };
    let decoded = decode_body(bytes, Some(encoding), limits);
    assert!(decoded.bytes.len() <= bytes.len().max(1 << 20), "a decoded body keeps the limit");
    let body = match std::str::from_utf8(&decoded.bytes) {
        Ok("") => Body::Empty,
        Ok(text) => Body::Text(BodyText::from(text)),
        Err(_) => Body::Binary((&*decoded.bytes).into()),
    };
    let declared = Some(content_type);
    let _ = (media_type(content_type), type_of_bytes(&body));
    let _ = body_text(&body, declared);
    let _ = parse_json::<Value>(&body, declared);
    let _ = json_by_rule::<Value>(&body, declared);
    let _ = form_parts(&decoded.bytes, content_type);
    let _ = mended_json(&body, declared);
});
