//! Tests pointers and messages, and that checks always end.

use serde_json::json;

use super::*;

fn problems(schema: &Value, value: &Value, direction: Direction) -> Vec<String> {
    let root = json!({"openapi": "3.0.3", "s": schema});
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/s").expect("compiles");
    assert!(set.warnings.is_empty(), "{:?}", set.warnings);
    let problems = set.check(id, value, direction);
    assert_eq!(problems.is_empty(), set.accepts(id, value, direction));
    problems.into_iter().map(|p| format!("{} {}", p.pointer, p.message)).collect()
}

#[test]
fn places_and_messages() {
    let schema = json!({
        "type": "object", "required": ["id", "name"], "additionalProperties": false,
        "properties": {
            "id": {"type": "integer", "minimum": 1, "readOnly": true},
            "name": {"type": "string", "nullable": true, "maxLength": 3},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true},
        },
    });
    let check = |value| problems(&schema, &value, Direction::Response);
    assert!(check(json!({"id": 1.0, "name": null, "tags": ["a", "b"]})).is_empty());
    assert_eq!(
        check(json!({"id": 1.5, "name": "äöüß", "tags": ["a", "c", "a"], "x/y": 1})),
        [
            "/id is not of type integer",
            "/name is longer than 3",
            "/tags has duplicate items",
            "/tags/1 is not one of \"a\", \"b\"",
            "/x~1y is not allowed",
        ]
    );
    assert_eq!(check(json!({"name": "x"})), [" lacks the required property \"id\""]);
    assert!(problems(&schema, &json!({"name": "x"}), Direction::Request).is_empty());
}

#[test]
fn branches_name_the_nearest() {
    let schema = json!({"anyOf": [{"type": "string"}, {"type": "object", "required": ["a"]}]});
    assert_eq!(
        problems(&schema, &json!({}), Direction::Request),
        [" matches none of the 2 schemas of anyOf (nearest:  is not of type string)"]
    );
}

#[test]
fn cycles_end() {
    let root = json!({"openapi": "3.1.0", "s": {
        "type": ["object", "null"], "properties": {"next": {"$ref": "#/s"}}, "additionalProperties": false},
        "loop": {"$ref": "#/loop"},
        "bomb": {"anyOf": [{"$ref": "#/bomb"}, {"$ref": "#/bomb"}]},
    });
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/s").expect("compiles");
    assert!(set.accepts(id, &json!({"next": {"next": null}}), Direction::Request));
    assert!(!set.accepts(id, &json!({"next": {"next": 1}}), Direction::Request));
    let id = set.add(&root, "/loop").expect("compiles");
    assert_eq!(set.check(id, &json!(1), Direction::Request).len(), 1);
    let id = set.add(&root, "/bomb").expect("compiles");
    assert!(!set.accepts(id, &json!(1), Direction::Request));
}
