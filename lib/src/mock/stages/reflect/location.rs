//! The `Location` of a new item.

use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::super::super::answer::Answer;
use super::super::super::call::Call;
use super::super::lookup::MatchedOperation;
use super::super::negotiation::Choice;
use super::edit::Object;
use super::{IDS, enveloped};

/// Sets the header of an answer that has a new item.
pub(super) fn set(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    answer: &mut Answer,
) {
    if let Some(location) = location(call, operation, choice, &answer.body) {
        answer.headers.insert(LOCATION, location);
    }
}

/// The URI of an item that a POST made: the path that it was sent to, and the item's id.
fn location(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: &[u8],
) -> Option<HeaderValue> {
    if call.parts.method != Method::POST || choice.status != StatusCode::CREATED {
        return None;
    }
    let declared = choice
        .response
        .is_some_and(|response| response.headers.iter().any(|header| header.name == LOCATION));
    let template = &operation.matched.operation.template;
    let below = |other: &str| {
        let rest = other.strip_prefix(template.trim_end_matches('/'));
        rest.and_then(|rest| rest.strip_prefix("/{"))
            .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
    };
    let mut operations = operation.spec.api.operations.iter();
    if !declared && !operations.any(|operation| below(&operation.template)) {
        return None;
    }
    let object = Object::read(json, 0..json.len())?;
    let item = match enveloped(json, &object) {
        Some(index) if !IDS.iter().any(|id| object.has(id)) => {
            Object::read(json, object.members[index].span.as_ref()?.value.clone())?
        }
        _ => object,
    };
    let named = |id: &&str| item.members.iter().find(|member| member.name == **id);
    let id = IDS.iter().find_map(named)?.span.as_ref()?;
    let id = match serde_json::from_slice::<Value>(&json[id.value.clone()]).ok()? {
        Value::String(text) => {
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%2D", "-")
                .replace("%5F", "_")
                .replace("%2E", ".")
                .replace("%7E", "~")
        }
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let path = call.path_and_query.split('?').next()?.trim_end_matches('/');
    HeaderValue::from_str(&format!("{path}/{id}")).ok()
}
