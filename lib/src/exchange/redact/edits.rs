//! Replacements in a text, made in any order.

use std::ops::Range;

/// Replacements that do not overlap.
#[derive(Default)]
pub(super) struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    pub(super) fn put(&mut self, range: Range<usize>, text: impl Into<Vec<u8>>) {
        self.0.push((range, text.into()));
    }

    /// The text with all replacements; `None` if there are none.
    pub(super) fn apply(mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|(range, _)| range.start);
        let mut out = Vec::with_capacity(bytes.len() + 32 * self.0.len());
        let mut copied = 0;
        for (range, text) in self.0 {
            if range.start < copied {
                continue;
            }
            out.extend_from_slice(&bytes[copied..range.start]);
            out.extend_from_slice(&text);
            copied = range.end;
        }
        out.extend_from_slice(&bytes[copied..]);
        Some(out)
    }
}
