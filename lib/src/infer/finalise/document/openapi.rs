//! The OpenAPI 3.0 document as the types of `openapiv3`, and its JSON.
//!
//! Documents, path items, operations, parameters, bodies, responses, headers, servers, tags and
//! security schemes are built as types. A response without a description, a parameter without a
//! schema or in an unknown location, and a status that is not a number therefore cannot be written.
//!
//! Schemas are not typed: the types contain them as trees ([`schema`]). `openapiv3::Schema` has
//! bounds of 64 bits, while `--tight` can write wider ones. It also writes the bound `1` as `1.0`,
//! and puts `nullable` and extensions before `type`. The laws check the schemas against the
//! published JSON Schema of OpenAPI 3.0.

use std::collections::BTreeSet;

use openapiv3::{
    AnySchema, Header, HeaderStyle, OpenAPI, Operation, Parameter, ParameterData,
    ParameterSchemaOrContent, PathItem, PathStyle, QueryStyle, ReferenceOr, Schema, SchemaData,
    SchemaKind, Server,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::exchange::Method;
use crate::spec::{METHODS, order};

/// A schema as a tree, in place of a typed one. Its keywords are stored as extensions of
/// `openapiv3`, because extensions are written unchanged.
pub(super) fn schema(tree: Value) -> ReferenceOr<Schema> {
    if let Some(reference) = tree.get("$ref").and_then(Value::as_str) {
        return ReferenceOr::ref_(reference);
    }
    let keywords = match tree {
        Value::Object(keywords) => keywords,
        _ => Map::new(),
    };
    ReferenceOr::Item(Schema {
        schema_data: SchemaData {
            extensions: keywords.into_iter().collect(),
            ..SchemaData::default()
        },
        schema_kind: SchemaKind::Any(AnySchema::default()),
    })
}

/// The servers for some origins.
pub(super) fn servers(origins: &BTreeSet<String>) -> Vec<Server> {
    let url = |origin: &String| if origin.is_empty() { "/".to_owned() } else { origin.clone() };
    origins.iter().map(|origin| Server { url: url(origin), ..Server::default() }).collect()
}

/// A path item without operations. It names its servers, unless it has all servers of the document.
pub(super) fn empty_item(
    own: &BTreeSet<String>,
    origins: &BTreeSet<String>,
    with_and_without_slash: bool,
) -> PathItem {
    let slash = || ("x-hmt-trailing-slash".to_owned(), json!("both"));
    PathItem {
        servers: if own == origins { Vec::new() } else { servers(own) },
        extensions: with_and_without_slash.then(slash).into_iter().collect(),
        ..PathItem::default()
    }
}

/// The data that parameters of all locations have in common.
pub(super) fn parameter_data(name: &str, required: bool, tree: Value) -> ParameterData {
    ParameterData {
        name: name.to_owned(),
        description: None,
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema(tree)),
        example: None,
        examples: [].into_iter().collect(),
        explode: None,
        extensions: [].into_iter().collect(),
    }
}

/// A query parameter with a style.
pub(super) fn in_query(parameter_data: ParameterData, style: QueryStyle) -> Parameter {
    Parameter::Query { parameter_data, allow_reserved: false, style, allow_empty_value: None }
}

/// A header of requests.
pub(super) fn in_header(parameter_data: ParameterData) -> Parameter {
    Parameter::Header { parameter_data, style: HeaderStyle::Simple }
}

/// A parameter of the path, which is always required.
pub(super) fn in_path(name: &str, tree: Value) -> Parameter {
    let parameter_data = parameter_data(name, true, tree);
    Parameter::Path { parameter_data, style: PathStyle::Simple }
}

/// A header of responses.
pub(super) fn header(required: bool, tree: Value) -> Header {
    Header {
        description: None,
        style: HeaderStyle::Simple,
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema(tree)),
        example: None,
        examples: [].into_iter().collect(),
        extensions: [].into_iter().collect(),
    }
}

/// Sets the operation of a method. OpenAPI 3.0 has no key for CONNECT.
pub(super) fn set_operation(item: &mut PathItem, method: Method, operation: Operation) {
    let place = match method {
        Method::Get => &mut item.get,
        Method::Put => &mut item.put,
        Method::Post => &mut item.post,
        Method::Patch => &mut item.patch,
        Method::Delete => &mut item.delete,
        Method::Options => &mut item.options,
        Method::Trace => &mut item.trace,
        Method::Head => &mut item.head,
        Method::Connect => return,
    };
    *place = Some(operation);
}

/// The JSON of a document, with keys in the usual order, and without the defaults and nulls that
/// `openapiv3` also writes.
///
/// Each path item is freed after its conversion, and extensions are moved, because recordings may
/// be large.
pub(super) fn to_tree(mut document: OpenAPI) -> Value {
    let extensions = std::mem::take(&mut document.extensions);
    let items = std::mem::take(&mut document.paths.paths);
    let mut root = tree_of(&document);
    root["paths"] =
        items.into_iter().map(|(path, item)| (path, path_item(tree_of(&item)))).collect();
    if let Value::Object(root) = &mut root {
        root.extend(extensions);
    }
    root
}

fn tree_of(part: &impl Serialize) -> Value {
    serde_json::to_value(part).expect("all keys of a document are strings")
}

fn path_item(mut item: Value) -> Value {
    parameters(&mut item);
    for method in METHODS {
        if let Some(operation) = item.get_mut(method) {
            parameters(operation);
            if let Some(body) = operation.get_mut("requestBody") {
                content(body);
                arrange(body, order::response);
            }
            for response in members(operation, "responses") {
                for header in members(response, "headers") {
                    parameter(header, order::response);
                }
                content(response);
                arrange(response, order::response);
            }
            arrange(operation, order::operation);
        }
    }
    arrange(&mut item, order::path_item);
    item
}

fn parameters(of: &mut Value) {
    let all = of.get_mut("parameters").and_then(Value::as_array_mut);
    all.into_iter().flatten().for_each(|one| parameter(one, order::parameter));
}

/// A style is written only beside `explode`, because it is the default elsewhere.
fn parameter(parameter: &mut Value, in_order: Order) {
    if let Value::Object(keys) = parameter
        && !keys.contains_key("explode")
    {
        keys.shift_remove("style");
    }
    arrange(parameter, in_order);
}

fn content(of: &mut Value) {
    for media in members(of, "content") {
        for encoding in members(media, "encoding") {
            if let Value::Object(keys) = encoding {
                keys.retain(|_, value| !value.is_null());
            }
        }
        arrange(media, order::media_type);
    }
}

fn members<'v>(of: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    of.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}

/// Puts the keys of an object in order.
type Order = fn(Map<String, Value>) -> Map<String, Value>;

fn arrange(object: &mut Value, in_order: Order) {
    if let Value::Object(keys) = object {
        *keys = in_order(std::mem::take(keys));
    }
}
