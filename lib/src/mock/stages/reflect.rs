//! A made answer reflects its request, within its schema: values of the path, members of the body
//! that was sent, the size of a page, and the URI of a new item.
//!
//! A value is used only if the schema accepts it, both alone and in the whole answer. The answer is
//! JSON that was just written, so it is changed as text: parsing it would cost more than generating
//! it.

mod branch;
mod edit;
mod envelope;
mod filling;
mod location;
mod spans;
mod within;

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use crate::conform::is_json;
use crate::exchange::header;
use crate::schema::Direction;

use filling::Filling;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::catalogue::{PAGE_SIZES, same_name};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;

/// Query parameters for the start of a page. An envelope often repeats them.
const PLACES: [&str; 6] = ["page", "offset", "skip", "start", "pagenumber", "startindex"];
/// True if an answer may contain values of the request.
fn reflects(context: &Context<'_>, choice: &Choice<'_>) -> bool {
    context.settings.reflect && choice.status.as_u16() < 400
}

/// A generated body, as JSON, with the values of the request.
pub(super) fn body(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: Bytes,
) -> Bytes {
    let schema = choice.media.as_ref().and_then(|media| media.plan.schema);
    let (Some(schema), true) = (schema, reflects(context, choice)) else { return json };
    let Some(request) = Reflected::of(call, operation) else { return json };
    let schemas = &operation.spec.api.schemas;
    let of_branch = request.body.as_ref().and_then(|body| {
        let branch = branch::named(schemas, schema, body)?;
        branch::filled(schemas, branch, &json, body)
    });
    let json = of_branch.map_or(json, Bytes::from);
    let (changed, plain) = Filling::of(schemas, &json, &request, schema);
    let Some(changed) = changed else { return json };
    // Each part is valid by its own schema, but the whole may be invalid because of a `oneOf` or a
    // dependency.
    let accepted = plain
        || serde_json::from_slice::<Value>(&changed).is_ok_and(|value| {
            // A discriminator decides, even if other branches match too.
            let members = value.as_object();
            let branch = members.and_then(|m| branch::named(schemas, schema, m));
            schemas.accepts(branch.unwrap_or(schema), &value, Direction::Response)
        });
    if accepted { changed.into() } else { json }
}

/// Sets the URI of a new item, which `json` describes; it is empty if the body does not.
pub(super) fn locate(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: &[u8],
    answer: &mut Answer,
) {
    if reflects(context, choice) {
        location::set(call, operation, choice, json, answer);
    }
}

/// The values of a request that its answer can contain.
struct Reflected<'a> {
    /// Values of path parameters, by name.
    path: &'a [(&'a str, String)],
    /// The value of the parameter that the path ends in.
    item: Option<&'a str>,
    /// Members of the body.
    body: Option<Cow<'a, Map<String, Value>>>,
    /// Names and values of query parameters about pages.
    paging: Vec<(&'a str, &'a str)>,
}

impl<'a> Reflected<'a> {
    /// `None` if there are none.
    fn of(call: &'a Call<'_>, operation: &'a MatchedOperation<'_>) -> Option<Reflected<'a>> {
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
