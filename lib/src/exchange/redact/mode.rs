//! How thoroughly a text is searched.

/// The kinds of secrets to search for in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchMode {
    /// Shapes, and pairs of name and value in any notation.
    Unparsed,
    /// The value of a name that is not secret: shapes, queries, and pairs that do not occur in
    /// prose.
    Value,
    /// Shapes only.
    Shapes,
}
