//! Path templates as a trie: concrete before templated.

/// The routes of a document.
#[derive(Debug, Default)]
pub(crate) struct Router {}
