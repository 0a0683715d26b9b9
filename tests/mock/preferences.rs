//! Preferences: `Prefer`, and the forms in the query.

use serde_json::json;

use super::{SHOP, ask, mock, source};

#[test]
fn examples_wishes_and_fresh_data() {
    let (_dir, server) = mock(SHOP, &[]);
    let get = |prefer: &str| server.request("GET", "/items/1").header("Prefer", prefer).send();
    let usual = server.get("/items/1").expect_status(200);
    assert_eq!((usual.json()["name"].clone(), source(&usual)), (json!("nail"), "example"));
    assert_eq!(get("example=dear").expect_status(200).json()["price"], 99);
    assert_eq!(server.get("/items/1?__example=dear").json()["price"], 99);
    assert_eq!(get("code=404").expect_status(404).json(), json!({"error": "gone"}));
    assert_eq!(source(&server.get("/items/1?__code=503").expect_status(503)), "generated");
    assert_eq!(source(&get("dynamic=true").expect_status(200)), "generated");
    assert_eq!(
        get("example=none").expect_status(404).json()["title"],
        "the preference cannot be satisfied"
    );
    assert_eq!(server.get("/items?__code=418").expect_status(404).json()["status"], 404);
    assert_eq!(server.get("/items?__code=x").status, 404);
    let (_dir, server) = mock(SHOP, &["--dynamic"]);
    assert_eq!(source(&server.get("/items/1")), "generated");
    assert_eq!(source(&server.get("/items/1?__dynamic=false")), "example");
}

/// RFC 7240, section 2: several preferences in one field or in many, values as tokens or quoted,
/// names in any case.
#[test]
fn prefer_in_all_its_spellings() {
    let (_dir, server) = mock(SHOP, &[]);
    for (headers, query, expected) in [
        (vec!["code=404"], "", (404, "example")),
        (vec!["Code=404"], "", (404, "example")),
        (vec!["respond-async, code=404"], "", (404, "example")),
        (vec!["respond-async; wait=5", "code=404"], "", (404, "example")),
        (vec!["code=\"404\""], "", (404, "example")),
        (vec!["code=200, example=dear"], "", (200, "example")),
        (vec!["code=200;example=dear"], "", (200, "example")),
        (vec!["code=404, dynamic=true"], "", (404, "generated")),
        (vec!["dynamic=false"], "", (200, "example")),
        (vec![], "?__code=404", (404, "example")),
        (vec![], "?__code=200&__example=dear", (200, "example")),
        (vec![], "?__dynamic=true", (200, "generated")),
        (vec!["code=404"], "?__code=200", (200, "example")),
        (vec!["return=minimal"], "", (200, "example")),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|value| ("Prefer", *value)).collect();
        let answer = ask(&server, &format!("GET /items/1{query}"), &headers, "");
        let found = (answer.status, source(&answer));
        // Without an example, the preferred response is generated.
        let expected = if expected == (404, "generated") { (404, found.1) } else { expected };
        assert_eq!(found, expected, "{headers:?} {query}");
    }
}

#[test]
fn wishes_that_cannot_be_met_tell_what_there_is() {
    let (_dir, server) = mock(SHOP, &[]);
    for (path, known) in [
        ("/items?__code=404", "200"),
        ("/items?__code=100", "200"),
        ("/items?__code=abc", "200"),
        ("/items/1?__example=cheapest", "cheap, dear"),
        ("/items?__example=any", "none"),
    ] {
        let answer = server.get(path).expect_status(404);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().ends_with(known), "{path}");
    }
    // Preferences in the query are not parameters of the API, even if it has none.
    server.get("/items?__dynamic=true&limit=2").expect_status(200);
}
