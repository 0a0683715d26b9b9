//! The preferences of a client: `Prefer: code=404, example=NAME, dynamic=true, delay=500ms,
//! fault=reset` (RFC 7240), or `__code`, `__example` and `__dynamic` in the query.

use http::{HeaderMap, HeaderName};

use crate::exchange::Pairs;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The preferences of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// The status, as written.
    pub(super) code: Option<String>,
    /// The name of an example.
    pub(super) example: Option<String>,
    /// New data. With `--dynamic`, `false` requests steady data.
    pub(super) dynamic: Option<bool>,
    /// Time before the response begins, as written.
    pub(super) delay: Option<String>,
    /// The fault, as written.
    pub(super) fault: Option<String>,
}

impl Preferences {
    /// Reads the preferences, and removes them from the query: they are not part of the API.
    pub(super) fn take(headers: &HeaderMap, query: &mut Pairs<'_>) -> Preferences {
        let mut preferences = Preferences::default();
        for value in headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok()) {
            for preference in value.split([',', ';']) {
                if let Some((name, value)) = preference.split_once('=') {
                    let name = name.trim().to_ascii_lowercase();
                    let value = value.trim().trim_matches('"');
                    match name.as_str() {
                        "delay" => preferences.delay = Some(value.to_owned()),
                        "fault" => preferences.fault = Some(value.to_owned()),
                        _ => drop(preferences.set(&name, value)),
                    }
                }
            }
        }
        query.retain(|(name, value)| match name.strip_prefix("__") {
            Some(name) => !preferences.set(name, value),
            None => true,
        });
        preferences
    }

    /// Returns false if there is no preference with that name.
    fn set(&mut self, name: &str, value: &str) -> bool {
        match name {
            "code" => self.code = Some(value.to_owned()),
            "example" => self.example = Some(value.to_owned()),
            "dynamic" => self.dynamic = Some(!value.eq_ignore_ascii_case("false") && value != "0"),
            _ => return false,
        }
        true
    }

    /// True if a recording cannot be the answer.
    pub(super) fn skips_recordings(&self) -> bool {
        self.code.is_some() || self.example.is_some() || self.dynamic == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::exchange::parse_query;

    use super::*;

    #[test]
    fn preferences_leave_the_query() {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", "respond-async, code=404; example=\"a cat\"".parse().unwrap());
        let mut query = parse_query("x=1&__dynamic=true&__other=2");
        let preferences = Preferences::take(&headers, &mut query);
        assert_eq!(preferences.code.as_deref(), Some("404"));
        assert_eq!(preferences.example.as_deref(), Some("a cat"));
        assert_eq!(preferences.dynamic, Some(true));
        assert_eq!(query.len(), 2);
        assert!(preferences.skips_recordings() && !Preferences::default().skips_recordings());
    }
}
