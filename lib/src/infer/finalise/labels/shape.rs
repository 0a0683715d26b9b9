//! Facts about a path besides its segments.

use std::collections::BTreeSet;

use super::segments::split_extension;
use crate::infer::finalise::paths::answered_lists::{good_answers, is_list};
use crate::infer::state::{Json, ObservedOperation};

/// Facts about a path that the operation and other paths show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PathShape {
    /// A parameter follows: for `/users`, if there is `/users/{}`.
    pub(crate) has_items: bool,
    /// Whether successful responses hold a list or one thing; `None` if unknown.
    pub(crate) lists: Option<bool>,
    /// The path has several representations, so the name must include this one: `/report.csv`,
    /// `/report.xml`.
    pub(crate) represented: bool,
}

impl PathShape {
    /// From the successful responses of an operation.
    pub(crate) fn of(key: &str, operation: &ObservedOperation, siblings: Siblings) -> PathShape {
        let Siblings { has_items, represented } = siblings;
        let last = key.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let answers: Vec<&Json> = good_answers(operation).collect();
        let lists = (!answers.is_empty()).then(|| answers.iter().any(|json| is_list(json, last)));
        PathShape { has_items, lists, represented }
    }
}

/// Facts about a path from other paths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Siblings {
    has_items: bool,
    represented: bool,
}

impl Siblings {
    /// From the keys of all paths.
    pub(crate) fn of(key: &str, keys: &BTreeSet<&str>) -> Siblings {
        let begins =
            |start: &str| keys.range(start..).next().is_some_and(|next| next.starts_with(start));
        let has_items = keys.contains(format!("{key}/{{}}").as_str())
            || begins(&format!("{key}({{}}"))
            || begins(&format!("{key}/{{}}."));
        let (stem, extension) = split_extension(key);
        let represented = extension.is_some()
            && (keys.contains(stem)
                || keys.range(stem..).take_while(|other| other.starts_with(stem)).any(|other| {
                    *other != key && split_extension(other) == (stem, other.get(stem.len() + 1..))
                }));
        Siblings { has_items, represented }
    }
}
