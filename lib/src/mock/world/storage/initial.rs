//! The content of the storage at the start and after a reset.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind::Scopes;
use super::rule::KindRule;

/// The kinds of the specs, and their entities at the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::mock) struct Initial {
    /// The kinds that operations use.
    pub(in crate::mock) rules: Vec<KindRule>,
    /// Entities by the name of their kind, in order.
    pub(in crate::mock) entities: BTreeMap<String, Vec<Seed>>,
}

/// An initial entity.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mock) struct Seed {
    /// The entity.
    pub(in crate::mock) entity: Value,
    /// Its id, if the entity does not contain it.
    pub(in crate::mock) id: Option<String>,
    /// Its parents.
    pub(in crate::mock) scopes: Option<Scopes>,
}

impl From<Value> for Seed {
    fn from(entity: Value) -> Seed {
        Seed { entity, id: None, scopes: None }
    }
}

/// An error in `x-hmt-data`.
#[derive(Debug, thiserror::Error)]
#[error("{pointer}: must be an {kind}")]
pub struct DataError {
    pointer: String,
    kind: &'static str,
}

impl Initial {
    /// The entities that the roots of documents declare.
    ///
    /// # Errors
    /// An `x-hmt-data` that is not `{NAME: [entity…]}`.
    pub(in crate::mock) fn of_documents<'v>(
        roots: impl Iterator<Item = &'v Value>,
    ) -> Result<Initial, DataError> {
        let mut initial = Initial::default();
        for root in roots {
            let Some(data) = root.get("x-hmt-data") else { continue };
            let wrong = |pointer: String, kind| DataError { pointer, kind };
            let data = data.as_object().ok_or_else(|| wrong("/x-hmt-data".into(), "object"))?;
            for (name, entities) in data {
                let entities = entities
                    .as_array()
                    .ok_or_else(|| wrong(format!("/x-hmt-data/{name}"), "array"))?;
                let kind = initial.entities.entry(name.clone()).or_default();
                for (number, entity) in entities.iter().enumerate() {
                    if !entity.is_object() {
                        return Err(wrong(format!("/x-hmt-data/{name}/{number}"), "object"));
                    }
                    kind.push(entity.clone().into());
                }
            }
        }
        Ok(initial)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_declare_entities() {
        let roots = [json!({"x-hmt-data": {"Pet": [{"id": 1}]}}), json!({})];
        let initial = Initial::of_documents(roots.iter()).unwrap();
        assert_eq!(initial.entities["Pet"], [json!({"id": 1}).into()]);
        for (wrong, message) in [
            (json!(1), "/x-hmt-data: must be an object"),
            (json!({"Pet": 1}), "/x-hmt-data/Pet: must be an array"),
            (json!({"Pet": [{}, 2]}), "/x-hmt-data/Pet/1: must be an object"),
        ] {
            let root = json!({"x-hmt-data": wrong});
            let error = Initial::of_documents([&root].into_iter()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
