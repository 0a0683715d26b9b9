//! Splits the names of properties, parameters and segments into words: `userIDs`, `user_ids`,
//! `line-items`.

/// The words of a name in lower case: `userIDs` and `user_ids` give `user` and `ids`. Digits end a
/// word and are left out.
pub(crate) fn letter_words(name: &str) -> impl Iterator<Item = String> + '_ {
    let mut chars = name.chars().peekable();
    std::iter::from_fn(move || {
        while chars.next_if(|c| !c.is_alphabetic()).is_some() {}
        let first = chars.next()?;
        let mut word = String::from(first);
        let mut upper = first.is_uppercase();
        while let Some(c) = chars.peek().copied() {
            if !c.is_alphabetic() || (c.is_uppercase() && !upper) {
                break;
            }
            if c.is_lowercase() && upper && word.chars().count() > 1 {
                // `IDsFor…`: the last capital begins the next word, except before a plural s.
                break;
            }
            word.push(c);
            chars.next();
            upper = c.is_uppercase();
        }
        Some(word.to_lowercase())
    })
}

/// The words of a name in lower case. They include digits, unlike those of
/// [`letter_words`].
pub(crate) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let is = |at: usize, kind: fn(char) -> bool| chars.get(at).copied().is_some_and(kind);
    let mut all: Vec<String> = Vec::new();
    for (at, c) in chars.iter().enumerate().filter(|(_, c)| c.is_alphanumeric()) {
        // `userName`, `HTTPServer`: a capital begins a word after a lower-case letter, or before
        // one that is not a plural's s.
        let plural = chars.get(at + 1) == Some(&'s') && !is(at + 2, char::is_lowercase);
        let begins = c.is_uppercase()
            && (at == 0
                || !is(at - 1, char::is_uppercase)
                || is(at + 1, char::is_lowercase) && !plural);
        match all.last_mut() {
            Some(word) if !begins && is(at - 1, char::is_alphanumeric) => {
                word.extend(c.to_lowercase());
            }
            _ => all.push(c.to_lowercase().collect()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_names() {
        let of = |name: &str| letter_words(name).collect::<Vec<_>>();
        assert_eq!(of("userId"), ["user", "id"]);
        assert_eq!(of("line-items_v2"), ["line", "items", "v"]);
        assert_eq!(of("HTTP"), ["http"]);
        assert_eq!(of("2fa"), ["fa"]);
        assert!(of("123").is_empty());
    }

    #[test]
    fn words_keep_their_digits() {
        assert_eq!(words("userIDs_v2"), ["user", "ids", "v2"]);
        assert_eq!(words("HTTPServer"), ["http", "server"]);
        assert_eq!(words("line-items"), ["line", "items"]);
        assert!(words("--").is_empty());
    }
}
