//! Converts XML bodies to values, guided by the schema and its `xml` keywords (OpenAPI, XML
//! Object).

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

use super::coerce::Coerce;
use crate::schema::{NodeId, Types};

/// Deeper elements are opaque.
const MAX_DEPTH: u32 = 128;
/// Nodes of one document.
const MAX_NODES: u32 = 1_000_000;

/// The value of a document.
///
/// # Errors
/// Why it is not well-formed XML, with line and column.
pub(super) fn value(coerce: Coerce<'_>, schema: NodeId, text: &str) -> Result<Value, String> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    Ok(element(coerce, Some(schema), document.root_element(), 0))
}

fn element(coerce: Coerce<'_>, schema: Option<NodeId>, node: Node<'_, '_>, depth: u32) -> Value {
    let types = schema.map_or(Types(0x7f), |id| coerce.set.types(id));
    let text = || node.text().unwrap_or_default();
    if depth > MAX_DEPTH {
        return text().into();
    }
    let has_elements = node.children().any(|child| child.is_element());
    let plain = !has_elements && node.attributes().len() == 0;
    // A text is neither an object nor a list.
    if plain && !text().trim().is_empty() && !has_text_property(coerce, schema) {
        return coerce.scalar(schema, text());
    }
    if types.has(Types::ARRAY) && !types.has(Types::OBJECT) {
        let item = schema.and_then(|id| coerce.set.item(id));
        let children = node.children().filter(Node::is_element);
        return children.map(|child| element(coerce, item, child, depth + 1)).collect();
    }
    let scalars = Types(0x7f & !Types::ARRAY.0 & !Types::OBJECT.0 & !Types::NULL.0);
    // Only an empty element is null.
    let takes_text = types.has(scalars) || (types.has(Types::NULL) && text().is_empty());
    // An element with children is not a text, whatever the schema says.
    if !has_elements && (!types.has(Types::OBJECT) || plain && takes_text) {
        return coerce.scalar(schema, text());
    }
    object(coerce, schema, node, depth)
}

/// True for an element with text only.
fn is_text(node: Node<'_, '_>) -> bool {
    !node.children().any(|child| child.is_element())
        && !node.text().unwrap_or_default().trim().is_empty()
}

/// True if the text of an element is the value of a property.
fn has_text_property(coerce: Coerce<'_>, schema: Option<NodeId>) -> bool {
    let properties = schema.map_or_else(Vec::new, |id| coerce.set.properties(id));
    properties.iter().any(|(_, id)| coerce.set.xml(*id).is_some_and(|xml| xml.text))
}

fn object(coerce: Coerce<'_>, schema: Option<NodeId>, node: Node<'_, '_>, depth: u32) -> Value {
    let mut map = Map::new();
    // The elements and attributes that declared properties use.
    let mut taken: Vec<String> = Vec::new();
    let properties = schema.map_or_else(Vec::new, |id| coerce.set.properties(id));
    // Names with a namespace precede the same names without one.
    let placed: Vec<(String, String)> = properties
        .iter()
        .filter_map(|(name, id)| {
            let (local, namespace) = element_name(coerce, name, *id);
            namespace.map(|namespace| (local, namespace))
        })
        .collect();
    for (name, property) in properties {
        let xml = coerce.set.xml(property).cloned().unwrap_or_default();
        let own = xml.name.as_deref().unwrap_or(name);
        if xml.text {
            let has_elements = node.children().any(|child| child.is_element());
            // Between elements, white space is layout.
            let text = node.text().filter(|text| {
                if has_elements { !text.trim().is_empty() } else { !text.is_empty() }
            });
            let value = text.map(|text| coerce.scalar(Some(property), text));
            map.extend(value.map(|value| (name.to_owned(), value)));
            continue;
        }
        if xml.attribute {
            let namespace = xml.namespace.as_deref();
            let found = node.attributes().find(|attribute| {
                attribute.name() == own
                    && (namespace.is_none() || attribute.namespace() == namespace)
            });
            if let Some(found) = found {
                map.insert(name.to_owned(), coerce.scalar(Some(property), found.value()));
            }
            continue;
        }
        let types = coerce.set.types(property);
        let list = types.has(Types::ARRAY) && !types.has(Types::STRING.with(Types::OBJECT));
        let item = coerce.set.item(property);
        let (wanted, namespace) = element_name(coerce, name, property);
        let is_wanted = |child: &Node<'_, '_>| {
            let found = child.tag_name();
            found.name() == wanted
                && match &namespace {
                    Some(namespace) => found.namespace() == Some(namespace),
                    None => !placed.iter().any(|(local, namespace)| {
                        *local == wanted && found.namespace() == Some(namespace)
                    }),
                }
        };
        let found: Vec<Node<'_, '_>> =
            node.children().filter(|child| child.is_element() && is_wanted(child)).collect();
        taken.push(wanted);
        let value = match found.as_slice() {
            [] => continue,
            [wrapper] if list && xml.wrapped && !is_text(*wrapper) => {
                let children = wrapper.children().filter(Node::is_element);
                children.map(|child| element(coerce, item, child, depth + 2)).collect()
            }
            [wrapper] if list && xml.wrapped => {
                coerce.scalar(Some(property), wrapper.text().unwrap_or_default())
            }
            all if list => {
                all.iter().map(|child| element(coerce, item, *child, depth + 1)).collect()
            }
            [one] => element(coerce, Some(property), *one, depth + 1),
            all => all.iter().map(|child| element(coerce, None, *child, depth + 1)).collect(),
        };
        map.insert(name.to_owned(), value);
    }
    let rest = schema.and_then(|id| coerce.set.rest(id));
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if !map.contains_key(name) && !taken.iter().any(|known| known == name) {
            map.insert(name.to_owned(), element(coerce, rest, child, depth + 1));
        }
    }
    Value::Object(map)
}

/// The name of a property's elements, and their namespace if declared. An unwrapped list has the
/// name and namespace of its items.
fn element_name(coerce: Coerce<'_>, name: &str, property: NodeId) -> (String, Option<String>) {
    let xml = coerce.set.xml(property).cloned().unwrap_or_default();
    let types = coerce.set.types(property);
    let list = types.has(Types::ARRAY) && !types.has(Types::STRING.with(Types::OBJECT));
    let xml = if list && !xml.wrapped {
        let item = coerce.set.item(property).and_then(|id| coerce.set.xml(id));
        item.cloned().unwrap_or_default()
    } else {
        xml
    };
    (xml.name.unwrap_or_else(|| name.to_owned()), xml.namespace)
}
