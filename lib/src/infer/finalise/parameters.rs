//! Parameters, form fields and headers: values that came as text.

use serde_json::{Map, Value, json};

use super::enums::{Evidence, enumeration};
use super::schema::inferred_format;
use super::template;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Asked, Class, Lexical, Parameter};

/// The query and header parameters of an operation. What is only in requests that failed is optional.
pub(super) fn of_operation(ok: &Asked, failed: &Asked) -> Vec<Value> {
    let mut all = Vec::new();
    for (location, ok_map, failed_map) in
        [("query", &ok.query, &failed.query), ("header", &ok.headers, &failed.headers)]
    {
        for (name, parameter, required) in united(ok_map, failed_map, ok.n) {
            let mut object = json!({"name": name, "in": location});
            if required {
                object["required"] = json!(true);
            }
            object["schema"] = repeated(parameter, name);
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
    all.extend(
        failed
            .iter()
            .filter(|(name, _)| ok.get(name).is_none())
            .map(|(name, parameter)| (name, parameter, false)),
    );
    all.sort_by_key(|(name, _, _)| *name);
    all
}

/// The schema of a form's fields.
pub(super) fn form(fields: &CappedMap<Parameter>, n: u64) -> Value {
    let all = fields.sorted();
    let required: Vec<&str> =
        all.iter().filter(|(_, parameter)| parameter.present == n).map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = all
        .iter()
        .map(|(name, parameter)| ((*name).to_owned(), repeated(parameter, name)))
        .collect();
    let mut schema = json!({"type": "object"});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !properties.is_empty() {
        schema["properties"] = properties.into();
    }
    schema
}

/// The headers object of responses: those of all `n` are required.
pub(super) fn headers(headers: &CappedMap<Parameter>, n: u64) -> Map<String, Value> {
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
                scalar(parameter, name)
            };
            (name.to_owned(), header)
        })
        .collect()
}

fn repeated(parameter: &Parameter, name: &str) -> Value {
    let schema = scalar(parameter, name);
    if parameter.most > 1 { json!({"type": "array", "items": schema}) } else { schema }
}

fn scalar(parameter: &Parameter, name: &str) -> Value {
    if let Some(schema) = lexical(|lexical| parameter.is(lexical)) {
        return schema;
    }
    if let Some(format) = inferred_format(&parameter.text) {
        return json!({"type": "string", "format": format});
    }
    match enumeration(&Evidence { n: parameter.text.n, values: &parameter.text.values, name }) {
        Some(values) => json!({"type": "string", "enum": values}),
        None => json!({"type": "string"}),
    }
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
pub(super) fn of_path(values: &template::Values) -> Value {
    let mut classes = values.classes.iter();
    match (classes.next(), classes.next()) {
        (Some(class), None) if !values.words => {
            if let Some(schema) = lexical(|lexical| values.segments.is(lexical)) {
                return schema;
            }
            match (class, inferred_format(values.segments.text())) {
                (
                    Class::Uuid | Class::Date | Class::Datetime | Class::Email | Class::Ip,
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
