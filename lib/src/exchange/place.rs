//! Combines the fields that say where a request goes: `url`, `path`, `pathname`, `query`, `host`
//! and the Host header overlap, and a line may have any of them.

use std::borrow::Cow;

use super::model::Protocol;
use super::pairs::Pairs;
use super::query::parse_query;

/// Protocol, host, path and query, as far as a line has them.
#[derive(Debug, PartialEq)]
pub(crate) struct RequestTarget<'a> {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) host: Cow<'a, str>,
    pub(crate) pathname: Cow<'a, str>,
    pub(crate) query: Pairs<'a>,
    pub(crate) wire_query: Option<Cow<'a, str>>,
}

/// Combines the fields. The first of these counts: for the host `host`, `url`, Host header; for the
/// path `pathname`, `path`, `url`; for the query `query` unless it is empty, then the part after
/// `?` in any of them.
pub(crate) fn place<'a>(
    url: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    pathname: Option<Cow<'a, str>>,
    host: Option<Cow<'a, str>>,
    query: Pairs<'a>,
    headers: &Pairs<'a>,
) -> RequestTarget<'a> {
    // HMT writes a plain `pathname` and an object `query`; the other cases are lines of other
    // tools.
    let mut protocol = None;
    let mut url_host = None;
    let mut url_target = None;
    if let Some(url) = url {
        let (found, authority, target) = split_url(url);
        protocol = found;
        url_host = authority;
        url_target = Some(target);
    }
    // A path in absolute form, as a proxy sees it, is a URL.
    let path = path.map(|path| match is_absolute(&path) {
        true => {
            let (found, authority, target) = split_url(path);
            protocol = protocol.or(found);
            url_host = url_host.take().or(authority);
            target
        }
        false => path,
    });
    let mut found_path = None;
    let mut found_query = None;
    for target in [pathname, path, url_target].into_iter().flatten() {
        if found_path.is_some() && found_query.is_some() {
            break;
        }
        let (before, behind) = split_query(target);
        found_path = found_path.or(Some(before));
        found_query = found_query.or(behind);
    }
    let query = match &found_query {
        Some(Cow::Borrowed(text)) if query.is_empty() => parse_query(text),
        Some(Cow::Owned(text)) if query.is_empty() => parse_query(text)
            .into_iter()
            .map(|(name, value)| (name.into_owned().into(), value.into_owned().into()))
            .collect(),
        _ => query,
    };
    let host = host
        .filter(|host| !host.is_empty())
        .or(url_host)
        .or_else(|| {
            let named = headers.iter().find(|(name, _)| name == "host");
            named.map(|(_, value)| value.clone())
        })
        .unwrap_or_default();
    RequestTarget {
        protocol,
        host: lower(host),
        pathname: rooted(found_path.unwrap_or_default()),
        query,
        wire_query: found_query,
    }
}

/// Splits an absolute URL; otherwise, all of it is the target.
fn split_url(url: Cow<'_, str>) -> (Option<Protocol>, Option<Cow<'_, str>>, Cow<'_, str>) {
    let Some(scheme_end) = url.find("://") else {
        // `//host/path` has no scheme of its own.
        if url.starts_with("//") {
            let (authority, target) = split_authority(&url, 2);
            return (None, authority, target);
        }
        return (None, None, url);
    };
    let protocol = match url[..scheme_end].to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(Protocol::Http),
        "https" | "wss" => Some(Protocol::Https),
        _ => return (None, None, url),
    };
    let (authority, target) = split_authority(&url, scheme_end + 3);
    (protocol, authority, target)
}

fn split_authority<'u>(url: &Cow<'u, str>, start: usize) -> (Option<Cow<'u, str>>, Cow<'u, str>) {
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |length| start + length);
    // User-info is not part of the host, and is a secret.
    let host = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let authority = slice(url, host, end);
    let target = slice(url, end, url.len());
    (Some(authority).filter(|authority| !authority.is_empty()), target)
}

/// Splits path and query; a fragment is never sent over the wire.
fn split_query(target: Cow<'_, str>) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    // Most targets have neither.
    if memchr::memchr2(b'#', b'?', target.as_bytes()).is_none() {
        return (target, None);
    }
    let end = target.find('#').unwrap_or(target.len());
    match target[..end].find('?') {
        None if end == target.len() => (target, None),
        None => (slice(&target, 0, end), None),
        Some(mark) => (slice(&target, 0, mark), Some(slice(&target, mark + 1, end))),
    }
}

/// A part of the text. It is borrowed if the whole text is.
fn slice<'a>(text: &Cow<'a, str>, start: usize, end: usize) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(text) => Cow::Owned(text[start..end].to_owned()),
    }
}

fn is_absolute(path: &str) -> bool {
    if path.starts_with('/') {
        return false;
    }
    let scheme = path.split("://").next().unwrap_or_default();
    scheme.len() < path.len()
        && ["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn lower(mut host: Cow<'_, str>) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_mut().make_ascii_lowercase();
    }
    host
}

fn rooted(path: Cow<'_, str>) -> Cow<'_, str> {
    if path.starts_with('/') {
        path
    } else if path.is_empty() {
        Cow::Borrowed("/")
    } else {
        Cow::Owned(format!("/{path}"))
    }
}
