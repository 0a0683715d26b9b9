//! Glob patterns: `*` matches any run of characters, `?` any single one.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A glob pattern that must match the whole text, ignoring ASCII case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl FromStr for Pattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Pattern(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// True if the pattern matches all of `text`.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        // Greedy matching only needs to return to the last star, so the time is at most the product
        // of the lengths.
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(&byte) if byte == b'?' || byte == text[t].to_ascii_lowercase() => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((star_p, star_t)) => {
                        star = Some((star_p, star_t + 1));
                        p = star_p + 1;
                        t = star_t + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|&byte| byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_cover_the_whole() {
        let matches = |pattern: &str, text: &str| {
            pattern.parse::<Pattern>().expect("any text is a pattern").matches(text)
        };
        for (pattern, text) in [
            ("*.example.com", "api.Example.com"),
            ("api-?.test", "api-1.test"),
            ("*", ""),
            ("a*b*c", "axxbyybzc"),
            ("[::1]", "[::1]"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "api.example.com.evil.test"),
            ("api-?.test", "api-.test"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
