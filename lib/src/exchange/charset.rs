//! The character encoding of a body, where it is not UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// An encoding in which a body can be read and written back.
pub(crate) struct Charset {
    encoding: &'static Encoding,
    /// Bytes of the byte order mark.
    mark: usize,
}

/// The encoding of a body by its byte order mark, its declared `charset`, or the zero bytes of UTF-16; `None` where
/// the bytes can be read as they are: UTF-8, and supersets of ASCII whose bytes are valid UTF-8.
pub(crate) fn charset(bytes: &[u8], content_type: &str) -> Option<Charset> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return (encoding != UTF_8).then_some(Charset { encoding, mark });
    }
    let declared = parameter(content_type)
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .filter(|encoding| *encoding != UTF_8);
    // The second byte of a text in UTF-16 is zero, or the first: it begins with a character of ASCII.
    let zeros = match bytes {
        [first, 0, third, 0, ..] if *first != 0 && *third != 0 => Some(UTF_16LE),
        [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0 => Some(UTF_16BE),
        _ => None,
    };
    let wide = |encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    let encoding = match declared {
        // The bytes know better than a label without an order.
        Some(encoding) if wide(encoding) => zeros.unwrap_or(encoding),
        Some(encoding) => encoding,
        None => zeros?,
    };
    let needed = wide(encoding) || simdutf8::basic::from_utf8(bytes).is_err();
    needed.then_some(Charset { encoding, mark: 0 })
}

/// The parameter `charset` of a Content-Type.
fn parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is = name.trim().eq_ignore_ascii_case("charset");
        is.then(|| value.trim().trim_matches(['"', '\'']))
    })
}

impl Charset {
    /// The text of the body, without its byte order mark. What is no character of the encoding becomes U+FFFD.
    pub(crate) fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        self.encoding.decode_without_bom_handling(&bytes[self.mark..]).0
    }

    /// `text` in the encoding, with the byte order mark of `original`, from which it was decoded.
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
