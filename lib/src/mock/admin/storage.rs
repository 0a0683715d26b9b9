//! `/admin/storage`: shows or empties the mock's storage, or resets it to what the specs declare.

use http::StatusCode;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::{Call, Handling};

pub(super) const PATH: &str = "/admin/storage";
pub(super) const BELOW: &str = "/admin/storage/";

pub(super) fn get<'a>(call: &'a Call<'a>) -> Handling<'a> {
    super::ready(call.mock.world().with_storage(|storage| {
        super::object(Map::from_iter([
            ("values".to_owned(), Value::Object(storage.values.clone())),
            ("entities".to_owned(), json!(storage.entities)),
        ]))
    }))
}

pub(super) fn delete<'a>(call: &'a Call<'a>) -> Handling<'a> {
    call.mock.world().clear();
    super::ready(super::object(Map::new()))
}

pub(super) fn reset<'a>(call: &'a Call<'a>) -> Handling<'a> {
    call.mock.world().reset();
    super::ready(super::object(Map::new()))
}

/// Everything else below the path is reserved.
pub(super) fn unknown(parts: &Parts) -> Answer {
    let detail = format!(
        "{} {} does not exist; use GET or DELETE {PATH}, or POST {PATH}/reset",
        parts.method,
        parts.uri.path()
    );
    Answer::problem(StatusCode::NOT_IMPLEMENTED, "unknown storage operation", &detail)
}
