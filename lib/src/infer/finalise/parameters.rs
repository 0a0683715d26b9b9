//! Parameters, form fields and headers: values that came as text.

use serde_json::{Map, Value, json};

use super::detail::Detail;
use super::enums::{Evidence, enumeration};
use super::schema::inferred_format;
use super::template;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Asked, Class, Lexical, Parameter};

/// The query and header parameters of an operation. Requests that failed are evidence only where no other was answered, and
/// then nothing of them is required.
pub(super) fn of_operation(ok: &Asked, failed: &Asked, detail: &Detail) -> Vec<Value> {
    let mut all = Vec::new();
    for (location, ok_map, failed_map) in
        [("query", &ok.query, &failed.query), ("header", &ok.headers, &failed.headers)]
    {
        for (name, parameter, required) in united(ok_map, failed_map, ok.n) {
            let mut object = json!({"name": name, "in": location});
            if required {
                object["required"] = json!(true);
            }
            object["schema"] = repeated(parameter, name, detail);
            if let Some(object) = object.as_object_mut() {
                detail.count(object, &[("present", parameter.present)]);
            }
            all.push(object);
        }
    }
    all
}

/// Names sorted, each with its evidence and whether it was in all of `n` valid messages.
fn united<'a>(
    ok: &'a CappedMap<Parameter>,
    failed: &'a CappedMap<Parameter>,
    n: u64,
) -> Vec<(&'a str, &'a Parameter, bool)> {
    let mut all: Vec<(&str, &Parameter, bool)> =
        ok.iter().map(|(name, parameter)| (name, parameter, parameter.present == n)).collect();
    all.extend(failed.iter().filter(|_| n == 0).map(|(name, parameter)| (name, parameter, false)));
    // A query may be `?=x`, which has no name that a parameter could be given.
    all.retain(|(name, ..)| !name.is_empty());
    all.sort_by_key(|(name, _, _)| *name);
    all
}

/// The schema of a form's fields.
pub(super) fn form(fields: &CappedMap<Parameter>, n: u64, detail: &Detail) -> Value {
    let all = fields.sorted();
    let required: Vec<&str> =
        all.iter().filter(|(_, parameter)| parameter.present == n).map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = all
        .iter()
        .map(|(name, parameter)| ((*name).to_owned(), repeated(parameter, name, detail)))
        .collect();
    let mut schema = json!({"type": "object"});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !properties.is_empty() {
        schema["properties"] = properties.into();
    }
    if let Some(schema) = schema.as_object_mut() {
        let keys = all.iter().map(|(name, parameter)| (*name, parameter.present));
        detail.count_objects(schema, n, keys);
    }
    schema
}

/// The headers object of responses: those of all `n` are required.
pub(super) fn headers(
    headers: &CappedMap<Parameter>,
    n: u64,
    detail: &Detail,
) -> Map<String, Value> {
    headers
        .sorted()
        .into_iter()
        .map(|(name, parameter)| {
            let mut header = json!({});
            if parameter.present == n {
                header["required"] = json!(true);
            }
            // Repeated headers are one comma-joined text to a validator.
            header["schema"] = if parameter.most > 1 {
                json!({"type": "string"})
            } else {
                scalar(parameter, name, detail)
            };
            if let Some(header) = header.as_object_mut() {
                detail.count(header, &[("present", parameter.present)]);
            }
            (name.to_owned(), header)
        })
        .collect()
}

fn repeated(parameter: &Parameter, name: &str, detail: &Detail) -> Value {
    let schema = scalar(parameter, name, detail);
    if parameter.most > 1 { json!({"type": "array", "items": schema}) } else { schema }
}

fn scalar(parameter: &Parameter, name: &str, detail: &Detail) -> Value {
    let text = &parameter.text;
    if let Some(mut schema) = lexical(|lexical| parameter.is(lexical)) {
        if schema["type"] == "integer" {
            detail.int_of_text(&mut schema, &text.values, name);
        }
        return schema;
    }
    let mut schema = json!({"type": "string"});
    if let Some(format) = inferred_format(text) {
        schema["format"] = json!(format);
    } else if let Some(values) = enumeration(&Evidence { n: text.n, values: &text.values, name }) {
        schema["enum"] = json!(values);
    }
    detail.text(&mut schema, text, name, false);
    schema
}

fn lexical(is: impl Fn(u64) -> bool) -> Option<Value> {
    let name = if is(Lexical::BOOL) {
        "boolean"
    } else if is(Lexical::INT) {
        "integer"
    } else if is(Lexical::NUMBER) {
        "number"
    } else {
        return None;
    };
    Some(json!({"type": name}))
}

/// The schema of a path parameter.
pub(super) fn of_path(values: &template::Values, name: &str, detail: &Detail) -> Value {
    let mut classes = values.classes.iter();
    match (classes.next(), classes.next()) {
        (Some(class), None) if !values.words => {
            if let Some(mut schema) = lexical(|lexical| values.segments.is(lexical)) {
                if schema["type"] == "integer" {
                    detail.int_of_text(&mut schema, values.segments.values(), name);
                }
                return schema;
            }
            match (class, inferred_format(values.segments.text())) {
                (
                    Class::Keyed
                    | Class::Uuid
                    | Class::Date
                    | Class::Datetime
                    | Class::Email
                    | Class::Ip,
                    Some(format),
                ) => {
                    json!({"type": "string", "format": format})
                }
                _ => json!({"type": "string"}),
            }
        }
        _ => json!({"type": "string"}),
    }
}
