//! Merges `x-hmt-replay`, the recordings of both documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::context::Context;

/// Answers by their text, to find equal ones.
type Answers = BTreeMap<(String, u64, String), (Value, usize)>;

/// The identity of a recorded request, in the order in which the builder sorts.
type Key = (String, String, String, String);

fn key(entry: &Map<String, Value>) -> Key {
    let text = |name: &str| {
        let value = entry.get("key").and_then(|key| key.get(name)).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let request = entry.get("request").map(Value::to_string).unwrap_or_default();
    (text("origin"), text("path"), text("method"), request)
}

/// Answers by (`at`, `seq`, content), with their number.
fn answers(entry: &Map<String, Value>) -> Answers {
    let mut all = Answers::new();
    for answer in entry.get("answers").and_then(Value::as_array).into_iter().flatten() {
        let at = answer.get("at").and_then(Value::as_str).unwrap_or_default().to_owned();
        let seq = answer.get("seq").and_then(Value::as_u64).unwrap_or_default();
        all.entry((at, seq, answer.to_string())).or_insert_with(|| (answer.clone(), 0)).1 += 1;
    }
    all
}

impl Context {
    /// Unites two lists of recordings. Equal answers occur as often as in the list with more of
    /// them: a recording in both is one recording.
    pub(super) fn replay(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        let (Value::Array(a), Value::Array(b)) = (a, b) else { return self.choose(at, a, b) };
        let mut entries: BTreeMap<Key, (Map<String, Value>, Answers)> = BTreeMap::new();
        for list in [a, b] {
            let mut here: BTreeMap<Key, (Map<String, Value>, Answers)> = BTreeMap::new();
            for entry in list.iter().filter_map(Value::as_object) {
                let known =
                    here.entry(key(entry)).or_insert_with(|| (entry.clone(), Answers::new()));
                for (order, (answer, count)) in answers(entry) {
                    known.1.entry(order).or_insert((answer, 0)).1 += count;
                }
            }
            for (key, (entry, answers)) in here {
                let known = entries.entry(key).or_insert_with(|| (entry, Answers::new()));
                for (order, (answer, count)) in answers {
                    let most = &mut known.1.entry(order).or_insert((answer, 0)).1;
                    *most = count.max(*most);
                }
            }
        }
        entries
            .into_values()
            .map(|(mut entry, answers)| {
                let list = answers
                    .into_values()
                    .flat_map(|(answer, count)| std::iter::repeat_n(answer, count))
                    .collect();
                entry.insert("answers".to_owned(), Value::Array(list));
                Value::Object(entry)
            })
            .collect()
    }
}
