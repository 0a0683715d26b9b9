//! Words for schemas in messages and names of rules.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diff::flat::Flat;
use crate::spec::Place;

/// The name of a branch.
pub(super) fn title(branch: &Place<'_>) -> String {
    let name = branch.text("$ref").and_then(|reference| reference.rsplit('/').next());
    name.or(branch.text("title")).map_or_else(|| named(&Flat::of(branch)), str::to_owned)
}

/// True if a set of types contains another set; `None` stands for all types.
pub(super) fn covers(wide: Option<&BTreeSet<&str>>, narrow: Option<&BTreeSet<&str>>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow
            .iter()
            .all(|name| wide.contains(name) || *name == "integer" && wide.contains("number")),
    }
}

/// True if all values of a format also have another format.
pub(super) fn format_covers(wide: Option<&str>, narrow: Option<&str>) -> bool {
    wide.is_none()
        || wide == narrow
        || matches!(
            (wide, narrow),
            (Some("int64"), Some("int32")) | (Some("double"), Some("float"))
        )
}

pub(super) fn named(flat: &Flat<'_>) -> String {
    let types = match &flat.types {
        None => "any type".to_owned(),
        Some(types) if types.is_empty() => "nothing".to_owned(),
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    };
    match flat.word("format").and_then(Value::as_str) {
        Some(format) => format!("{types} ({format})"),
        None => types,
    }
}

pub(super) fn shown(values: &[Value]) -> String {
    let mut all: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
    if values.len() > all.len() {
        all.push("…".to_owned());
    }
    all.join(", ")
}

/// `patternProperties` as `pattern-properties`.
pub(super) fn kebab(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
