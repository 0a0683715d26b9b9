//! Chooses names for path parameters.

use super::template::ParameterValues;
use crate::infer::finalise::words::camel::{capitalised, singular_camel};
use crate::infer::state::{Class, class_of};

/// Names for the parameters of a segment: one for `{}.json`, several for `Lines(order={},line={})`.
pub(crate) fn of_segment(
    before: Option<&str>,
    pattern: &str,
    values: &[ParameterValues],
    taken: &[String],
) -> Vec<String> {
    let Some((collection, key)) = pattern.split_once('(') else {
        return values.iter().take(1).map(|values| parameter(before, values, taken)).collect();
    };
    let mut names: Vec<String> = Vec::new();
    for part in key.trim_end_matches(')').split(',') {
        let name = match part.split_once('=') {
            Some((name, _)) => singular_camel(name),
            None => "id".to_owned(),
        };
        let is_free = |name: &String| !taken.contains(name) && !names.contains(name);
        let longer = format!("{}{}", singular_camel(collection), capitalised(&name));
        let name = if is_free(&name) { name } else { numbered(&longer, is_free) };
        names.push(name);
    }
    names
}

/// Things that are identified by their owner's name and their own: `/repos/octocat/hello-world`.
const OWNED: [&str; 9] =
    ["dataset", "gist", "image", "model", "module", "package", "project", "repo", "repository"];

/// A name for the first of two word parameters: `/repos/{repoOwner}/{repoName}`. `None` after a
/// name of things that are not identified by their owner.
pub(crate) fn owner(before: Option<&str>, taken: &[String]) -> Option<String> {
    let noun = singular_camel(before?);
    OWNED
        .contains(&noun.as_str())
        .then(|| numbered(&format!("{noun}Owner"), |name| !taken.contains(name)))
}

/// The base name, or with the lowest number that makes it unique.
fn numbered(base: &str, is_free: impl Fn(&String) -> bool) -> String {
    let numbered = (2u32..).map(|number| format!("{base}{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

/// A name for a path parameter from the preceding literal: `/users/{userId}`,
/// `/releases/{releaseDate}`.
pub(crate) fn parameter(
    before: Option<&str>,
    values: &ParameterValues,
    taken: &[String],
) -> String {
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
            let before = before.filter(|name| class_of(name) != Class::Version);
            if values.locales {
                return numbered("locale", |name| !taken.contains(name));
            }
            match before.map(singular_camel).filter(|noun| !noun.is_empty()) {
                // `/id/{id}`, not `/id/{idId}`.
                Some(noun) if noun == kind => noun,
                Some(noun) => format!("{noun}{}", capitalised(kind)),
                None => kind.to_owned(),
            }
        }
    };
    numbered(&base, |name| !taken.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_literals() {
        let ids = ParameterValues { classes: [Class::Int].into(), ..ParameterValues::default() };
        assert_eq!(parameter(Some("users"), &ids, &[]), "userId");
        assert_eq!(parameter(Some("users"), &ids, &["userId".to_owned()]), "userId2");
        assert_eq!(parameter(None, &ids, &[]), "id");
        assert_eq!(parameter(Some("id"), &ids, &[]), "id");
        assert_eq!(parameter(Some("ids"), &ids, &["id".to_owned()]), "id2");
        assert_eq!(owner(Some("repos"), &[]).as_deref(), Some("repoOwner"));
        assert_eq!(owner(Some("users"), &[]), None);
    }
}
