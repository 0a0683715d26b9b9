//! What must be equal for two requests to be the same.

use std::str::FromStr;

/// The parts of a request that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRule {
    /// The method.
    pub method: bool,
    /// The path without query.
    pub path: bool,
    /// The query, in any order.
    pub query: bool,
    /// The body.
    pub body: BodyRule,
    /// The host, where the routing names one.
    pub host: bool,
    /// Headers, by their lower-case names.
    pub headers: Vec<String>,
}

/// How bodies are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// Not at all.
    Ignored,
    /// A recording with an equal body goes first; if there is none, one with any body will do.
    Preferred,
    /// Only an equal body will do.
    Required,
}

/// Whether the host of a request has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// The request names the host that it means: recordings of that host, and those that tell no host.
    Same,
    /// Plain routing: recordings of any host.
    Any,
}

impl Default for MatchRule {
    /// Method, host, path and query, and the body where an equal one was recorded.
    fn default() -> Self {
        MatchRule {
            method: true,
            path: true,
            query: true,
            body: BodyRule::Preferred,
            host: true,
            headers: Vec::new(),
        }
    }
}

/// A field that `--match` does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} cannot be matched: write method, path, query, body, host or header:NAME")]
pub struct WrongMatchField(String);

impl FromStr for MatchRule {
    type Err = WrongMatchField;

    /// `method,path,query,body,host,header:NAME`: exactly what is listed is compared.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rule = MatchRule {
            method: false,
            path: false,
            query: false,
            body: BodyRule::Ignored,
            host: false,
            headers: Vec::new(),
        };
        for field in text.split(',').map(str::trim) {
            match field {
                "method" => rule.method = true,
                "path" => rule.path = true,
                "query" => rule.query = true,
                "body" => rule.body = BodyRule::Required,
                "host" => rule.host = true,
                _ => match field.strip_prefix("header:") {
                    Some(name) if !name.is_empty() => rule.headers.push(name.to_ascii_lowercase()),
                    _ => return Err(WrongMatchField(field.to_owned())),
                },
            }
        }
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_and_names_a_wrong_one() {
        let rule: MatchRule = "method,path,header:X-Id".parse().unwrap();
        assert_eq!(rule.headers, ["x-id"]);
        assert!(rule.method && rule.path && !rule.query && !rule.host);
        let error = "method,colour".parse::<MatchRule>().unwrap_err();
        assert!(error.to_string().contains("\"colour\""));
    }
}
