//! Generated answers reflect their request, within the schema: values of the path, members of the
//! request body, the size of a page, and the URI of a new item.
//!
//! A value is used only if the answer's schema accepts it, alone and as a part of the whole.

use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value};

use crate::conform::is_json;
use crate::schema::{Direction, NodeId, SchemaSet};

use super::super::answer::Answer;
use super::super::answer::media::Notation;
use super::super::call::{Call, Context};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;

/// Query parameters for the page size, without `_`, `-`, `$`, `[` and `]`, in lower case.
const SIZES: [&str; 11] = [
    "limit",
    "perpage",
    "pagesize",
    "size",
    "count",
    "first",
    "top",
    "maxresults",
    "max",
    "take",
    "pagelimit",
];
/// Query parameters for the page position. An envelope often repeats them.
const PLACES: [&str; 6] = ["page", "offset", "skip", "start", "pagenumber", "startindex"];
/// Properties that identify an item.
const IDS: [&str; 5] = ["id", "uuid", "guid", "key", "slug"];
/// Properties that hold the item or the items in an envelope.
const ENVELOPES: [&str; 6] = ["data", "result", "results", "item", "items", "response"];

pub(super) fn apply(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    answer: &mut Answer,
) {
    let Some(media) = &choice.media else { return };
    if !context.settings.reflect
        || choice.status.as_u16() >= 400
        || media.plan.notation != Notation::Json
    {
        return;
    }
    let (Some(schema), Some(request)) = (media.plan.schema, Reflected::of(call, operation)) else {
        return;
    };
    let schemas = &operation.spec.api.schemas;
    let Ok(made) = serde_json::from_slice::<Value>(&answer.body) else { return };
    let mut value = made.clone();
    request.fill(schemas, schema, &mut value);
    let changed = value != made;
    // Each part matches its own schema; together they may violate a `oneOf` or a dependency.
    if changed && schemas.accepts(schema, &value, Direction::Response) {
        answer.body = value.to_string().into();
    }
    let shown = if changed { &value } else { &made };
    if let Some(location) = location(call, operation, choice, shown) {
        answer.headers.insert(LOCATION, location);
    }
}

/// The values of a request that its answer may contain.
struct Reflected<'a> {
    /// Values of path parameters, by name.
    path: &'a [(&'a str, String)],
    /// The value of the parameter at the end of the path.
    item: Option<&'a str>,
    /// Members of the body.
    body: Map<String, Value>,
    /// Names and values of paging parameters in the query.
    paging: Vec<(&'a str, &'a str)>,
}

impl<'a> Reflected<'a> {
    /// `None` if there is nothing.
    fn of(call: &'a Call<'_>, operation: &'a MatchedOperation<'_>) -> Option<Reflected<'a>> {
        let path = operation.matched.path_values.as_slice();
        let item = operation.matched.operation.template.ends_with('}');
        let item = path.last().filter(|_| item).map(|(_, value)| value.as_str());
        let method = &call.parts.method;
        let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        let body = if writes { members(call) } else { Map::new() };
        let pages = |name: &str| {
            let name = plain(name);
            SIZES.contains(&name.as_str()) || PLACES.contains(&name.as_str())
        };
        let paging: Vec<(&str, &str)> = call
            .request
            .query
            .iter()
            .filter(|(name, _)| pages(name))
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        let nothing = path.is_empty() && body.is_empty() && paging.is_empty() && !writes;
        (!nothing).then_some(Reflected { path, item, body, paging })
    }

    fn fill(&self, schemas: &SchemaSet, schema: NodeId, value: &mut Value) {
        match value {
            Value::Array(items) => self.list(schemas, schema, items),
            Value::Object(object) => {
                for (name, text) in &self.paging {
                    set_text(schemas, schema, object, name, text);
                }
                match enveloped(object) {
                    Some(name) => {
                        let within = schemas.property(schema, &name);
                        if let (Some(within), Some(value)) = (within, object.get_mut(&name)) {
                            match value {
                                Value::Array(items) => self.list(schemas, within, items),
                                Value::Object(item) => self.item(schemas, within, item),
                                _ => {}
                            }
                        }
                        for (name, text) in self.path {
                            set_text(schemas, schema, object, name, text);
                        }
                    }
                    None => self.item(schemas, schema, object),
                }
            }
            _ => {}
        }
    }

    fn item(&self, schemas: &SchemaSet, schema: NodeId, object: &mut Map<String, Value>) {
        for (name, value) in &self.body {
            let property = schemas.property(schema, name);
            let accepted = property.is_some_and(|property| {
                !one_way(schemas, property) && schemas.accepts(property, value, Direction::Response)
            });
            if accepted {
                object.insert(name.clone(), value.clone());
            }
        }
        for (name, text) in self.path {
            set_text(schemas, schema, object, name, text);
        }
        if let Some(text) = self.item
            && let Some(id) = IDS.iter().find(|id| object.contains_key(**id))
        {
            set_text(schemas, schema, object, id, text);
        }
    }

    fn list(&self, schemas: &SchemaSet, schema: NodeId, items: &mut Vec<Value>) {
        let limit = self.paging.iter().find_map(|(name, text)| {
            SIZES.contains(&plain(name).as_str()).then(|| text.parse::<usize>().ok()).flatten()
        });
        if let Some(limit) = limit {
            let mut cut = items.clone();
            cut.truncate(limit);
            if schemas.accepts(schema, &Value::Array(cut.clone()), Direction::Response) {
                *items = cut;
            }
        }
        let Some(item) = schemas.item(schema) else { return };
        for object in items.iter_mut().filter_map(Value::as_object_mut) {
            for (name, text) in self.path {
                set_text(schemas, item, object, name, text);
            }
        }
    }
}

/// The members of a JSON body.
fn members(call: &Call<'_>) -> Map<String, Value> {
    let json = crate::exchange::header(&call.request.headers, "content-type").is_none_or(is_json);
    let body = call.request.body.as_bytes();
    match json.then(|| serde_json::from_slice(body)) {
        Some(Ok(Value::Object(members))) => members,
        _ => Map::new(),
    }
}

/// Sets the property with that name, whatever its spelling, to a text or its value in the
/// property's type.
fn set_text(
    schemas: &SchemaSet,
    schema: NodeId,
    object: &mut Map<String, Value>,
    name: &str,
    text: &str,
) {
    let wanted = plain(name);
    let Some(name) = object.keys().find(|key| plain(key) == wanted).cloned() else { return };
    let Some(property) = schemas.property(schema, &name) else { return };
    let typed = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_string());
    let accepted = [Some(Value::from(text)), typed]
        .into_iter()
        .flatten()
        .find(|value| schemas.accepts(property, value, Direction::Response));
    if let Some(value) = accepted {
        object.insert(name, value);
    }
}

/// True for a property that only the server sets, or that it never sends.
fn one_way(schemas: &SchemaSet, mut property: NodeId) -> bool {
    for _ in 0..16 {
        let node = schemas.node(property);
        if node.read_only || node.write_only {
            return true;
        }
        match node.reference {
            Some(target) => property = target,
            None => return false,
        }
    }
    false
}

/// The name of the one property that holds the item or the items.
fn enveloped(object: &Map<String, Value>) -> Option<String> {
    let holds = |value: &Value| value.is_array() || value.is_object();
    let named =
        object.iter().find(|(key, value)| ENVELOPES.contains(&plain(key).as_str()) && holds(value));
    let only_list = || {
        let has_id = IDS.iter().any(|id| object.contains_key(*id));
        let mut lists = object.iter().filter(|(_, value)| value.is_array());
        lists.next().filter(|_| !has_id && lists.next().is_none())
    };
    let only_item = || object.iter().next().filter(|(_, v)| object.len() == 1 && v.is_object());
    named.or_else(only_item).or_else(only_list).map(|(name, _)| name.clone())
}

/// A name without the characters that naming conventions differ in.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The URI of an item that a POST created: the request path, followed by the item's id.
fn location(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
    value: &Value,
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
    let object = value.as_object()?;
    let item = match enveloped(object) {
        Some(name) if IDS.iter().all(|id| !object.contains_key(*id)) => object.get(&name)?,
        _ => value,
    };
    let id = match IDS.iter().find_map(|id| item.get(*id))? {
        Value::String(text) => {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn envelopes_are_found() {
        for (value, expected) in [
            (json!({"data": {"id": 1}, "meta": {}}), Some("data")),
            (json!({"items": [], "total": 1}), Some("items")),
            (json!({"pets": [], "next": null}), Some("pets")),
            (json!({"pet": {"id": 1}}), Some("pet")),
            (json!({"id": 1, "tags": []}), None),
            (json!({"a": [], "b": []}), None),
            (json!({"name": "x"}), None),
        ] {
            let found = enveloped(value.as_object().unwrap());
            assert_eq!(found.as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn spellings_are_one() {
        assert_eq!(plain("page[size]"), plain("pageSize"));
        assert_eq!(plain("$top"), "top");
    }
}
