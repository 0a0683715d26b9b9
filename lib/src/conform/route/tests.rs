use super::*;

fn router(templates: &[(&str, bool)]) -> Router {
    let mut router = Router::default();
    for (template, both) in templates {
        router.insert(template, Operations::default(), *both);
    }
    router
}

fn all(router: &Router, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    router.visit(path, &mut |entry, values| {
        found.push(format!("{} {}", entry.template, values.join("|")));
        false
    });
    found
}

#[test]
fn the_most_specific_first() {
    let router = router(&[
        ("/{a}/{b}", false),
        ("/users/{id}", false),
        ("/users/me", false),
        ("/users/{id}.json", false),
        ("/users/{x}-{y}", false),
        ("/users/{id}/posts", false),
    ]);
    assert_eq!(all(&router, "/users/me"), ["/users/me ", "/users/{id} me", "/{a}/{b} users|me"]);
    assert_eq!(
        all(&router, "/users/a-b-c.json"),
        [
            "/users/{id}.json a-b-c",
            "/users/{x}-{y} a-b|c.json",
            "/users/{id} a-b-c.json",
            "/{a}/{b} users|a-b-c.json"
        ]
    );
    assert_eq!(all(&router, "/users/a%2Fb%20c/posts"), ["/users/{id}/posts a/b c"]);
    assert!(all(&router, "/users//posts").is_empty());
    assert!(all(&router, "/users/.json").iter().all(|m| !m.contains("id}.json")));
    assert!(all(&router, "/").is_empty());
}

#[test]
fn a_parameter_may_take_all_that_is_left() {
    let router = router(&[("/f/{proxy+}", false), ("/f/{a}", false), ("/g/{p*}", false)]);
    assert_eq!(all(&router, "/f/x"), ["/f/{a} x", "/f/{proxy+} x"]);
    assert_eq!(all(&router, "/f/x/y%2Fz"), ["/f/{proxy+} x/y/z"]);
    assert_eq!(all(&router, "/g/x/y/"), ["/g/{p*} x/y"]);
    assert!(all(&router, "/f").is_empty() && all(&router, "/f/").is_empty());
    // `{p*}` can match zero segments. An exact path takes precedence.
    let optional = ["/g/{p*} "];
    assert_eq!(
        (all(&router, "/g"), all(&router, "/g/")),
        (optional.map(str::to_owned).to_vec(), optional.map(str::to_owned).to_vec())
    );
    let other = self::router(&[("/{*all}", false), ("/h/{p=**}", false), ("/h", false)]);
    assert_eq!(all(&other, "/h"), ["/h ", "/h/{p=**} ", "/{*all} h"]);
    assert_eq!(all(&other, "/"), ["/{*all} "]);
    assert_eq!(other.entries[1].names, ["p"]);
    assert_eq!(router.entries[0].names, ["proxy"]);
}

#[test]
fn keys_may_have_a_query_and_a_fragment() {
    for (key, parts) in [
        ("/a", ("/a", "", "")),
        ("/#Action=A", ("/", "", "Action=A")),
        ("/a?b=c#d", ("/a", "b=c", "d")),
        ("/a/{b?}", ("/a/{b?}", "", "")),
    ] {
        assert_eq!(key_parts(key), parts);
    }
    let router = router(&[("/a#one", false), ("/a#two", false), ("/b?x=1&y&z={z}", false)]);
    assert_eq!(all(&router, "/a"), ["/a#one ", "/a#two "]);
    assert!(router.entries[0].tied && router.entries[1].tied && !router.entries[2].tied);
    let condition = &router.entries[2].condition;
    let expected =
        [("x".to_owned(), Some("1".to_owned())), ("y".to_owned(), None), ("z".to_owned(), None)];
    assert_eq!(condition[..], expected);
}

#[test]
fn trailing_slashes() {
    let router =
        router(&[("/a", false), ("/a/", false), ("/b/", false), ("/c", true), ("/", false)]);
    assert_eq!(all(&router, "/a"), ["/a "]);
    assert_eq!(all(&router, "/a/"), ["/a/ "]);
    assert_eq!(all(&router, "/b"), ["/b/ "]);
    assert_eq!(all(&router, "/c/"), ["/c "]);
    assert_eq!(all(&router, "/"), ["/ "]);
    assert_eq!(all(&router, ""), ["/ "]);
}

#[test]
fn literals_are_compared_decoded() {
    let router = router(&[("/caf%C3%A9/a b", false)]);
    assert_eq!(all(&router, "/café/a%20b"), ["/caf%C3%A9/a b "]);
}

#[test]
fn a_miss_names_the_nearest() {
    let router = router(&[("/users/{id}", false), ("/users/{id}/posts", false)]);
    assert_eq!(
        router.nearest("/users/1/comments").as_deref(),
        Some("/users/{id}/posts (it has \"posts\", but the path has \"comments\")")
    );
    assert_eq!(router.nearest("/else"), None);
}
