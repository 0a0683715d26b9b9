//! Queries: parsed, sorted, and as they were on the wire.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::pairs::Pairs;

/// Bytes that are escaped in a query name or value: those outside RFC 3986 `query`, the delimiters
/// of `name=value&…`, and `+`, which forms decode as a space.
pub(super) const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'%')
    .add(b'&')
    .add(b'=')
    .add(b'+');

/// The path with its query, whose pairs are sorted by name, then by value.
pub fn sorted_path(pathname: &str, query: &Pairs<'_>) -> String {
    let mut pairs: Vec<(&str, &str)> =
        query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    pairs.sort_unstable();
    let mut path = pathname.to_owned();
    push_query(&mut path, pairs.into_iter());
    path
}

/// The path with its query as on the wire. If `wire` is unknown or differs from `query`, for
/// instance because a secret was replaced, the escaped `query` is used.
pub fn wire_path<'p>(pathname: &'p str, query: &Pairs<'_>, wire: Option<&str>) -> Cow<'p, str> {
    let as_texts = |(name, value): &'_ (Cow<'_, str>, Cow<'_, str>)| -> (String, String) {
        (name.as_ref().to_owned(), value.as_ref().to_owned())
    };
    let Some(wire) = wire else {
        if query.is_empty() {
            return Cow::Borrowed(pathname);
        }
        let mut path = pathname.to_owned();
        push_query(&mut path, query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        return Cow::Owned(path);
    };
    let mut path = String::with_capacity(pathname.len() + 1 + wire.len());
    path.push_str(pathname);
    path.push('?');
    let start = path.len();
    if parse_query(wire) == *query {
        path.push_str(wire);
        return Cow::Owned(path);
    }
    // The order of the pairs may differ, because a JSON object keeps the values of one name
    // together.
    let mut left: Vec<Option<(String, String)>> =
        query.iter().map(|pair| Some(as_texts(pair))).collect();
    let push = |path: &mut String, piece: &mut dyn Iterator<Item = &str>| {
        if path.len() > start {
            path.push('&');
        }
        path.extend(piece);
    };
    for piece in wire.split('&') {
        let Some((name, value)) = parse_query(piece).pop() else {
            // An empty piece is not a pair.
            push(&mut path, &mut std::iter::once(piece));
            continue;
        };
        let same = |pair: &&mut Option<(String, String)>| {
            pair.as_ref().is_some_and(|(known, _)| *known == name)
        };
        let Some((name, known)) = left.iter_mut().find(same).and_then(Option::take) else {
            continue;
        };
        if known == value {
            push(&mut path, &mut std::iter::once(piece));
        } else {
            let escaped = utf8_percent_encode(&name, QUERY)
                .chain(std::iter::once("="))
                .chain(utf8_percent_encode(&known, QUERY));
            push(&mut path, &mut { escaped });
        }
    }
    for (name, value) in left.iter().flatten() {
        let escaped = utf8_percent_encode(name, QUERY)
            .chain(std::iter::once("="))
            .chain(utf8_percent_encode(value, QUERY));
        push(&mut path, &mut { escaped });
    }
    Cow::Owned(path)
}

fn push_query<'q>(path: &mut String, pairs: impl Iterator<Item = (&'q str, &'q str)>) {
    for (index, (name, value)) in pairs.enumerate() {
        path.push(if index == 0 { '?' } else { '&' });
        path.extend(utf8_percent_encode(name, QUERY));
        path.push('=');
        path.extend(utf8_percent_encode(value, QUERY));
    }
}

/// Splits a query string into decoded pairs, as forms do (`+` is a space). Escapes of invalid UTF-8
/// stay as they are, so that different queries stay different.
pub fn parse_query(query: &str) -> Pairs<'_> {
    let mut pairs: Pairs<'_> = form_urlencoded::parse(query.as_bytes()).collect();
    let damaged = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if pairs.iter().any(|(name, value)| damaged(name) || damaged(value)) {
        let pieces = query.split('&').filter(|piece| !piece.is_empty());
        for (pair, piece) in pairs.iter_mut().zip(pieces) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            *pair = (decode_valid(name).into(), decode_valid(value).into());
        }
    }
    pairs
}

/// Decodes a name or value of a form, except escapes of invalid UTF-8.
fn decode_valid(text: &str) -> String {
    let text = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&text).collect();
    let mut decoded = String::with_capacity(text.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(decoded, "%{byte:02X}");
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_sorted_and_escaped() {
        let query = parse_query("b=2&a=x+y&a=%26");
        assert_eq!(sorted_path("/p", &query), "/p?a=%26&a=x%20y&b=2");
        assert_eq!(wire_path("/p", &query, None), "/p?b=2&a=x%20y&a=%26");
        assert_eq!(wire_path("/p", &Pairs::new(), None), "/p");
    }

    #[test]
    fn the_query_on_the_wire_is_kept() {
        for wire in ["", "x", "a=1&&b", "q=%E9", "a+b=%2f;c", "a=1&b=2&a=3", "é=1", "=", "&"] {
            let path = wire_path("/p", &parse_query(wire), Some(wire)).into_owned();
            assert_eq!(path, format!("/p?{wire}"));
        }
        // A JSON object keeps the values of one name together, and a secret was replaced.
        let query = parse_query("a=1&a=3&token=hidden&b=%2f");
        let path = wire_path("/p", &query, Some("a=1&token=s%33cret&b=%2f&a=3"));
        assert_eq!(path, "/p?a=1&token=hidden&b=%2f&a=3");
        assert_eq!(wire_path("/p", &parse_query("b=%20"), Some("")), "/p?b=%20");
    }

    #[test]
    fn bytes_that_are_no_text_stay_different() {
        let query = parse_query("q=%E9&r=%C3%A9+&s=%EF%BF%BD&%FF");
        let expected = [("q", "%E9"), ("r", "é "), ("s", "\u{fffd}"), ("%FF", "")];
        assert_eq!(query, expected.map(|(name, value)| (name.into(), value.into())));
    }
}
