//! The character encoding of a body; redaction and all readers of bodies share this rule.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// An encoding in which a body can be decoded and encoded again.
pub(crate) struct Charset {
    encoding: &'static Encoding,
    /// The length of the byte order mark.
    mark: usize,
}

/// The encoding of a body that must be decoded, from its byte order mark, the zero bytes of UTF-16,
/// or its declared `charset`. `None` if the bytes can be read directly: UTF-8, and supersets of
/// ASCII whose bytes are valid UTF-8.
pub(crate) fn charset(bytes: &[u8], content_type: &str) -> Option<Charset> {
    let mark = Encoding::for_bom(bytes).map_or(0, |(_, length)| length);
    let encoding = encoding_of(bytes, content_type).filter(|encoding| *encoding != UTF_8)?;
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    let needed = is_wide || simdutf8::basic::from_utf8(bytes).is_err();
    needed.then_some(Charset { encoding, mark })
}

/// The encoding of a text. The order is: a byte order mark, the zero bytes of UTF-16 (a label may
/// leave the byte order open), the declared `charset`.
pub(crate) fn encoding_of(bytes: &[u8], content_type: &str) -> Option<&'static Encoding> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    marked.or_else(|| wide(bytes)).or_else(|| declared(content_type))
}

/// Detects UTF-16 without a byte order mark: the first two characters are nearly always ASCII, and
/// no other text encoding has zero bytes there (RFC 4627, section 3).
pub(crate) fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, first, 0, second, ..] if *first > 0 && *second > 0 => Some(UTF_16BE),
        [first, 0, second, 0, ..] if *first > 0 && *second > 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// The encoding that the parameter `charset` of a Content-Type names, by the labels of the WHATWG
/// Encoding Standard.
pub(crate) fn declared(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| Encoding::for_label(value.as_bytes()))?
    })
}

impl Charset {
    /// The text of the body, without its byte order mark. Invalid sequences become U+FFFD.
    pub(crate) fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        self.encoding.decode_without_bom_handling(&bytes[self.mark..]).0
    }

    /// Encodes `text` with the byte order mark of `original`, from which it was decoded.
    pub(crate) fn encode(&self, text: &str, original: &[u8]) -> Vec<u8> {
        let mut out = original[..self.mark].to_vec();
        if self.encoding == UTF_16LE {
            out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        } else if self.encoding == UTF_16BE {
            out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        } else {
            out.extend_from_slice(&self.encoding.encode(text).0);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_and_written_back() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let marked = [&[0xff, 0xfe][..], &wide("{\"ä\":1}")].concat();
        let big = [&[0xfe, 0xff, 0, b'a'][..], &[0xd8, 0x3d, 0xde, 0x00]].concat();
        for (bytes, content_type, text) in [
            (marked, "application/json", "{\"ä\":1}"),
            (big, "", "a😀"),
            (wide("{\"a\":1}"), "application/json", "{\"a\":1}"),
            (wide("äö"), "text/plain; Charset=\"UTF-16LE\"", "äö"),
            (b"caf\xe9".to_vec(), "text/plain; charset=iso-8859-1", "café"),
        ] {
            let charset = charset(&bytes, content_type).expect(text);
            assert_eq!(charset.decode(&bytes), text);
            assert_eq!(charset.encode(text, &bytes), bytes);
        }
        for (bytes, content_type) in [
            (&b"{\"a\":1}"[..], "application/json"),
            (b"\xef\xbb\xbf{}", "application/json"),
            (b"plain", "text/plain; charset=iso-8859-1"),
            (b"\x89PNG\xff", "image/png"),
            (b"", ""),
            (b"caf\xe9", "text/plain; charset=unheard-of"),
        ] {
            assert!(charset(bytes, content_type).is_none(), "{content_type}");
        }
    }
}
