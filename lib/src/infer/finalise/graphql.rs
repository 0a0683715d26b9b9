//! `x-hmt-graphql`: the operations of a GraphQL endpoint, with the shapes of their variables and
//! data.

use serde_json::{Map, Value, json};

use super::components::Components;
use super::detail::Detail;
use super::graph::{Graph, ObjectId, Side, SlotId};
use super::schema::Schemas;
use crate::infer::state::{GraphQl, Json, Operation};

/// Writes the list of operations, and makes the texts of documents plain strings wherever they were
/// described.
pub(super) fn write(operation: &Operation, around: &Graph<'_>, into: &mut Map<String, Value>) {
    let Some(graphql) = &operation.graphql else { return };
    hide_documents(into);
    into.insert("x-hmt-graphql".to_owned(), list(graphql, around));
}

/// The slots of variables and data, by these names.
type Shapes = [(&'static str, Option<SlotId>); 2];

/// These shapes are independent, so they have their own graph without components, examples and
/// bounds.
fn list(graphql: &GraphQl, around: &Graph<'_>) -> Value {
    let mut graph = around.empty();
    let mut add = |json: &Option<Box<Json>>, noun: &str, side: Side| {
        json.as_ref().map(|json| graph.add(json, noun, side))
    };
    let called = graphql.operations.sorted();
    let slots: Vec<(&str, Shapes)> = called
        .into_iter()
        .map(|(key, called)| {
            let variables = add(&called.variables, "variables", Side::Request);
            let data = add(&called.data, "data", Side::Response);
            (key, [("variables", variables), ("data", data)])
        })
        .collect();
    unite_variants(&mut graph);
    let (components, detail) = (Components::default(), Detail::default());
    let schemas = Schemas::new(&graph, &components, &detail);
    let entry = |(key, shapes): (&str, Shapes)| {
        let (kind, name) = key.split_once(' ').unwrap_or(("query", key));
        let mut entry = json!({"name": name, "kind": kind});
        for (member, slot) in shapes {
            if let Some(slot) = slot {
                entry[member] = schemas.of(slot, "");
            }
        }
        entry
    };
    slots.into_iter().map(entry).collect()
}

/// Unites all objects at a place into one kind, whatever their tags are.
fn unite_variants(graph: &mut Graph<'_>) {
    loop {
        let several = |all: Vec<ObjectId>| -> Vec<(ObjectId, ObjectId)> {
            all.windows(2).map(|two| (two[0], two[1])).collect()
        };
        let pairs: Vec<(ObjectId, ObjectId)> = graph
            .slots()
            .flat_map(|slot| several(graph.kinds_at(slot).into_iter().collect()))
            .collect();
        if pairs.is_empty() {
            break;
        }
        graph.unite(&pairs);
    }
    graph.forget_tags();
}

/// The text of a document, and the name of an operation, are not enumerations: others will be
/// called.
fn hide_documents(operation: &mut Map<String, Value>) {
    const TEXTS: [&str; 2] = ["query", "operationName"];
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let of_call = |name: &str| TEXTS.contains(&name) || name == "variables";
        if parameter["in"] == "query" && parameter["name"].as_str().is_some_and(of_call) {
            parameter["schema"] = json!({"type": "string"});
        }
    }
    let content = operation.get_mut("requestBody").and_then(|body| body.get_mut("content"));
    for media in content.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let Some(mut schema) = media.get_mut("schema") else { continue };
        if schema["type"] == "array" {
            schema = &mut schema["items"];
        }
        for name in TEXTS {
            let Some(property) = schema.get_mut("properties").and_then(|all| all.get_mut(name))
            else {
                continue;
            };
            if property["type"] == "string" {
                let nullable = property["nullable"] == true;
                *property = json!({"type": "string"});
                if nullable {
                    property["nullable"] = json!(true);
                }
            }
        }
    }
}
