//! Every format contains every entry, and no content of an entry breaks a format.

use serde_json::Value;

use super::*;

fn report() -> Report {
    let entry = |label, fails, message: &str| Entry {
        rule: "type".into(),
        label,
        level: if fails { Level::Error } else { Level::Warning },
        fails,
        place: "response.body#/a".to_owned(),
        message: message.to_owned(),
        count: Some(2),
        examples: vec![
            Example {
                place: "logs/a b.jsonl:3".to_owned(),
                file: Some(("logs/a b.jsonl".to_owned(), 3)),
            },
            Example { place: "-:4".to_owned(), file: None },
        ],
    };
    Report {
        program: "hmt-build",
        title: "traffic & spec".to_owned(),
        sections: vec![
            Section {
                name: "GET /<script>".to_owned(),
                note: "2 exchanges".to_owned(),
                entries: vec![
                    entry("error", true, "is not of type \"integer\" \u{1b}[31m"),
                    entry("undocumented", false, "is not in the spec"),
                ],
            },
            Section { name: "GET /b".to_owned(), ..Section::default() },
        ],
        summary: vec!["1 error".to_owned()],
        rules: &[("enum", "an enum"), ("type", "a type")],
        aside: None,
        document: serde_json::json!({"findings": []}),
    }
}

#[test]
fn text_is_safe_to_print() {
    let text = ReportFormat::Text.write(&report());
    assert!(text.starts_with(
        "GET /<script>\n  error: response.body#/a is not of type \\\"integer\\\" \\u{1b}[31m (type)\n      2 times, first logs/a b.jsonl:3\n"
    ), "{text}");
    assert!(text.ends_with("\n\n1 error\n"), "{text}");
    assert!(!text.contains("GET /b"));
}

#[test]
fn junit_is_well_formed_and_counts() {
    let text = ReportFormat::Junit.write(&report());
    let tree = roxmltree::Document::parse(&text).expect("XML");
    let suite = tree.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("3"), Some("1")));
    let cases = || tree.descendants().filter(|node| node.has_tag_name("testcase"));
    assert_eq!(cases().count(), 3);
    let failures: Vec<_> = tree.descendants().filter(|node| node.has_tag_name("failure")).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].attribute("type"), Some("type"));
    assert!(failures[0].text().unwrap_or_default().contains("logs/a b.jsonl:3"));
    assert_eq!(cases().next().and_then(|case| case.attribute("classname")), Some("GET /<script>"));
}

#[test]
fn sarif_names_rules_and_places() {
    let log: Value = serde_json::from_str(&ReportFormat::Sarif.write(&report())).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let results = &log["runs"][0]["results"];
    assert_eq!(results.as_array().map(Vec::len), Some(2));
    assert_eq!((&results[0]["ruleId"], &results[0]["ruleIndex"]), (&"type".into(), &1.into()));
    assert_eq!((&results[0]["level"], &results[1]["level"]), (&"error".into(), &"warning".into()));
    assert_eq!(results[0]["occurrenceCount"], 2);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "logs/a%20b.jsonl");
    assert_eq!(place["region"]["startLine"], 3);
}

#[test]
fn html_shows_text_only_as_text() {
    let page = ReportFormat::Html.write(&report());
    assert!(page.contains("GET /&lt;script&gt;") && !page.contains("<script"));
    assert!(page.contains("default-src 'none'") && !page.contains('\u{1b}'));
    assert_eq!(page.matches("class=\"error\"").count(), 1);
}

#[test]
fn formats_are_found_by_name() {
    for (name, format, _) in FORMATS {
        assert_eq!((ReportFormat::of_name(name), format.name()), (Some(*format), *name));
    }
    assert_eq!(ReportFormat::of_name("pdf"), None);
    assert_eq!(ReportFormat::Json.write(&report()), "{\n  \"findings\": []\n}\n");
}
