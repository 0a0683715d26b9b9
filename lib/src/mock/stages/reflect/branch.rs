//! The branch of a union that the discriminator in a body names: what was sent as one kind comes
//! back as that kind.

use serde_json::{Map, Value};

use super::within::{hide, one_way};
use crate::schema::{Direction, NodeId, SchemaSet};

/// The branch for the value of the discriminator.
pub(super) fn named(
    schemas: &SchemaSet,
    mut schema: NodeId,
    members: &Map<String, Value>,
) -> Option<NodeId> {
    for _ in 0..16 {
        let Some(target) = schemas.node(schema).reference else { break };
        schema = target;
    }
    let node = schemas.node(schema);
    if node.one_of.is_empty() && node.any_of.is_empty() {
        return None;
    }
    let discriminator = node.discriminator.as_ref()?;
    let name = members.get(&discriminator.property)?.as_str()?;
    discriminator.branch(name)
}

/// Makes an answer that matches `branch`: the members that were sent, and the members of `answer`
/// that the branch accepts. `None` if the result is invalid, for instance because the branch
/// requires a property that only the server sets.
pub(super) fn filled(
    schemas: &SchemaSet,
    branch: NodeId,
    answer: &[u8],
    sent: &Map<String, Value>,
) -> Option<Vec<u8>> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(answer) else { return None };
    let fits = |name: &str, value: &Value, is_sent: bool| {
        schemas.property(branch, name).is_some_and(|property| {
            !(is_sent && one_way(schemas, property))
                && schemas.accepts(property, value, Direction::Response)
        })
    };
    let mut members: Map<String, Value> =
        answer.into_iter().filter(|(name, value)| fits(name, value, false)).collect();
    for (name, value) in sent.iter().filter(|(name, value)| fits(name, value, true)) {
        let mut value = value.clone();
        if let Some(property) = schemas.property(branch, name) {
            hide(schemas, property, &mut value);
        }
        members.insert(name.clone(), value);
    }
    let value = Value::Object(members);
    schemas.accepts(branch, &value, Direction::Response).then(|| value.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_as_a_dog_comes_back_as_a_dog() {
        let document = json!({"openapi": "3.0.3", "components": {"schemas": {
            "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
                "discriminator": {"propertyName": "kind"}},
            "Cat": {"type": "object", "required": ["kind"], "properties": {
                "id": {"type": "integer", "readOnly": true}, "kind": {"type": "string"}, "lives": {"type": "integer"}}},
            "Dog": {"type": "object", "required": ["kind", "id"], "properties": {
                "id": {"type": "integer", "readOnly": true}, "kind": {"type": "string"}, "bark": {"type": "string"}}}}}});
        let mut schemas = SchemaSet::default();
        let pet = schemas.add(&document, "/components/schemas/Pet").expect("a legal schema");
        let answer = json!({"id": 5, "kind": "Cat", "lives": 7}).to_string();
        let sent = json!({"id": 9, "kind": "Dog", "bark": "woof", "other": 1});
        let sent = sent.as_object().expect("an object");
        let branch = named(&schemas, pet, sent).expect("a branch");
        let found = filled(&schemas, branch, answer.as_bytes(), sent).expect("valid");
        let found: Value = serde_json::from_slice(&found).expect("JSON");
        assert_eq!(found, json!({"id": 5, "kind": "Dog", "bark": "woof"}));
        assert_eq!(filled(&schemas, branch, b"{}", sent), None);
        assert_eq!(named(&schemas, pet, &Map::new()), None);
    }
}
