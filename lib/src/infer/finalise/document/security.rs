//! Security: the credentials that operations require, from those in successful requests.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{APIKeyLocation, Parameter, SecurityRequirement, SecurityScheme};

use crate::infer::finalise::words::split::words;
use crate::infer::state::ObservedOperation;

/// A scheme as named in the state: `bearer`, `header x-api-key`.
type SchemeKey = String;

/// The schemes of a document.
#[derive(Debug, Default)]
pub(crate) struct Security {
    /// The name of each scheme that some operation requires.
    names: BTreeMap<SchemeKey, String>,
    /// Proven schemes: a server refused a request without the scheme, and accepted it with the
    /// scheme.
    proven: BTreeSet<SchemeKey>,
    /// Some bearer tokens are not JSON Web Tokens, or this is unknown.
    opaque: bool,
}

/// The requirements of an operation.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    security: Vec<SecurityRequirement>,
    /// Query parameters that are schemes.
    keys: BTreeSet<String>,
}

impl Security {
    /// Learns from all operations of a document.
    pub(crate) fn learn<'o>(
        operations: impl Iterator<Item = &'o ObservedOperation> + Clone,
    ) -> Security {
        let mut security = Security::default();
        for operation in operations.clone() {
            let sets = operation.ok.credentials.iter();
            let brought: BTreeSet<SchemeKey> = sets.flat_map(|(key, _)| schemes(key)).collect();
            security.opaque |= brought.contains("bearer");
            let refused: Vec<_> = operation.refused.iter().map(|(key, _)| schemes(key)).collect();
            let is_missed = |scheme: &SchemeKey| refused.iter().any(|set| !set.contains(scheme));
            security.proven.extend(brought.into_iter().filter(is_missed));
        }
        let asked: BTreeSet<SchemeKey> =
            operations.flat_map(|operation| security.alternatives(operation)).flatten().collect();
        for scheme in asked {
            let taken = |name: &String| security.names.values().any(|other| other == name);
            let longer = name(&scheme, true);
            let numbered = (2u32..).map(|number| format!("{longer}{number}"));
            // A key in the query has the longer name even if it is the only one, because a spec of
            // other traffic may have the header.
            let short = name(&scheme, scheme.starts_with("query "));
            let all = [short, longer.clone()].into_iter().chain(numbered);
            let free = all.into_iter().find(|name| !taken(name)).unwrap_or_default();
            security.names.insert(scheme, free);
        }
        security
    }

    /// `components.securitySchemes`, by name.
    pub(crate) fn schemes(&self) -> BTreeMap<String, SecurityScheme> {
        self.names.iter().map(|(scheme, name)| (name.clone(), definition(scheme))).collect()
    }

    /// The requirements of an operation.
    pub(crate) fn of(&self, operation: &ObservedOperation) -> Requirements {
        let alternatives = self.alternatives(operation);
        if alternatives.iter().all(BTreeSet::is_empty) {
            return Requirements::default();
        }
        let keys = alternatives
            .iter()
            .flatten()
            .filter_map(|scheme| scheme.strip_prefix("query "))
            .map(str::to_owned)
            .collect();
        let requirement = |all: &BTreeSet<SchemeKey>| {
            let names: BTreeSet<&String> =
                all.iter().filter_map(|scheme| self.names.get(scheme)).collect();
            names.into_iter().map(|name| (name.clone(), Vec::new())).collect()
        };
        let mut security: Vec<SecurityRequirement> = alternatives.iter().map(requirement).collect();
        // In the sort order of merged specs, which compare their JSON.
        security.sort_by_cached_key(|all| serde_json::to_string(all).unwrap_or_default());
        Requirements { security, keys }
    }

    /// The minimal sets of credentials in successful requests: each request had all of one set. If
    /// some had none, the empty set is included.
    fn alternatives(&self, operation: &ObservedOperation) -> BTreeSet<BTreeSet<SchemeKey>> {
        let ok = &operation.ok;
        let mut sets: BTreeSet<BTreeSet<SchemeKey>> = BTreeSet::new();
        let mut counted = 0u64;
        for (key, count) in ok.credentials.iter() {
            counted = counted.saturating_add(count.0);
            let told = |scheme: SchemeKey| {
                if scheme == "jwt" && self.opaque { "bearer".to_owned() } else { scheme }
            };
            let trusted = schemes(key).into_iter().filter(|scheme| self.is_trusted(scheme));
            sets.insert(trusted.map(told).collect());
        }
        if counted < ok.n {
            sets.insert(BTreeSet::new());
        }
        let least = |set: &&BTreeSet<SchemeKey>| {
            set.is_empty()
                || !sets.iter().any(|other| {
                    !other.is_empty() && other.len() < set.len() && other.is_subset(set)
                })
        };
        sets.iter().filter(least).cloned().collect()
    }

    /// Cookies are sent with every request, and some names are ambiguous: only a refusal without
    /// them proves that they are credentials.
    fn is_trusted(&self, scheme: &str) -> bool {
        let doubtful = scheme.starts_with("cookie ")
            || scheme.eq_ignore_ascii_case("query key")
            || scheme.eq_ignore_ascii_case("query token")
            || scheme.strip_prefix("header ").is_some_and(|name| name.contains("session"));
        !doubtful || self.proven.contains(scheme)
    }
}

impl Requirements {
    /// The operation's `security`.
    pub(crate) fn security(self) -> Option<Vec<SecurityRequirement>> {
        (!self.security.is_empty()).then_some(self.security)
    }

    /// True for a parameter object that is one of the schemes.
    pub(crate) fn is_key(&self, parameter: &Parameter) -> bool {
        match parameter {
            Parameter::Query { parameter_data, .. } => self.keys.contains(&parameter_data.name),
            _ => false,
        }
    }
}

/// The schemes of a set.
fn schemes(key: &str) -> BTreeSet<SchemeKey> {
    key.lines().map(str::to_owned).collect()
}

/// `apiKey` for `header x-api-key`; with the location `apiKeyHeader`.
fn name(scheme: &str, with_place: bool) -> String {
    let (kind, of) = scheme.split_once(' ').unwrap_or((scheme, ""));
    let camel = |name: &str, end: &str| {
        let mut all = String::new();
        let mut own: Vec<String> = words(name).into_iter().filter(|w| w.is_ascii()).collect();
        if own.len() > 1 && own[0] == "x" {
            own.remove(0);
        }
        if with_place || own.is_empty() || matches!(end, "cookie" | "auth") {
            own.push(end.to_owned());
        }
        for (at, word) in own.into_iter().enumerate() {
            let mut chars = word.chars();
            if at > 0 {
                all.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            }
            all.push_str(chars.as_str());
        }
        all
    };
    match kind {
        "header" => camel(of, "header"),
        "query" => camel(of, "query"),
        "cookie" => camel(of, "cookie"),
        "http" => camel(of, "auth"),
        other => camel(other, "auth"),
    }
}

fn definition(scheme: &str) -> SecurityScheme {
    let http = |scheme: &str, format: Option<&str>| SecurityScheme::HTTP {
        scheme: scheme.to_owned(),
        bearer_format: format.map(str::to_owned),
        description: None,
        extensions: [].into_iter().collect(),
    };
    match scheme.split_once(' ') {
        Some(("http", name)) => http(name, None),
        Some((place, name)) => SecurityScheme::APIKey {
            location: match place {
                "query" => APIKeyLocation::Query,
                "cookie" => APIKeyLocation::Cookie,
                _ => APIKeyLocation::Header,
            },
            name: name.to_owned(),
            description: None,
            extensions: [].into_iter().collect(),
        },
        None if scheme == "jwt" => http("bearer", Some("JWT")),
        None => http(scheme, None),
    }
}
