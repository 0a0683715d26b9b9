//! The first difference between two requests, for people.

use super::body::Comparable;
use super::json::{JsonValue, same_number};
use super::pointer::{self, Pointer};

/// Longer values are shown in part, up to this many characters.
const MAX_SHOWN: usize = 60;

/// The first name whose values differ between two lists of names and values in any order.
pub(super) fn pairs(
    what: &str,
    recorded: &[(String, String)],
    requested: &[(String, String)],
) -> Option<String> {
    let values = |pairs: &[(String, String)], name: &str| -> Vec<String> {
        let mut own: Vec<String> =
            pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect();
        own.sort_unstable();
        own
    };
    let names = recorded.iter().chain(requested).map(|(name, _)| name);
    names.map(String::as_str).find_map(|name| {
        let (old, new) = (values(recorded, name), values(requested, name));
        (old != new).then(|| {
            let show = |values: &[String]| {
                if values.is_empty() {
                    "absent".to_owned()
                } else {
                    short(&format!("{:?}", values.join(", ")))
                }
            };
            describe(&format!("{what} {name}"), &show(&old), &show(&new))
        })
    })
}

/// The first difference between two bodies.
pub(super) fn bodies(
    recorded: &Comparable<'_>,
    requested: &Comparable<'_>,
    ignored: &[Pointer],
) -> Option<String> {
    match (recorded, requested) {
        (Comparable::Json(old), Comparable::Json(new)) => json(old, new, ignored, &mut Vec::new()),
        (Comparable::Form(old), Comparable::Form(new)) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let owned = |pairs: &[(_, _)]| -> Vec<(String, String)> {
                pairs
                    .iter()
                    .map(|(name, value): &super::body::FormPair<'_>| (text(name), text(value)))
                    .collect()
            };
            pairs("the form field", &owned(old), &owned(new)).or_else(|| {
                (old != new).then(|| "the order of form fields with the same name".to_owned())
            })
        }
        (Comparable::Parts(old), Comparable::Parts(new)) => {
            if old.len() != new.len() {
                let (old, new) = (format!("{} parts", old.len()), format!("{} parts", new.len()));
                return Some(describe("the multipart body", &old, &new));
            }
            let at = old.iter().zip(new).position(|(old, new)| old != new)?;
            let name = |part: &super::body::MultipartPart<'_>| {
                format!("{:?}", part.name.as_deref().unwrap_or_default())
            };
            Some(format!("part {} of the multipart body ({})", at + 1, name(&old[at])))
        }
        (old, new) if old == new => None,
        (Comparable::Bytes(old), Comparable::Bytes(new)) => {
            let at = old.iter().zip(*new).take_while(|(a, b)| a == b).count();
            Some(format!("the body from byte {at}"))
        }
        (old, new) => Some(describe("the body", old.kind(), new.kind())),
    }
}

fn json(
    recorded: &JsonValue<'_>,
    requested: &JsonValue<'_>,
    ignored: &[Pointer],
    path: &mut Vec<String>,
) -> Option<String> {
    if ignored.iter().any(|pointer| pointer.matches(path)) {
        return None;
    }
    let here = |path: &[String], old: &str, new: &str| {
        let place = pointer::display(path);
        let what =
            if place.is_empty() { "the body".to_owned() } else { format!("the body at {place}") };
        Some(describe(&what, &short(old), &short(new)))
    };
    match (recorded, requested) {
        (JsonValue::Number(a), JsonValue::Number(b)) if same_number(a, b) => None,
        (JsonValue::Array(a), JsonValue::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(index, (a, b))| {
                path.push(index.to_string());
                let found = json(a, b, ignored, path);
                path.pop();
                found
            })
        }
        (JsonValue::Object(a), JsonValue::Object(b)) => {
            let names = a.iter().chain(b).map(|(name, _)| name.as_ref());
            names.into_iter().find_map(|name: &str| {
                path.push(name.to_owned());
                let found = match (recorded.member(name), requested.member(name)) {
                    (Some(a), Some(b)) => json(a, b, ignored, path),
                    _ if ignored.iter().any(|pointer| pointer.matches(path)) => None,
                    (Some(old), None) => here(path, &old.display(), "absent"),
                    (None, Some(new)) => here(path, "absent", &new.display()),
                    (None, None) => None,
                };
                path.pop();
                found
            })
        }
        (a, b) if a == b => None,
        (a, b) => here(path, &a.display(), &b.display()),
    }
}

fn describe(what: &str, recorded: &str, requested: &str) -> String {
    format!("{what} (recorded {recorded}, requested {requested})")
}

fn short(text: &str) -> String {
    abridged(text, MAX_SHOWN)
}

/// The text, cut after `most` characters.
pub(crate) fn abridged(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(recorded: &str, requested: &str) -> Option<String> {
        let of = |text| Comparable::of(str::as_bytes(text), None);
        bodies(&of(recorded), &of(requested), &["/t".parse().unwrap()])
    }

    #[test]
    fn the_first_difference_is_named() {
        for (recorded, requested, place) in [
            (
                r#"{"a":{"b":[1,2]}}"#,
                r#"{"a":{"b":[1,3]}}"#,
                "the body at /a/b/1 (recorded 2, requested 3)",
            ),
            (r#"{"a":1}"#, r#"{}"#, "the body at /a (recorded 1, requested absent)"),
            ("a=1&b=2", "a=1&b=3", "the form field b (recorded \"2\", requested \"3\")"),
            ("a=1&a=2", "a=2&a=1", "the order of form fields with the same name"),
            ("abc", "abd", "the body from byte 2"),
            ("[1]", "", "the body (recorded JSON, requested no body)"),
        ] {
            assert_eq!(of(recorded, requested).as_deref(), Some(place));
        }
        assert_eq!(of(r#"{"a":1,"t":5}"#, r#"{"t":6,"a":1.0}"#), None);
    }
}
