//! Bodies in XML.
//!
//! An element is an object of its attributes (`@name`) and of its children by name; a repeated
//! child is a list. An element with neither is a text, and an empty one is null. A text next to
//! attributes is a separate member; one between children is layout, and left out. Names in another
//! namespace than their parent element are `{namespace}name`, in James Clark's notation, so that
//! prefixes do not matter.

use roxmltree::{Document, Node, ParsingOptions};
use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::json::Json;
use super::tape::Tape;
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, Values};

/// Deeper elements are treated as texts. The validator has the same limit.
const MAX_DEPTH: u32 = 128;
/// Nodes of one document.
const MAX_NODES: u32 = 1_000_000;

/// The key for the text of an element with attributes. No XML name contains this character.
pub(crate) const TEXT: &str = "#text";

/// The observations of such bodies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Xml {
    /// The root elements.
    pub(crate) json: Json,
    /// Namespaces with their prefixes.
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) namespaces: CappedMap<Prefixes>,
    /// The names of the root elements.
    pub(crate) roots: Values,
}

/// The prefixes of a namespace; empty for the default namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Prefixes(pub(crate) Values);

/// A parsed document.
pub(super) struct ReadXml {
    pub(super) tape: Tape,
    root: String,
    namespaces: Vec<(String, String)>,
}

/// Parses a document; `None` if it is not well-formed.
pub(super) fn read(text: &str) -> Option<ReadXml> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let mut tape = Tape::default();
    let root = document.root_element();
    let mut namespaces = Vec::new();
    write(root, &mut tape, &mut namespaces, 0);
    let namespace = root.tag_name().namespace();
    note(namespace, root, &mut namespaces);
    Some(ReadXml { tape, root: qualified(namespace, None, root.tag_name().name()), namespaces })
}

/// The qualified name of an element or attribute.
fn qualified(namespace: Option<&str>, around: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) if Some(namespace) != around => format!("{{{namespace}}}{name}"),
        None if around.is_some() => format!("{{}}{name}"),
        _ => name.to_owned(),
    }
}

fn note(namespace: Option<&str>, node: Node<'_, '_>, all: &mut Vec<(String, String)>) {
    let Some(namespace) = namespace else { return };
    let prefix = node.lookup_prefix(namespace).unwrap_or_default();
    if !all.iter().any(|(known, name)| known == namespace && name == prefix) {
        all.push((namespace.to_owned(), prefix.to_owned()));
    }
}

fn write(node: Node<'_, '_>, tape: &mut Tape, namespaces: &mut Vec<(String, String)>, depth: u32) {
    let text = node.text().unwrap_or_default();
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    let has_attributes = node.attributes().len() > 0;
    if depth > MAX_DEPTH || (children.is_empty() && !has_attributes) {
        return if text.is_empty() { tape.write_null() } else { tape.write_text(text) };
    }
    let around = node.tag_name().namespace();
    let start = tape.begin_object();
    for attribute in node.attributes() {
        note(attribute.namespace(), node, namespaces);
        // An attribute without prefix is in no namespace, whatever that of the element is.
        let name = qualified(attribute.namespace(), None, attribute.name());
        tape.write_key(&format!("@{name}"));
        tape.write_text(attribute.value());
    }
    // Between elements, white space is layout.
    let has_text = if children.is_empty() { !text.is_empty() } else { !text.trim().is_empty() };
    if has_text {
        tape.write_key(TEXT);
        tape.write_text(text);
    }
    let mut named: Vec<(String, Vec<Node<'_, '_>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for child in children {
        let namespace = child.tag_name().namespace();
        note(namespace, child, namespaces);
        let name = qualified(namespace, around, child.tag_name().name());
        let place = *places.entry(name.clone()).or_insert(named.len());
        match named.get_mut(place) {
            Some((_, same)) => same.push(child),
            None => named.push((name, vec![child])),
        }
    }
    for (name, same) in named {
        tape.write_key(&name);
        match same.as_slice() {
            [one] => write(*one, tape, namespaces, depth + 1),
            all => {
                let start = tape.begin_array();
                all.iter().for_each(|one| write(*one, tape, namespaces, depth + 1));
                tape.end(start);
            }
        }
    }
    tape.end(start);
}

impl Xml {
    /// Folds a body; false if it is not well-formed.
    pub(super) fn fold(&mut self, text: &str, limits: &Caps<'_>) -> bool {
        let Some(read) = read(text) else { return false };
        self.json.fold(&read.tape, "", 0, 0, limits);
        self.roots.fold(&read.root, limits.media, usize::MAX);
        for (namespace, prefix) in &read.namespaces {
            self.namespaces.fold(namespace, limits.media, no_priority, limits, |prefixes| {
                prefixes.0.fold(prefix, limits.media, usize::MAX);
            });
        }
        true
    }
}

impl Merge for Xml {
    fn coarsen(&mut self, limits: &Limits) {
        self.json.coarsen(limits);
        self.namespaces.coarsen(limits.media, limits);
        self.roots.coarsen(limits.media);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.json.merge(other.json, limits);
        self.namespaces.merge(other.namespaces, limits.media, limits);
        self.roots.merge(other.roots, limits.media);
    }
}

impl Merge for Prefixes {
    fn coarsen(&mut self, limits: &Limits) {
        self.0.coarsen(limits.media);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.0.merge(other.0, limits.media);
    }
}
