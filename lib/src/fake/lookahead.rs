//! Patterns that begin with look-aheads, such as password rules: `^(?=.*[A-Z])(?=.*\d)[\w!]{8,}$`.
//!
//! The linear engine has no look-around, but a look-ahead at the start of an anchored pattern is
//! another pattern that must match, or must not, from the start.

use regex::Regex;

use crate::schema::Pattern;

/// The parts of a pattern with look-aheads.
pub(super) struct Parts {
    /// All of them must match; the last one follows the look-aheads.
    pub(super) all: Vec<Regex>,
    /// None of them may match.
    pub(super) none: Vec<Regex>,
}

/// Splits a pattern; `None` if it does not have this form.
pub(super) fn split(source: &str) -> Option<Parts> {
    let mut rest = source.strip_prefix('^')?;
    let mut parts = Parts { all: Vec::new(), none: Vec::new() };
    loop {
        let (list, after) = if let Some(after) = rest.strip_prefix("(?=") {
            (&mut parts.all, after)
        } else if let Some(after) = rest.strip_prefix("(?!") {
            (&mut parts.none, after)
        } else {
            break;
        };
        let end = closing(after)?;
        list.push(Pattern::new(&format!("^(?:{})", &after[..end])).regex?);
        rest = &after[end + 1..];
    }
    let looked = !parts.all.is_empty() || !parts.none.is_empty();
    parts.all.push(Pattern::new(&format!("^(?:{rest})")).regex?);
    // The look-aheads would not apply to a top-level alternation.
    (looked && closing(&format!("{rest})")) == Some(rest.len()) && !top_level_bar(rest))
        .then_some(parts)
}

/// The end of the group at the start of `text`.
fn closing(text: &str) -> Option<usize> {
    scan(text, |c, depth| c == ')' && depth == 0)
}

fn top_level_bar(text: &str) -> bool {
    scan(text, |c, depth| c == '|' && depth == 0).is_some()
}

/// The first unescaped character outside of classes for which `found` is true.
fn scan(text: &str, found: impl Fn(char, u32) -> bool) -> Option<usize> {
    let (mut depth, mut class, mut escaped) = (0_u32, false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        if !class && found(c, depth) {
            return Some(at);
        }
        match c {
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}
