//! `GET /admin/health`: that the mock serves, and how much.

use bytes::Bytes;
use http::request::Parts;
use serde_json::Map;

use super::super::reply::Reply;
use super::super::serving::Mock;

pub(super) fn get(mock: &Mock, _: &Parts, _: &Bytes) -> Reply {
    super::object(Map::from_iter([
        ("status".to_owned(), "ok".into()),
        ("specs".to_owned(), mock.specs().into()),
        ("operations".to_owned(), mock.operations().into()),
        ("recordings".to_owned(), mock.recordings().len().into()),
    ]))
}
