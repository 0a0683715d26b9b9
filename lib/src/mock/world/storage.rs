//! Named values and entities.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Named values and entities. The specs' `x-hmt-data` declares the initial content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// Values by name.
    pub values: Map<String, Value>,
    /// Entities by the name of their kind, in order.
    pub entities: BTreeMap<String, Vec<Value>>,
}

/// What is wrong with `x-hmt-data`.
#[derive(Debug, thiserror::Error)]
#[error("{pointer}: must be an {kind}")]
pub struct DataError {
    pointer: String,
    kind: &'static str,
}

impl Storage {
    /// The storage that the roots of documents declare.
    ///
    /// # Errors
    /// An `x-hmt-data` that is not `{NAME: [entity…]}`.
    pub fn of_documents<'v>(roots: impl Iterator<Item = &'v Value>) -> Result<Storage, DataError> {
        let mut storage = Storage::default();
        for root in roots {
            let Some(data) = root.get("x-hmt-data") else { continue };
            let wrong = |pointer: String, kind| DataError { pointer, kind };
            let data = data.as_object().ok_or_else(|| wrong("/x-hmt-data".into(), "object"))?;
            for (name, entities) in data {
                let entities = entities
                    .as_array()
                    .ok_or_else(|| wrong(format!("/x-hmt-data/{name}"), "array"))?;
                let kind = storage.entities.entry(name.clone()).or_default();
                kind.extend(entities.iter().cloned());
            }
        }
        Ok(storage)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_declare_entities() {
        let roots = [json!({"x-hmt-data": {"Pet": [{"id": 1}]}}), json!({})];
        let storage = Storage::of_documents(roots.iter()).unwrap();
        assert_eq!(storage.entities["Pet"], [json!({"id": 1})]);
        let wrong = json!({"x-hmt-data": {"Pet": 1}});
        let error = Storage::of_documents([&wrong].into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "/x-hmt-data/Pet: must be an array");
    }
}
