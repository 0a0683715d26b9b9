//! Explaining a miss: the recorded request that comes nearest, and in what it differs.

use crate::exchange::{Method, Request, sorted_path};

use super::index::Recordings;

/// How many recordings a miss is compared with: an explanation is no reason to be slow.
const COMPARED: usize = 50_000;

/// A recorded request, as far as an explanation needs it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    method: Method,
    host: String,
    pathname: String,
    /// The sorted query with its `?`, or nothing.
    query: String,
}

impl Known {
    pub(super) fn of(request: &Request<'_>, host: &str) -> Self {
        Known {
            method: request.method,
            host: host.to_owned(),
            pathname: request.pathname.as_ref().to_owned(),
            query: sorted_path("", &request.query),
        }
    }

    /// The greater, the nearer. The path has most to say, then the query, then method and host.
    fn nearness(&self, asked: &Known, host_counts: bool) -> (bool, usize, bool, bool, bool) {
        let shared =
            |a: &str, b: &str| a.split('/').zip(b.split('/')).filter(|(a, b)| a == b).count();
        (
            self.pathname == asked.pathname,
            shared(&self.pathname, &asked.pathname),
            self.method == asked.method,
            !host_counts || self.host == asked.host,
            self.query == asked.query,
        )
    }

    fn describe(&self) -> String {
        format!("{} {}{}{}", method_name(self.method), self.host, self.pathname, self.query)
    }
}

impl Recordings {
    /// A sentence on why a request found no recording: which one comes nearest, and what differs.
    pub fn explain_miss(&self, request: &Request<'_>, host_counts: bool) -> String {
        let asked = Known::of(request, &request.host.to_ascii_lowercase());
        let host_counts = host_counts && self.rule().host;
        let nearest = self
            .known
            .iter()
            .take(COMPARED)
            .rev()
            .max_by_key(|known| known.nearness(&asked, host_counts));
        let Some(nearest) = nearest else {
            return "there are no recordings".to_owned();
        };
        let mut differences = Vec::new();
        let mut differ = |what: &str, recorded: &str, asked: &str| {
            if recorded != asked {
                differences.push(format!("{what} (recorded {recorded:?}, asked {asked:?})"));
            }
        };
        if self.rule().method {
            differ("method", &method_name(nearest.method), &method_name(asked.method));
        }
        if host_counts {
            differ("host", &nearest.host, &asked.host);
        }
        if self.rule().path {
            differ("path", &nearest.pathname, &asked.pathname);
        }
        if self.rule().query {
            differ("query", &nearest.query, &asked.query);
        }
        if differences.is_empty() {
            differences.push("body or matched headers".to_owned());
        }
        format!(
            "the nearest recording is {}; it differs in {}",
            nearest.describe(),
            differences.join(", ")
        )
    }
}

fn method_name(method: Method) -> String {
    method.as_str().to_ascii_uppercase()
}
