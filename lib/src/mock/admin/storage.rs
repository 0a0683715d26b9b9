//! `/admin/storage`: shows or empties the mock's storage, or resets it to what the specs declare.

use http::StatusCode;
use http::request::Parts;
use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::world::{Item, StorageError};
use super::endpoint::{AdminCall, Handling, object, ready};

pub(super) const PATH: &str = "/admin/storage";
pub(super) const BELOW: &str = "/admin/storage/";

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    ready(call.mock.world().storage().read(|contents| {
        let kinds = contents.kinds().iter();
        let entities = kinds.map(|kind| {
            let list: Vec<Value> =
                kind.items().filter(|own| !own.is_removed()).map(Item::value).collect();
            (kind.rule().name.to_string(), Value::Array(list))
        });
        object(Map::from_iter([
            ("values".to_owned(), Value::Object(contents.values().clone())),
            ("entities".to_owned(), Value::Object(entities.collect())),
        ]))
    }))
}

pub(super) fn delete<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    ready(done(call.mock.world().storage().clear()))
}

pub(super) fn reset<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    ready(done(call.mock.world().storage().reset()))
}

fn done(result: Result<(), StorageError>) -> Answer {
    match result {
        Ok(()) => object(Map::new()),
        Err(error) => {
            let title = "the storage cannot be changed";
            Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, title, &error.to_string())
        }
    }
}

/// All other paths below this one are reserved.
pub(super) fn unknown(parts: &Parts) -> Answer {
    let detail = format!(
        "{} {} does not exist; use GET or DELETE {PATH}, or POST {PATH}/reset",
        parts.method,
        parts.uri.path()
    );
    Answer::problem(StatusCode::NOT_IMPLEMENTED, "unknown storage operation", &detail)
}
