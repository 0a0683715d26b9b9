//! The values of a request that its answer can contain.

use std::borrow::Cow;

use http::Method;
use serde_json::{Map, Value};

use super::super::super::call::Call;
use super::super::super::catalogue::{PAGE_SIZES, same_name};
use super::super::lookup::MatchedOperation;
use crate::conform::is_json;
use crate::exchange::header;

/// Query parameters for the start of a page. An envelope often repeats them.
const PLACES: [&str; 6] = ["page", "offset", "skip", "start", "pagenumber", "startindex"];

/// The values of a request that its answer can contain.
pub(super) struct Reflected<'a> {
    /// Values of path parameters, by name.
    pub(super) path: &'a [(&'a str, String)],
    /// The value of the parameter that the path ends in.
    pub(super) item: Option<&'a str>,
    /// Members of the body.
    pub(super) body: Option<Cow<'a, Map<String, Value>>>,
    /// Names and values of query parameters about pages.
    pub(super) paging: Vec<(&'a str, &'a str)>,
}

impl<'a> Reflected<'a> {
    /// `None` if there are none.
    pub(super) fn of(
        call: &'a Call<'_>,
        operation: &'a MatchedOperation<'_>,
    ) -> Option<Reflected<'a>> {
        let path = operation.matched.path_values.as_slice();
        let item = operation.matched.operation.template.ends_with('}');
        let item = path.last().filter(|_| item).map(|(_, value)| value.as_str());
        let method = &call.parts.method;
        let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        let body = if writes { members(call, operation) } else { None };
        let pages =
            |name: &str| PAGE_SIZES.iter().chain(&PLACES).any(|known| same_name(known, name));
        let query = call.request.query.iter();
        let paging: Vec<(&str, &str)> = query
            .filter(|(name, _)| pages(name))
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        let nothing = path.is_empty() && body.is_none() && paging.is_empty() && !writes;
        (!nothing).then_some(Reflected { path, item, body, paging })
    }
}

/// The members of a body: of JSON, a form, XML or YAML.
fn members<'a>(
    call: &'a Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Cow<'a, Map<String, Value>>> {
    let members = match header(&call.request.headers, "content-type") {
        Some(other) if !is_json(other) => {
            let value = operation.spec.api.body_value(&operation.matched, &call.request)?;
            let Value::Object(members) = value else { return None };
            Cow::Owned(members)
        }
        _ => Cow::Borrowed(call.json_body()?.as_object()?),
    };
    Some(members).filter(|members| !members.is_empty())
}
