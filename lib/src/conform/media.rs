//! Finds the entry of `content` for a body.

use std::borrow::Cow;

use super::api::Media;
use crate::exchange::Syntax;
pub use crate::exchange::is_json;

/// `type/subtype` of a Content-Type, in lower case, without its parameters.
pub fn essence(content_type: &str) -> Cow<'_, str> {
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    if bare.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(bare.to_ascii_lowercase())
    } else {
        Cow::Borrowed(bare)
    }
}

/// True for XML media types.
pub(super) fn is_xml(content_type: &str) -> bool {
    Syntax::of(&essence(content_type)) == Syntax::Xml
}

/// True for YAML media types (RFC 9512, with the names that it replaces).
pub(super) fn is_yaml(essence: &str) -> bool {
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    matches!(kind, "application" | "text")
        && matches!(subtype, "yaml" | "x-yaml" | "vnd.yaml" | "yml" | "x-yml")
        || essence.ends_with("+yaml")
}

/// True for media types such as text and images, which schemas for objects and lists cannot
/// describe.
pub(super) fn is_unstructured(essence: &str) -> bool {
    matches!(essence, "text/plain" | "text/html")
        || ["image/", "audio/", "video/", "font/"].iter().any(|kind| essence.starts_with(kind))
}

/// The entry for a Content-Type: with equal parameters, then without them, then `+suffix`, `type/*`
/// and `*/*` ranges. A body without Content-Type belongs to the only entry, to
/// `application/octet-stream` or to `*/*`; other entries are not tried.
pub fn find_media<'c>(
    content: &'c [(String, Media)],
    content_type: Option<&str>,
) -> Option<(&'c str, &'c Media)> {
    let entry = |wanted: &dyn Fn(&str) -> bool| {
        content.iter().find(|(key, _)| wanted(key)).map(|(key, media)| (key.as_str(), media))
    };
    let Some(content_type) = content_type else {
        return match content {
            [(key, media)] => Some((key, media)),
            _ => entry(&|key| key == "application/octet-stream")
                .or_else(|| entry(&|key| key == "*/*")),
        };
    };
    let wanted = essence(content_type);
    let (kind, subtype) = wanted.split_once('/').unwrap_or((&wanted, ""));
    entry(&|key| same_with_parameters(key, content_type))
        .or_else(|| entry(&|key| key == wanted))
        .or_else(|| entry(&|key| essence(key) == wanted))
        .or_else(|| {
            let (_, suffix) = subtype.rsplit_once('+')?;
            entry(&|key| {
                essence(key).strip_prefix(kind).and_then(|k| k.strip_prefix("/*+")) == Some(suffix)
            })
        })
        .or_else(|| {
            entry(&|key| essence(key).strip_suffix("/*").is_some_and(|range| range == kind))
        })
        .or_else(|| entry(&|key| essence(key) == "*/*"))
}

fn same_with_parameters(key: &str, content_type: &str) -> bool {
    key.contains(';') && parts(key).eq(parts(content_type))
}

fn parts(content_type: &str) -> impl Iterator<Item = String> {
    content_type.split(';').map(|part| part.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry() {
        let content: Vec<(String, Media)> = [
            "*/*",
            "text/*",
            "application/*+json",
            "application/json",
            "application/json; charset=latin1",
            "text/plain; charset=utf-8",
        ]
        .map(|key| (key.to_owned(), Media::default()))
        .into();
        for (content_type, key) in [
            ("application/json", "application/json"),
            ("Application/JSON; charset=utf-8", "application/json"),
            ("application/json;charset=latin1", "application/json; charset=latin1"),
            ("application/problem+json", "application/*+json"),
            ("text/plain", "text/plain; charset=utf-8"),
            ("text/html", "text/*"),
            ("image/png", "*/*"),
        ] {
            let found = find_media(&content, Some(content_type)).map(|(key, _)| key);
            assert_eq!(found, Some(key), "{content_type}");
        }
        assert!(find_media(&content[1..], Some("image/png")).is_none());
        assert_eq!(find_media(&content[3..4], None).map(|(key, _)| key), Some("application/json"));
    }
}
