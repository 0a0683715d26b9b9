//! The positions of the parts of a JSON text. The text was generated here: it is valid, and has no
//! white space between its tokens.

use std::ops::Range;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// With its quotes.
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The members of an object at `at`; `None` if there is none.
pub(super) fn members(json: &[u8], at: Range<usize>) -> Option<Vec<Span>> {
    let mut found = Vec::new();
    let mut place = inside(json, &at, b'{', b'}')?;
    let end = at.end - 1;
    while place < end {
        let name = place..string_end(json, place)?;
        if json.get(name.end) != Some(&b':') {
            return None;
        }
        let value = name.end + 1..value_end(json, name.end + 1)?;
        place = next(json, value.end, end)?;
        found.push(Span { name, value });
    }
    Some(found)
}

/// The items of an array at `at`; `None` if there is none.
pub(super) fn items(json: &[u8], at: Range<usize>) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    let mut place = inside(json, &at, b'[', b']')?;
    let end = at.end - 1;
    while place < end {
        let value = place..value_end(json, place)?;
        place = next(json, value.end, end)?;
        found.push(value);
    }
    Some(found)
}

/// The position after the first bracket, if both brackets are present.
fn inside(json: &[u8], at: &Range<usize>, open: u8, close: u8) -> Option<usize> {
    let text = json.get(at.clone())?;
    (text.len() > 1 && text.first() == Some(&open) && text.last() == Some(&close))
        .then_some(at.start + 1)
}

/// The position of the next part after the end of one; `None` if there is neither a comma nor the
/// end.
fn next(json: &[u8], place: usize, end: usize) -> Option<usize> {
    match json.get(place) {
        _ if place == end => Some(end),
        Some(b',') => Some(place + 1),
        _ => None,
    }
}

/// The position after a string that begins at `start`.
fn string_end(json: &[u8], start: usize) -> Option<usize> {
    if json.get(start) != Some(&b'"') {
        return None;
    }
    let mut place = start + 1;
    loop {
        let rest = json.get(place..)?;
        let found = memchr::memchr2(b'"', b'\\', rest)?;
        match rest[found] {
            b'"' => return Some(place + found + 1),
            // An escaped character has no meaning.
            _ => place += found + 2,
        }
    }
}

/// The position after a value that begins at `start`.
fn value_end(json: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut place = start;
    loop {
        match json.get(place)? {
            b'"' => place = string_end(json, place)?,
            b'{' | b'[' => {
                depth += 1;
                place += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                place += 1;
            }
            b',' | b':' => {
                place += 1;
                continue;
            }
            _ => {
                let rest = &json[place..];
                let end = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']'));
                place += end.unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let text = br#"{"a":{"x":[1,{"y":"}]"}],"z":null},"b\"":"\\","c":-1.5e3,"d":[],"e":{}}"#;
        let found = members(text, 0..text.len()).expect("an object");
        let shown =
            |range: &Range<usize>| String::from_utf8_lossy(&text[range.clone()]).into_owned();
        let shown: Vec<_> = found.iter().map(|s| (shown(&s.name), shown(&s.value))).collect();
        let expected = [
            (r#""a""#, r#"{"x":[1,{"y":"}]"}],"z":null}"#),
            (r#""b\"""#, r#""\\""#),
            (r#""c""#, "-1.5e3"),
            (r#""d""#, "[]"),
            (r#""e""#, "{}"),
        ];
        assert_eq!(shown, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let list = b"[1,[2,3],\"x,y\",{}]";
        assert_eq!(items(list, 0..list.len()), Some(vec![1..2, 3..8, 9..14, 15..17]));
        assert_eq!(items(b"[]", 0..2), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_json_has_no_parts() {
        for text in ["{\"a\"}", "{\"a\":", "{\"a\":\"}", "{a:1}", "{", "1", "{\"a\":1]"] {
            assert_eq!(members(text.as_bytes(), 0..text.len()), None, "{text}");
        }
        assert_eq!(items(b"[1 2", 0..4), None);
    }
}
