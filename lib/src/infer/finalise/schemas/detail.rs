//! Details of the traffic in a spec: counts (`--evidence`), bounds (`--tight`) and examples
//! (`--examples`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::examples;
use super::graph::{Graph, ObjectId};
use crate::infer::Limits;
use crate::infer::finalise::Options;
use crate::infer::sketch::Values;
use crate::infer::state::{Array, Json, Text};

/// The key of the counts.
const EVIDENCE: &str = "x-hmt-evidence";

/// Which details are written, and where they are not allowed.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    evidence: bool,
    tight: bool,
    examples: bool,
    /// Numbers were kept exactly.
    numbers: bool,
    /// Kinds that occur below a secret name.
    secrets: BTreeSet<ObjectId>,
}

impl Detail {
    pub(crate) fn of(options: &Options, limits: &Limits, graph: &Graph<'_>) -> Detail {
        Detail {
            evidence: options.evidence,
            tight: options.tight,
            examples: options.examples,
            numbers: limits.numbers,
            secrets: if options.examples { examples::secret_kinds(graph) } else { BTreeSet::new() },
        }
    }

    pub(crate) fn is_secret(&self, kind: ObjectId) -> bool {
        self.secrets.contains(&kind)
    }

    /// The counts as an extension, if they are enabled.
    pub(crate) fn counts(&self, counts: &[(&str, u64)]) -> Option<(String, Value)> {
        self.evidence.then(|| {
            let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count)));
            (EVIDENCE.to_owned(), counts.collect())
        })
    }

    /// Writes the number of objects, and the number of objects with each key.
    pub(crate) fn count_objects<'k>(
        &self,
        into: &mut Map<String, Value>,
        n: u64,
        keys: impl Iterator<Item = (&'k str, u64)>,
    ) {
        if self.evidence {
            let present: Map<String, Value> =
                keys.map(|(key, count)| (key.to_owned(), json!(count))).collect();
            into.insert(EVIDENCE.to_owned(), json!({"objects": n, "present": present}));
        }
    }

    /// Adds details to the schema of strings under a key.
    pub(crate) fn text(&self, schema: &mut Value, text: &Text, key: &str, secret: bool) {
        let Some(schema) = schema.as_object_mut() else { return };
        let format = schema.get("format").and_then(Value::as_str);
        if self.examples
            && !secret
            && !schema.contains_key("enum")
            && let Some(example) = examples::of_text(&text.values, format, key)
        {
            schema.insert("example".to_owned(), example);
        }
        // A format or enumeration says more about lengths. A pseudonym has a length of its own.
        let hidden = crate::exchange::is_secret_name(key)
            || text
                .values
                .exact()
                .is_some_and(|values| values.keys().any(crate::exchange::has_pseudonym));
        if self.tight
            && !hidden
            && text.n > 0
            && !schema.contains_key("format")
            && !schema.contains_key("enum")
        {
            schema.insert("minLength".to_owned(), json!(text.shortest.0));
            schema.insert("maxLength".to_owned(), json!(text.longest));
        }
    }

    /// Adds details to the schema of numbers under a key.
    pub(crate) fn number(&self, schema: &mut Value, node: &Json, key: &str, secret: bool) {
        let (Some(schema), Some((least, greatest))) = (schema.as_object_mut(), node.range.bounds())
        else {
            return;
        };
        if !self.numbers {
            return;
        }
        if self.examples && !secret && !crate::exchange::is_secret_name(key) {
            schema.insert("example".to_owned(), json!(least));
        }
        if self.tight && !crate::exchange::is_secret_name(key) {
            schema.insert("minimum".to_owned(), json!(least));
            schema.insert("maximum".to_owned(), json!(greatest));
        }
    }

    /// Adds details to the schema of arrays.
    pub(crate) fn array(&self, schema: &mut Value, array: Option<&Array>) {
        // The lengths of arrays below the depth limit are unknown.
        if let Some(array) = array.filter(|array| self.tight && array.longest != u64::MAX) {
            schema["minItems"] = json!(array.shortest.0);
            schema["maxItems"] = json!(array.longest);
        }
    }

    /// Adds details to the schema of integers in text.
    pub(crate) fn int_of_text(&self, schema: &mut Value, values: &Values, key: &str) {
        let Some(counts) = values.exact() else { return };
        let mut ints: Vec<i64> = counts.keys().filter_map(|value| value.parse().ok()).collect();
        if ints.len() != counts.len() {
            return;
        }
        ints.sort_unstable();
        let (Some(least), Some(greatest)) = (ints.first(), ints.last()) else { return };
        if self.examples && !crate::exchange::is_secret_name(key) {
            schema["example"] = json!(least);
        }
        if self.tight {
            schema["minimum"] = json!(least);
            schema["maximum"] = json!(greatest);
        }
    }
}
