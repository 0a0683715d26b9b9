//! `GET /admin/health`: shows that the mock runs, and counts what it serves.

use serde_json::Map;

use super::endpoint::{AdminCall, Handling, object, ready};

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let catalogue = call.mock.catalogue();
    ready(object(Map::from_iter([
        ("status".to_owned(), "ok".into()),
        ("specs".to_owned(), catalogue.specs().into()),
        ("operations".to_owned(), catalogue.operations().into()),
        ("recordings".to_owned(), catalogue.recordings().len().into()),
    ])))
}
