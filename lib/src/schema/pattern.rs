//! `pattern`: an ECMA-262 expression in the syntax of the linear engine.

use regex::{Regex, RegexBuilder};

use super::node::Pattern;

/// Longer patterns constrain nothing.
const MAX_LENGTH: usize = 4 << 10;
/// Bytes that a compiled pattern may take.
const MAX_SIZE: usize = 1 << 20;

impl Pattern {
    /// Compiles a pattern; what the engine cannot express is left unconstrained.
    pub fn new(source: &str) -> Pattern {
        let regex = translate(source).and_then(|pattern| compile(&pattern));
        Pattern { source: source.to_owned(), regex }
    }

    /// True where the text matches, or nothing can be said.
    pub fn accepts(&self, text: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE).build().ok()
}

/// `\d` and `\w` mean ASCII in ECMA-262, and a class has no nesting or set operations there.
fn translate(source: &str) -> Option<String> {
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
                // A word boundary is ASCII too; these have another meaning or none in the other syntax.
                'b' if !in_class => out.push_str("(?-u:\\b)"),
                'b' => out.push_str("\\x08"),
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
                // `[]` matches nothing and `[^]` anything in ECMA-262; elsewhere `]` would be literal here.
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
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.regex.is_some(), "{}", pattern.source);
            assert!(pattern.accepts(yes) && !pattern.accepts(no), "{}", pattern.source);
        }
    }

    #[test]
    fn what_cannot_be_expressed_constrains_nothing() {
        for source in [r"^(?=x)", r"(a)\1", "(?:(?:(?:a{100}){100}){100})", "(", &"a".repeat(5000)]
        {
            let pattern = Pattern::new(source);
            assert!(pattern.regex.is_none() && pattern.accepts("anything"), "{source:.20}");
        }
    }
}
