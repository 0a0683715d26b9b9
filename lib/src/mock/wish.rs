//! What a client wishes: `Prefer: code=404, example=NAME, dynamic=true`, or `__code`, `__example` and
//! `__dynamic` in the query.

use http::HeaderMap;

use crate::exchange::Pairs;

/// The wishes of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// The status, as written: what is no number cannot be met either.
    pub(super) code: Option<String>,
    /// The name of an example.
    pub(super) example: Option<String>,
    /// Generated data, or none for `false`.
    pub(super) dynamic: Option<bool>,
}

impl Wish {
    /// Reads the wishes, and takes those in the query out of it: they are no part of the API.
    pub(super) fn take(headers: &HeaderMap, query: &mut Pairs<'_>) -> Wish {
        let mut wish = Wish::default();
        for value in headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()) {
            for preference in value.split([',', ';']) {
                if let Some((name, value)) = preference.split_once('=') {
                    let name = name.trim().to_ascii_lowercase();
                    wish.set(&name, value.trim().trim_matches('"'));
                }
            }
        }
        query.retain(|(name, value)| match name.strip_prefix("__") {
            Some(name) => !wish.set(name, value),
            None => true,
        });
        wish
    }

    /// False where there is no wish of that name.
    fn set(&mut self, name: &str, value: &str) -> bool {
        match name {
            "code" => self.code = Some(value.to_owned()),
            "example" => self.example = Some(value.to_owned()),
            "dynamic" => self.dynamic = Some(!value.eq_ignore_ascii_case("false") && value != "0"),
            _ => return false,
        }
        true
    }

    /// True where something else than what was recorded is wished.
    pub(super) fn skips_recordings(&self) -> bool {
        self.code.is_some() || self.example.is_some() || self.dynamic == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::exchange::parse_query;

    use super::*;

    #[test]
    fn wishes_leave_the_query() {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", "respond-async, code=404; example=\"a cat\"".parse().unwrap());
        let mut query = parse_query("x=1&__dynamic=true&__other=2");
        let wish = Wish::take(&headers, &mut query);
        assert_eq!(wish.code.as_deref(), Some("404"));
        assert_eq!(wish.example.as_deref(), Some("a cat"));
        assert_eq!(wish.dynamic, Some(true));
        assert_eq!(query.len(), 2);
        assert!(wish.skips_recordings() && !Wish::default().skips_recordings());
    }
}
