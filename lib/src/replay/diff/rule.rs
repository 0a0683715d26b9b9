//! Rules for the places that may differ between two responses, as users and `--learn-ignore` write
//! them.

use std::fmt;
use std::str::FromStr;

use crate::exchange::Pattern;
use crate::recorded::{Ignore, Pointer};

/// A place that may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePlace {
    /// A header of the response, by its lower-case name.
    Header(String),
    /// A query parameter: of requests that count as equal, and of URLs in responses.
    Query(String),
    /// A place in a JSON body, with everything below it. The empty pointer is the whole body of any
    /// type.
    Json(Pointer),
    /// The status.
    Status,
}

/// A rule, for all requests or for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    /// The method in upper case; `None` for all.
    pub method: Option<String>,
    /// The path; `None` for all.
    pub path: Option<Pattern>,
    /// The place that may differ.
    pub place: RulePlace,
}

/// A text that is not a rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongRule {
    /// The place is unknown.
    #[error("{0:?} cannot be ignored; write header:NAME, query:NAME or json:/POINTER")]
    Place(String),
    /// A line of a file.
    #[error(
        "line {0}: {1:?} is not a rule; write [METHOD PATH] and header:NAME, query:NAME, json:/POINTER or status"
    )]
    Line(usize, String),
}

impl FromStr for RulePlace {
    type Err = WrongRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "status" {
            return Ok(RulePlace::Status);
        }
        match text.parse::<Ignore>() {
            Ok(Ignore::Header(name)) => Ok(RulePlace::Header(name)),
            Ok(Ignore::Query(name)) => Ok(RulePlace::Query(name)),
            Ok(Ignore::Json(pointer)) => Ok(RulePlace::Json(pointer)),
            Ok(Ignore::Credentials) | Err(_) => Err(WrongRule::Place(text.to_owned())),
        }
    }
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RulePlace::Header(name) => write!(f, "header:{name}"),
            RulePlace::Query(name) => write!(f, "query:{name}"),
            RulePlace::Json(pointer) => {
                write!(f, "json:{}", crate::recorded::display_pointer(pointer.parts()))
            }
            RulePlace::Status => f.write_str("status"),
        }
    }
}

impl fmt::Display for IgnoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        if let Some(path) = &self.path {
            write!(f, "{path} ")?;
        }
        write!(f, "{}", self.place)
    }
}

impl IgnoreRule {
    /// A rule for all requests.
    pub fn everywhere(place: RulePlace) -> IgnoreRule {
        IgnoreRule { method: None, path: None, place }
    }

    /// Reads a file of rules: one on each line, with `#` before comments.
    ///
    /// # Errors
    /// A line is not a rule.
    pub fn read_all(text: &str) -> Result<Vec<IgnoreRule>, WrongRule> {
        let mut rules = Vec::new();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // A pointer can contain `#`, but rarely after a space.
            let rule = line.split(" #").next().unwrap_or_default();
            let rule = rule.split("\t#").next().unwrap_or_default().trim();
            let wrong = || WrongRule::Line(at + 1, rule.to_owned());
            rules.push(IgnoreRule::read(rule).ok_or_else(wrong)?);
        }
        Ok(rules)
    }

    fn read(text: &str) -> Option<IgnoreRule> {
        let mut rule = IgnoreRule::everywhere(RulePlace::Status);
        let mut rest = text;
        loop {
            // The rest of the line is the place, because names may contain spaces.
            if let Ok(place) = rest.parse() {
                return Some(IgnoreRule { place, ..rule });
            }
            let (word, after) = rest.split_once(char::is_whitespace)?;
            rest = after.trim_start();
            if word.starts_with(['/', '*']) && rule.path.is_none() {
                rule.path = word.parse().ok();
            } else if rule.method.is_none()
                && rule.path.is_none()
                && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
            {
                rule.method = Some(word.to_ascii_uppercase());
            } else {
                return None;
            }
        }
    }

    /// True for a request with this method (in upper case) and path.
    pub(super) fn applies_to(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own == method)
            && self.path.as_ref().is_none_or(|own| own.matches(path))
    }

    /// True if everything that `other` ignores is ignored.
    pub(super) fn covers(&self, other: &IgnoreRule) -> bool {
        let same_method = self.method.is_none() || self.method == other.method;
        let same_path = match (&self.path, &other.path) {
            (None, _) => true,
            (Some(own), Some(other)) => own == other || own.matches(&other.to_string()),
            (Some(_), None) => false,
        };
        let same_place = match (&self.place, &other.place) {
            (RulePlace::Json(own), RulePlace::Json(other)) => is_within(own, other.parts()),
            (own, other) => own == other,
        };
        same_method && same_path && same_place
    }
}

/// True if the path is at the pointer or below it.
pub(super) fn is_within(pointer: &Pointer, path: &[String]) -> bool {
    let length = pointer.parts().len();
    length <= path.len() && pointer.matches(&path[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        let text = "\n# a comment\nheader:X-Id\nGET /orders/* json:/items/*/ts  # why\n\
                    post /a b status\n/x json:/a b\njson:\n";
        assert_eq!(
            IgnoreRule::read_all(text),
            Err(WrongRule::Line(5, "post /a b status".to_owned()))
        );
        let rules = IgnoreRule::read_all(&text.replace("/a b status", "/a status")).unwrap();
        let shown: Vec<String> = rules.iter().map(IgnoreRule::to_string).collect();
        assert_eq!(
            shown,
            [
                "header:x-id",
                "GET /orders/* json:/items/*/ts",
                "POST /a status",
                "/x json:/a b",
                "json:"
            ]
        );
        let again = IgnoreRule::read_all(&shown.join("\n")).unwrap();
        assert_eq!(again, rules);
        assert!(
            IgnoreRule::read_all("credentials").is_err() && IgnoreRule::read_all("GET").is_err()
        );
    }

    #[test]
    fn a_wider_rule_covers_others() {
        let rule = |text: &str| IgnoreRule::read(text).unwrap();
        assert!(rule("json:/a").covers(&rule("GET /x json:/a/b")));
        assert!(rule("GET /x/* json:/a").covers(&rule("GET /x/1 json:/a")));
        assert!(!rule("GET /x json:/a/b").covers(&rule("GET /x json:/a")));
        assert!(!rule("POST header:a").covers(&rule("GET header:a")));
        let within = |pointer: &str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            is_within(&pointer.parse().unwrap(), &path)
        };
        assert!(within("/a/*/b", &["a", "3", "b", "c"]) && within("", &["a"]));
        assert!(!within("/a/b", &["a"]));
    }
}
