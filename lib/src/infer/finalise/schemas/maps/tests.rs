//! Tests of which keys are data.

use super::*;
use crate::infer::finalise::schemas::testing::folded;

/// For the objects under `name` in the bodies: the property names, and whether other keys are
/// data.
fn decided(bodies: &[&str], name: &str) -> (Vec<String>, bool) {
    let json = folded(bodies);
    let maps = MapNames::learn(std::iter::once(&json));
    let object = json.object.as_ref().expect("objects");
    let below = object.keys.iter().find(|(key, _)| *key == name).expect("the key").1;
    let object = below.json.object.as_ref().expect("objects");
    let shape = maps.shape(object, ("", name), &Limits::default());
    let names = shape.properties.iter().map(|(name, _)| (*name).to_owned()).collect();
    (names, shape.additional.is_some())
}

#[test]
fn identifiers_and_dates_are_data() {
    let bodies = [r#"{"rates": {"2024-01-15": 1.5, "2024-01-16": 2}}"#];
    assert_eq!(decided(&bodies, "rates"), (vec![], true));
}

#[test]
fn codes_are_data_however_often_they_come_again() {
    let all = [
        ("r", r#"{"r": {"USD": 1.5, "EUR": 2, "TRY": 3}}"#),
        ("c", r#"{"c": {"US": {"n": 1}, "DE": {"n": 2}, "IT": {"n": 2}}}"#),
        ("l", r#"{"l": {"en": "x", "de": "y", "fr": "z"}}"#),
        ("p", r#"{"p": {"EUR": 1, "USD": 2}}"#),
        ("v", r#"{"v": {"1.0.0": {"dist": 1}, "1.1.0": {"dist": 2}}}"#),
        ("i", r#"{"i": {"101": 10, "102": 20, "103": 30}}"#),
        ("d", r#"{"d": {"2024-01-15": 1, "2024-01-16": 2}}"#),
    ];
    for (name, body) in all {
        for times in [1, 8, 100] {
            assert_eq!(decided(&vec![body; times], name), (vec![], true), "{name} {times}");
        }
    }
    let stars = [r#"{"x": {"1": 5, "2": 2, "3": 3}}"#; 20];
    assert!(!decided(&stars, "x").1);
    let names = [r#"{"x": {"id": 1, "to": 2, "is": 3}}"#; 20];
    assert!(!decided(&names, "x").1);
}

#[test]
fn more_of_the_same_leaves_a_map_a_map() {
    // 40 of 144 keys that are in no list.
    let codes: Vec<String> = (0..144u8)
        .map(|n| [b'B' + n / 36, b'U' + n / 6 % 6, b'Q' + n % 6].map(char::from).iter().collect())
        .collect();
    for times in [3, 10, 100, 1000] {
        let bodies: Vec<String> = (0..times)
            .map(|at| {
                let keys = (0..40).map(|n| &codes[(at * 61 + n) % 144]);
                let pairs: Vec<String> = keys.map(|key| format!("\"{key}\": 1.5")).collect();
                format!(r#"{{"rates": {{{}}}}}"#, pairs.join(","))
            })
            .collect();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        assert_eq!(decided(&bodies, "rates"), (vec![], true), "{times}");
    }
}

#[test]
fn known_words_with_digits_are_names() {
    let bodies = [r#"{"address": {"address_line1": "x", "address_line2": "y", "city": "z"}}"#];
    let names = ["address_line1", "address_line2", "city"].map(str::to_owned).to_vec();
    assert_eq!(decided(&bodies, "address"), (names, false));
}

#[test]
fn languages_are_data_however_often_they_come_again() {
    let bodies = [
        r#"{"title": {"de-DE": "a", "en-GB": "b"}}"#,
        r#"{"title": {"fr-FR": "c", "en-GB": "d"}}"#,
    ];
    assert_eq!(decided(&bodies.repeat(20), "title"), (vec![], true));
}

#[test]
fn many_rare_keys_with_like_objects_are_data_and_with_unlike_ones_are_names() {
    let like: Vec<String> = (b'a'..=b'p')
        .map(|c| {
            format!(
                r#"{{"m": {{"zq{0}x": {{"id": 1, "size": 2}}, "zw{0}y": {{"id": 1}}}}}}"#,
                char::from(c)
            )
        })
        .collect();
    let like: Vec<&str> = like.iter().map(String::as_str).collect();
    assert_eq!(decided(&like, "m"), (vec![], true));
    let options = ["card", "bank", "wallet", "cash", "link", "check", "credit", "transfer"];
    let unlike: Vec<String> = options
        .iter()
        .map(|o| format!(r#"{{"m": {{"{o}": {{"{o}_a": 1, "{o}_b": 2}}}}}}"#))
        .collect();
    let unlike: Vec<&str> = unlike.iter().map(String::as_str).collect();
    assert!(!decided(&unlike, "m").1);
}

#[test]
fn a_few_objects_without_some_names_do_not_make_a_map() {
    let all =
        r#"{"comment": {"x": {"+1": 1, "-1": 2, "zonk": 1, "eyes": 3, "hoo": 1, "blip": 1}}}"#;
    let few = folded(&[r#"{"comment": {"x": {"+1": 1, "-1": 2, "zonk": 1, "eyes": 3}}}"#]);
    let many = folded(&vec![all; 20]);
    let maps = MapNames::learn([&few, &many].into_iter());
    let object = |json: &Json, name: &str| {
        let object = json.object.as_ref().expect("an object");
        object.keys.iter().find(|(key, _)| *key == name).expect("the key").1.json.clone()
    };
    let found = object(&object(&few, "comment"), "x");
    let found = found.object.as_ref().expect("an object");
    let shape = maps.shape(found, ("comment", "x"), &Limits::default());
    let names: Vec<&str> = shape.properties.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["+1", "eyes", "zonk"]);
}

#[test]
fn optional_properties_are_names() {
    let bodies = [r#"{"user": {"id": 1, "name": "x"}}"#, r#"{"user": {"id": 1, "email": "x"}}"#];
    let names = ["email", "id", "name"].map(str::to_owned).to_vec();
    assert_eq!(decided(&bodies.repeat(10), "user"), (names, false));
}
