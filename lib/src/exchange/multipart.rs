//! Reads `multipart/form-data` (RFC 7578, RFC 2046 section 5.1): the positions of the parts, and
//! their headers.
//!
//! Redaction and validation share this reader, so that they see the same parts.

use std::ops::Range;

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPart {
    /// The name of the field, if any.
    pub name: Option<String>,
    /// The Content-Type. The type is in lower case; parameters are unchanged, because a boundary is
    /// case-sensitive.
    pub media: Option<String>,
    /// Whether it is a file.
    pub is_file: bool,
    /// The name of the file, if any.
    pub file_name: Option<String>,
    /// The position of the content in the body.
    pub content: Range<usize>,
    /// The problem of the part, if any.
    pub fault: Option<&'static str>,
}

/// A delimiter line between parts.
struct Delimiter {
    at: usize,
    /// The start of the next part.
    end: usize,
    is_last: bool,
}

/// The parts of a body. In a truncated body, the last part has a fault.
///
/// # Errors
/// What is wrong with the body as a whole.
pub fn form_parts(body: &[u8], content_type: &str) -> Result<Vec<FormPart>, &'static str> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
    let delimiter = format!("--{}", boundary.ok_or("has no boundary in its Content-Type")?);
    let delimiters: Vec<Delimiter> = memchr::memmem::find_iter(body, &delimiter)
        .filter_map(|at| delimiter_at(body, at, delimiter.len()))
        .collect();
    if delimiters.is_empty() {
        return Err("does not begin with its boundary");
    }
    let mut parts = Vec::new();
    for (index, delimiter) in delimiters.iter().enumerate() {
        if delimiter.is_last {
            break;
        }
        let next = delimiters.get(index + 1);
        let mut part = part(body, delimiter.end..next.map_or(body.len(), |next| next.at));
        if next.is_none() {
            part.fault = Some("ends before its last boundary");
        }
        parts.push(part);
    }
    Ok(parts)
}

/// A delimiter begins a line, and only whitespace follows it.
fn delimiter_at(body: &[u8], at: usize, length: usize) -> Option<Delimiter> {
    if at > 0 && body[at - 1] != b'\n' {
        return None;
    }
    let rest = &body[at + length..];
    if rest.starts_with(b"--") {
        return Some(Delimiter { at, end: body.len(), is_last: true });
    }
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line_end = match &rest[blanks..] {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        // A truncated body.
        [] | [b'\r'] => rest.len() - blanks,
        _ => return None,
    };
    Some(Delimiter { at, end: at + length + blanks + line_end, is_last: false })
}

fn part(body: &[u8], all: Range<usize>) -> FormPart {
    let bytes = &body[all.clone()];
    let none = [&b"\r\n"[..], b"\n"].into_iter().find(|line_end| bytes.starts_with(line_end));
    let blank = [b"\r\n\r\n".as_slice(), b"\n\n"]
        .into_iter()
        .filter_map(|blank| Some((memchr::memmem::find(bytes, blank)?, blank.len())))
        .min();
    let (head, begin, fault) = match (none, blank) {
        (Some(line_end), _) => (&[][..], line_end.len(), None),
        (None, Some((at, length))) => (&bytes[..at], at + length, None),
        (None, None) => {
            (bytes, bytes.len(), Some("has a part without a blank line after its headers"))
        }
    };
    let content = &bytes[begin..];
    // The line break before a delimiter belongs to the delimiter.
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    let begin = all.start + begin;
    let head = String::from_utf8_lossy(head);
    let disposition = header(&head, "content-disposition");
    let media = header(&head, "content-type");
    let file_name = parameter(disposition, "filename");
    FormPart {
        name: parameter(disposition, "name"),
        media: (!media.is_empty()).then(|| with_lower_type(media)),
        // Browsers give this name to every Blob that is not a file; scripts send JSON parts this
        // way.
        is_file: file_name
            .as_deref()
            .is_some_and(|name| name != "blob" || !media.to_ascii_lowercase().contains("json")),
        file_name,
        content: begin..begin + content.len(),
        fault,
    }
}

/// A Content-Type with the type, but not its parameters, in lower case.
fn with_lower_type(media: &str) -> String {
    let (kind, parameters) = media.split_at(media.find(';').unwrap_or(media.len()));
    kind.to_ascii_lowercase() + parameters
}

/// The value of a header among the lines of `head`.
fn header<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

/// A parameter of a header value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (found, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = end_of_quoted(quoted)?;
                (quoted[..end].replace("\\\"", "\""), &quoted[end + 1..])
            }
            None => {
                let (text, next) = after.split_at(after.find(';').unwrap_or(after.len()));
                (text.trim().to_owned(), next)
            }
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(text);
        }
        rest = next.trim_start().strip_prefix(';')?;
    }
}

/// Finds the closing quote. An escaped quote closes only if there is no other quote, as in Windows
/// file names.
fn end_of_quoted(quoted: &str) -> Option<usize> {
    let mut quotes = quoted.match_indices('"').map(|(at, _)| at);
    quotes.clone().find(|at| !quoted[..*at].ends_with('\\')).or_else(|| quotes.next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'b>(body: &'b [u8], kind: &str) -> Vec<(Option<String>, &'b [u8], bool)> {
        let parts = form_parts(body, kind).expect("legal");
        parts.into_iter().map(|p| (p.name, &body[p.content], p.is_file)).collect()
    }

    #[test]
    fn parts_are_told_apart() {
        let body = b"preamble\r\n--x \r\nContent-Disposition: form-data; name=\"a;b\"\r\n\r\none\r\n--x\r\ncontent-disposition: form-data; name=f; filename=\"n.bin\"\r\nContent-Type: Application/Octet-Stream\r\n\r\n\xff--x\r\n--xy\r\n--x\n\nnameless\n--x--\r\n--x\r\nepilogue";
        assert_eq!(
            seen(body, "multipart/form-data; boundary=\"x\""),
            [
                (Some("a;b".to_owned()), &b"one"[..], false),
                (Some("f".to_owned()), b"\xff--x\r\n--xy", true),
                (None, b"nameless", false),
            ]
        );
    }

    #[test]
    fn names_are_quoted_or_not() {
        for (disposition, name) in [
            ("form-data; name=a", Some("a")),
            ("form-data; NAME = \"a\" ; filename=b", Some("a")),
            ("form-data; filename=\"x; name=y\"; name=\"a; b=c\"", Some("a; b=c")),
            (r#"form-data; name="a\"b"; x=y"#, Some("a\"b")),
            (r#"form-data; filename="C:\d\"; name="a""#, None),
            (r#"form-data; name="C:\d\""#, Some(r"C:\d\")),
            ("form-data; name=\"\"", Some("")),
            ("form-data; name=\"open", None),
            ("form-data", None),
        ] {
            assert_eq!(parameter(disposition, "name").as_deref(), name, "{disposition}");
        }
    }

    #[test]
    fn what_is_no_multipart_is_said() {
        let parts = |body: &[u8], kind: &str| {
            form_parts(body, kind).map(|parts| parts.iter().map(|p| p.fault).collect::<Vec<_>>())
        };
        assert_eq!(parts(b"", "multipart/form-data"), Err("has no boundary in its Content-Type"));
        let kind = "multipart/form-data; boundary=x";
        assert_eq!(parts(b"--y\r\n", kind), Err("does not begin with its boundary"));
        let cut = Some("ends before its last boundary");
        assert_eq!(parts(b"--x\r\na: b\r\n\r\n1\r\n", kind), Ok(vec![cut]));
        assert_eq!(parts(b"--x", kind), Ok(vec![cut]));
        let headless = Some("has a part without a blank line after its headers");
        assert_eq!(parts(b"--x\r\na\r\n--x--", kind), Ok(vec![headless]));
        assert_eq!(parts(b"--x--", kind), Ok(vec![]));
    }
}
