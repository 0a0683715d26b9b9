//! `/admin/storage`: emptying the mock's memory, or putting it back as the specs declare it.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::Map;

use super::super::reply::Reply;
use super::super::serving::Mock;

pub(super) const PATH: &str = "/admin/storage";
pub(super) const BELOW: &str = "/admin/storage/";

pub(super) fn delete(mock: &Mock, _: &Parts, _: &Bytes) -> Reply {
    mock.state().clear();
    super::object(Map::new())
}

pub(super) fn reset(mock: &Mock, _: &Parts, _: &Bytes) -> Reply {
    mock.state().reset();
    super::object(Map::new())
}

/// Everything else below the path is reserved.
pub(super) fn unknown(parts: &Parts) -> Reply {
    let detail = format!(
        "{} {} is not there; there is DELETE {PATH} and POST {PATH}/reset",
        parts.method,
        parts.uri.path()
    );
    Reply::problem(StatusCode::NOT_IMPLEMENTED, "unknown storage operation", &detail)
}
