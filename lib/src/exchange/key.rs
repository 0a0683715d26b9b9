//! The parts of a request that name it: origin, and path with sorted query.
//!
//! The builder writes these into `x-hmt-replay` and the mock looks requests up by them, so both
//! take them from here.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::model::{Pairs, Request};

/// Bytes escaped in a query name or value: RFC 3986 `query` without the delimiters of the
/// `name=value&…` form, and `+`, which forms read as a blank.
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

/// `protocol://host`, or an empty string where the request names no host.
pub fn origin(request: &Request<'_>) -> String {
    let mut origin = String::new();
    push_origin(request, &mut origin);
    origin
}

/// Appends what [`origin`] gives.
pub(crate) fn push_origin(request: &Request<'_>, origin: &mut String) {
    if !request.host.is_empty() {
        origin.push_str(request.protocol.as_str());
        origin.push_str("://");
        origin.push_str(&request.host);
    }
}

/// The path with its query, whose pairs are sorted by name, then by value.
pub fn sorted_path(pathname: &str, query: &Pairs<'_>) -> String {
    let mut pairs: Vec<(&str, &str)> =
        query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    pairs.sort_unstable();
    let mut path = pathname.to_owned();
    push_query(&mut path, pairs.into_iter());
    path
}

/// The path with its query in the order given, escaped alike.
pub fn wire_path<'p>(pathname: &'p str, query: &Pairs<'_>) -> Cow<'p, str> {
    if query.is_empty() {
        return Cow::Borrowed(pathname);
    }
    let mut path = pathname.to_owned();
    push_query(&mut path, query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
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

/// Splits a query string into decoded pairs, as forms read it (`+` is a blank).
pub fn parse_query(query: &str) -> Pairs<'_> {
    form_urlencoded::parse(query.as_bytes()).collect::<Vec<(Cow<'_, str>, Cow<'_, str>)>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_sorted_and_escaped() {
        let query = parse_query("b=2&a=x+y&a=%26");
        assert_eq!(sorted_path("/p", &query), "/p?a=%26&a=x%20y&b=2");
        assert_eq!(wire_path("/p", &query), "/p?b=2&a=x%20y&a=%26");
        assert_eq!(wire_path("/p", &Pairs::new()), "/p");
    }
}
