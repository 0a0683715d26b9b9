//! Pseudonyms: a recorded `hmt~…` stands for a secret that nobody wrote down.

use crate::exchange::{Pairs, Request};

use super::body::{Comparable, json_equal};
use super::rule::{BodyRule, MatchRule};

/// `hmt~`, then 22 characters of base64url: 128 bits of an HMAC.
const PREFIX: &str = "hmt~";
const TOKEN: usize = PREFIX.len() + 22;

/// Tells whether a value has a given pseudonym. Without the key nobody can tell, and every value may.
pub(super) type Check<'k> = &'k dyn Fn(&str, &str) -> bool;

/// The place of the first pseudonym in a text.
fn find(text: &str) -> Option<usize> {
    text.match_indices(PREFIX).map(|(at, _)| at).find(|at| {
        text.as_bytes()[at + PREFIX.len()..].get(..TOKEN - PREFIX.len()).is_some_and(|token| {
            token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
        })
    })
}

/// True where a recorded text holds a pseudonym.
pub(super) fn is_veiled(recorded: &str) -> bool {
    find(recorded).is_some()
}

/// True where `asked` is `recorded` with a secret in the place of each pseudonym: `Bearer hmt~…` takes
/// `Bearer abc`. `check(secret, pseudonym)` judges each secret; an empty one never fits.
pub(super) fn text_matches(recorded: &str, asked: &str, check: Check<'_>) -> bool {
    if recorded == asked {
        return true;
    }
    let Some(at) = find(recorded) else { return false };
    let (literal, rest) = recorded.split_at(at);
    let (pseudonym, rest) = rest.split_at(TOKEN);
    let Some(asked) = asked.strip_prefix(literal) else { return false };
    // The secret goes on to the next literal piece of the recorded text, or to the end.
    let literal_end = find(rest).unwrap_or(rest.len());
    let next = &rest[..literal_end];
    let end = if next.is_empty() { Some(asked.len()) } else { asked.find(next) };
    let Some(end) = end else { return false };
    let (secret, asked) = asked.split_at(end);
    !secret.is_empty() && check(secret, pseudonym) && text_matches(rest, asked, check)
}

/// A recorded request in whose query, headers or body a pseudonym stands.
pub(super) struct Veiled {
    host: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Veiled {
    /// True where a pseudonym stands in a part that the rule compares.
    pub(super) fn is(request: &Request<'_>, rule: &MatchRule) -> bool {
        (rule.query && request.query.iter().any(|(_, value)| is_veiled(value)))
            || rule.headers.iter().any(|name| values(&request.headers, name).any(is_veiled))
            || (rule.body != BodyRule::Ignored && request.body.as_str().is_some_and(is_veiled))
    }

    pub(super) fn of(request: &Request<'_>, host: String, rule: &MatchRule) -> Veiled {
        let owned = |pairs: &Pairs<'_>| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let mut headers = owned(&request.headers);
        headers.retain(|(name, _)| rule.headers.contains(name));
        let (query, body) = (owned(&request.query), request.body.as_bytes().to_vec());
        Veiled { host, query, headers, body }
    }

    /// True where the request is this one but for secrets; `host` is `None` where any will do.
    pub(super) fn matches(
        &self,
        asked: &Request<'_>,
        rule: &MatchRule,
        host: Option<&str>,
        with_body: bool,
        check: Check<'_>,
    ) -> bool {
        let same = |recorded: &str, asked: &str| text_matches(recorded, asked, check);
        host.is_none_or(|host| self.host == host)
            && (!rule.query || pairs_match(&self.query, &asked.query, &same))
            && rule.headers.iter().all(|name| {
                let recorded = self.headers.iter().filter(|(key, _)| key == name);
                let recorded: Vec<_> = recorded.map(|(_, value)| ("", value.as_str())).collect();
                let asked: Vec<_> = values(&asked.headers, name).map(|value| ("", value)).collect();
                pairs_match(&recorded, &asked, &same)
            })
            && (!with_body || bodies_match(&self.body, asked.body.as_bytes(), &same))
    }
}

/// The values of a header; `name` in lower case.
pub(super) fn values<'h>(headers: &'h Pairs<'_>, name: &str) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_ref())
}

/// Equal multisets. A value without a pseudonym takes its equal before one with a pseudonym may take it.
fn pairs_match<A: AsRef<str>, B: AsRef<str>>(
    recorded: &[(A, A)],
    asked: &[(B, B)],
    same: &dyn Fn(&str, &str) -> bool,
) -> bool {
    let mut left: Vec<_> = asked.iter().collect();
    let (veiled, plain): (Vec<_>, Vec<_>) =
        recorded.iter().partition(|(_, value)| is_veiled(value.as_ref()));
    recorded.len() == asked.len()
        && plain.into_iter().chain(veiled).all(|(name, value)| {
            let found = left.iter().position(|(key, asked)| {
                key.as_ref() == name.as_ref() && same(value.as_ref(), asked.as_ref())
            });
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

fn bodies_match(recorded: &[u8], asked: &[u8], same: &dyn Fn(&str, &str) -> bool) -> bool {
    match (Comparable::of(recorded), Comparable::of(asked)) {
        (Comparable::Json(recorded), Comparable::Json(asked)) => {
            json_equal(&recorded, &asked, same)
        }
        (Comparable::Form(recorded), Comparable::Form(asked)) => {
            pairs_match(&recorded, &asked, same)
        }
        (Comparable::Bytes(recorded), Comparable::Bytes(asked)) => {
            same(&String::from_utf8_lossy(recorded), &String::from_utf8_lossy(asked))
        }
        (recorded, asked) => recorded == asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "hmt~aaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_pseudonym_stands_for_its_secret() {
        let any: Check<'_> = &|_, _| true;
        let none: Check<'_> = &|_, _| false;
        assert!(is_veiled(A) && !is_veiled("hmt~short"));
        assert!(text_matches(A, "secret", any) && !text_matches(A, "", any));
        assert!(!text_matches(A, "secret", none) && text_matches(A, A, none));
        let bearer = format!("Bearer {A}");
        assert!(text_matches(&bearer, "Bearer x", any) && !text_matches(&bearer, "Basic x", any));
        let cookies = format!("a={A}; b={A}; c=1");
        assert!(text_matches(&cookies, "a=x; b=yy; c=1", any));
        assert!(!text_matches(&cookies, "a=x; b=yy; c=2", any));
    }
}
