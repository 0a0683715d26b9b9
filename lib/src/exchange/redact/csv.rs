//! Redacts tables of comma-separated values (RFC 4180): the columns with a secret name.

use std::ops::Range;

use super::edits::Edits;
use super::names::{NameKind, Rule};
use super::{Found, Redactor};

/// Characters that separate fields, in the order of their use.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Redactor {
    /// The table with the values of secret columns replaced; `None` if there are none.
    pub(super) fn csv(&self, bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
        let first = bytes.split(|byte| *byte == b'\n').next()?;
        let separator = SEPARATORS.into_iter().max_by_key(|sign| {
            (first.iter().filter(|byte| *byte == sign).count(), *sign == b',')
        })?;
        let mut fields = Fields { bytes, separator, at: 0 };
        let mut columns: Vec<Option<(Rule, String)>> = Vec::new();
        for field in fields.record() {
            let name = &bytes[field];
            let rule = self.names.rule(name, NameKind::Other);
            columns.push(rule.map(|rule| (rule, String::from_utf8_lossy(name).into_owned())));
        }
        if columns.iter().all(Option::is_none) {
            return None;
        }
        let mut edits = Edits::default();
        while fields.at < bytes.len() {
            for (field, column) in fields.record().into_iter().zip(&columns) {
                let Some((rule, name)) = column else { continue };
                let value = String::from_utf8_lossy(&bytes[field.clone()]);
                if let Some(hidden) = self.hide(name, *rule, &value) {
                    found.note(name);
                    edits.put(field, hidden);
                }
            }
        }
        edits.apply(bytes)
    }
}

/// The fields of a table, without their quotes and surrounding blanks.
struct Fields<'b> {
    bytes: &'b [u8],
    separator: u8,
    at: usize,
}

impl Fields<'_> {
    /// The fields up to the next end of a line.
    fn record(&mut self) -> Vec<Range<usize>> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field());
            match self.bytes.get(self.at) {
                Some(byte) if *byte == self.separator => self.at += 1,
                Some(_) => {
                    self.at += 1;
                    return fields;
                }
                None => return fields,
            }
        }
    }

    /// A field; afterwards, `at` is the position of the separator or the newline after it.
    fn field(&mut self) -> Range<usize> {
        let blanks = self.bytes[self.at..].iter().take_while(|byte| **byte == b' ').count();
        let start = self.at + blanks;
        let ends = |byte: &u8| *byte == self.separator || *byte == b'\n';
        if self.bytes.get(start) == Some(&b'"') {
            let mut end = start + 1;
            // A doubled quote is part of the field.
            while let Some(ahead) = self.bytes.get(end..).and_then(|r| memchr::memchr(b'"', r)) {
                end += ahead;
                if self.bytes.get(end + 1) != Some(&b'"') {
                    break;
                }
                end += 2;
            }
            let end = if self.bytes.get(end) == Some(&b'"') { end } else { self.bytes.len() };
            let rest = self.bytes.get(end..).unwrap_or_default();
            self.at = end + rest.iter().position(ends).unwrap_or(rest.len());
            return start + 1..end;
        }
        let rest = &self.bytes[start..];
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.at = start + length;
        start..start + rest[..length].trim_ascii_end().len()
    }
}
