//! Which formats follow from which, as values are checked.

use crate::format::{by_name, integer_range};

/// True where texts of a format, or of any, are of another one. What is not checked always follows.
pub(crate) fn text_format_follows(format: &str, seen: Option<&str>) -> bool {
    by_name(format).is_none() || seen == Some(format)
}

/// The same for numbers: a range follows from one within it.
pub(crate) fn number_format_follows(format: &str, seen: Option<&str>) -> bool {
    let Some((least, most)) = integer_range(format) else { return true };
    let inside = |(low, high)| least <= low && high <= most;
    seen.and_then(integer_range).is_some_and(inside)
}
