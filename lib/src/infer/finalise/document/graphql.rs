//! `x-hmt-graphql`: the operations of a GraphQL endpoint, with the shapes of their variables and
//! data.

use openapiv3::{Parameter, ParameterSchemaOrContent};
use serde_json::{Value, json};

use super::openapi::schema;
use crate::infer::finalise::schemas::components::Components;
use crate::infer::finalise::schemas::detail::Detail;
use crate::infer::finalise::schemas::graph::{BodySide, Graph, ObjectId, SlotId};
use crate::infer::finalise::schemas::schema::Schemas;
use crate::infer::state::{GraphQl, Json, ObservedOperation};

/// The list of operations as an extension.
pub(crate) fn list(operation: &ObservedOperation, around: &Graph<'_>) -> Option<(String, Value)> {
    let graphql = operation.graphql.as_deref()?;
    Some(("x-hmt-graphql".to_owned(), operations(graphql, around)))
}

/// The slots of variables and data, by these names.
type Shapes = [(&'static str, Option<SlotId>); 2];

/// These shapes are independent, so they have their own graph without components, examples and
/// bounds.
fn operations(graphql: &GraphQl, around: &Graph<'_>) -> Value {
    let mut graph = around.empty();
    let mut add = |json: &Option<Box<Json>>, noun: &str, side: BodySide| {
        json.as_ref().map(|json| graph.add(json, noun, side))
    };
    let called = graphql.operations.sorted();
    let slots: Vec<(&str, Shapes)> = called
        .into_iter()
        .map(|(key, called)| {
            let variables = add(&called.variables, "variables", BodySide::Request);
            let data = add(&called.data, "data", BodySide::Response);
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
const TEXTS: [&str; 2] = ["query", "operationName"];

/// Makes the texts of documents in the query plain strings.
pub(crate) fn hide_in_query(parameter: &mut Parameter) {
    if let Parameter::Query { parameter_data, .. } = parameter
        && (TEXTS.contains(&&*parameter_data.name) || parameter_data.name == "variables")
    {
        let schema = schema(json!({"type": "string"}));
        parameter_data.format = ParameterSchemaOrContent::Schema(schema);
    }
}

/// Makes the texts of documents in the schema of a request body plain strings.
pub(crate) fn hide_in_body(schema: &mut Value) {
    let schema = if schema["type"] == "array" { &mut schema["items"] } else { schema };
    for name in TEXTS {
        let property = schema.get_mut("properties").and_then(|all| all.get_mut(name));
        if let Some(property) = property.filter(|property| property["type"] == "string") {
            let nullable = property["nullable"] == true;
            *property = json!({"type": "string"});
            if nullable {
                property["nullable"] = json!(true);
            }
        }
    }
}
