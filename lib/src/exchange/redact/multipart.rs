//! Redacts multipart bodies: parts with secret names, and the content of the others.

use super::super::multipart::form_parts;
use super::edits::Edits;
use super::mode::SearchMode;
use super::names::NameKind;
use super::{Found, Redactor};

impl Redactor {
    /// The body with its secrets replaced; `None` if there are none.
    pub(super) fn multipart(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        // A faulty part must be redacted too; the last part of a truncated body is one.
        let Ok(parts) = form_parts(bytes, media_type) else {
            let candidates = self.candidates(bytes);
            return self.text(bytes, &candidates, SearchMode::Unparsed, found, depth);
        };
        let mut edits = Edits::default();
        for part in parts {
            let content = &bytes[part.content.clone()];
            if content.is_empty() {
                continue;
            }
            let name = part.name.as_deref().unwrap_or_default();
            if depth == 0 {
                found.at(&match name {
                    "" => String::new(),
                    name => format!("#/{}", name.replace('~', "~0").replace('/', "~1")),
                });
            }
            if let Some(rule) = self.names.rule(name.as_bytes(), NameKind::Other) {
                let hidden = match std::str::from_utf8(content) {
                    Ok(text) => self.hide(name, rule, text).map(String::into_bytes),
                    Err(_) => Some(self.pseudonym_of_bytes(content).into_bytes()),
                };
                if let Some(hidden) = hidden {
                    found.note(name);
                    edits.put(part.content, hidden);
                }
                continue;
            }
            if self.names.is_kept(name.as_bytes()) {
                continue;
            }
            let media = part.media.unwrap_or_default();
            if let Some(hidden) = self.document(content, &media, found, depth + 1) {
                edits.put(part.content, hidden);
            }
        }
        edits.apply(bytes)
    }
}
