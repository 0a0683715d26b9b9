//! Media type objects of forms: `application/x-www-form-urlencoded` and `multipart/form-data`.

use openapiv3::{Encoding, QueryStyle};
use serde_json::{Map, Value, json};

use super::bodies::{Bodies, BodyPosition};
use crate::exchange::Method;
use crate::infer::finalise::schemas::schema::Schemas;
use crate::infer::finalise::schemas::textual::{Textual, kinds_of_scalars};
use crate::infer::state::{Form, Part, Parts};

/// The encodings of properties, by name.
pub(crate) type Encodings = Vec<(String, Encoding)>;

/// The encodings and the schema of forms. Members and lists that use brackets have the `deepObject`
/// style.
pub(crate) fn form(form: &Form, schemas: &Schemas<'_>) -> (Encodings, Value) {
    let textual = Textual { graph: schemas.graph, detail: schemas.detail };
    let schema = textual.of(&form.json, "");
    let bracketed = form.bracketed.exact();
    let properties = schema["properties"].as_object();
    let encoding = properties
        .into_iter()
        .flatten()
        .filter(|(name, property)| {
            let is_list = property["type"] == "array";
            let named = bracketed.is_none_or(|names| names.keys().any(|other| other == *name));
            property["type"] == "object" || (is_list && named)
        })
        .map(|(name, _)| {
            let style = Some(QueryStyle::DeepObject);
            (name.clone(), Encoding { style, explode: true, ..Encoding::default() })
        })
        .collect();
    (encoding, schema)
}

/// The encodings and the schema of `multipart/form-data`.
pub(crate) fn parts(
    parts: &Parts,
    schemas: &Schemas<'_>,
    bodies: &Bodies,
    (method, place, media): (Method, BodyPosition, &str),
) -> (Encodings, Value) {
    let textual = Textual { graph: schemas.graph, detail: schemas.detail };
    let all = parts.fields.sorted();
    let (mut properties, mut encodings) = (Map::new(), Vec::new());
    for (name, part) in &all {
        let json = bodies.field(method, place, media, name);
        let one = part_schema(part, name, textual, || {
            json.map_or_else(|| json!({}), |slot| schemas.of(slot, name))
        });
        let many = part.most > 1;
        let schema = if many { json!({"type": "array", "items": one}) } else { one };
        properties.insert((*name).to_owned(), schema);
        if let content_type @ Some(_) = content_type(part) {
            encodings.push(((*name).to_owned(), Encoding { content_type, ..Encoding::default() }));
        }
    }
    let required: Vec<&str> =
        all.iter().filter(|(_, part)| part.present == parts.n).map(|(name, _)| *name).collect();
    let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), properties.into());
    }
    let present = all.iter().map(|(name, part)| (*name, part.present));
    schemas.detail.count_objects(&mut schema, parts.n, present);
    (encodings, schema.into())
}

/// A file is opaque, whatever its bytes are; so is text if other bodies have a file.
fn part_schema(
    part: &Part,
    name: &str,
    textual: Textual<'_>,
    json: impl FnOnce() -> Value,
) -> Value {
    let texts = part.text.as_deref().map_or(0, kinds_of_scalars);
    match (part.files > 0, &part.json, &part.text) {
        (true, None, _) => json!({"type": "string", "format": "binary"}),
        (false, Some(_), None) => json(),
        (false, None, Some(text)) if texts > 0 => textual.scalar(text, name),
        // No single schema fits both, or nothing was kept.
        _ => json!({}),
    }
}

/// The observed content types, if they differ from the default of the property's type.
fn content_type(part: &Part) -> Option<String> {
    let seen = part.media.exact()?;
    let mut types: Vec<&str> = seen.keys().collect();
    if types.iter().all(|name| *name == "text/plain") {
        return None;
    }
    if part.untyped > 0 && part.text.is_some() && !types.contains(&"text/plain") {
        types.push("text/plain");
    }
    Some(types.join(", "))
}
