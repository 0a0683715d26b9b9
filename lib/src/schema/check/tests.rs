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
fn a_discriminator_of_a_request_names_a_branch() {
    let document = |pet: Value| {
        json!({"openapi": "3.2.0", "components": {"schemas": {"Pet": pet,
            "Cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
            "Dog": {"type": "object", "properties": {"kind": {"enum": ["hound"]}, "bark": {"type": "string"}}},
            "Fish": {"type": "object", "properties": {"kind": {"type": "string"}}}}}})
    };
    let check = |pet: &Value, value: Value| {
        let mut set = SchemaSet::default();
        let id = set.add(&document(pet.clone()), "/components/schemas/Pet").expect("compiles");
        let problems = set.check(id, &value, Direction::Request);
        assert_eq!(problems.is_empty(), set.accepts(id, &value, Direction::Request));
        set.strict_one_of = true;
        let strict = set.check(id, &value, Direction::Request);
        assert!(strict.iter().all(|p| p.fault.keyword == "oneOf"), "{strict:?}");
        problems.into_iter().map(|p| format!("{} {}", p.pointer, p.message)).collect::<Vec<_>>()
    };
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let of = |branches: &[Value], discriminator: Value| json!({"oneOf": branches, "discriminator": discriminator});
    let both = [reference("Cat"), reference("Dog")];
    let mapped = of(&both, json!({"propertyName": "kind", "mapping": {"cat": "Cat"}}));
    let unknown = ["/kind is not one of \"cat\", \"hound\", which name the branches of oneOf"];
    assert_eq!(check(&mapped, json!({"kind": "bird"})), unknown);
    // The name of a branch, and a value that the branch itself lists.
    assert_eq!(
        check(&mapped, json!({"kind": "Cat", "lives": "x"})),
        ["/lives is not of type integer"]
    );
    assert_eq!(check(&mapped, json!({"kind": "hound", "lives": "x"})), Vec::<String>::new());
    assert_eq!(
        check(&mapped, json!({"kind": "hound", "bark": 5})),
        ["/bark is not of type string"]
    );
    assert_eq!(check(&mapped, json!({"lives": 3, "bark": 5})), Vec::<String>::new());
    // A branch without a name, and a mapping to a schema that does not exist.
    let inline =
        of(&[reference("Cat"), json!({"type": "object"})], json!({"propertyName": "kind"}));
    assert_eq!(check(&inline, json!({"kind": "bird"})), Vec::<String>::new());
    let fallback = json!({"propertyName": "kind", "defaultMapping": "Cat"});
    let fallback = of(&both, fallback);
    assert_eq!(
        check(&fallback, json!({"kind": "bird", "lives": "x"})),
        ["/lives is not of type integer"]
    );
    assert_eq!(check(&fallback, json!({"lives": "x"})), ["/lives is not of type integer"]);
}

/// Generators write unions whose branches are derived from the union itself.
#[test]
fn a_branch_may_contain_the_union_that_names_it() {
    let root = json!({"openapi": "3.0.3", "components": {"schemas": {
        "Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}},
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind"}},
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"lives": {"type": "integer"}}}]},
        "Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"friend": {"$ref": "#/components/schemas/Pet"}}}]}}}});
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/components/schemas/Pet").expect("compiles");
    let check = |value: Value| -> Vec<String> {
        let problems = set.check(id, &value, Direction::Request);
        problems.into_iter().map(|p| format!("{} {}", p.pointer, p.message)).collect()
    };
    assert_eq!(check(json!({"kind": "Cat", "lives": 1})), Vec::<String>::new());
    assert_eq!(check(json!({"kind": "Cat", "lives": "x"})), ["/lives is not of type integer"]);
    let unnamed = check(json!({"lives": 1}));
    assert!(unnamed[0].contains("lacks the required property \"kind\""), "{unnamed:?}");
    assert!(!unnamed.iter().any(|problem| problem.contains("refers to itself")), "{unnamed:?}");
    for (value, valid) in [
        (json!({"kind": "Cat", "lives": 1}), true),
        (json!({"kind": "Dog", "friend": {"kind": "Cat", "lives": 1}}), true),
        (json!({"kind": "Cat", "lives": "x"}), false),
        (json!({"kind": "Bird"}), false),
    ] {
        assert_eq!(set.accepts(id, &value, Direction::Response), valid, "{value}");
    }
    let friend = json!({"kind": "Dog", "friend": {"kind": "Cat", "lives": "x"}});
    assert_eq!(check(friend), ["/friend/lives is not of type integer"]);
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

#[test]
fn overlapping_branches_of_requests_are_reported_and_accepted() {
    let branch = json!({"type": "object", "properties": {"a": {}}});
    let root = json!({"openapi": "3.0.3", "s": {"properties": {"x": {"oneOf": [branch, branch, {"type": "string"}]}}}});
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/s").expect("compiles");
    let value = json!({"x": {"a": 1}});
    assert!(set.accepts(id, &value, Direction::Request));
    assert_eq!(
        set.overlaps(id, &value),
        ["/x matches 2 of the 3 schemas of oneOf, not exactly one"]
    );
    assert_eq!(set.overlaps(id, &json!({"x": "y"})), [""; 0]);
}

#[test]
fn nested_alternatives_are_tried_once() {
    // If results of trials were not kept, each level would multiply the work by the number of
    // branches.
    let branches: Vec<Value> = (0..20)
        .map(|n| json!({"type": "object", "required": [format!("r{n}")], "properties": {"next": {"$ref": "#/s"}}}))
        .collect();
    let root = json!({"openapi": "3.1.0", "s": {"anyOf": [{"type": "null"}, {"oneOf": branches}]}});
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/s").expect("compiles");
    let mut value = Value::Null;
    for _ in 0..30 {
        value = json!({"next": value, "r19": 1});
    }
    let (valid, cost) = set.accepts_counted(id, &value, Direction::Response);
    assert!(valid && cost < 10_000, "{cost}");
}

#[test]
fn a_trial_within_a_union_says_nothing_outside_of_it() {
    // `Wrapper` is accepted without the union while that is checked, but not by itself.
    let reference = |name: &str| json!({"$ref": format!("#/{name}")});
    let root = json!({"openapi": "3.1.0",
        "s": {"anyOf": [reference("Base"), reference("Wrapper")]},
        "Base": {"type": "object", "oneOf": [reference("Derived")]},
        "Derived": {"allOf": [{"anyOf": [reference("Wrapper")]}, {"required": ["a"]}]},
        "Wrapper": {"type": "object", "allOf": [reference("Base")]}});
    let mut set = SchemaSet::default();
    let id = set.add(&root, "/s").expect("compiles");
    for direction in [Direction::Request, Direction::Response] {
        assert!(!set.accepts(id, &json!({}), direction), "{direction:?}");
        assert!(set.accepts(id, &json!({"a": 1}), direction), "{direction:?}");
    }
}
