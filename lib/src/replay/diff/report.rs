//! Converts the differences to a report.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Compared, DiffResult, Difference, IgnoreRule, Key, LearnedRule};
use crate::replay::send::shown;
use crate::report::{Entry, Level, Report, Section};
use crate::units::counted;

/// The rules of entries.
const RULES: &[(&str, &str)] = &[
    ("binary", "Bodies that are not text have different bytes."),
    ("extra", "A property or an item is new."),
    ("header", "A header has a different value, is missing or is new."),
    ("incomplete", "The body was cut short."),
    ("length", "An array has a different number of items."),
    ("missing", "A property or an item is missing."),
    ("no-response", "There is no response."),
    ("order", "The items of an array are in a different order."),
    ("status", "The status differs."),
    ("text", "Lines of a text differ."),
    ("type", "A value or a body has a different type."),
    ("value", "A value differs."),
];

/// A route is slow if it takes this many times as long as recorded, and longer by this time.
const SLOWER: f64 = 3.0;
const SLOWER_MS: f64 = 200.0;
/// Maximum number of slow routes that are listed.
const MAX_SLOW: usize = 5;

/// The head of a new file of rules.
const HEAD: &str = "\
# What may differ between responses: read and extended by hmt-replay send --learn-ignore.
# Each line is a rule: [METHOD PATH] header:NAME | query:NAME | json:/POINTER | status
# In PATH, * matches any characters; in a pointer, it matches any key or index.
# A rule for a pointer also applies to all values below it. The text after ' # ' is the reason.
";

impl DiffResult {
    /// The report; each difference makes it fail.
    pub fn report(&self) -> Report {
        let mut found: BTreeMap<(&str, &str), Vec<Entry>> = BTreeMap::new();
        for (key, difference) in &self.differences {
            found.entry((&key.path, &key.method)).or_default().push(entry(key, difference));
        }
        let mut sections: Vec<Section> = Vec::new();
        for ((path, method), compared) in &self.operations {
            let entries = found.remove(&(path.as_str(), method.as_str())).unwrap_or_default();
            let name = format!("{method} {path}");
            sections.push(Section { name, note: counted(compared.exchanges, "exchange"), entries });
        }
        for ((path, method), entries) in found {
            sections.push(Section {
                name: format!("{method} {path}"),
                entries,
                ..Section::default()
            });
        }
        Report {
            program: "hmt-replay",
            title: format!("Responses of {} and the recording", self.target),
            summary: self.summary(),
            sections,
            rules: RULES,
            aside: None,
            document: self.document(),
        }
    }

    /// Closing lines for people.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} compared: {} in {}",
            counted(self.compared, "exchange"),
            counted(self.differences.len() as u64, "difference"),
            counted(self.differing, "exchange"),
        )];
        let mut more = |count: u64, text: String| {
            if count > 0 {
                lines.push(text);
            }
        };
        more(
            self.renamed,
            format!("{} with new values that are used consistently", counted(self.renamed, "id")),
        );
        more(
            self.ignored,
            format!("{} at places that learned rules ignore", counted(self.ignored, "difference")),
        );
        more(
            self.unanswered,
            format!(
                "{} recorded without a response, and not compared",
                counted(self.unanswered, "exchange")
            ),
        );
        more(
            self.unlisted,
            format!("{} more are not listed", counted(self.unlisted, "difference")),
        );
        for (name, compared) in self.slow() {
            lines.push(format!(
                "slower than recorded: {name}: {}, recorded {}",
                shown(compared.mean(compared.new_ms)),
                shown(compared.mean(compared.recorded_ms))
            ));
        }
        lines
    }

    /// The slowest routes, if they are much slower than recorded.
    fn slow(&self) -> Vec<(String, &Compared)> {
        let is_slow = |compared: &Compared| {
            compared.timed > 0 && compared.new_ms > SLOWER * compared.recorded_ms && {
                #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
                let count = compared.timed as f64;
                (compared.new_ms - compared.recorded_ms) / count > SLOWER_MS
            }
        };
        let mut slow: Vec<(String, &Compared)> = self
            .operations
            .iter()
            .filter(|(_, compared)| is_slow(compared))
            .map(|((path, method), compared)| (format!("{method} {path}"), compared))
            .collect();
        slow.sort_by(|a, b| b.1.new_ms.total_cmp(&a.1.new_ms));
        slow.truncate(MAX_SLOW);
        slow
    }

    fn document(&self) -> Value {
        let slow = self.slow().into_iter().map(|(operation, compared)| {
            let ms = |sum| compared.mean(sum).as_secs_f64() * 1e3;
            json!({
                "operation": operation,
                "ms": ms(compared.new_ms),
                "recordedMs": ms(compared.recorded_ms),
            })
        });
        json!({
            "exchanges": self.compared,
            "differing": self.differing,
            "notCompared": self.unanswered,
            "renamedIds": self.renamed,
            "ignored": self.ignored,
            "differences": self.differences.iter().map(listed).collect::<Vec<_>>(),
            "slower": slow.collect::<Vec<_>>(),
        })
    }
}

impl Compared {
    fn mean(&self, sum: f64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
        let mean = sum / (self.timed.max(1) as f64);
        Duration::try_from_secs_f64(mean / 1e3).unwrap_or_default()
    }
}

/// The content of a file of rules, with the learned rules appended. Existing lines do not change.
pub(super) fn with_learned(text: &str, learned: &[LearnedRule], known: &[IgnoreRule]) -> String {
    let mut out = if text.is_empty() { HEAD.to_owned() } else { text.to_owned() };
    if !out.ends_with('\n') {
        out.push('\n');
    }
    for LearnedRule { rule, reason } in learned {
        if known.iter().any(|known| known.covers(rule)) {
            continue;
        }
        // A line break in a value would begin a new rule.
        let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(&format!("{rule}  # {reason}\n"));
    }
    out
}

impl DiffResult {
    /// The content of a file of rules, extended by the learned rules.
    pub fn extended_rules(&self, text: &str, known: &[IgnoreRule]) -> String {
        with_learned(text, &self.learned, known)
    }
}

fn entry(key: &Key, difference: &Difference) -> Entry {
    Entry {
        rule: key.rule.into(),
        label: "difference",
        level: Level::Error,
        fails: true,
        place: difference.shown.clone(),
        message: difference.message.clone(),
        count: Some(difference.count),
        examples: difference.examples.clone(),
    }
}

fn listed((key, difference): (&Key, &Difference)) -> Value {
    let mut value = json!({"rule": key.rule, "method": key.method, "path": key.path});
    if let Some(status) = difference.status {
        value["status"] = status.into();
    }
    value["place"] = difference.shown.clone().into();
    value["recorded"] = difference.old.clone().into();
    value["received"] = difference.new.clone().into();
    value["message"] = difference.message.clone().into();
    value["count"] = difference.count.into();
    let examples = difference.examples.iter().map(|example| Value::from(example.place.clone()));
    value["examples"] = examples.collect();
    value
}
