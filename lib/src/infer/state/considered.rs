//! Which exchanges make paths.

use super::trie::split_path;
use crate::exchange::{Exchange, Method};
use crate::infer::Limits;

/// True for the statuses of not-found responses: 404, 405, 410 and 501. They make no paths.
pub fn is_not_found(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 501)
}

/// True for an exchange that makes no path: OpenAPI has no keys for CONNECT and unknown methods,
/// and paths of more than 24 segments are not examined.
pub fn is_indescribable(exchange: &Exchange<'_>) -> bool {
    exchange.request.method == Method::Connect
        || exchange.meta.method.is_some()
        || split_path(&exchange.request.pathname).0.len() > Limits::default().segments
}

/// True for an exchange that failed before it was answered. If nothing failed, a missing response
/// means that only the request was recorded.
pub fn is_unanswered(exchange: &Exchange<'_>) -> bool {
    let meta = &exchange.meta;
    exchange.response.is_none() && (meta.error.is_some() || meta.incomplete.is_some())
}
