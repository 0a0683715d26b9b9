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
mod reflected;
mod spans;
mod within;

use bytes::Bytes;
use serde_json::Value;

use crate::schema::Direction;

use filling::Filling;
use reflected::Reflected;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;

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
