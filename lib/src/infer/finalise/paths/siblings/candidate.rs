//! A word below a place, as a candidate for a value.

use crate::infer::finalise::paths::answered_lists::answers_list;
use crate::infer::finalise::paths::before::{Before, decoded, is_answered};
use crate::infer::finalise::paths::signature::Signature;
use crate::infer::finalise::words::calls::is_call;
use crate::infer::finalise::words::english::is_plural;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::state::{Class, TrieNode, class_of, in_lexicon};

/// A word below a place, and the evidence for and against being a value.
pub(super) struct Candidate {
    /// Decoded.
    pub(super) name: String,
    /// A placeholder that a client sends by mistake instead of a value, and that is refused.
    pub(super) broken: bool,
    /// The name of a procedure: `getUser`, `users.list`.
    pub(super) call: bool,
    /// A plural.
    pub(super) plural: bool,
    /// A name, whatever the others are.
    pub(super) fixed: bool,
    pub(super) known: bool,
    pub(super) n: u64,
    pub(super) signature: Signature,
}

impl Candidate {
    pub(super) fn of(
        raw: &str,
        node: &TrieNode,
        before: Before<'_>,
        vocabulary: &Vocabulary,
    ) -> Candidate {
        let name = decoded(raw);
        let known = vocabulary.knows(&name);
        let plural = is_plural(&name);
        // `/tags/cats` may list what has the tag; elsewhere a known plural that returns a list is a
        // collection.
        let collection = known
            && plural
            && !matches!(before, Before::Plural(_))
            && node.operations.values().any(|operation| answers_list(operation, &name));
        let fixed = name.is_empty()
            || name.starts_with('$')
            || in_lexicon(&name)
            || class_of(&name) != Class::Word
            || collection;
        let lower = name.to_ascii_lowercase();
        let broken = !fixed
            && node.kids.is_empty()
            && !is_answered(node)
            && (!known || BROKEN.contains(&lower.as_str()));
        Candidate {
            fixed,
            known,
            plural,
            broken,
            call: is_call(&name),
            n: node.n,
            signature: Signature::of(node, vocabulary),
            name,
        }
    }
}

/// What programs write for a missing value: JavaScript, Python, Java, templates.
const BROKEN: [&str; 7] = ["undefined", "null", "nan", "none", "nil", "true", "false"];

/// Marks calls as names: every known call, and all known words if most are calls.
pub(super) fn fix_calls(all: &mut [Candidate]) {
    let calls = all.iter().filter(|candidate| candidate.call).count();
    let mostly = calls >= 2 && calls * 2 >= all.len();
    for candidate in all {
        candidate.fixed |=
            candidate.call && (candidate.known || mostly) || mostly && candidate.known;
    }
}
