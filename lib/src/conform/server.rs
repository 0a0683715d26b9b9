//! Server objects: origin and base path.

use serde_json::Value;

use super::api::Server;
use crate::spec::Place;

/// The servers of a document, path item or operation; `None` without a list.
pub(super) fn servers(place: &Place<'_>) -> Option<Vec<Server>> {
    let list = place.get("servers").filter(|list| list.value.is_array())?;
    let servers: Vec<Server> = list.items().flat_map(|server| read(&server)).collect();
    // The specification treats an empty list as absent.
    (!servers.is_empty()).then_some(servers)
}

/// Maximum number of servers from one URL; more are a mistake.
const MAX_VARIANTS: usize = 256;

/// A server for each combination of its variables' values. A host variable without `enum` may have
/// any value, which is a `*` in the origin. A path variable only has its default.
fn read(server: &Place<'_>) -> Vec<Server> {
    let Some(url) = server.text("url") else { return Vec::new() };
    let mut urls = vec![url.to_owned()];
    for (name, variable) in server.get("variables").iter().flat_map(Place::members) {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let default = variable.value.get("default").map(text);
        let listed = variable.value.get("enum").and_then(Value::as_array);
        let mut values: Vec<String> = listed.into_iter().flatten().map(text).collect();
        if let Some(default) = default {
            // The default comes first, because messages show it.
            values.retain(|value| *value != default);
            values.insert(0, default);
        }
        let hole = format!("{{{name}}}");
        let in_host = host_of(url).is_some_and(|host| host.contains(&hole));
        if in_host && listed.is_none() {
            values.push("*".to_owned());
        }
        if values.is_empty() {
            continue;
        }
        urls = urls
            .iter()
            .flat_map(|url| values.iter().map(|value| url.replace(&hole, value)))
            .take(MAX_VARIANTS)
            .collect();
    }
    urls.iter().map(|url| parse(url)).collect()
}

/// Host and port of a URL.
fn host_of(url: &str) -> Option<&str> {
    url.split_once("://").and_then(|(_, rest)| rest.split('/').next())
}

impl Server {
    /// True if a request to `origin` may be for this server.
    pub(super) fn is_at(&self, origin: &str) -> bool {
        let Some(own) = &self.origin else { return true };
        own == origin || own.contains('*') && matches(own, origin)
    }
}

/// `*` matches one or more characters of a host.
fn matches(pattern: &str, origin: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == origin };
    let Some(origin) = origin.strip_prefix(before) else { return false };
    let ends = origin.char_indices().skip(1).map(|(at, _)| at).chain([origin.len()]);
    ends.filter(|end| *end > 0)
        .take_while(|end| !origin[..*end].contains('/'))
        .any(|end| matches(rest, &origin[end..]))
}

/// Splits a server URL into origin and base path.
fn parse(url: &str) -> Server {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (origin, path) = match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(normal_origin(&format!("{scheme}://{host}"))), path)
        }
        None => (None, url),
    };
    let path = path.trim_matches('/');
    let base_path = if path.is_empty() { String::new() } else { format!("/{path}") };
    Server { origin, base_path }
}

/// An origin in lower case, without user-info and default port.
pub(super) fn normal_origin(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let Some((scheme, authority)) = origin.split_once("://") else { return origin };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = if default.is_empty() { host } else { host.strip_suffix(default).unwrap_or(host) };
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn urls_of_all_kinds() {
        let root = json!({"servers": [
            {"url": "https://API.example.com:443/v1/"},
            {"url": "/v2"},
            {"url": "/"},
            {"url": "{scheme}://h:{port}/x", "variables": {"scheme": {"default": "http"}, "port": {"default": 8080}}},
        ]});
        let found = servers(&Place::root(&root)).expect("servers");
        let expected = [
            (Some("https://api.example.com"), "/v1"),
            (None, "/v2"),
            (None, ""),
            (Some("http://h:8080"), "/x"),
        ];
        for (server, (origin, base)) in found.iter().zip(expected) {
            assert_eq!((server.origin.as_deref(), server.base_path.as_str()), (origin, base));
        }
        assert!(servers(&Place::root(&json!({"servers": []}))).is_none());
    }

    #[test]
    fn variables_have_all_their_values() {
        let root = json!({"servers": [{"url": "https://{tenant}.a.test:{port}/{version}", "variables": {
            "tenant": {"default": "demo"}, "port": {"default": "443", "enum": ["443", "8443"]},
            "version": {"default": "v2", "enum": ["v1", "v2"]}}}]});
        let found = servers(&Place::root(&root)).expect("servers");
        let shown: Vec<String> = found
            .iter()
            .map(|server| {
                format!("{}{}", server.origin.as_deref().unwrap_or_default(), server.base_path)
            })
            .collect();
        assert_eq!(shown.len(), 8);
        assert_eq!(shown[0], "https://demo.a.test/v2");
        assert!(
            found
                .iter()
                .any(|server| server.is_at("https://acme.a.test") && server.base_path == "/v1")
        );
        assert!(found.iter().any(|server| server.is_at("https://acme.a.test:8443")));
        assert!(!found.iter().any(|server| server.is_at("https://acme.b.test")));
        assert!(!found.iter().any(|server| server.is_at("https://.a.test")));
    }
}
