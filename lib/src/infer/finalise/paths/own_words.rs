//! The words of an API's own names, which are added to the vocabulary.

use std::collections::BTreeMap;

use crate::infer::finalise::schemas::maps::MapNames;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::sketch::add;
use crate::infer::state::{Json, ObservedOperation, TrieNode};

/// A key in fewer objects at one place may be data.
const AGAIN: u64 = 3;

impl Vocabulary {
    /// The built-in words, and those in the property and query names of all operations of a host.
    /// Keys that are data are left out.
    pub(crate) fn of(paths: &TrieNode) -> Self {
        let operations = paths.all_operations();
        let bodies = || operations.iter().copied().flat_map(ObservedOperation::json_bodies);
        let maps = MapNames::learn(bodies());
        let mut vocabulary = Vocabulary::new();
        for operation in &operations {
            for (name, _) in operation.ok.query.iter().chain(operation.unanswered.query.iter()) {
                vocabulary.learn(name);
            }
        }
        for body in bodies() {
            vocabulary.learn_keys(body, ("", ""), &maps);
        }
        vocabulary
    }

    fn learn_keys(&mut self, json: &Json, (around, name): (&str, &str), maps: &MapNames) {
        let objects = json.objects();
        let mut present: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, property) in objects.iter().flat_map(|(_, object)| object.keys.iter()) {
            add(present.entry(key).or_default(), property.present);
        }
        for (_, object) in objects {
            let names = maps.names(object, (around, name));
            for (key, property) in object.keys.iter() {
                if names.contains(key) {
                    if present.get(key).is_some_and(|n| *n >= AGAIN) {
                        self.learn(key);
                    }
                    self.learn_keys(&property.json, (name, key), maps);
                } else {
                    self.learn_keys(&property.json, (name, ""), maps);
                }
            }
        }
        if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_ref()) {
            self.learn_keys(items, (around, name), maps);
        }
    }
}
