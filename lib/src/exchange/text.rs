//! The text of a body, which may still be a string literal in its line.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde_json::value::RawValue;

use super::surrogates::without_lone_surrogates;
use super::unescape;

/// The text of a body.
///
/// In a line it is a string literal with many escapes, because it is JSON within JSON. It is
/// unescaped when the text is first requested. Code that can work on the literal needs no copy.
#[derive(Clone)]
pub struct BodyText<'a>(TextForm<'a>);

#[derive(Clone)]
enum TextForm<'a> {
    Plain(Cow<'a, str>),
    /// The characters between the quotes; all escapes are valid and none is a surrogate.
    Literal {
        inner: &'a str,
        text: OnceLock<String>,
    },
}

impl<'a> BodyText<'a> {
    /// `inner` has escapes that [`unescape::plain`] can decode.
    fn of_literal(inner: &'a str) -> Self {
        BodyText(TextForm::Literal { inner, text: OnceLock::new() })
    }

    /// The literal between the quotes in the line; `None` for a text without escapes.
    pub(crate) fn literal(&self) -> Option<&'a str> {
        match &self.0 {
            TextForm::Plain(_) => None,
            TextForm::Literal { inner, .. } => Some(inner),
        }
    }

    /// True if the text is empty.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            TextForm::Plain(text) => text.is_empty(),
            TextForm::Literal { inner, .. } => inner.is_empty(),
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            TextForm::Plain(text) => text,
            TextForm::Literal { inner, text } => text.get_or_init(|| {
                // The constructor's caller has checked that this cannot fail.
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
        BodyText(TextForm::Plain(text))
    }
}

impl<'a> From<&'a str> for BodyText<'a> {
    fn from(text: &'a str) -> Self {
        BodyText(TextForm::Plain(Cow::Borrowed(text)))
    }
}

impl From<String> for BodyText<'_> {
    fn from(text: String) -> Self {
        BodyText(TextForm::Plain(Cow::Owned(text)))
    }
}

/// The text of a string; `None` if serde_json must handle it.
pub(super) fn of_raw(raw: &RawValue) -> Option<BodyText<'_>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(inner.into());
    }
    // serde_json has skipped the escapes without checking their numbers. A lone surrogate has no
    // text.
    if unescape::may_have_surrogates(inner.as_bytes()) {
        let mended = || unescape::plain(without_lone_surrogates(inner)?.as_bytes());
        return unescape::plain(inner.as_bytes()).or_else(mended).map(BodyText::from);
    }
    Some(BodyText::of_literal(inner))
}
