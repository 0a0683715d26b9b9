//! Compiles schemas to nodes with a worklist, so that neither cycles nor long chains of references
//! recurse.

use serde_json::Value;

use super::keywords::Reader;
use super::node::{Node, NodeId, SchemaSet};
use crate::spec::{join_pointer, locate};

/// Why a schema cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SchemaError {
    #[error("{pointer}: there is no schema at this place")]
    Missing { pointer: String },
    #[error("{pointer}: a schema must be an object or a boolean, not {found}")]
    NoSchema { pointer: String, found: &'static str },
    #[error("{pointer}: $ref {reference:?} does not exist in this document")]
    Reference { pointer: String, reference: String },
}

impl SchemaSet {
    /// Compiles the schema at a JSON pointer of a document, with everything it refers to. A set
    /// belongs to one document; a schema is compiled only once.
    ///
    /// # Errors
    /// There is no schema, or a reference cannot be resolved.
    pub fn add(&mut self, root: &Value, pointer: &str) -> Result<NodeId, SchemaError> {
        let nullable_word = root
            .get("openapi")
            .and_then(Value::as_str)
            .is_none_or(|version| version.starts_with("3.0"));
        let mut queue = Vec::new();
        let id = self.intern(pointer.to_owned(), &mut queue);
        while let Some((id, pointer)) = queue.pop() {
            let compiled = compile(self, root, &pointer, nullable_word, &mut queue);
            match compiled {
                Ok(node) => self.nodes[id.0 as usize] = node,
                Err(error) => {
                    // A later call must not find anything of a failed one.
                    self.by_pointer.remove(&pointer);
                    for (_, waiting) in queue {
                        self.by_pointer.remove(&waiting);
                    }
                    return Err(error);
                }
            }
        }
        Ok(id)
    }

    /// The node of a pointer; a new one is queued.
    fn intern(&mut self, pointer: String, queue: &mut Vec<(NodeId, String)>) -> NodeId {
        if let Some(id) = self.by_pointer.get(&pointer) {
            return *id;
        }
        let index =
            u32::try_from(self.nodes.len()).expect("a document of 64 MiB has fewer schemas");
        let id = NodeId(index);
        self.nodes.push(Node { pointer: pointer.clone(), ..Node::default() });
        self.by_pointer.insert(pointer.clone(), id);
        queue.push((id, pointer));
        id
    }
}

fn compile(
    set: &mut SchemaSet,
    root: &Value,
    pointer: &str,
    nullable_word: bool,
    queue: &mut Vec<(NodeId, String)>,
) -> Result<Node, SchemaError> {
    let Some(value) = root.pointer(pointer) else {
        return Err(SchemaError::Missing { pointer: pointer.to_owned() });
    };
    let map = match value {
        Value::Bool(all) => {
            return Ok(Node { pointer: pointer.to_owned(), never: !all, ..Node::default() });
        }
        Value::Object(map) => map,
        other => {
            let found = match other {
                Value::Null => "null",
                Value::Number(_) => "a number",
                Value::String(_) => "a string",
                _ => "an array",
            };
            return Err(SchemaError::NoSchema { pointer: pointer.to_owned(), found });
        }
    };
    let mut intern = |pointer: String| set.intern(pointer, queue);
    let mut node = Node { pointer: pointer.to_owned(), ..Node::default() };
    let mut warnings = Vec::new();
    let reference = map.get("$ref").or_else(|| map.get("$dynamicRef")).and_then(Value::as_str);
    // In 3.0, the siblings of a `$ref` are ignored.
    if reference.is_none() || !nullable_word {
        let mut reader = Reader { map, pointer, nullable_word, warnings: &mut warnings };
        reader.read(&mut node, &mut intern);
        reader.discriminator(&mut node, |target| {
            let reference = if target.contains(['#', '/']) {
                target.to_owned()
            } else {
                format!("#{}", join_pointer("/components/schemas", target))
            };
            locate(root, &reference).map(|(pointer, _)| intern(pointer))
        });
    }
    if let Some(reference) = reference {
        let Some((target, _)) = locate(root, reference) else {
            return Err(SchemaError::Reference {
                pointer: pointer.to_owned(),
                reference: reference.to_owned(),
            });
        };
        let target = intern(target);
        if nullable_word || map.len() == 1 {
            node.reference = Some(target);
        } else {
            node.all_of.push(target);
        }
    }
    set.warnings.append(&mut warnings);
    Ok(node)
}
