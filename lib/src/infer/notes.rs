//! Remarks on the bodies that a spec was built from.

use std::fmt;

use crate::exchange::{Method, NotJson};

/// Bodies that were folded, but that the spec does not describe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Bodies that do not match their type, for each place of the spec, in the order of its paths.
    pub unread: Vec<UnreadBodies>,
    /// Bodies that were not recorded completely.
    pub silent: u64,
}

/// Bodies of one operation, message and media type, some of which do not match the type.
///
/// Displayed as `1 of 100 bodies of GET /x 200 application/json is not JSON (an HTML page)`.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadBodies {
    /// The operation's method.
    pub method: Method,
    /// The operation's path, with `{name}` for each parameter.
    pub path: String,
    /// The status of the responses; `None` for requests.
    pub status: Option<u16>,
    /// The media type that the bodies declare.
    pub media: String,
    /// How many bodies were recorded completely.
    pub bodies: u64,
    /// How many of them are not JSON, by kind.
    pub unread: Vec<(NotJson, u64)>,
    /// True if enough bodies match the type, so that the schema describes them.
    pub is_described: bool,
}

impl UnreadBodies {
    /// True for a message whose body is among these.
    pub fn is_of(&self, method: Method, pathname: &str, status: Option<u16>, media: &str) -> bool {
        self.method == method
            && self.status == status
            && self.media == media
            && is_below_template(&self.path, pathname)
    }
}

/// True if each segment of a path equals that of a template, or the template has a parameter there.
fn is_below_template(template: &str, pathname: &str) -> bool {
    let segments = |path: &str| -> Vec<String> {
        path.trim_matches('/').split('/').map(str::to_owned).collect()
    };
    let (template, path) = (segments(template), segments(pathname));
    template.len() == path.len()
        && template.iter().zip(&path).all(|(known, found)| known == found || known.contains('{'))
}

impl fmt::Display for UnreadBodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.unread.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
        let plural = if self.bodies == 1 { "y" } else { "ies" };
        write!(f, "{count} of {} bod{plural} of ", self.bodies)?;
        write!(f, "{} {} ", self.method.as_str().to_ascii_uppercase(), self.path)?;
        match self.status {
            Some(status) => write!(f, "{status} ")?,
            None => f.write_str("request ")?,
        }
        let verb = if count == 1 { "is" } else { "are" };
        write!(f, "{} {verb} not JSON (", self.media)?;
        for (index, (why, n)) in self.unread.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match (n, self.unread.len()) {
                (1, 1) => write!(f, "{why}")?,
                (1, _) => write!(f, "{comma}1 {}", why.each())?,
                (n, _) => write!(f, "{comma}{n} {}", why.all())?,
            }
        }
        f.write_str(")")?;
        if self.is_described { Ok(()) } else { f.write_str("; its schema accepts any value") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let mut bodies = UnreadBodies {
            method: Method::Get,
            path: "/users/{id}".to_owned(),
            status: Some(200),
            media: "application/json".to_owned(),
            bodies: 100,
            unread: vec![(NotJson::Html, 1)],
            is_described: true,
        };
        assert_eq!(
            bodies.to_string(),
            "1 of 100 bodies of GET /users/{id} 200 application/json is not JSON (an HTML page)"
        );
        bodies.unread = vec![(NotJson::CutShort, 1), (NotJson::Html, 60)];
        (bodies.status, bodies.is_described) = (None, false);
        assert_eq!(
            bodies.to_string(),
            "61 of 100 bodies of GET /users/{id} request application/json are not JSON (1 cut short, 60 HTML pages); its schema accepts any value"
        );
        assert!(bodies.is_of(Method::Get, "/users/7/", None, "application/json"));
        assert!(!bodies.is_of(Method::Get, "/users/7/x", None, "application/json"));
        assert!(!bodies.is_of(Method::Get, "/users/7", Some(200), "application/json"));
    }
}
