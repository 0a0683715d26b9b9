//! Writes words as identifiers.

use super::english::singular;
use super::split::letter_words;

/// `line-items` becomes `lineItem`.
pub(crate) fn singular_camel(literal: &str) -> String {
    let all: Vec<String> = letter_words(literal).collect();
    let mut name = String::new();
    for (index, word) in all.iter().enumerate() {
        let word = if index + 1 == all.len() { singular(word).into_owned() } else { word.clone() };
        if index == 0 {
            name.push_str(&word);
        } else {
            name.push_str(&capitalised(&word));
        }
    }
    name
}

/// The text with its first letter in upper case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_singular() {
        assert_eq!(singular_camel("line-items"), "lineItem");
        assert_eq!(singular_camel("categories"), "category");
    }
}
