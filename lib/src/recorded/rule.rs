//! Which parts of two requests must be equal.

use std::str::FromStr;

use super::pointer::{NotAPointer, Pointer};

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
    /// The host, if the routing determines one.
    pub host: bool,
    /// Headers, by their lower-case names.
    pub headers: Vec<String>,
    /// The ignored places in these parts.
    pub ignored: Ignored,
}

/// How bodies are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// Not at all.
    Ignored,
    /// A recording with an equal body is preferred; otherwise any body matches.
    Preferred,
    /// Only an equal body matches.
    Required,
}

/// Whether the host of a request is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// The request names its host: recordings of that host match, and those without a host.
    Same,
    /// Plain routing: recordings of any host match.
    Any,
}

/// The parts that may differ between two equal requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Names of query parameters.
    pub query: Vec<String>,
    /// Places in JSON bodies.
    pub json: Vec<Pointer>,
    /// Lower-case names of headers.
    pub headers: Vec<String>,
    /// Whether a request without a credential matches a recording whose request had one.
    pub credentials: bool,
}

/// One allowed difference, as users write it: `query:NAME`, `json:/POINTER`, `header:NAME` or
/// `credentials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// A query parameter.
    Query(String),
    /// A location in JSON bodies.
    Json(Pointer),
    /// A header, by its lower-case name.
    Header(String),
    /// The presence of a credential.
    Credentials,
}

impl Default for MatchRule {
    /// Method, host, path and query, and the body if an equal one was recorded.
    fn default() -> Self {
        MatchRule {
            method: true,
            path: true,
            query: true,
            body: BodyRule::Preferred,
            host: true,
            headers: Vec::new(),
            ignored: Ignored::default(),
        }
    }
}

impl Extend<Ignore> for Ignored {
    fn extend<T: IntoIterator<Item = Ignore>>(&mut self, all: T) {
        for ignore in all {
            match ignore {
                Ignore::Query(name) => self.query.push(name),
                Ignore::Json(pointer) => self.json.push(pointer),
                Ignore::Header(name) => self.headers.push(name),
                Ignore::Credentials => self.credentials = true,
            }
        }
    }
}

/// An unknown field of `--match` or `--ignore`.
#[derive(Debug, thiserror::Error)]
pub enum WrongMatchField {
    /// In `--match`.
    #[error("{0:?} cannot be matched; write method, path, query, body, host or header:NAME")]
    Match(String),
    /// In `--ignore`.
    #[error("{0:?} cannot be ignored; write query:NAME, json:/POINTER, header:NAME or credentials")]
    Ignore(String),
    /// An invalid pointer in `--ignore`.
    #[error(transparent)]
    Pointer(#[from] NotAPointer),
}

impl FromStr for MatchRule {
    type Err = WrongMatchField;

    /// `method,path,query,body,host,header:NAME`: exactly the listed parts are compared.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rule = MatchRule {
            method: false,
            path: false,
            query: false,
            body: BodyRule::Ignored,
            host: false,
            headers: Vec::new(),
            ignored: Ignored::default(),
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
                    _ => return Err(WrongMatchField::Match(field.to_owned())),
                },
            }
        }
        Ok(rule)
    }
}

impl FromStr for Ignore {
    type Err = WrongMatchField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || WrongMatchField::Ignore(text.to_owned());
        if text == "credentials" {
            return Ok(Ignore::Credentials);
        }
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "json" => Ok(Ignore::Json(name.parse()?)),
            "query" if !name.is_empty() => Ok(Ignore::Query(name.to_owned())),
            "header" if !name.is_empty() => Ok(Ignore::Header(name.to_ascii_lowercase())),
            _ => Err(wrong()),
        }
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

    #[test]
    fn reads_what_to_ignore() {
        assert_eq!("query:ts".parse::<Ignore>().unwrap(), Ignore::Query("ts".to_owned()));
        assert_eq!("header:X-Id".parse::<Ignore>().unwrap(), Ignore::Header("x-id".to_owned()));
        assert_eq!("credentials".parse::<Ignore>().unwrap(), Ignore::Credentials);
        assert!(matches!("json:/a/*".parse::<Ignore>().unwrap(), Ignore::Json(_)));
        for wrong in ["", "query:", "header:", "json:a", "colour:red", "body"] {
            assert!(wrong.parse::<Ignore>().is_err(), "{wrong}");
        }
    }
}
