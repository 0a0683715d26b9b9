//! `/admin/scope`: a name, for instance that of a test, which is added as `meta.hmt.scope` to each
//! exchange in the log.

use http::StatusCode;
use serde_json::Map;

use super::super::answer::Answer;
use super::super::world::World;
use super::endpoint::{AdminCall, Handling, object, ready};

/// Longer names are refused, because each line of the log contains the name.
const MAX_NAME: usize = 1024;

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    ready(current(call.mock.world()))
}

fn current(world: &World) -> Answer {
    let name = world.scope();
    object(name.map(|name| ("name".to_owned(), name.as_ref().into())).into_iter().collect())
}

/// The form field `name`, in the body or in the query.
pub(super) fn post<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let query = call.parts.uri.query().unwrap_or_default().as_bytes();
    let name = form_urlencoded::parse(call.body)
        .chain(form_urlencoded::parse(query))
        .find(|(key, _)| key == "name")
        .map(|(_, name)| name);
    ready(match name {
        Some(name) if !name.is_empty() && name.len() <= MAX_NAME => {
            call.mock.world().set_scope(Some(&name));
            current(call.mock.world())
        }
        _ => {
            let detail =
                format!("send a form field `name` of 1 to {MAX_NAME} bytes: curl -d name=x");
            Answer::problem(StatusCode::BAD_REQUEST, "no name", &detail)
        }
    })
}

pub(super) fn delete<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    call.mock.world().set_scope(None);
    ready(object(Map::new()))
}
