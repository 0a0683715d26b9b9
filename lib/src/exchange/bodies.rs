//! Decodes the Content-Encoding of recorded bodies, within limits: a few bytes on the wire must not
//! become gigabytes in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// Maximum number of stacked encodings; no real server uses more.
const MAX_CODINGS: usize = 3;
const BUFFER: usize = 64 << 10;

/// Limits on the growth of a body.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Maximum size of the decoded body in bytes.
    pub max_size: usize,
    /// Maximum number of decoded bytes for each encoded one, beyond [`Self::free_size`].
    pub max_ratio: usize,
    /// Up to this size in bytes the ratio is ignored, because short uniform bodies compress well.
    pub free_size: usize,
}

impl Default for DecodeLimits {
    /// 64 MiB, and a ratio of 200 beyond 1 MiB.
    fn default() -> Self {
        DecodeLimits { max_size: 64 << 20, max_ratio: 200, free_size: 1 << 20 }
    }
}

/// A body with its Content-Encoding decoded, or as received.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The decoded bytes; as received if there is a problem.
    pub bytes: Cow<'a, [u8]>,
    /// Why the body was not decoded.
    pub problem: Option<DecodeError>,
}

/// Why a Content-Encoding was not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not one of gzip, deflate, br, zstd, identity.
    #[error("content-encoding {0:?} is unknown")]
    Unknown(String),
    /// More than three encodings.
    #[error("the body has more than {MAX_CODINGS} content-encodings")]
    TooMany,
    /// The bytes are invalid in this encoding.
    #[error("the body is not valid {0}: {1}")]
    Corrupt(&'static str, String),
    /// The decoded body would exceed the limits.
    #[error("the body exceeds the size limit after decoding {0}")]
    TooLarge(&'static str),
}

/// Decodes a body with the header value `content_encoding`: gzip, deflate (with and without the
/// zlib wrapper), br, zstd, and up to three of them stacked. A body that is corrupt or grows beyond
/// the limits is returned as received.
pub fn decode_body<'a>(
    bytes: &'a [u8],
    content_encoding: Option<&str>,
    limits: DecodeLimits,
) -> Decoded<'a> {
    let problem = match codings(content_encoding.unwrap_or_default()) {
        Ok(codings) if codings.is_empty() || bytes.is_empty() => None,
        Ok(codings) => match undo(bytes, &codings, limits) {
            Ok(decoded) => return Decoded { bytes: Cow::Owned(decoded), problem: None },
            Err(problem) => Some(problem),
        },
        Err(problem) => Some(problem),
    };
    Decoded { bytes: Cow::Borrowed(bytes), problem }
}

/// Like [`decode_body`], for a body of which only the beginning was kept. Returns what that
/// beginning decodes to.
pub fn decode_start<'a>(
    bytes: &'a [u8],
    content_encoding: Option<&str>,
    limits: DecodeLimits,
) -> Decoded<'a> {
    match codings(content_encoding.unwrap_or_default()).as_deref() {
        Ok([coding]) => {
            let mut decoded = Vec::new();
            // Here, the missing end is an error, and the bytes that were decoded before it are the
            // result.
            let _ = coding.undo(bytes, limits, &mut decoded);
            if decoded.is_empty() {
                return decode_body(bytes, content_encoding, limits);
            }
            Decoded { bytes: Cow::Owned(decoded), problem: None }
        }
        _ => decode_body(bytes, content_encoding, limits),
    }
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The codings in the order in which they were applied.
fn codings(header: &str) -> Result<Vec<Coding>, DecodeError> {
    let mut found = Vec::new();
    for name in header.split(',') {
        found.push(match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => continue,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            other => return Err(DecodeError::Unknown(other.to_owned())),
        });
    }
    if found.len() > MAX_CODINGS {
        return Err(DecodeError::TooMany);
    }
    Ok(found)
}

fn undo(bytes: &[u8], codings: &[Coding], limits: DecodeLimits) -> Result<Vec<u8>, DecodeError> {
    let mut current = Cow::Borrowed(bytes);
    for coding in codings.iter().rev() {
        let mut decoded = Vec::new();
        coding.undo(&current, limits, &mut decoded)?;
        current = Cow::Owned(decoded);
    }
    Ok(current.into_owned())
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    fn undo(
        self,
        bytes: &[u8],
        limits: DecodeLimits,
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        let ratio = bytes.len().saturating_mul(limits.max_ratio).max(limits.free_size);
        let limit = limits.max_size.min(ratio);
        let outcome = match self {
            Coding::Gzip => gunzip(bytes, limit, out),
            Coding::Deflate if has_zlib_frame(bytes) => {
                read_within(ZlibDecoder::new(bytes), limit, out)
            }
            Coding::Deflate => read_within(DeflateDecoder::new(bytes), limit, out),
            Coding::Brotli => read_within(brotli::Decompressor::new(bytes, BUFFER), limit, out),
            Coding::Zstd => zstd::stream::read::Decoder::with_buffer(bytes)
                .and_then(|decoder| read_within(decoder, limit, out)),
        };
        match outcome {
            Ok(Fits::Yes) => Ok(()),
            Ok(Fits::No) => Err(DecodeError::TooLarge(self.name())),
            Err(error) => Err(DecodeError::Corrupt(self.name(), error.to_string())),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Fits {
    Yes,
    No,
}

/// Decodes each member. Bytes after the last member are ignored, as browsers do.
fn gunzip(bytes: &[u8], limit: usize, out: &mut Vec<u8>) -> io::Result<Fits> {
    let mut rest = bytes;
    loop {
        let mut decoder = GzDecoder::new(rest);
        if read_within(&mut decoder, limit, out)? == Fits::No {
            return Ok(Fits::No);
        }
        rest = decoder.into_inner();
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(Fits::Yes);
        }
    }
}

/// RFC 1950: method 8 and a checksum over the two bytes. Some servers send bare deflate instead.
fn has_zlib_frame(bytes: &[u8]) -> bool {
    match bytes {
        [first, second, ..] => {
            first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0
        }
        _ => false,
    }
}

/// Reads to the end, unless `out` would exceed `limit`.
fn read_within(reader: impl Read, limit: usize, out: &mut Vec<u8>) -> io::Result<Fits> {
    let room = limit.saturating_sub(out.len()) as u64;
    reader.take(room + 1).read_to_end(out)?;
    Ok(if out.len() > limit { Fits::No } else { Fits::Yes })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
        encoder.write_all(bytes).unwrap();
        encoder.into_inner()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).unwrap()
    }

    fn decode<'a>(bytes: &'a [u8], encoding: &str) -> Decoded<'a> {
        decode_body(bytes, Some(encoding), DecodeLimits::default())
    }

    #[test]
    fn every_coding_and_chains_of_them() {
        let text = b"some text, some text, some text".as_slice();
        for (encoding, bytes) in [
            ("gzip", gzip(text)),
            ("X-GZip", gzip(text)),
            ("gzip", [gzip(&text[..9]), gzip(&text[9..])].concat()),
            ("gzip", [gzip(text), b"garbage".to_vec()].concat()),
            ("deflate", zlib(text)),
            ("deflate", deflate(text)),
            ("br", brotli(text)),
            ("zstd", zstd(text)),
            ("identity", text.to_vec()),
            ("", text.to_vec()),
            ("gzip, br", brotli(&gzip(text))),
            ("identity, gzip , zstd,br", brotli(&zstd(&gzip(text)))),
        ] {
            let decoded = decode(&bytes, encoding);
            assert_eq!((decoded.bytes.as_ref(), decoded.problem), (text, None), "{encoding}");
        }
        assert_eq!(decode_body(text, None, DecodeLimits::default()).problem, None);
        assert_eq!(decode(b"", "gzip").problem, None);
    }

    #[test]
    fn what_cannot_be_undone_is_kept() {
        let text = b"text";
        let cut = &gzip(text)[..15];
        for (encoding, bytes, problem) in [
            ("gzip", b"plain text of some length".as_slice(), "the body is not valid gzip: "),
            ("gzip", cut, "the body is not valid gzip: "),
            ("br", b"\xff\xff\xff\xff", "the body is not valid br: "),
            ("zstd", b"plain", "the body is not valid zstd: "),
            ("deflate", b"\xff\xff\xff", "the body is not valid deflate: "),
            ("compress", b"x", "content-encoding \"compress\" is unknown"),
            ("gzip,gzip,gzip,gzip", b"x", "the body has more than 3 content-encodings"),
        ] {
            let decoded = decode(bytes, encoding);
            assert_eq!(decoded.bytes, bytes);
            let told = decoded.problem.unwrap().to_string();
            assert!(told.starts_with(problem), "{encoding}: {told}");
        }
    }

    #[test]
    fn bombs_are_kept_as_they_came() {
        let zeros = vec![0; 20 << 20];
        for (encoding, bomb) in
            [("gzip", gzip(&zeros)), ("br", brotli(&zeros)), ("zstd", zstd(&zeros))]
        {
            let decoded = decode(&bomb, encoding);
            assert_eq!(decoded.bytes, bomb);
            assert!(matches!(decoded.problem, Some(DecodeError::TooLarge(_))), "{encoding}");
        }
        // Just small enough for the ratio to be ignored.
        let bomb = gzip(&zeros[..1 << 20]);
        assert_eq!(decode(&bomb, "gzip").bytes.len(), 1 << 20);
        let small = DecodeLimits { max_size: 10, ..DecodeLimits::default() };
        let packed = gzip(b"eleven byte");
        assert!(decode_body(&packed, Some("gzip"), small).problem.is_some());
        assert!(decode_body(&gzip(b"ten bytes!"), Some("gzip"), small).problem.is_none());
    }

    #[test]
    fn the_start_of_a_cut_body_is_decoded() {
        let mut text = String::new();
        let mut random = 1_u64;
        for _ in 0..100_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(&format!("{}", random >> 40));
        }
        for (encoding, packed) in [
            ("gzip", gzip(text.as_bytes())),
            ("br", brotli(text.as_bytes())),
            ("zstd", zstd(text.as_bytes())),
        ] {
            let decoded =
                decode_start(&packed[..packed.len() / 2], Some(encoding), DecodeLimits::default());
            assert_eq!(decoded.problem, None);
            assert!(decoded.bytes.len() > 1000, "{encoding}: {}", decoded.bytes.len());
            assert!(text.as_bytes().starts_with(&decoded.bytes), "{encoding}");
        }
        assert!(decode_start(b"plain", Some("gzip"), DecodeLimits::default()).problem.is_some());
    }
}
