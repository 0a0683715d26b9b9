//! The text of a body, which may still stand in its line as it was read there.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use super::unescape;

/// The text of a body.
///
/// In a line it is a string literal, full of escapes, as JSON within JSON is. These are undone when the text is first
/// asked for: who can read the literal as it stands has no need of a copy.
#[derive(Clone)]
pub struct BodyText<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    Plain(Cow<'a, str>),
    /// What stands between the quotes, with valid escapes only and no surrogates among them.
    Literal {
        inner: &'a str,
        text: OnceLock<String>,
    },
}

impl<'a> BodyText<'a> {
    /// `inner` has escapes, which [`unescape::plain`] can undo.
    pub(super) fn of_literal(inner: &'a str) -> Self {
        BodyText(Form::Literal { inner, text: OnceLock::new() })
    }

    /// What stands between the quotes of the literal in the line; `None` for a text that was no literal with escapes.
    pub(crate) fn literal(&self) -> Option<&'a str> {
        match &self.0 {
            Form::Plain(_) => None,
            Form::Literal { inner, .. } => Some(inner),
        }
    }

    /// True where there is no character.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Plain(text) => text.is_empty(),
            Form::Literal { inner, .. } => inner.is_empty(),
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Plain(text) => text,
            Form::Literal { inner, text } => text.get_or_init(|| {
                // Whoever makes a literal has seen that this cannot fail.
                unescape::plain(inner.as_bytes()).unwrap_or_default()
            }),
        }
    }
}

impl Deref for BodyText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for BodyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for BodyText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for BodyText<'_> {}

impl<'a> From<Cow<'a, str>> for BodyText<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        BodyText(Form::Plain(text))
    }
}

impl<'a> From<&'a str> for BodyText<'a> {
    fn from(text: &'a str) -> Self {
        BodyText(Form::Plain(Cow::Borrowed(text)))
    }
}

impl From<String> for BodyText<'_> {
    fn from(text: String) -> Self {
        BodyText(Form::Plain(Cow::Owned(text)))
    }
}
