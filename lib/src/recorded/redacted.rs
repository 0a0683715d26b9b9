//! Redacted requests, in which a pseudonym (`hmt~…`) stands for a secret that was not recorded.

use std::borrow::Cow;

use crate::exchange::{Pairs, Request};

use super::body::{Comparable, FormPair, content_type, readable};
use super::json::{JsonValue, same_number};
use super::pointer::Pointer;
use super::rule::{BodyRule, MatchRule};

/// `hmt~`, then 22 characters of base64url: 128 bits of an HMAC.
const PREFIX: &str = "hmt~";
const TOKEN: usize = PREFIX.len() + 22;

/// Checks whether a value has a given pseudonym. Without the key, any value may have the pseudonym.
pub(super) type PseudonymCheck<'k> = &'k dyn Fn(&str, &str) -> bool;

/// The position of the first pseudonym in a text.
fn find(text: &str) -> Option<usize> {
    text.match_indices(PREFIX).map(|(at, _)| at).find(|at| {
        text.as_bytes()[at + PREFIX.len()..].get(..TOKEN - PREFIX.len()).is_some_and(|token| {
            token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
        })
    })
}

/// True if a recorded text contains a pseudonym.
pub(super) fn has_pseudonym(recorded: &str) -> bool {
    find(recorded).is_some()
}

/// True if `requested` is `recorded` with a secret in place of each pseudonym: `Bearer hmt~…`
/// matches `Bearer abc`. `check(secret, pseudonym)` decides about each secret; an empty one never
/// matches.
pub(super) fn text_matches(recorded: &str, requested: &str, check: PseudonymCheck<'_>) -> bool {
    if recorded == requested {
        return true;
    }
    let Some(at) = find(recorded) else { return false };
    let (literal, rest) = recorded.split_at(at);
    let (pseudonym, rest) = rest.split_at(TOKEN);
    let Some(requested) = requested.strip_prefix(literal) else { return false };
    // The secret extends to the next literal piece of the recorded text, or to the end.
    let literal_end = find(rest).unwrap_or(rest.len());
    let next = &rest[..literal_end];
    let end = if next.is_empty() { Some(requested.len()) } else { requested.find(next) };
    let Some(end) = end else { return false };
    let (secret, requested) = requested.split_at(end);
    !secret.is_empty() && check(secret, pseudonym) && text_matches(rest, requested, check)
}

/// The parts of a redacted request that are compared.
#[derive(Debug)]
pub(super) struct Redacted {
    host: String,
    pathname: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    content_type: Option<String>,
    /// The locations of replaced numbers in the body.
    places: Vec<Pointer>,
    /// Query parameters whose values were replaced, with or without a pseudonym.
    parameters: Vec<String>,
}

/// Splits the listed locations into those in a body (`request.body#/otp`) and query parameters
/// (`request.query.otp`).
fn listed<'p>(places: &'p [Cow<'_, str>]) -> (Vec<Pointer>, Vec<&'p str>) {
    let body = places.iter().filter_map(|place| place.strip_prefix("request.body#"));
    let query = places.iter().filter_map(|place| place.strip_prefix("request.query."));
    (body.filter_map(|pointer| pointer.parse().ok()).collect(), query.collect())
}

impl Redacted {
    /// True if a part that the rule compares was redacted.
    pub(super) fn is(request: &Request<'_>, places: &[Cow<'_, str>], rule: &MatchRule) -> bool {
        let (in_body, in_query) = listed(places);
        let body = rule.body != BodyRule::Ignored;
        (rule.path && has_pseudonym(&request.pathname))
            || (rule.query
                && (!in_query.is_empty() || request.query.iter().any(|(_, v)| has_pseudonym(v))))
            || rule.headers.iter().any(|name| values(&request.headers, name).any(has_pseudonym))
            || (body && (!in_body.is_empty() || contains_pseudonym(request.body.as_bytes())))
    }

    pub(super) fn of(
        request: &Request<'_>,
        host: String,
        places: &[Cow<'_, str>],
        rule: &MatchRule,
    ) -> Redacted {
        let owned = |pairs: &Pairs<'_>| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let mut headers = owned(&request.headers);
        headers.retain(|(name, _)| rule.headers.contains(name));
        let mut query = owned(&request.query);
        query.retain(|(name, _)| !rule.ignored.query.contains(name));
        let (in_body, in_query) = listed(places);
        Redacted {
            host,
            pathname: request.pathname.clone().into_owned(),
            query,
            headers,
            body: readable(request).into_owned(),
            content_type: content_type(request).map(str::to_owned),
            places: in_body,
            parameters: in_query.into_iter().map(str::to_owned).collect(),
        }
    }

    /// True if the request equals this one except for secrets; `host` is `None` if any host
    /// matches.
    pub(super) fn matches(
        &self,
        requested: &Request<'_>,
        rule: &MatchRule,
        host: Option<&str>,
        with_body: bool,
        check: PseudonymCheck<'_>,
    ) -> bool {
        let text = |recorded: &str, requested: &str| text_matches(recorded, requested, check);
        let parameter = |name: &str, recorded: &str, requested: &str| {
            let is_listed = self.parameters.iter().any(|own| own == name);
            text(recorded, requested) || is_listed && is_replaced_number(recorded, requested)
        };
        let asked_query: Vec<(&str, &str)> = requested
            .query
            .iter()
            .filter(|(name, _)| !rule.ignored.query.iter().any(|ignored| ignored == name))
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        host.is_none_or(|host| self.host == host)
            && (!rule.path || text(&self.pathname, &requested.pathname))
            && (!rule.query || pairs_match(&self.query, &asked_query, &parameter))
            && rule.headers.iter().all(|name| {
                let recorded = self.headers.iter().filter(|(key, _)| key == name);
                let recorded: Vec<_> = recorded.map(|(_, value)| ("", value.as_str())).collect();
                let requested: Vec<_> =
                    values(&requested.headers, name).map(|value| ("", value)).collect();
                pairs_match(&recorded, &requested, &|_, recorded, requested| {
                    text(recorded, requested)
                })
            })
            && (!with_body || self.body_matches(requested, &rule.ignored.json, &text))
    }

    fn body_matches(
        &self,
        requested: &Request<'_>,
        ignored: &[Pointer],
        same: &dyn Fn(&str, &str) -> bool,
    ) -> bool {
        let recorded = Comparable::of(&self.body, self.content_type.as_deref());
        let body = readable(requested);
        let requested = Comparable::of(&body, content_type(requested));
        let compare = BodyComparison { places: &self.places, ignored, same };
        compare.bodies(&recorded, &requested)
    }
}

fn contains_pseudonym(body: &[u8]) -> bool {
    memchr::memmem::find(body, PREFIX.as_bytes()).is_some()
}

/// A replaced number has as many digits as the secret one. Without the key, it cannot be checked
/// further.
fn is_replaced_number(recorded: &str, requested: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(recorded) && !requested.is_empty()
}

/// The values of a header; `name` is in lower case.
pub(super) fn values<'h>(headers: &'h Pairs<'_>, name: &str) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_ref())
}

/// Compares multisets. Values without a pseudonym are matched first.
fn pairs_match<A: AsRef<str>, B: AsRef<str>>(
    recorded: &[(A, A)],
    requested: &[(B, B)],
    same: &dyn Fn(&str, &str, &str) -> bool,
) -> bool {
    let mut left: Vec<_> = requested.iter().collect();
    let (replaced, plain): (Vec<_>, Vec<_>) =
        recorded.iter().partition(|(_, value)| has_pseudonym(value.as_ref()));
    recorded.len() == requested.len()
        && plain.into_iter().chain(replaced).all(|(name, value)| {
            let found = left.iter().position(|(key, requested)| {
                key.as_ref() == name.as_ref()
                    && same(name.as_ref(), value.as_ref(), requested.as_ref())
            });
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

/// Compares the bodies of a redacted recording and a request.
struct BodyComparison<'c> {
    places: &'c [Pointer],
    ignored: &'c [Pointer],
    same: &'c dyn Fn(&str, &str) -> bool,
}

impl BodyComparison<'_> {
    fn bodies(&self, recorded: &Comparable<'_>, requested: &Comparable<'_>) -> bool {
        match (recorded, requested) {
            (Comparable::Json(recorded), Comparable::Json(requested)) => {
                self.json(recorded, requested, &mut Vec::new())
            }
            (Comparable::Form(recorded), Comparable::Form(requested)) => {
                self.forms(recorded, requested)
            }
            (Comparable::Parts(recorded), Comparable::Parts(requested)) => {
                let pairs = recorded.iter().zip(requested);
                recorded.len() == requested.len()
                    && pairs.into_iter().all(|(recorded, requested)| {
                        recorded.name == requested.name
                            && recorded.file_name == requested.file_name
                            && recorded.media == requested.media
                            && (self.bodies(&recorded.content, &requested.content)
                                || self
                                    .is_replaced_field(recorded.name.as_deref(), &recorded.content))
                    })
            }
            (Comparable::Bytes(recorded), Comparable::Bytes(requested)) => {
                (self.same)(&String::from_utf8_lossy(recorded), &String::from_utf8_lossy(requested))
            }
            // A pseudonym is plain text, even if the secret itself parses as a JSON number.
            (Comparable::Bytes(recorded), Comparable::Json(JsonValue::Number(requested))) => {
                (self.same)(&String::from_utf8_lossy(recorded), requested)
            }
            (recorded, requested) => recorded == requested,
        }
    }

    /// A number in a form field whose value was replaced.
    fn is_replaced_field(&self, name: Option<&str>, content: &Comparable<'_>) -> bool {
        let is_number = match content {
            Comparable::Bytes(text) => text.iter().all(u8::is_ascii_digit),
            Comparable::Json(JsonValue::Number(_)) => true,
            _ => false,
        };
        is_number && name.is_some_and(|name| self.is_listed(&[name.to_owned()]))
    }

    fn is_listed(&self, path: &[String]) -> bool {
        self.places.iter().any(|place| place.matches(path))
    }

    fn forms(&self, recorded: &[FormPair<'_>], requested: &[FormPair<'_>]) -> bool {
        recorded.len() == requested.len()
            && recorded.iter().zip(requested).all(|(recorded, requested)| {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let (old, new) = (text(&recorded.1), text(&requested.1));
                recorded.0 == requested.0
                    && (recorded.1 == requested.1
                        || (self.same)(&old, &new)
                        || self.is_listed(&[text(&recorded.0)]) && is_replaced_number(&old, &new))
            })
    }

    fn json(
        &self,
        recorded: &JsonValue<'_>,
        requested: &JsonValue<'_>,
        path: &mut Vec<String>,
    ) -> bool {
        if self.ignored.iter().any(|pointer| pointer.matches(path)) {
            return true;
        }
        let mut below = |step: String, a: &JsonValue<'_>, b: &JsonValue<'_>| {
            path.push(step);
            let same = self.json(a, b, path);
            path.pop();
            same
        };
        match (recorded, requested) {
            (JsonValue::Text(a), JsonValue::Text(b)) => {
                (self.same)(a, b) || is_replaced_number(a, b) && self.is_listed(path)
            }
            (JsonValue::Array(a), JsonValue::Array(b)) => {
                let pairs = a.iter().zip(b).enumerate();
                a.len() == b.len()
                    && pairs.into_iter().all(|(index, (a, b))| below(index.to_string(), a, b))
            }
            (JsonValue::Object(a), JsonValue::Object(b)) => {
                let counts = |path: &[String], name: &str| {
                    let here: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
                    !self.ignored.iter().any(|pointer| pointer.matches(&here))
                };
                let a: Vec<_> = a.iter().filter(|(name, _)| counts(path, name)).collect();
                let b: Vec<_> = b.iter().filter(|(name, _)| counts(path, name)).collect();
                a.len() == b.len()
                    && a.iter().zip(&b).all(|((a_name, a), (b_name, b))| {
                        a_name == b_name && {
                            path.push(a_name.to_string());
                            let same = self.json(a, b, path);
                            path.pop();
                            same
                        }
                    })
            }
            (JsonValue::Number(a), JsonValue::Number(b)) => {
                same_number(a, b) || self.is_listed(path)
            }
            // Older recordings hold the pseudonym of the text of a number or boolean.
            (JsonValue::Text(a), JsonValue::Number(_) | JsonValue::Bool(_)) => {
                (self.same)(a, &requested.display())
            }
            (a, b) => a == b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "hmt~aaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_pseudonym_stands_for_its_secret() {
        let any: PseudonymCheck<'_> = &|_, _| true;
        let none: PseudonymCheck<'_> = &|_, _| false;
        assert!(has_pseudonym(A) && !has_pseudonym("hmt~short"));
        assert!(text_matches(A, "secret", any) && !text_matches(A, "", any));
        assert!(!text_matches(A, "secret", none) && text_matches(A, A, none));
        let bearer = format!("Bearer {A}");
        assert!(text_matches(&bearer, "Bearer x", any) && !text_matches(&bearer, "Basic x", any));
        let cookies = format!("a={A}; b={A}; c=1");
        assert!(text_matches(&cookies, "a=x; b=yy; c=1", any));
        assert!(!text_matches(&cookies, "a=x; b=yy; c=2", any));
    }

    #[test]
    fn a_number_at_a_listed_place_matches_any() {
        let rule = MatchRule::default();
        let request = |body: &'static str| Request {
            body: crate::exchange::Body::lent(body.as_bytes()),
            ..Request::default()
        };
        let places = ["request.body#/otp".into(), "response.body#/n".into()];
        let none: PseudonymCheck<'_> = &|_, _| false;
        for (recorded, requested, same) in [
            (r#"{"otp":123456,"n":1}"#, r#"{"n":1,"otp":654321}"#, true),
            (r#"{"otp":"123456","n":1}"#, r#"{"n":1,"otp":"654321"}"#, true),
            (r#"{"otp":123456,"n":1}"#, r#"{"n":2,"otp":654321}"#, false),
            (r#"{"otp":123456,"n":1}"#, r#"{"n":1}"#, false),
            ("otp=123456&a=1", "a=1&otp=99", true),
            ("otp=123456&a=1", "a=2&otp=99", false),
        ] {
            let recorded = request(recorded);
            assert!(Redacted::is(&recorded, &places, &rule));
            let redacted = Redacted::of(&recorded, String::new(), &places, &rule);
            assert_eq!(
                redacted.matches(&request(requested), &rule, None, true, none),
                same,
                "{requested}"
            );
        }
    }
}
