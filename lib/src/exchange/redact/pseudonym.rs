//! The form of pseudonyms.

/// The prefix of every pseudonym.
pub(super) const MARK: &str = "hmt~";
/// The number of base64url characters after the prefix: 16 bytes of the HMAC.
pub(super) const LENGTH: usize = 22;

/// True for a pseudonym as [`Redactor::pseudonym`](super::Redactor::pseudonym) creates it.
pub fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix(MARK).is_some_and(|rest| {
        rest.len() == LENGTH
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    })
}

/// True for a text that contains a pseudonym.
pub fn has_pseudonym(text: &str) -> bool {
    text.match_indices(MARK)
        .any(|(at, _)| text.get(at..at + MARK.len() + LENGTH).is_some_and(is_pseudonym))
}
