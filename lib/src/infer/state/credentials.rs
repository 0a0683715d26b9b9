//! Which credentials requests had: the names of schemes, never a value.

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::key_names::{is_key_of_query, names_a_key, names_a_session};
use crate::exchange::{Request, is_pseudonym};
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, add};

/// A number of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Count(pub(crate) u64);

impl Merge for Count {
    fn coarsen(&mut self, _: &Limits) {}

    fn merge(&mut self, other: Self, _: &Limits) {
        add(&mut self.0, other.0);
    }
}

/// Requests by their set of credentials.
///
/// A key lists the schemes of a set in byte order, each followed by a line feed: `bearer`, `jwt` (a
/// bearer token of that form), `basic`, `http NAME`, `header NAME`, `query NAME`, `cookie NAME`.
/// The empty key stands for requests without credentials.
pub(crate) type CredentialSets = CappedMap<Count>;

/// Counts the credentials of a request; without credentials, only if `bare` is true.
pub(crate) fn fold_credentials(
    into: &mut CredentialSets,
    request: &Request<'_>,
    bare: bool,
    limits: &Caps<'_>,
) {
    let mut set = Set::default();
    for (index, (name, value)) in request.headers.iter().take(limits.pairs).enumerate() {
        if name == "authorization" {
            // A server that reads one value reads the first.
            if !request.headers[..index].iter().any(|(other, _)| other == name) {
                authorization(value, &mut set);
            }
        } else if name == "cookie" {
            for pair in value.split(';').take(limits.pairs) {
                let Some((cookie, value)) = pair.split_once('=') else { continue };
                if !value.trim().is_empty() && names_a_session(cookie.trim()) {
                    set.add("cookie ", cookie.trim());
                }
            }
        } else if !value.is_empty() && names_a_key(name) {
            set.add("header ", name);
        }
    }
    for (name, value) in request.query.iter().take(limits.pairs) {
        if !value.is_empty() && is_key_of_query(name) {
            set.add("query ", name);
        }
    }
    let key = set.key();
    if bare || !key.is_empty() {
        add(&mut into.slot(key, limits.credentials, no_priority, limits).0, 1);
    }
}

/// Schemes of the IANA registry, and of widely used APIs. Another first word may be part of a
/// secret.
const SCHEMES: [&str; 19] = [
    "apikey",
    "aws4-hmac-sha256",
    "bot",
    "digest",
    "dpop",
    "geniekey",
    "gnap",
    "hawk",
    "hoba",
    "key",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "scram-sha-1",
    "scram-sha-256",
    "sharedkey",
    "splunk",
    "token",
];

fn authorization(value: &str, set: &mut Set) {
    let value = value.trim();
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if rest.is_empty() {
        if !value.is_empty() {
            set.add("header ", "authorization");
        }
    } else if scheme.eq_ignore_ascii_case("bearer") {
        let is_jwt = rest.starts_with("eyJ") && rest.bytes().filter(|b| *b == b'.').count() == 2;
        set.add(if is_jwt { "jwt" } else { "bearer" }, "");
    } else if scheme.eq_ignore_ascii_case("basic") && is_basic(rest) {
        set.add("basic", "");
    } else if let Some(known) = SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme)) {
        set.add("http ", known);
    } else {
        set.add("header ", "authorization");
    }
}

/// A user and password, or the recorder's replacement for them.
fn is_basic(code: &str) -> bool {
    use base64::Engine as _;
    let decode = || base64::engine::general_purpose::STANDARD.decode(code);
    is_pseudonym(code) || decode().is_ok_and(|pair| pair.contains(&b':'))
}

/// The key of a set, built without allocation, because every exchange needs one.
struct Set {
    text: [u8; 256],
    length: usize,
    /// The set is larger than the buffer, and is treated as empty.
    full: bool,
}

impl Default for Set {
    fn default() -> Self {
        Set { text: [0; 256], length: 0, full: false }
    }
}

impl Set {
    /// Adds a scheme in byte order, once.
    fn add(&mut self, kind: &str, name: &str) {
        let size = kind.len() + name.len() + 1;
        if self.length + size > self.text.len() {
            self.full = true;
            return;
        }
        let scheme = || kind.bytes().chain(name.bytes()).chain([b'\n']);
        let mut at = 0;
        while at < self.length {
            let line = self.text[at..self.length].split_inclusive(|b| *b == b'\n').next();
            let line = line.unwrap_or_default();
            match line.iter().copied().cmp(scheme()) {
                std::cmp::Ordering::Less => at += line.len(),
                std::cmp::Ordering::Equal => return,
                std::cmp::Ordering::Greater => break,
            }
        }
        self.text.copy_within(at..self.length, at + size);
        for (place, byte) in self.text[at..].iter_mut().zip(scheme()) {
            *place = byte;
        }
        self.length += size;
    }

    fn key(&self) -> &str {
        if self.full {
            return "";
        }
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::parse_query;

    fn keys(headers: &[(&'static str, &'static str)], query: &'static str) -> Vec<String> {
        let request = Request {
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            query: parse_query(query),
            ..Request::default()
        };
        let mut into = CredentialSets::default();
        fold_credentials(&mut into, &request, true, &Caps::new(&Limits::default()));
        into.iter().map(|(key, _)| key.replace('\n', ", ")).collect()
    }

    #[test]
    fn schemes_by_name() {
        for (headers, query, key) in [
            (&[][..], "page_token=x&q=1", ""),
            (&[("authorization", "Bearer abc")], "", "bearer, "),
            (&[("authorization", "bearer eyJh.eyJz.c2ln")], "", "jwt, "),
            (&[("authorization", "Basic dTpw")], "", "basic, "),
            (&[("authorization", "Basic hmt~0123456789abcdefghijkl")], "", "basic, "),
            (&[("authorization", "Basic nonsense!")], "", "header authorization, "),
            (&[("authorization", "AWS4-HMAC-SHA256 Credential=x")], "", "http aws4-hmac-sha256, "),
            (&[("authorization", "my secret")], "", "header authorization, "),
            (&[("authorization", "alone")], "", "header authorization, "),
            (&[("x-api-key", "1"), ("x-csrf-token", "2")], "", "header x-api-key, "),
            (&[("cookie", "a=1; JSESSIONID=2; csrftoken=3")], "", "cookie JSESSIONID, "),
            (&[], "Api-Key=1&access_token=2", "query Api-Key, query access_token, "),
            (
                &[("x-auth-token", "1"), ("authorization", "Bearer x")],
                "",
                "bearer, header x-auth-token, ",
            ),
        ] {
            assert_eq!(keys(headers, query), [key], "{headers:?} {query}");
        }
    }

    #[test]
    fn no_value_is_kept() {
        let mut names = String::new();
        for n in 0..40 {
            names.push_str(&format!("secret{n}-token=hidden{n}; "));
        }
        let cookies: &'static str = names.leak();
        let all = keys(&[("cookie", cookies), ("authorization", "hidden hidden")], "");
        // Too many to be distinguished from others.
        assert_eq!(all, [""]);
    }
}
