//! The compiled schema: an arena of nodes, in which `$ref`s are indices.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// Index of a node in a [`SchemaSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Compiled schemas of one document. Cyclic references are cyclic indices.
#[derive(Debug, Default)]
pub struct SchemaSet {
    pub(crate) nodes: Vec<Node>,
    /// The node of each schema by its pointer, so that every schema is compiled once.
    pub(super) by_pointer: HashMap<String, NodeId>,
    /// Keywords with invalid values, which were skipped.
    pub warnings: Vec<String>,
    /// Checks report every violated keyword once, not only the first problems.
    pub every_fault: bool,
    /// Checks report each problem once for each place of a value, and also undeclared properties.
    /// All items of a list are one place.
    pub every_place: bool,
    /// Requests must match exactly one branch of `oneOf` too. Without this, a discriminator selects
    /// the branch to check, and several branches may match, so that responses can be sent back and
    /// specs with overlapping branches can be used.
    pub strict_one_of: bool,
}

impl SchemaSet {
    /// The node with an id from this set.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

/// The JSON types, as a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Types(pub u8);

#[allow(missing_docs)]
impl Types {
    pub const NULL: Types = Types(1);
    pub const BOOLEAN: Types = Types(2);
    /// Numbers with a zero fractional part.
    pub const INTEGER: Types = Types(4);
    /// All numbers; a set with this bit accepts integers too.
    pub const NUMBER: Types = Types(8);
    pub const STRING: Types = Types(16);
    pub const ARRAY: Types = Types(32);
    pub const OBJECT: Types = Types(64);

    /// True if the sets overlap.
    pub fn has(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }
    /// The union of both sets.
    pub fn with(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }
}

/// One schema, its keywords parsed. Absent keywords are `None` or empty.
///
/// OpenAPI 3.0 and 3.1 produce the same nodes: `nullable` adds [`Types::NULL`] if there is a `type`
/// (clarification 003 of 3.0.3), and a boolean `exclusiveMinimum` becomes a numeric one.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs)]
pub struct Node {
    /// JSON pointer of the schema in its document, for messages.
    pub pointer: String,
    /// `$ref`: the target has all other keywords. (Siblings, which 3.1 allows, become an `all_of`.)
    pub reference: Option<NodeId>,
    /// The schema `false`: nothing is valid.
    pub never: bool,
    /// `type`; `None` accepts every type.
    pub types: Option<Types>,
    /// `enum`, or `const` as an enum of one.
    pub enumeration: Option<Vec<Value>>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub multiple_of: Option<Number>,
    /// In code points.
    pub min_length: Option<u64>,
    /// In code points.
    pub max_length: Option<u64>,
    pub pattern: Option<Pattern>,
    pub format: Option<String>,
    /// The format comes from `contentEncoding` (3.1), which describes the text but does not
    /// constrain it.
    pub format_is_encoding: bool,
    /// `contentMediaType` if it is JSON: the content of the text.
    pub content: Option<Box<Content>>,
    /// `items` (or `items` after `prefix_items`).
    pub items: Option<NodeId>,
    pub prefix_items: Vec<NodeId>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique_items: bool,
    pub contains: Option<Contains>,
    /// In document order.
    pub properties: Vec<(String, NodeId)>,
    pub pattern_properties: Vec<(Pattern, NodeId)>,
    /// `additionalProperties` as a schema; `false` is a node with `never`.
    pub additional_properties: Option<NodeId>,
    pub property_names: Option<NodeId>,
    /// `unevaluatedProperties`: for properties that no other keyword evaluates.
    pub unevaluated_properties: Option<NodeId>,
    /// `unevaluatedItems`
    pub unevaluated_items: Option<NodeId>,
    pub required: Vec<String>,
    pub dependent_required: Vec<(String, Vec<String>)>,
    pub dependent_schemas: Vec<(String, NodeId)>,
    pub min_properties: Option<u64>,
    pub max_properties: Option<u64>,
    pub all_of: Vec<NodeId>,
    pub any_of: Vec<NodeId>,
    pub one_of: Vec<NodeId>,
    pub not: Option<NodeId>,
    pub if_then_else: Option<(NodeId, Option<NodeId>, Option<NodeId>)>,
    pub discriminator: Option<Discriminator>,
    pub read_only: bool,
    pub write_only: bool,
    pub default: Option<Value>,
    /// `example`, or the first of `examples` (3.1).
    pub example: Option<Value>,
    /// `xml`: how a value is written in XML.
    pub xml: Option<Box<Xml>>,
    /// `x-faker` as written.
    pub faker: Option<Value>,
    /// Other `x-…` keywords as written.
    pub extensions: Map<String, Value>,
}

/// One end of a numeric range.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Bound {
    pub value: Number,
    pub exclusive: bool,
}

/// A `pattern` as written, with its compiled form if an engine supports it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Pattern {
    pub source: String,
    /// `None` if the pattern uses features that the linear engine lacks (look-around,
    /// back-references), or is too large.
    pub regex: Option<regex::Regex>,
    /// The pattern in a backtracking engine, if the linear one lacks a feature. If this is `None`
    /// too, the pattern constrains nothing.
    pub(super) trying: Option<Arc<fancy_regex::Regex>>,
}

/// JSON in a text.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Content {
    /// `contentEncoding: base64`: the text is base64 of the JSON.
    pub base64: bool,
    /// `contentSchema`
    pub schema: Option<NodeId>,
}

impl Content {
    /// The value in a text.
    ///
    /// # Errors
    /// The reason why there is none, as a lower-case fragment.
    pub(super) fn value(&self, text: &str) -> Result<Value, String> {
        let parsed = if self.base64 {
            let bytes = STANDARD.decode(text).map_err(|_| "is not base64".to_owned())?;
            serde_json::from_slice(&bytes)
        } else {
            serde_json::from_str(text)
        };
        parsed.map_err(|error| format!("is not JSON: {error}"))
    }
}

/// The XML Object of OpenAPI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Xml {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub prefix: Option<String>,
    pub attribute: bool,
    pub wrapped: bool,
    /// The text of the enclosing element (`nodeType: text` in OpenAPI 3.2, `x-hmt-text` before).
    pub text: bool,
}

/// `contains` with its bounds.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Contains {
    pub schema: NodeId,
    pub min: u64,
    pub max: Option<u64>,
}

/// `discriminator`: the property, and the branch for each value.
#[derive(Debug, Clone)]
pub struct Discriminator {
    /// The property whose value names the branch.
    pub property: String,
    /// The values to generate, with their branches: the keys of `mapping`, and the schema names of
    /// branches that `mapping` lacks.
    pub mapping: Vec<(String, NodeId)>,
    /// Schema names of branches that `mapping` contains. They are accepted, but not generated.
    pub names: Vec<(String, NodeId)>,
    /// The branch for all other values: `defaultMapping` in OpenAPI 3.2.
    pub fallback: Option<NodeId>,
    /// True if each branch has a value.
    pub complete: bool,
}

impl Discriminator {
    /// The branch that a value names.
    pub fn branch(&self, value: &str) -> Option<NodeId> {
        let mut known = self.mapping.iter().chain(&self.names);
        known.find(|(name, _)| name == value).map(|(_, id)| *id)
    }
}
