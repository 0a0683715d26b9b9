//! Names for what had none: path parameters.

use super::singular::singular;
use super::template::Values;
use super::vocabulary::words;
use crate::infer::state::Class;

/// A name for a path parameter from the literal before it: `/users/{userId}`, `/releases/{releaseDate}`.
pub(super) fn parameter(before: Option<&str>, values: &Values, taken: &[String]) -> String {
    let base = match &values.seed_name {
        Some(name) => name.clone(),
        None => {
            let kind = match values.classes.first() {
                _ if values.words && values.classes.is_empty() => "name",
                Some(Class::Date | Class::Datetime)
                    if values.classes.len() == 1 && !values.words =>
                {
                    "date"
                }
                Some(Class::Semver) if values.classes.len() == 1 && !values.words => "version",
                Some(Class::Email) if values.classes.len() == 1 && !values.words => "email",
                _ => "id",
            };
            match before.map(singular_camel).filter(|noun| !noun.is_empty()) {
                Some(noun) => format!("{noun}{}", capitalised(kind)),
                None => kind.to_owned(),
            }
        }
    };
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{base}{number}");
        number += 1;
    }
    name
}

/// `line-items` is `lineItem`.
pub(super) fn singular_camel(literal: &str) -> String {
    let all: Vec<String> = words(literal).collect();
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

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_literals() {
        assert_eq!(singular_camel("line-items"), "lineItem");
        assert_eq!(singular_camel("categories"), "category");
        let ids = Values { classes: [Class::Int].into(), ..Values::default() };
        assert_eq!(parameter(Some("users"), &ids, &[]), "userId");
        assert_eq!(parameter(Some("users"), &ids, &["userId".to_owned()]), "userId2");
        assert_eq!(parameter(None, &ids, &[]), "id");
    }
}
