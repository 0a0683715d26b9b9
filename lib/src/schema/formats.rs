//! Decides which formats imply which, in the way values are checked.

use crate::format::{by_name, integer_range};

/// True if texts of a format, or of any, conform to another one. Unchecked formats always follow.
pub(crate) fn text_format_follows(format: &str, seen: Option<&str>) -> bool {
    by_name(format).is_none() || seen == Some(format)
}

/// Formats with a grammar that a standard defines (JSON Schema 2020-12, section 7.3, and OpenAPI's
/// own). Only these are checked in requests, because clients interpret others, such as `phone` and
/// `jwt`, differently.
const STANDARD: [&str; 21] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "byte",
    "base64url",
];

/// True if a text in a request must conform to this format.
pub(super) fn binds_requests(format: &str, text: &str) -> bool {
    // Many APIs write times without the offset that RFC 3339 requires.
    let local_time =
        || format == "time" && (by_name("time")).is_some_and(|f| (f.detect)(&format!("{text}Z")));
    STANDARD.contains(&format) && !local_time()
}

/// The same for numbers: a range follows from a narrower one.
pub(crate) fn number_format_follows(format: &str, seen: Option<&str>) -> bool {
    let Some((least, most)) = integer_range(format) else { return true };
    let inside = |(low, high)| least <= low && high <= most;
    seen.and_then(integer_range).is_some_and(inside)
}
