//! Decides whether the values of a query parameter are lists in one text: `ids=1,2,3`,
//! `fields=id|name`.
//!
//! A text with a comma is a list only with good evidence, because sentences, points, ranges and
//! names of people have commas too. So every item must be a word or a number, most values must be
//! lists, and their lengths must vary, unless the parameter has a name for lists.

use crate::infer::state::{Delimited, Delimiter, Lexical, ObservedParameter};

/// The delimiter of lists, with their observations; `None` if the values are not lists.
pub(crate) fn delimiter<'p>(
    parameter: &'p ObservedParameter,
    name: &str,
) -> Option<(Delimiter, &'p Delimited)> {
    let mut all = parameter.delimited.iter();
    let (Some((delimiter, lists)), None) = (all.next(), all.next()) else { return None };
    let (alone, joined) = (parameter.text.n, lists.whole.n);
    let refuted = lists.refuted | parameter.refuted;
    let is = |lexical: u64| refuted & lexical == 0;
    let last = crate::infer::finalise::words::split::words(name).pop().unwrap_or_default();
    let is_rule = (lists.parts.n + alone) * 2 >= (joined + alone) * 3;
    if parameter.most > 1 || !is(Lexical::WORD) || !is_rule || is_free_text(&last) {
        return None;
    }
    let varies = alone > 0 || lists.fewest.0 != lists.most;
    let named = names_list(&last);
    // `lat,lon`, or a box of two points.
    let is_point = is(Lexical::NUMBER) && (names_place(&last) || !is(Lexical::INT) && !varies);
    // 1,234,567
    let is_grouped = lists.ungrouped == 0 && !named;
    let is_list = match delimiter {
        Delimiter::Comma => (varies || named) && !is_point && !is_grouped,
        Delimiter::Pipe => varies || named,
        // Words separated by spaces are text, unless they are few and recur.
        Delimiter::Space => (varies || named) && (is(Lexical::INT) || are_few(lists) && named),
    };
    is_list.then_some((*delimiter, lists.as_ref()))
}

fn are_few(lists: &Delimited) -> bool {
    let distinct = lists.parts.values.exact().map(|values| values.len() as u64);
    distinct.is_some_and(|distinct| lists.parts.n >= 12 && distinct * 3 <= lists.parts.n)
}

/// Names of parameters for free text.
fn is_free_text(word: &str) -> bool {
    const WORDS: [&str; 19] = [
        "q",
        "query",
        "search",
        "text",
        "term",
        "keyword",
        "name",
        "title",
        "description",
        "message",
        "comment",
        "address",
        "city",
        "place",
        "note",
        "phrase",
        "sentence",
        "content",
        "date",
    ];
    WORDS.contains(&word)
}

/// Names for points and areas.
fn names_place(word: &str) -> bool {
    const WORDS: [&str; 21] = [
        "lat",
        "lng",
        "lon",
        "ll",
        "latlng",
        "latlon",
        "latlong",
        "coord",
        "coords",
        "coordinate",
        "coordinates",
        "location",
        "center",
        "centre",
        "point",
        "bbox",
        "bounds",
        "box",
        "near",
        "position",
        "geo",
    ];
    WORDS.contains(&word)
}

/// Plurals, and usual names for a selection of fields.
fn names_list(word: &str) -> bool {
    const WORDS: [&str; 13] = [
        "in", "include", "exclude", "expand", "embed", "select", "only", "except", "with",
        "populate", "fieldset", "list", "facet",
    ];
    let is_plural =
        word.len() > 2 && word.ends_with('s') && !word.ends_with("ss") && word != "status";
    is_plural || WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::Limits;

    fn found(name: &str, values: &[&str]) -> Option<Delimiter> {
        let mut parameter = ObservedParameter::default();
        for value in values {
            parameter.fold_query([*value].into_iter(), true, &Limits::default());
        }
        delimiter(&parameter, name).map(|(delimiter, _)| delimiter)
    }

    #[test]
    fn lists_are_told_from_texts() {
        use Delimiter::{Comma, Pipe, Space};
        for (name, values, expected) in [
            ("ids", &["1,2,3"][..], Some(Comma)),
            ("ids", &["1,2", "7", "3,4,5"], Some(Comma)),
            ("fields", &["id,name", "id,owner.login"], Some(Comma)),
            ("sort", &["-created,name", "name", "a,b,c"], Some(Comma)),
            ("status", &["open,closed", "open,closed,held"], Some(Comma)),
            ("tags", &["a|b", "c"], Some(Pipe)),
            ("ids", &["1 2 3", "4 5"], Some(Space)),
            // A range, a point, a box, a pair, a number, sentences, names.
            ("price", &["10,20", "5,50"], None),
            ("ll", &["52.5,13.4", "48.1,11.5"], None),
            ("bbox", &["1,2,3,4", "5,6,7,8"], None),
            ("at", &["52.5,13.4", "48.1,11.5"], None),
            ("sort", &["name,asc", "id,desc"], None),
            ("price", &["1,234", "1,234,567", "999"], None),
            ("q", &["red,shoes", "hats"], None),
            ("text", &["Hello, world", "a"], None),
            ("who", &["Doe, John", "Roe, Jane, Dr"], None),
            ("search", &["red shoes", "hats"], None),
            ("scope", &["read write", "read"], None),
            ("fields", &["id,owner(login)", "id"], None),
            ("ids", &["1,2", "1|2"], None),
            // Rarely a list.
            ("tags", &["a", "b", "c", "d", "e,f"], None),
        ] {
            assert_eq!(found(name, values), expected, "{name} {values:?}");
        }
    }
}
