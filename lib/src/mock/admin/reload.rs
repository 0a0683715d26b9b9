//! `POST /admin/reload`: loads the specs again.

use http::StatusCode;
use serde_json::Map;

use super::super::answer::Answer;
use super::endpoint::{AdminCall, Handling, object};

pub(super) fn post<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    Box::pin(async move {
        let mock = call.mock.clone();
        // Loading reads files, and may request URLs.
        let reloaded = tokio::task::spawn_blocking(move || mock.reload()).await;
        let failed = |why: &str| {
            let detail = format!("{why}; the previous specs stay in use");
            Answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "the specs cannot be loaded", &detail)
        };
        let answer = match reloaded {
            Ok(Ok(())) => {
                let catalogue = call.mock.catalogue();
                object(Map::from_iter([
                    ("specs".to_owned(), catalogue.specs().into()),
                    ("operations".to_owned(), catalogue.operations().into()),
                ]))
            }
            Ok(Err(why)) => failed(&why),
            Err(_) => failed("the loader ended early"),
        };
        answer.into()
    })
}
