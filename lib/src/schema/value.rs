//! The schema of a single value.

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::join::join;
use super::number::{is_integer, is_integral};
use super::shape::{Kind, Shape, TypePart};

impl TypePart {
    /// The common part of a single value and others of its type.
    pub(super) fn of_value(value: &Value, dialect: Dialect) -> TypePart {
        let mut part = TypePart::default();
        match value {
            Value::Number(number) => part.integer = is_integral(number),
            Value::String(text) => {
                if let Some(format) = format_of(text) {
                    part.words.insert("format".to_owned(), json!(format));
                }
            }
            Value::Array(items) => {
                let schemas = items.iter().map(|item| schema_of(item, dialect));
                part.items = schemas.reduce(|a, b| join(&a, &b, dialect));
                part.most = items.is_empty().then_some(0);
            }
            Value::Object(map) => {
                part.required = map.keys().cloned().collect();
                part.properties = map
                    .iter()
                    .map(|(name, value)| (name.clone(), schema_of(value, dialect)))
                    .collect();
                part.properties.sort_keys();
            }
            Value::Null | Value::Bool(_) => {}
        }
        part
    }
}

/// The first format that a text conforms to.
fn format_of(text: &str) -> Option<&'static str> {
    let fits =
        |format: &&crate::format::StringFormat| format.infer.is_some_and(|infer| infer(text));
    crate::format::FORMATS.iter().find(fits).map(|format| format.name)
}

/// The schema of one value. Scalars stay constants.
fn schema_of(value: &Value, dialect: Dialect) -> Value {
    let kind = match value {
        Value::Null => return Shape { null: true, ..Shape::default() }.write(dialect),
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    };
    let part = match value {
        Value::Array(_) | Value::Object(_) => TypePart::of_value(value, dialect),
        _ => TypePart {
            integer: is_integer(value),
            values: Some(vec![value.clone()]),
            ..TypePart::default()
        },
    };
    part.write(kind, false, dialect)
}
