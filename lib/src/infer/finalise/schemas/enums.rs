//! Decides when a string is an enumeration: its values must recur, and another value must be very
//! unlikely.

use crate::infer::sketch::Values;

/// The input of the decision.
pub(crate) struct Evidence<'a> {
    pub(crate) n: u64,
    pub(crate) values: &'a Values,
    /// The key or parameter.
    pub(crate) name: &'a str,
}

/// The sorted values, if they are an enumeration: at least 20 observations, at most 24 values and
/// an eighth as many values as observations, short and without spaces, and an unseen mass (Good and
/// Turing: values seen once, divided by all observations) of at most 2 %.
pub(crate) fn enumeration(evidence: &Evidence<'_>) -> Option<Vec<String>> {
    let counts = evidence.values.exact()?;
    let distinct = counts.len() as u64;
    let once = counts.values().filter(|count| *count == 1).count() as u64;
    let enough =
        evidence.n >= 20 && distinct <= 24 && distinct * 8 <= evidence.n && once * 50 <= evidence.n;
    let words = counts.keys().all(is_word);
    (enough && words && !names_someone(evidence.name))
        .then(|| counts.keys().map(str::to_owned).collect())
}

fn is_word(value: &str) -> bool {
    (1..=40).contains(&value.len())
        && value.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'+')
        })
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Keys whose values identify things, however few were observed.
fn names_someone(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "id",
        "name",
        "title",
        "email",
        "url",
        "uri",
        "href",
        "date",
        "time",
        "token",
        "key",
        "secret",
        "password",
        "login",
        "slug",
        "path",
        "description",
        "message",
        "address",
        "phone",
        "_at",
        "hash",
        "sha",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}
