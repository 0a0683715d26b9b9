//! The segments before a place in the path trie, and whether anything below was answered.

use percent_encoding::percent_decode_str;

use crate::infer::finalise::words::english::is_plural;
use crate::infer::state::{Class, TrieNode, class_of};

/// The context of a place, which determines the evidence needed for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before<'n> {
    Root,
    Version,
    Plural(&'n str),
    Other(&'n str),
    Parameter,
}

impl<'n> Before<'n> {
    /// How many unknown words make an open set if there are no identifiers.
    pub(crate) fn need(self) -> usize {
        match self {
            Before::Root | Before::Version => 12,
            Before::Parameter => 5,
            Before::Plural(_) => 2,
            Before::Other(_) => 4,
        }
    }

    pub(crate) fn is_head(self) -> bool {
        matches!(self, Before::Root | Before::Version)
    }

    pub(super) fn of(segment: &'n str) -> Before<'n> {
        if class_of(segment) == Class::Version {
            Before::Version
        } else if is_plural(segment) {
            Before::Plural(segment)
        } else {
            Before::Other(segment)
        }
    }
}

/// True if anything at or below a place was answered with a status below 400.
pub(crate) fn is_answered(node: &TrieNode) -> bool {
    node.operations.values().any(|operation| operation.ok.n > 0)
        || node
            .kids
            .values()
            .any(|kids| kids.iter().map(|(_, kid)| kid).chain(kids.rest()).any(is_answered))
}

/// A segment in its decoded form.
pub(crate) fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
