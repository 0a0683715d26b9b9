//! Selects exchanges by patterns on hosts, and on `METHOD host/path`.

use super::model::Request;
use super::pattern::Pattern;

/// A selection of exchanges; the default selects all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Patterns on the host, with or without its port; one must match.
    pub hosts: Vec<Pattern>,
    /// Patterns on `METHOD host/path`; one must match.
    pub include: Vec<Pattern>,
    /// Patterns on `METHOD host/path`; none may match.
    pub exclude: Vec<Pattern>,
}

impl Selection {
    /// True if everything is selected.
    pub fn is_all(&self) -> bool {
        self.hosts.is_empty() && self.include.is_empty() && self.exclude.is_empty()
    }

    /// True if an exchange with this request is selected. The query is ignored.
    pub fn takes(&self, request: &Request<'_>) -> bool {
        self.takes_named(request.method.as_str(), &request.host, &request.pathname)
    }

    /// The same for the parts of a request.
    pub fn takes_named(&self, method: &str, host: &str, pathname: &str) -> bool {
        if self.is_all() {
            return true;
        }
        // An IPv6 address has colons inside its brackets.
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        if !self.hosts.is_empty()
            && !self.hosts.iter().any(|pattern| pattern.matches(host) || pattern.matches(name))
        {
            return false;
        }
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        let text = format!("{method} {host}{pathname}");
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&text));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Method;

    fn patterns(all: &[&str]) -> Vec<Pattern> {
        all.iter().map(|text| text.parse().expect("any text is a pattern")).collect()
    }

    #[test]
    fn hosts_methods_and_paths() {
        let request = Request {
            method: Method::Get,
            host: "api.example.com:8080".into(),
            pathname: "/users/7".into(),
            ..Request::default()
        };
        for (hosts, include, exclude, taken) in [
            (&[][..], &[][..], &[][..], true),
            (&["api.example.com"], &[], &[], true),
            (&["*.example.com:8080"], &[], &[], true),
            (&["example.com"], &[], &[], false),
            (&[], &["GET *"], &[], true),
            (&[], &["get api.example.com:8080/users/*"], &[], true),
            (&[], &["* */users/?"], &["* */users/8"], true),
            (&[], &["POST *"], &[], false),
            (&[], &[], &["*/users/*"], false),
            (&["*"], &["*"], &["GET *"], false),
        ] {
            let selection = Selection {
                hosts: patterns(hosts),
                include: patterns(include),
                exclude: patterns(exclude),
            };
            assert_eq!(selection.takes(&request), taken, "{selection:?}");
        }
    }
}
