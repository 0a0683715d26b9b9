//! `--examples`: observed values as examples, but never potential secrets or personal data.

use std::collections::BTreeSet;

use rand::SeedableRng as _;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::{Value, json};

use super::graph::{Graph, ObjectId, SlotId};
use crate::exchange::{is_pseudonym, is_secret_name};
use crate::format;
use crate::infer::sketch::Values;

/// Formats whose values may identify people or machines; their examples are generated.
const SENSITIVE: [&str; 4] = ["email", "ipv4", "ipv6", "uuid"];

/// The most frequent text, the first by bytes among equals: it reveals least about a single person.
pub(crate) fn of_text(values: &Values, format: Option<&str>, key: &str) -> Option<Value> {
    if is_secret_name(key) {
        return None;
    }
    if let Some(format) = format.filter(|name| SENSITIVE.contains(name)) {
        // A fixed seed: equal states give equal documents.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        return format::by_name(format).map(|format| json!(format.generate(&mut rng)));
    }
    let counts = values.exact()?.iter().filter(|(value, _)| !value.is_empty());
    let (value, _) = counts.min_by_key(|(value, count)| (std::cmp::Reverse(*count), *value))?;
    let told = value.split([' ', '=', ';', '&']).any(is_pseudonym);
    (!told).then(|| json!(value))
}

/// The object kinds below a secret key, at any depth: none of their values is used as an example.
pub(crate) fn secret_kinds(graph: &Graph<'_>) -> BTreeSet<ObjectId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<SlotId> = Vec::new();
    for (_, kind) in graph.kinds() {
        let all = graph.properties(kind).into_iter();
        open.extend(all.filter(|(key, ..)| is_secret_name(key)).map(|(_, _, slot)| slot));
    }
    while let Some(slot) = open.pop() {
        let slot = graph.slot(slot);
        open.extend(slot.array.flatten());
        for id in graph.kinds_at(slot) {
            if found.insert(id) {
                let kind = graph.kind(id);
                open.extend(kind.properties.values().map(|(_, slot)| *slot));
                open.extend(kind.additional);
            }
        }
    }
    found
}
