//! Splits a name into words, without allocation.

/// Maximum number of letters of a name that are considered, from its end.
const LETTERS: usize = 96;
/// Maximum number of words of a name that are kept, from its end.
const WORDS: usize = 16;

/// The words of a name in lower case: `X-Api-Key2`, `x_api_key` and `xApiKey` all become `x`,
/// `api`, `key`.
///
/// A word ends at every byte that is not a letter, between a lower-case and an upper-case letter,
/// and before the last letter of an upper-case run that is followed by lower case (`SAMLResponse`).
/// Non-ASCII bytes count as lower-case letters.
pub(super) struct Words {
    letters: [u8; LETTERS],
    length: usize,
    starts: [u8; WORDS],
    count: usize,
}

impl Words {
    pub(super) fn of(name: &[u8]) -> Words {
        let name = &name[name.len().saturating_sub(LETTERS)..];
        let mut words = Words { letters: [0; LETTERS], length: 0, starts: [0; WORDS], count: 0 };
        let is_lower = |byte: u8| byte.is_ascii_lowercase() || !byte.is_ascii();
        let mut before = b' ';
        for (index, byte) in name.iter().copied().enumerate() {
            if byte.is_ascii_uppercase() || is_lower(byte) {
                let begins = !(before.is_ascii_uppercase() || is_lower(before))
                    || byte.is_ascii_uppercase()
                        && (is_lower(before) || name.get(index + 1).copied().is_some_and(is_lower));
                if begins {
                    words.begin();
                }
                words.letters[words.length] = byte.to_ascii_lowercase();
                words.length += 1;
            }
            before = byte;
        }
        words
    }

    fn begin(&mut self) {
        if self.count == WORDS {
            self.starts.copy_within(1.., 0);
            self.count -= 1;
        }
        // LETTERS fits a byte.
        self.starts[self.count] = self.length as u8;
        self.count += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The last `count` words, concatenated; `None` if there are fewer.
    pub(super) fn last(&self, count: usize) -> Option<&[u8]> {
        let first = self.count.checked_sub(count)?;
        let start = if count == 0 { self.length } else { usize::from(self.starts[first]) };
        Some(&self.letters[start..self.length])
    }

    /// All words, concatenated.
    pub(super) fn all(&self) -> &[u8] {
        &self.letters[..self.length]
    }

    /// The word at `index`, counted from the first.
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = usize::from(*self.starts[..self.count].get(index)?);
        let end =
            self.starts[..self.count].get(index + 1).map_or(self.length, |end| usize::from(*end));
        Some(&self.letters[start..end])
    }

    /// The word before the last.
    pub(super) fn second_last(&self) -> Option<&[u8]> {
        self.get(self.count.checked_sub(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> String {
        let words = Words::of(name.as_bytes());
        let all = (0..words.count()).filter_map(|index| words.get(index));
        all.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_are_split_into_words() {
        for (name, words) in [
            ("X-Api-Key", "x api key"),
            ("accessToken2", "access token"),
            ("SAMLResponse", "saml response"),
            ("user[new_password]", "user new password"),
            ("APIKey", "api key"),
            ("PHPSESSID", "phpsessid"),
            ("wsse:Password", "wsse password"),
            ("__Host-next-auth.session-token", "host next auth session token"),
            ("größeX", "größe x"),
            ("", ""),
            ("12", ""),
        ] {
            assert_eq!(split(name), words);
        }
        let long = format!("{}-token", "a-".repeat(500));
        let words = Words::of(long.as_bytes());
        assert_eq!((words.count(), words.last(2)), (WORDS, Some(&b"atoken"[..])));
        assert_eq!(words.last(WORDS + 1), None);
        assert_eq!(Words::of("x".repeat(500).as_bytes()).all().len(), LETTERS);
    }
}
