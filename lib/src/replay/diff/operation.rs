//! The operation that an exchange belongs to, and its place.

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::replay::carry::{Strength, strength};
use crate::report::Example;

/// The method in upper case.
pub(super) fn method_of(exchange: &Exchange<'_>) -> String {
    match &exchange.meta.method {
        Some(method) => method.to_string(),
        None => exchange.request.method.as_str().to_ascii_uppercase(),
    }
}

/// The path with `{id}` in place of segments that look like identifiers.
pub(super) fn template(pathname: &str) -> String {
    let segment = |segment: &str| {
        let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = digits || strength(segment) == Strength::Strong && !is_version(segment);
        if is_id { "{id}".to_owned() } else { segment.to_owned() }
    };
    pathname.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// True for `v1` and words with few digits, such as `oauth2` and `search-v2`.
fn is_version(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    segment.len() < 20 && digits <= 1
}

pub(super) fn example((source, line): (&Arc<str>, u64)) -> Example {
    let is_file = source.as_ref() != "-";
    Example { place: format!("{source}:{line}"), file: is_file.then(|| (source.to_string(), line)) }
}
