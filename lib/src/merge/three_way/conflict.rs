//! A location that both sides changed.

use std::fmt;

use serde_json::Value;

/// A location that both sides changed since the base.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// A JSON pointer, with elements of lists by name.
    pub pointer: String,
    /// The value of ours; `None` if it was deleted.
    pub ours: Option<Value>,
    /// The value of theirs.
    pub theirs: Option<Value>,
}

/// Maximum length of a shown value.
const SHOWN: usize = 120;

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            None => "(deleted)".to_owned(),
            Some(value) => {
                let text = value.to_string();
                match text.char_indices().nth(SHOWN) {
                    Some((at, _)) => format!("{}…", &text[..at]),
                    None => text,
                }
            }
        };
        write!(f, "{}: {} / {}", self.pointer, shown(&self.ours), shown(&self.theirs))
    }
}
