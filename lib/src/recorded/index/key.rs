//! Computes the keys of requests.

use twox_hash::XxHash3_64;

use super::{Recordings, View};
use crate::exchange::sorted_path;
use crate::recorded::body::{Comparable, content_type, readable};
use crate::recorded::lookup::Lookup;
use crate::recorded::redacted::values;
use crate::recorded::rule::BodyRule;

impl Recordings {
    /// The hash of everything that makes requests equal.
    pub(super) fn key(&self, lookup: &Lookup<'_>, view: View<'_>) -> u64 {
        let View { host, body: with_body } = view;
        let host = host.map(|(_, name)| name);
        let request = lookup.request;
        let mut bytes = Vec::with_capacity(256);
        let rule = &self.rule;
        bytes.push(u8::from(host.is_some()) << 1 | u8::from(with_body));
        if rule.method {
            bytes.extend_from_slice(lookup.method().as_bytes());
        }
        bytes.push(0);
        if rule.path {
            bytes.extend_from_slice(request.pathname.as_bytes());
        }
        if rule.query {
            bytes.push(b'?');
            if rule.ignored.query.is_empty() {
                bytes.extend_from_slice(sorted_path("", &request.query).as_bytes());
            } else {
                let mut query = request.query.clone();
                query.retain(|(name, _)| !rule.ignored.query.iter().any(|ignored| ignored == name));
                bytes.extend_from_slice(sorted_path("", &query).as_bytes());
            }
        }
        bytes.push(0);
        for name in rule.headers.iter().filter(|name| !rule.ignored.headers.contains(name)) {
            for value in values(&request.headers, name) {
                bytes.extend_from_slice(value.as_bytes());
                bytes.push(0);
            }
            bytes.push(0);
        }
        bytes.extend_from_slice(host.unwrap_or_default().as_bytes());
        bytes.push(0);
        if with_body && rule.body != BodyRule::Ignored && !request.body.is_empty() {
            let ignored: Vec<_> = rule.ignored.json.iter().collect();
            let body = readable(request);
            let body = Comparable::of(&body, content_type(request));
            body.write_key(&ignored, &mut bytes);
        }
        XxHash3_64::oneshot_with_seed(self.seed, &bytes)
    }

    pub(super) fn path_hash(&self, method: &str, pathname: &str) -> u64 {
        let bytes = [method, pathname].join(" ");
        XxHash3_64::oneshot_with_seed(self.seed, bytes.as_bytes())
    }

    /// The key of redacted requests: those with this method and path, or, if the path has a
    /// pseudonym, those with the same number of segments.
    pub(super) fn bucket(&self, lookup: &Lookup<'_>, path_is_redacted: bool) -> Vec<u8> {
        let pathname = &lookup.request.pathname;
        let mut bucket = Vec::new();
        if self.rule.method {
            bucket.extend_from_slice(lookup.method().as_bytes());
        }
        bucket.push(u8::from(path_is_redacted));
        if self.rule.path && path_is_redacted {
            bucket.extend_from_slice(&pathname.matches('/').count().to_le_bytes());
        } else if self.rule.path {
            bucket.extend_from_slice(pathname.as_bytes());
        }
        bucket
    }
}
