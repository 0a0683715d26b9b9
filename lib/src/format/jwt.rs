//! `jwt`: a signed token in compact serialisation (RFC 7519, RFC 7515).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect(text: &str) -> bool {
    let mut parts = text.split('.');
    let legal = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    header.starts_with("eyJ")
        && !claims.is_empty()
        && legal(header)
        && legal(claims)
        && legal(signature)
}

/// The signature is random: no verifier accepts the token.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    URL_SAFE_NO_PAD.encode_string(br#"{"alg":"HS256","typ":"JWT"}"#, out);
    let mut claims = String::from(r#"{"sub":""#);
    push_digits(&mut claims, below(rng, 1_000_000), 6);
    claims.push_str(r#""}"#);
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, out);
    let mut signature = [0; 32];
    rng.fill_bytes(&mut signature);
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, out);
}
