//! Evidence in an API's bodies about the words in its paths.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::infer::finalise::paths::answered_lists::{answers_list, lists_of};
use crate::infer::finalise::paths::before::Before;
use crate::infer::finalise::words::camel::singular_camel;
use crate::infer::state::{Class, Json, TrieNode};

/// The place whose words are examined.
pub(crate) struct Parent<'n> {
    pub(crate) before: Before<'n>,
    /// The names in its path are in lower case.
    pub(crate) lower: bool,
    /// The place itself returns a list.
    pub(super) answers_list: bool,
    /// In lower case: the values of keys with the name of the place, and the identifying values of
    /// its listed items.
    values: BTreeSet<String>,
}

/// Keys that identify an item of a list.
const NAMES: [&str; 9] =
    ["code", "handle", "id", "key", "login", "name", "slug", "symbol", "username"];

/// Endings that follow the name of a thing in a key that identifies it.
const ENDS: [&str; 7] = ["", "code", "id", "key", "name", "slug", "type"];

impl<'n> Parent<'n> {
    /// A place, and what precedes it.
    pub(crate) fn of(node: &TrieNode, before: Before<'n>, all: &ValuesOfKeys) -> Parent<'n> {
        let mut values = BTreeSet::new();
        let name = match before {
            Before::Plural(name) | Before::Other(name) => name,
            Before::Root | Before::Version | Before::Parameter => "",
        };
        if !name.is_empty() {
            let noun = plain(&singular_camel(name));
            for end in ENDS {
                values.extend(all.0.get(&format!("{noun}{end}")).into_iter().flatten().cloned());
            }
        }
        let mut answers_list_of_things = false;
        for operation in node.operations.values() {
            answers_list_of_things |= answers_list(operation, name);
            for items in lists_of(operation, name) {
                for (_, object) in items.objects() {
                    let named =
                        object.keys.iter().filter(|(key, _)| NAMES.contains(&plain(key).as_str()));
                    named.for_each(|(_, property)| add_values(&property.json, &mut values));
                }
            }
        }
        Parent { before, lower: false, answers_list: answers_list_of_things, values }
    }

    /// True if bodies have a word as a value for this place.
    pub(super) fn lists(&self, word: &str) -> bool {
        self.values.contains(&word.to_ascii_lowercase())
    }
}

/// The lower-case values under each key in all bodies of a host. Keys are singular, in lower case
/// and without separators.
pub(crate) struct ValuesOfKeys(BTreeMap<String, BTreeSet<String>>);

impl ValuesOfKeys {
    pub(crate) fn of(paths: &TrieNode) -> Self {
        let mut wanted = BTreeSet::new();
        nouns(paths, &mut wanted);
        let mut all = Collector { wanted, plain: HashMap::new(), values: BTreeMap::new() };
        if !all.wanted.is_empty() {
            for operation in paths.all_operations() {
                operation.json_bodies().for_each(|body| all.add(body));
            }
        }
        ValuesOfKeys(all.values)
    }
}

/// Adds the keys that may name the children of names with several words in a tree.
fn nouns(node: &TrieNode, all: &mut BTreeSet<String>) {
    for (class, kids) in &node.kids {
        for (name, kid) in kids.iter() {
            let words = kid.kids.get(&Class::Word).map_or(0, |words| words.iter().count());
            if !class.is_id() && words >= 2 {
                let noun = plain(&singular_camel(name));
                all.extend(ENDS.iter().map(|end| format!("{noun}{end}")));
            }
        }
        kids.iter().map(|(_, kid)| kid).chain(kids.rest()).for_each(|kid| nouns(kid, all));
    }
}

struct Collector<'j> {
    /// The keys to collect.
    wanted: BTreeSet<String>,
    /// The wanted key for each spelling, because the same few keys recur.
    plain: HashMap<&'j str, Option<String>>,
    values: BTreeMap<String, BTreeSet<String>>,
}

impl<'j> Collector<'j> {
    fn add(&mut self, json: &'j Json) {
        for (_, object) in json.objects() {
            for (key, property) in object.keys.iter() {
                let wanted = &self.wanted;
                let known = self.plain.entry(key).or_insert_with(|| {
                    Some(plain(&singular_camel(key))).filter(|key| wanted.contains(key))
                });
                if let Some(known) = known {
                    add_values(&property.json, self.values.entry(known.clone()).or_default());
                }
                self.add(&property.json);
            }
        }
        if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_ref()) {
            self.add(items);
        }
    }
}

/// Adds the texts at a place, and those of a list there.
fn add_values(json: &Json, values: &mut BTreeSet<String>) {
    let items = json.array.as_ref().and_then(|array| array.items.as_deref());
    for json in std::iter::once(json).chain(items) {
        let exact = json.text.as_ref().and_then(|text| text.values.exact());
        values.extend(
            exact.into_iter().flat_map(|counts| counts.keys()).map(str::to_ascii_lowercase),
        );
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
