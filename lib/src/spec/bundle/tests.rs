//! Tests of documents in several files.

use serde_json::json;

use super::super::dangling::check_refs;
use super::super::home::ReferenceTarget;
use super::*;

fn load(files: &[(&str, &str)]) -> Result<Document, SpecError> {
    let mut read = |name: &str| {
        let found = files.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| "the file does not exist".to_owned())
    };
    let home = Home::of_url(files[0].0);
    load_bundle(files[0].1.as_bytes(), files[0].0, &home, &mut read)
}

#[test]
fn files_refer_to_each_other_in_circles() {
    let document = load(&[
        (
            "api.yaml",
            "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a: {$ref: ./paths/a.yaml}\ncomponents:\n  schemas:\n    Own: {type: string}\n",
        ),
        (
            "paths/a.yaml",
            "get:\n  responses:\n    '200':\n      description: d\n      content:\n        application/json: {schema: {$ref: '../schemas/all%20of.json#/A~1B'}}\n",
        ),
        (
            "schemas/all of.json",
            r##"{"A/B": {"properties": {"own": {"$ref": "../api.yaml#/components/schemas/Own"}, "next": {"$ref": "#/C"}, "lax": {"$ref": "#/components/schemas/Own"}}}, "C": {"items": {"$ref": "all of.json#/A~1B"}}}"##,
        ),
    ])
    .expect("loads");
    check_refs(&document).expect("every reference leads somewhere");
    let get = &document.root["x-hmt-files"]["paths/a.yaml"]["get"];
    let schema = &get["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/x-hmt-files/schemas~1all of.json/A~1B");
    let properties = &document.root["x-hmt-files"]["schemas/all of.json"]["A/B"]["properties"];
    assert_eq!(properties["own"]["$ref"], "#/components/schemas/Own");
    assert_eq!(properties["lax"]["$ref"], "#/components/schemas/Own");
    assert_eq!(properties["next"]["$ref"], "#/x-hmt-files/schemas~1all of.json/C");
}

#[test]
fn a_reference_that_leads_nowhere_is_a_warning() {
    for (reference, why) in [
        ("../up.yaml", "leaves the folder of the document"),
        ("a/../../up.yaml", "leaves the folder of the document"),
        ("https://host/a.yaml", "another server"),
        ("gone.yaml#/A", "the file does not exist"),
        ("there.yaml#/A", "does not exist"),
        ("there.yaml#anchor", "anchor"),
        ("#/components/schemas/A", "is circular"),
        ("#/gone", "does not exist"),
    ] {
        let text = json!({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {},
            "components": {"schemas": {"A": {"$ref": reference}}}});
        let document = load(&[("api.json", &text.to_string()), ("there.yaml", "B: {}")]);
        let document = document.expect(reference);
        assert_eq!(document.warnings.len(), 1, "{reference}: {:?}", document.warnings);
        let warning = &document.warnings[0];
        assert!(warning.starts_with("/components/schemas/A: "), "{warning}");
        assert!(warning.contains(why), "{reference}: {warning}");
        check_refs(&document).expect("nothing dangles");
    }
}

#[test]
fn anchors_of_other_files_are_found() {
    let document = load(&[
        (
            "api.json",
            r##"{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {},
                "components": {"schemas": {"A": {"$ref": "there.yaml#here"}, "B": {"$ref": "there.yaml#gone"}}}}"##,
        ),
        ("there.yaml", "$defs: {X: {$anchor: here, type: string}}"),
    ])
    .expect("loads");
    let schemas = &document.root["components"]["schemas"];
    assert_eq!(schemas["A"]["$ref"], "#/x-hmt-files/there.yaml/$defs/X");
    assert_eq!(document.warnings.len(), 1, "{:?}", document.warnings);
    assert!(document.warnings[0].contains("there.yaml#gone"), "{:?}", document.warnings);
    check_refs(&document).expect("nothing dangles");
}

/// The content of a file that replaces a part of the document stands in two places.
#[test]
fn a_warning_about_a_file_is_given_once() {
    let document = load(&[
        (
            "api.json",
            r##"{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"$ref": "paths.json"}}"##,
        ),
        (
            "paths.json",
            r##"{"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/Gone"}}}}}"##,
        ),
    ])
    .expect("loads");
    assert_eq!(document.warnings.len(), 1, "{:?}", document.warnings);
}

#[test]
fn files_of_other_servers_refer_to_each_other() {
    let files = [
        ("http://a.test/api.json", r#"{"$ref": "../b.json#/B"}"#),
        ("http://b.test/x/y.json", r##"{"B": {"$ref": "z.json#/Z"}}"##),
        (
            "http://b.test/x/z.json",
            r#"{"Z": {"items": {"$ref": "http://a.test/api.json#/components/schemas/A"}}}"#,
        ),
    ];
    let text = json!({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {},
        "components": {"schemas": {"A": {"$ref": "http://b.test/x/y.json#/B"}}}});
    let mut read = |name: &str| {
        let found = files.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    };
    let home = Home::of_url("http://a.test/api.json").with_remote(true);
    let text = text.to_string();
    let document = load_bundle(text.as_bytes(), "api.json", &home, &mut read).expect("loads");
    assert_eq!(document.warnings, [""; 0]);
    check_refs(&document).expect("nothing dangles");
    let z = &document.root["x-hmt-files"]["http://b.test/x/z.json"]["Z"];
    assert_eq!(z["items"]["$ref"], "#/components/schemas/A");
}

#[test]
fn the_reference_root_may_be_above_the_document() {
    let home = Home::of_url("/api/a.yaml");
    for (from, target, found) in [
        ("", "../api/defs/x.yaml", Some("api/defs/x.yaml")),
        ("", "../shared/x.yaml", Some("shared/x.yaml")),
        ("shared/x.yaml", "y.yaml", Some("shared/y.yaml")),
        ("", "../../x.yaml", None),
        ("", "/x.yaml", Some("x.yaml")),
    ] {
        let name = match home.find(from, target) {
            Ok(ReferenceTarget::File(name)) => Some(name),
            _ => None,
        };
        assert_eq!(name.as_deref(), found, "{from} {target}");
    }
    assert!(matches!(home.find("shared/x.yaml", "../api/a.yaml"), Ok(ReferenceTarget::Document)));
}

#[test]
fn references_stand_where_bundlers_follow_them() {
    let document = load(&[
        (
            "api.yaml",
            "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get: {$ref: op.yaml}\n  /b:\n    get:\n      parameters: {$ref: params.yaml}\n      responses: {$ref: responses.yaml}\ncomponents:\n  schemas:\n    S: {type: object, properties: {$ref: props.yaml}, example: {x: {$ref: raw.json}, y: {$ref: gone.json}}}\n",
        ),
        ("op.yaml", "responses: {'200': {description: d}}"),
        ("params.yaml", "- {name: q, in: query, schema: {$ref: 'props.yaml#/q'}}"),
        ("responses.yaml", "'201': {description: d, content: {$ref: content.yaml}}"),
        ("content.yaml", "application/json: {examples: {a: {externalValue: raw.json}}}"),
        ("props.yaml", "q: {type: string}"),
        ("raw.json", "[1]"),
    ])
    .expect("loads");
    assert_eq!(document.warnings, [""; 0]);
    let root = &document.root;
    assert_eq!(root["paths"]["/a"]["get"]["responses"]["200"]["description"], "d");
    let b = &root["paths"]["/b"]["get"];
    assert_eq!(b["parameters"][0]["name"], "q");
    let content = &b["responses"]["201"]["content"]["application/json"];
    assert_eq!(content["examples"]["a"]["value"], json!([1]));
    let schema = &root["components"]["schemas"]["S"];
    assert_eq!(schema["properties"], json!({"q": {"type": "string"}}));
    assert_eq!(schema["example"], json!({"x": [1], "y": {"$ref": "gone.json"}}));
}

#[test]
fn absolute_references_to_the_document_and_to_ids() {
    let document = load(&[(
        "api.yaml",
        "openapi: 3.2.0\n$self: https://x.test/specs/main.yaml\ninfo: {title: t, version: '1'}\nservers: [{url: 'https://api.test/v1'}]\npaths: {}\ncomponents:\n  schemas:\n    A: {$ref: 'https://x.test/specs/main.yaml#/components/schemas/N'}\n    B: {$ref: 'https://api.test/v1/openapi.yaml#/components/schemas/N'}\n    C: {$ref: 'https://ids.test/tree/leaf'}\n    N: {$id: 'https://ids.test/tree/node', properties: {l: {$ref: leaf}, d: {$ref: '#/$defs/x'}}, $defs: {x: {type: string}}}\n    L: {$id: 'https://ids.test/tree/leaf', type: integer}\n",
    )])
    .expect("loads");
    assert_eq!(document.warnings, [""; 0]);
    let schemas = &document.root["components"]["schemas"];
    assert_eq!(schemas["A"]["$ref"], "#/components/schemas/N");
    assert_eq!(schemas["B"]["$ref"], "#/components/schemas/N");
    assert_eq!(schemas["C"]["$ref"], "#/components/schemas/L");
    let properties = &schemas["N"]["properties"];
    assert_eq!(properties["l"]["$ref"], "#/components/schemas/L");
    assert_eq!(properties["d"]["$ref"], "#/components/schemas/N/$defs/x");
}

#[test]
fn a_mapping_names_files_and_components() {
    let document = load(&[
        (
            "api.yaml",
            "openapi: 3.0.0\ncomponents:\n  schemas:\n    Pet:\n      oneOf: [{$ref: dog.yaml}, {$ref: '#/components/schemas/Cat'}]\n      discriminator: {propertyName: kind, mapping: {d: dog.yaml, c: Cat}}\n    Cat: {type: object}\n",
        ),
        ("dog.yaml", "type: object"),
    ])
    .expect("loads");
    let pet = &document.root["components"]["schemas"]["Pet"];
    assert_eq!(pet["discriminator"]["mapping"], json!({"d": "#/x-hmt-files/dog.yaml", "c": "Cat"}));
}

#[test]
fn parts_of_extensions_that_are_referenced_have_references_too() {
    let document = load(&[
        (
            "api.yaml",
            "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\nx-own:\n  A: {properties: {b: {$ref: 'b.yaml#/x-parts/B'}, gone: {$ref: '#/x-own/Gone'}}}\n  data: {$ref: nowhere.yaml}\ncomponents:\n  schemas:\n    A: {$ref: '#/x-own/A'}\n    M: {$ref: 'missing.yaml#/x-parts/M'}\n",
        ),
        (
            "b.yaml",
            "x-parts:\n  B: {properties: {me: {$ref: '#/x-parts/B'}, a: {$ref: 'api.yaml#/x-own/A'}, c: {$ref: 'c.yaml'}}}\n",
        ),
        ("c.yaml", "type: integer\n"),
    ])
    .expect("loads");
    let a = &document.root["x-own"]["A"]["properties"];
    assert_eq!(a["b"]["$ref"], "#/x-hmt-files/b.yaml/x-parts/B");
    assert_eq!(a["gone"], json!({"x-hmt-unresolved": "#/x-own/Gone"}));
    let b = &document.root["x-hmt-files"]["b.yaml"]["x-parts"]["B"]["properties"];
    assert_eq!(b["me"]["$ref"], "#/x-hmt-files/b.yaml/x-parts/B");
    assert_eq!(b["a"]["$ref"], "#/x-own/A");
    assert_eq!(b["c"]["$ref"], "#/x-hmt-files/c.yaml");
    // What nothing refers to stays data.
    assert_eq!(document.root["x-own"]["data"], json!({"$ref": "nowhere.yaml"}));
    assert_eq!(document.warnings.len(), 2, "{:?}", document.warnings);
}
