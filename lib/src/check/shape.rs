//! Groups paths that belong to no operation by their shape.

/// Replaces identifiers by `{}`: segments that contain digits, and segments of more than 40
/// characters.
pub(super) fn shape(pathname: &str) -> String {
    let segments = pathname.split('/').map(|segment| {
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        // `v1` is a word.
        let version = segment.len() <= 4 && segment.starts_with(['v', 'V']);
        if digits > 0 && !version || segment.len() > 40 { "{}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn ids_are_holes() {
        for (path, expected) in [
            ("/v1/users/42", "/v1/users/{}"),
            ("/users/5f0c1d2e-0000-4000-8000-000000000000/posts", "/users/{}/posts"),
            ("/", "/"),
            ("/a/b.json", "/a/b.json"),
        ] {
            assert_eq!(shape(path), expected);
        }
    }
}
