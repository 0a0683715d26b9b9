//! Translates `pattern`, an ECMA-262 regular expression, to the linear engine.

use std::collections::HashMap;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::node::Pattern;

/// Longer patterns constrain nothing.
const MAX_LENGTH: usize = 4 << 10;
/// Maximum number of backtracking steps for a match.
const MAX_TRIES: usize = 100_000;
/// Maximum size of a compiled pattern in bytes.
const MAX_SIZE: usize = 1 << 20;

impl Pattern {
    /// Compiles a pattern; an unsupported one constrains nothing.
    pub fn new(source: &str) -> Pattern {
        let regex = translate(source, false).and_then(|pattern| compile(&pattern));
        let trying = if regex.is_none() { trying(source) } else { None };
        Pattern { source: source.to_owned(), regex, trying }
    }

    /// Compiles a pattern written as a JavaScript literal, `/^[a-z]+$/i`; `None` if it is not one.
    ///
    /// A pattern for paths also begins and ends with slashes, so only an anchor or a flag makes it
    /// a literal.
    pub fn of_literal(source: &str) -> Option<Pattern> {
        let (body, flags) = source.strip_prefix('/')?.rsplit_once('/')?;
        let is_literal = !flags.is_empty() || body.starts_with('^') || body.ends_with('$');
        if body.is_empty() || !is_literal || !flags.chars().all(|flag| "dgimsuvy".contains(flag)) {
            return None;
        }
        let pattern = Pattern::new(body);
        let meant: String = flags.chars().filter(|flag| "ims".contains(*flag)).collect();
        if meant.is_empty() {
            return pattern.is_checked().then_some(pattern);
        }
        let regex = compile(&format!("(?{meant}){}", translate(body, false)?))?;
        Some(Pattern { source: pattern.source, regex: Some(regex), trying: None })
    }

    /// Compiles a pattern between slashes as a literal if the example matches only in that case.
    pub fn of_literal_that_matches(source: &str, example: &str) -> Option<Pattern> {
        let body = source.strip_prefix('/')?.strip_suffix('/')?;
        let pattern = Pattern::new(body);
        let meant = pattern.is_checked() && pattern.accepts(example);
        (meant && !body.is_empty() && !Pattern::new(source).accepts(example)).then_some(pattern)
    }

    /// True if the text matches, or if this cannot be decided.
    pub fn accepts(&self, text: &str) -> bool {
        match (&self.regex, &self.trying) {
            (Some(regex), _) => regex.is_match(text),
            // If the engine gives up, the result is unknown.
            (None, Some(trying)) => trying.is_match(text).unwrap_or(true),
            (None, None) => true,
        }
    }

    /// True if the pattern constrains anything.
    pub fn is_checked(&self) -> bool {
        self.regex.is_some() || self.trying.is_some()
    }

    /// The pattern without its look-arounds, and with back-references replaced with their groups:
    /// every match of the pattern also matches this one. `None` if the linear engine supports the
    /// pattern itself, or does not support this form either.
    pub fn loosened(&self) -> Option<Regex> {
        self.trying.as_ref()?;
        compile(&translate(&loosen(&self.source)?, false)?)
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE).build().ok()
}

/// Look-around and back-references: a backtracking engine with limits.
fn trying(source: &str) -> Option<Arc<fancy_regex::Regex>> {
    let pattern = translate(source, true)?;
    let regex = fancy_regex::RegexBuilder::new(&pattern)
        .backtrack_limit(MAX_TRIES)
        .delegate_size_limit(MAX_SIZE)
        .delegate_dfa_size_limit(MAX_SIZE)
        .build();
    regex.ok().map(Arc::new)
}

/// Removes look-arounds, and replaces back-references with their groups.
fn loosen(source: &str) -> Option<String> {
    let chars: Vec<char> = source.chars().collect();
    // The range of each group, in the order of their numbers.
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let (mut open, mut class, mut at) = (Vec::new(), false, 0);
    let mut ends = HashMap::new();
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => {
                let captures = chars.get(at + 1) != Some(&'?')
                    || chars.get(at + 2) == Some(&'<')
                        && !matches!(chars.get(at + 3), Some('=' | '!'));
                if captures {
                    groups.push((at, 0));
                }
                open.push((at, captures.then(|| groups.len() - 1)));
            }
            ')' if !class => {
                let (start, group) = open.pop()?;
                ends.insert(start, at);
                if let Some(group) = group {
                    groups[group].1 = at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut out = String::new();
    (class, at) = (false, 0);
    while at < chars.len() {
        let rest = &chars[at..];
        match rest {
            ['(', '?', '=' | '!', ..] | ['(', '?', '<', '=' | '!', ..] if !class => {
                at = *ends.get(&at)?;
            }
            ['\\', digit @ '1'..='9', ..] if !class => {
                let (start, end) = *groups.get(*digit as usize - '1' as usize)?;
                out.extend(&chars[start..=end]);
                at += 1;
            }
            ['\\', next, ..] => {
                out.extend(['\\', *next]);
                at += 1;
            }
            [c, ..] => {
                class = if class { *c != ']' } else { *c == '[' };
                out.push(*c);
            }
            [] => {}
        }
        at += 1;
    }
    Some(out)
}

/// Translates the syntax: `\d` and `\w` are ASCII in ECMA-262, and a class has no nesting or set
/// operations there.
///
/// `references` allows back-references, which the linear engine lacks.
fn translate(source: &str, references: bool) -> Option<String> {
    if source.len() > MAX_LENGTH {
        return None;
    }
    let mut out = String::with_capacity(source.len() + 16);
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'd' if in_class => out.push_str("0-9"),
                'd' => out.push_str("[0-9]"),
                'D' => out.push_str("[^0-9]"),
                'w' if in_class => out.push_str("0-9A-Za-z_"),
                'w' => out.push_str("[0-9A-Za-z_]"),
                'W' => out.push_str("[^0-9A-Za-z_]"),
                // A word boundary is ASCII too; these escapes have another meaning or none in the
                // other syntax.
                'b' if !in_class => out.push_str("(?-u:\\b)"),
                'b' => out.push_str("\\x08"),
                digit @ '1'..='9' if references && !in_class => {
                    out.push('\\');
                    out.push(digit);
                }
                // Anchors of the whole text in Perl, Python and Ruby. In ECMA-262 they are letters,
                // which no author writes in this way.
                'A' if !in_class => out.push_str("\\A"),
                'Z' | 'z' if !in_class => out.push_str("\\z"),
                'Z' | 'z' | 'A' | 'a' | 'G' | 'c' | 'k' | '1'..='9' => return None,
                '0' => out.push_str("\\x00"),
                'u' if chars.peek() == Some(&'{') => out.push_str("\\u"),
                escaped => {
                    out.push('\\');
                    out.push(escaped);
                }
            },
            '[' if in_class => out.push_str("\\["),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && chars.peek() == Some(&'-') => return None,
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
                // In ECMA-262 `[]` matches nothing and `[^]` anything; elsewhere the `]` would be
                // literal.
                if chars.peek() == Some(&']') {
                    return None;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_what_ecma_means() {
        for (pattern, yes, no) in [
            (r"^\d{3}$", "123", "１２３"),
            (r"^[\w.-]+@x\/y$", "a.b-c@x/y", "é@x/y"),
            (r"^[[&~]+$", "[&~", "a"),
            (r"\u0041", "A", "u0041"),
            ("b", "abc", "xyz"),
            // Anchors of other languages.
            (r"\A[a-z]+\Z", "ab", "ab1"),
            (r"\A[a-z]+\z", "ab", "Aab"),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.regex.is_some(), "{}", pattern.source);
            assert!(pattern.accepts(yes) && !pattern.accepts(no), "{}", pattern.source);
        }
    }

    #[test]
    fn literals_of_javascript() {
        for (source, text, accepted) in [
            ("/^[a-z]+$/i", "ABC", true),
            ("/^[a-z]+$/i", "A1", false),
            ("/^a$/", "a", true),
            ("/^a$/", "/a/", false),
        ] {
            let pattern = Pattern::of_literal(source).expect(source);
            assert_eq!(pattern.accepts(text), accepted, "{source} {text}");
        }
        let shown = |source, example| Pattern::of_literal_that_matches(source, example).is_some();
        assert!(shown("/[a-z-]+/", "a-b") && !shown("/[a-z-]+/", "/a-b/"));
        assert!(!shown("/[a-z-]+/", "1") && !shown("[a-z]", "a") && !shown("//", "a"));
        for source in ["/users/", "^/a/$", "/", "//", "/a/b"] {
            assert!(Pattern::of_literal(source).is_none(), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_expressed_constrains_nothing() {
        for source in ["(?:(?:(?:a{100}){100}){100})", "(", &"a".repeat(5000)] {
            let pattern = Pattern::new(source);
            assert!(!pattern.is_checked() && pattern.accepts("anything"), "{source:.20}");
        }
    }

    #[test]
    fn look_around_and_references_are_tried() {
        for (source, yes, no, loose) in [
            (r"^(?!.*--)[a-z-]+$", "a-b", "a--b", "^[a-z-]+$"),
            (r"^(['!])[a-z]*\1$", "'x'", "'x!", r"^(['!])[a-z]*(['!])$"),
            (r"^\d{3}(?<!000)$", "123", "000", r"^[0-9]{3}$"),
            (r"^(?=.*\d)[a-z\d]{4,}$", "abc1", "abcd", r"^[a-z0-9]{4,}$"),
        ] {
            let pattern = Pattern::new(source);
            assert!(pattern.regex.is_none() && pattern.is_checked(), "{source}");
            assert!(pattern.accepts(yes) && !pattern.accepts(no), "{source}");
            assert_eq!(pattern.loosened().map(|regex| regex.to_string()).as_deref(), Some(loose));
        }
        // A match that would take exponential time is given up.
        let evil = Pattern::new(r"^(?=a)(a+)+\1$");
        assert!(evil.accepts(&("a".repeat(40) + "b")));
    }
}
