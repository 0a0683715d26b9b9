//! `/admin/scope`: the name that stands under `meta.hmt.scope` of each exchange in the log, a test's say.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::Map;

use super::super::reply::Reply;
use super::super::serving::Mock;

/// Longer names are refused: they stand in every line of the log.
const MAX_NAME: usize = 1024;

pub(super) fn get(mock: &Mock, _: &Parts, _: &Bytes) -> Reply {
    let name = mock.state().scope();
    super::object(name.map(|name| ("name".to_owned(), name.as_ref().into())).into_iter().collect())
}

/// The form field `name`, in the body or in the query.
pub(super) fn post(mock: &Mock, parts: &Parts, body: &Bytes) -> Reply {
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let name = form_urlencoded::parse(body)
        .chain(form_urlencoded::parse(query))
        .find(|(key, _)| key == "name")
        .map(|(_, name)| name);
    match name {
        Some(name) if !name.is_empty() && name.len() <= MAX_NAME => {
            mock.state().set_scope(Some(&name));
            get(mock, parts, body)
        }
        _ => {
            let detail = format!("send a form field name of 1 to {MAX_NAME} bytes: curl -d name=x");
            Reply::problem(StatusCode::BAD_REQUEST, "no name", &detail)
        }
    }
}

pub(super) fn delete(mock: &Mock, _: &Parts, _: &Bytes) -> Reply {
    mock.state().set_scope(None);
    super::object(Map::new())
}
