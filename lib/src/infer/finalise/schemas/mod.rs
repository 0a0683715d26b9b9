//! The schemas of JSON, texts and XML: maps, unions, kinds of object, components, enumerations.

pub(super) mod components;
mod confidence;
pub(super) mod detail;
pub(super) mod enums;
mod examples;
pub(super) mod graph;
mod hints;
mod intern;
mod json_kinds;
mod likeness;
pub(super) mod maps;
pub(super) mod schema;
pub(super) mod similar;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod textual;
pub(super) mod unions;
pub(super) mod xml;
