//! Finds references that cannot be resolved.

use serde_json::Value;

use super::document::{Document, SpecError};
use super::refs::{FILES, Keys, join_pointer, on_references, resolve, walk};

/// Checks that every reference of the document can be resolved.
///
/// # Errors
/// [`SpecError::References`] with the pointer and text of each unresolved one.
pub fn check_refs(document: &Document) -> Result<(), SpecError> {
    let mut broken = Vec::new();
    let mut check = |pointer: &str, reference: &str| {
        if !reference.starts_with('#') {
            broken.push(format!(
                "{pointer}: {reference:?} refers to another file or server; put its content into this document"
            ));
        } else if resolve(&document.root, reference).is_none() {
            broken.push(format!("{pointer}: {reference:?} does not exist"));
        }
    };
    on_references(&document.root, &mut check);
    let files = document.root.get(FILES).and_then(Value::as_object);
    for (name, file) in files.into_iter().flatten() {
        let mut pointer = join_pointer(&format!("/{}", FILES), name);
        walk(file, Keys::Words, &mut pointer, &mut check);
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(SpecError::References { source_name: document.source.clone(), broken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn broken_references_are_named_and_data_is_left_alone() {
        let root = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/No"}}}}},
            "components": {"schemas": {
                "A": {"properties": {"$ref": {"type": "string"}, "example": {"$ref": "#/components/schemas/B"}},
                      "example": {"$ref": "#/nowhere"}},
                "C": {"$ref": "other.json"},
            }},
            "x-data": {"$ref": "#/nowhere"},
        });
        let document = Document {
            root,
            source: "s.yaml".into(),
            version: super::super::Version::V3_0,
            warnings: vec![],
        };
        let SpecError::References { broken, .. } = check_refs(&document).expect_err("broken")
        else {
            panic!("wrong kind")
        };
        assert_eq!(broken.len(), 3, "{broken:?}");
        assert!(broken[0].starts_with("/paths/~1a/get/responses/200:"), "{broken:?}");
        assert!(broken[1].contains("/properties/example:"), "{broken:?}");
    }
}
