//! Classifies the segments of a path: a version, the API as a whole, or a name.
//!
//! Keys of paths have `{}` for each parameter.

use percent_encoding::percent_decode_str;

use crate::infer::finalise::words::calls::is_call;
use crate::infer::finalise::words::split::words;
use crate::infer::state::{Class, class_of, without_extension};

/// Splits a path or segment from the extension of its representation.
pub(super) fn split_extension(text: &str) -> (&str, Option<&str>) {
    let stem = without_extension(text);
    if stem.is_empty() || stem.len() == text.len() {
        return (text, None);
    }
    (stem, text.get(stem.len() + 1..))
}

/// How many segments at the start of a path belong to the whole API: `/api/v1`, `/2010-04-01`. Zero
/// if there are no others.
pub(super) fn head(segments: &[&str]) -> usize {
    let of_all = |segment: &&&str| !segment.contains("{}") && is_head(segment);
    let count = segments.iter().take_while(of_all).count();
    if count == segments.len() { 0 } else { count }
}

/// True for a version, or a segment that stands for the API as a whole and names nothing within it.
fn is_head(segment: &str) -> bool {
    class_of(segment) != Class::Word
        || matches!(segment.to_ascii_lowercase().as_str(), "odata" | "rpc" | "jsonrpc" | "trpc")
        || segment.ends_with(".svc")
}

pub(super) fn segments(key: &str) -> Vec<&str> {
    key.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// The version of a path: its leading segments for the whole API, and later versions.
pub(crate) fn version(key: &str) -> String {
    let segments = segments(key);
    let (head, own) = segments.split_at(head(&segments));
    let is_version = |segment: &&&str| class_of(segment) == Class::Version;
    let names = own.len() > own.iter().filter(is_version).count();
    let versions = own.iter().filter(|segment| names && is_version(segment));
    head.iter().chain(versions).copied().collect::<Vec<_>>().join(" ")
}

/// The first name of a path after its version: the subject of `/api/v1/line-items/{}` is
/// `line-items`.
pub(crate) fn subject(key: &str) -> Option<String> {
    let segments = segments(key);
    let own = segments[head(&segments)..].iter().find_map(|segment| match keyed(segment) {
        Some(collection) => Some(collection),
        None => (!segment.contains("{}")).then_some(*segment),
    })?;
    let named = plain(own);
    // For `users.list` and `getUser`, it is the noun.
    if is_call(&named) {
        let (space, call) = named.rsplit_once(['.', ':']).unwrap_or(("", &named));
        let object: Vec<String> = words(call).into_iter().skip(1).collect();
        let object = if space.is_empty() { object.join("-") } else { space.to_owned() };
        return Some(object).filter(|name| !name.is_empty());
    }
    Some(named).filter(|name| !name.is_empty())
}

/// A segment for display: decoded, without the extension of a representation.
pub(super) fn plain(segment: &str) -> String {
    let name = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    if is_call(&name) { name } else { split_extension(&name).0.to_owned() }
}

/// The collection of a segment with a key in parentheses: `Products` for `Products({})`.
pub(super) fn keyed(segment: &str) -> Option<&str> {
    segment.split_once('(').filter(|(_, key)| key.contains("{}")).map(|(collection, _)| collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_stand_behind_the_version() {
        for (key, subject_of) in [
            ("/api/v1/line-items/{}", Some("line-items")),
            ("/2010-04-01/Accounts/{}/Calls.json", Some("Accounts")),
            ("/{}/members", Some("members")),
            ("/api", Some("api")),
            ("/odata/Products({})/Category", Some("Products")),
            ("/api/users.list", Some("users")),
            ("/rpc/getUser", Some("user")),
            ("/Calls.json", Some("Calls")),
            ("/caf%C3%A9s", Some("cafés")),
            ("/{}", None),
            ("/", None),
        ] {
            assert_eq!(subject(key).as_deref(), subject_of, "{key}");
        }
        assert_eq!(version("/api/v2/users"), "api v2");
        assert_eq!(version("/v2"), "");
    }
}
