//! Server objects: origin and base path.

use serde_json::Value;

use super::api::Server;
use crate::spec::Place;

/// The servers of a document, path item or operation; `None` where it has no list.
pub(super) fn servers(place: &Place<'_>) -> Option<Vec<Server>> {
    let list = place.get("servers").filter(|list| list.value.is_array())?;
    let servers: Vec<Server> = list.items().filter_map(|server| read(&server)).collect();
    // An empty list is the same as none, says the specification.
    (!servers.is_empty()).then_some(servers)
}

fn read(server: &Place<'_>) -> Option<Server> {
    let mut url = server.text("url")?.to_owned();
    for (name, variable) in server.get("variables").iter().flat_map(Place::members) {
        let default = match variable.value.get("default") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => continue,
        };
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    Some(parse(&url))
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

/// An origin in lower case, without user-info and the scheme's default port.
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
}
