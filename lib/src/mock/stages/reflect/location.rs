//! The `Location` of a new item.

use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use twox_hash::XxHash3_64;

use crate::conform::Location;
use crate::schema::{Direction, NodeId};

use super::super::super::answer::Answer;
use super::super::super::call::Call;
use super::super::super::catalogue::same_name;
use super::super::super::operation::UNRESERVED;
use super::super::lookup::MatchedOperation;
use super::super::negotiation::Choice;
use super::edit::Object;
use super::envelope::{IDS, enveloped};

/// Sets the header of an answer that has a new item.
pub(super) fn set(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    json: &[u8],
    answer: &mut Answer,
) {
    if let Some(location) = location(call, operation, choice, json) {
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
    let parameter = item_parameter(operation);
    if !declared && parameter.is_none() {
        return None;
    }
    let id = id_in(json, parameter.map(|(name, _)| name));
    let id = id.or_else(|| declared.then(|| made_id(call, operation, parameter)))?;
    let id = utf8_percent_encode(&id, UNRESERVED);
    let path = call.path_and_query.split('?').next()?.trim_end_matches('/');
    HeaderValue::from_str(&format!("{path}/{id}")).ok()
}

/// The parameter of the item's path below a collection: its name and schema.
fn item_parameter<'a>(operation: &'a MatchedOperation<'_>) -> Option<(&'a str, Option<NodeId>)> {
    let collection = operation.matched.operation.template.trim_end_matches('/');
    operation.spec.api.operations.iter().find_map(|other| {
        let rest = other.template.strip_prefix(collection)?.strip_prefix("/{")?;
        let name = rest.strip_suffix('}').filter(|name| !name.contains(['/', '{']))?;
        let declared = other
            .parameters
            .iter()
            .find(|parameter| parameter.location == Location::Path && parameter.name == name);
        Some((name, declared.and_then(|parameter| parameter.schema)))
    })
}

/// The id of an item: the property of the path's parameter, or one that is named as ids are.
fn id_in(json: &[u8], parameter: Option<&str>) -> Option<String> {
    let object = Object::read(json, 0..json.len())?;
    let item = match enveloped(json, &object, None) {
        Some(index) if !IDS.iter().any(|id| object.has(id)) => {
            Object::read(json, object.members[index].span.as_ref()?.value.clone())?
        }
        _ => object,
    };
    let named = |name: &str| item.members.iter().find(|member| same_name(&member.name, name));
    let usual = || IDS.iter().find_map(|id| item.members.iter().find(|m| m.name == **id));
    let member = parameter.and_then(named).or_else(usual)?;
    match serde_json::from_slice::<Value>(&json[member.span.as_ref()?.value.clone()]).ok()? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id for an item that the answer does not show: the same for the same request.
fn made_id(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    parameter: Option<(&str, Option<NodeId>)>,
) -> String {
    let hash = XxHash3_64::oneshot(call.request.body.as_bytes());
    let number = hash % 90_000 + 10_000;
    let uuid = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        hash >> 32,
        hash & 0xffff,
        hash >> 16 & 0xfff,
        hash >> 8 & 0xfff,
        hash & 0xffff_ffff_ffff
    );
    let schemas = &operation.spec.api.schemas;
    let accepts = |value: &Value| {
        let schema = parameter.and_then(|(_, schema)| schema);
        schema.is_none_or(|schema| schemas.accepts(schema, value, Direction::Request))
    };
    let is_uuid = !accepts(&number.into()) && !accepts(&number.to_string().into());
    if is_uuid && accepts(&uuid.as_str().into()) { uuid } else { number.to_string() }
}
