//! Tests of which words are values.

use std::collections::BTreeSet;

use super::*;
use crate::exchange::Method;
use crate::infer::Limits;
use crate::infer::finalise::paths::template::{TemplateNode, template};
use crate::infer::finalise::schemas::testing::folded;
use crate::infer::state::split_path;

/// The templates of requests with the bodies of their responses.
fn templates(exchanges: &[(String, &str)]) -> BTreeSet<String> {
    let limits = Limits::default();
    let caps = crate::infer::sketch::Caps::new(&limits);
    let mut root = TrieNode::default();
    for (path, body) in exchanges {
        let node = root.walk(&split_path(path).0, &caps);
        let operation = node.operations.entry(Method::Get).or_default();
        operation.ok.n += 1;
        let answered = operation.responses.entry(200).or_default();
        answered.n += 1;
        let media = answered.bodies.slot("application/json", 8, |_| 1, &caps);
        let mut json = folded(&[body]);
        if let Some(before) = media.json.take() {
            crate::infer::sketch::Merge::merge(&mut json, *before, &limits);
        }
        media.json = Some(Box::new(json));
    }
    let vocabulary = Vocabulary::of(&root);
    let mut all = BTreeSet::new();
    flatten(&template(root, &vocabulary, None, &BTreeSet::new(), &limits), String::new(), &mut all);
    all
}

fn flatten(place: &TemplateNode, path: String, all: &mut BTreeSet<String>) {
    for (name, below) in &place.literals {
        flatten(below, format!("{path}/{name}"), all);
    }
    for (pattern, slot) in &place.parameters {
        flatten(&slot.place, format!("{path}/{pattern}"), all);
    }
    if !place.operations.is_empty() {
        all.insert(path);
    }
}

fn check(exchanges: &[(String, &str)], expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|t| (*t).to_owned()).collect();
    assert_eq!(templates(exchanges), expected);
}

const ROW: &str = r#"{"total": 1, "since": "2024-01-15", "views": 7}"#;

#[test]
fn a_few_known_words_that_all_lead_to_the_same_are_values() {
    let mut exchanges = Vec::new();
    for kind in ["daily", "monthly", "hourly"] {
        for id in 1..8 {
            exchanges.push((format!("/v1/reports/{kind}/{id}/rows"), ROW));
        }
    }
    check(&exchanges, &["/v1/reports/{}/{}/rows"]);
}

#[test]
fn known_words_that_lead_to_other_answers_are_names() {
    let mut exchanges = Vec::new();
    for id in 1..9 {
        exchanges.push((format!("/v1/account/orders/{id}"), ROW));
        exchanges.push((
            format!("/v1/account/invoices/{id}"),
            r#"{"number": "x", "amount": 1, "currency": "EUR"}"#,
        ));
    }
    check(&exchanges, &["/v1/account/invoices/{}", "/v1/account/orders/{}"]);
}

#[test]
fn leaves_that_answer_alike_are_names() {
    let exchanges: Vec<_> = ["daily", "monthly", "hourly"]
        .iter()
        .flat_map(|kind| vec![(format!("/v1/report/{kind}"), ROW); 9])
        .collect();
    check(&exchanges, &["/v1/report/daily", "/v1/report/hourly", "/v1/report/monthly"]);
}

#[test]
fn words_that_are_keys_of_a_map_teach_nothing() {
    let words = ["zebrawood", "quillback", "tanglefoot", "wrenlet", "oxlip", "gorsebush"];
    let mut exchanges: Vec<_> =
        (words.iter()).flat_map(|word| vec![(format!("/v1/projects/{word}"), ROW); 2]).collect();
    let labels: Vec<String> = words
        .iter()
        .map(|word| format!(r#"{{"id": 1, "labels": {{"{word}": "x", "{word}-red": "y"}}}}"#))
        .collect();
    exchanges.extend(labels.iter().map(|body| ("/v1/labels".to_owned(), body.as_str())));
    check(&exchanges, &["/v1/labels", "/v1/projects/{}"]);
}

#[test]
fn unknown_words_that_come_again_and_do_other_things_are_names() {
    let exchanges: Vec<_> = [
        ("trackzilla", r#"{"board_a": 1}"#),
        ("flowpigeon", r#"{"board_b": 1}"#),
        ("gemwatcher", r#"{"board_c": 1}"#),
    ]
    .into_iter()
    .flat_map(|(name, body)| vec![(format!("/v1/services/{name}"), body); 9])
    .collect();
    check(
        &exchanges,
        &["/v1/services/flowpigeon", "/v1/services/gemwatcher", "/v1/services/trackzilla"],
    );
}

#[test]
fn a_common_extension_is_not_part_of_the_value() {
    let words = ["zebrawood", "quillback", "tanglefoot", "wrenlet", "oxlip", "gorsebush"];
    let exchanges: Vec<_> =
        words.iter().map(|word| (format!("/v1/calls/{word}.json"), ROW)).collect();
    check(&exchanges, &["/v1/calls/{}.json"]);
}
