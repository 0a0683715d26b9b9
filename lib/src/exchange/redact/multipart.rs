//! Secrets in `multipart/form-data`: the parts that their names mark, and JSON parts.

use super::super::multipart::form_parts;
use super::{Found, Redactor, note};

impl Redactor {
    /// The body with its secret parts replaced; `None` where there are none.
    pub(super) fn multipart(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut copied = 0;
        // What is wrong with a part is no reason to show it: a body that was cut has a last part all the same.
        for part in form_parts(bytes, media_type).ok()? {
            let Some(name) = &part.name else { continue };
            let content = &bytes[part.content.clone()];
            let hidden = if self.names.is_secret(name.as_bytes()) && !content.is_empty() {
                note(name, found);
                match std::str::from_utf8(content) {
                    Ok(text) => self.pseudonym(text).into_bytes(),
                    Err(_) => self.pseudonym_of_bytes(content).into_bytes(),
                }
            } else {
                let Some(media) = part.media.filter(|media| media.contains("json")) else {
                    continue;
                };
                match self.bytes(content, &media, true, found) {
                    Some(hidden) => hidden,
                    None => continue,
                }
            };
            out.extend_from_slice(&bytes[copied..part.content.start]);
            out.extend_from_slice(&hidden);
            copied = part.content.end;
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(&bytes[copied..]);
        Some(out)
    }
}
