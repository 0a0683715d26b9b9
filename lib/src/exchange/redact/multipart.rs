//! Secrets in `multipart/form-data`: the parts that their names mark, and JSON parts.

use super::{Found, Redactor, note};

impl Redactor {
    /// The body with its secret parts replaced; `None` where there are none.
    pub(super) fn multipart(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
    ) -> Option<Vec<u8>> {
        let boundary = parameter(media_type, "boundary")?;
        let delimiter = format!("--{boundary}");
        let finder = memchr::memmem::Finder::new(delimiter.as_bytes());
        let starts: Vec<usize> = finder.find_iter(bytes).map(|at| at + delimiter.len()).collect();
        let mut out = Vec::new();
        let mut copied = 0;
        for (index, start) in starts.iter().enumerate() {
            // A body that was cut has no delimiter behind its last part.
            let end = starts.get(index + 1).map_or(bytes.len(), |next| next - delimiter.len());
            let part = &bytes[*start..end];
            let Some((head, blank)) = split_part(part) else { continue };
            let content = &part[blank..];
            let content =
                content.strip_suffix(b"\r\n").or(content.strip_suffix(b"\n")).unwrap_or(content);
            let head = String::from_utf8_lossy(head);
            let Some(name) = parameter(line(&head, "content-disposition"), "name") else {
                continue;
            };
            let hidden = if self.names.is_secret(name.as_bytes()) && !content.is_empty() {
                note(&name, found);
                match std::str::from_utf8(content) {
                    Ok(text) => self.pseudonym(text).into_bytes(),
                    Err(_) => self.pseudonym_of_bytes(content).into_bytes(),
                }
            } else {
                let media_type = line(&head, "content-type");
                if !media_type.to_ascii_lowercase().contains("json") {
                    continue;
                }
                match self.bytes(content, media_type, true, found) {
                    Some(hidden) => hidden,
                    None => continue,
                }
            };
            let at = start + blank;
            out.extend_from_slice(&bytes[copied..at]);
            out.extend_from_slice(&hidden);
            copied = at + content.len();
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(&bytes[copied..]);
        Some(out)
    }
}

/// The part's headers, and where behind the blank line its content begins.
fn split_part(part: &[u8]) -> Option<(&[u8], usize)> {
    for blank in [b"\r\n\r\n".as_slice(), b"\n\n"] {
        if let Some(at) = memchr::memmem::find(part, blank) {
            return Some((&part[..at], at + blank.len()));
        }
    }
    None
}

/// The value of a header among the lines of `head`.
fn line<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

/// A parameter of a header value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"').to_owned())
            .filter(|value| !value.is_empty())
    })
}
