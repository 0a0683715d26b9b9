//! Minimal valid files of binary media types, for bodies that a spec only describes by type.

/// A grey pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\
      \x00:~\x9bU\x00\x00\x00\nIDATx\xdach\x00\x00\x00\x82\x00\x81\xdaE\x08;\x00\x00\x00\x00\
      IEND\xaeB`\x82";

/// A grey pixel.
const JPEG: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00C\x00\
      \x1b\x12\x14\x17\x14\x11\x1b\x17\x16\x17\x1e\x1c\x1b (B+(%%(Q:=0B`Ued_U][jx\x99\x81jq\
      \x90s[]\x85\xb5\x86\x90\x9e\xa3\xab\xad\xabg\x80\xbc\xc9\xba\xa6\xc7\x99\xa8\xab\xa4\
      \xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xc4\x00\x14\x00\x01\x00\x00\
      \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xc4\x00\x14\x10\x01\x00\
      \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xda\x00\x08\x01\x01\
      \x00\x00?\x00?\xff\xd9";

/// A grey pixel.
const GIF: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x80\x80\x80\xff\xff\xff,\x00\x00\x00\x00\x01\x00\
      \x01\x00\x00\x02\x02D\x01\x00;";

/// An empty page of an inch.
const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[\
      3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>\nen\
      dobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \n000000\
      0105 00000 n \ntrailer\n<</Size 4/Root 1 0 R>>\nstartxref\n168\n%%EOF\n";

/// An archive without entries.
const ZIP: &[u8] =
    b"PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

/// A millisecond of silence.
const WAV: &[u8] =
    b"RIFF,\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00\
      \x01\x00\x08\x00data\x08\x00\x00\x00\x80\x80\x80\x80\x80\x80\x80\x80";

/// An empty drawing of a pixel.
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>";

/// A grey pixel, without loss.
const WEBP: &[u8] =
    b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0/\0\0\0\0\x07P\xc0\x02\x16\xb0\xff\x81\x88\xe8\x7f\0\0";

/// A grey pixel.
const BMP: &[u8] =
    b"BM:\0\0\0\0\0\0\x006\0\0\0(\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0\0\0\0\0\x04\0\0\0\x13\x0b\
      \0\0\x13\x0b\0\0\0\0\0\0\0\0\0\0\x80\x80\x80\0";

/// An icon of one size: a grey pixel and its mask.
const ICO: &[u8] =
    b"\0\0\x01\0\x01\0\x01\x01\0\0\x01\0 \x000\0\0\0\x16\0\0\0(\0\0\0\x01\0\0\0\x02\0\0\0\x01\0 \
      \0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\x80\x80\xff\0\0\0\0";

/// A grey pixel.
const TIFF: &[u8] =
    b"II*\0\n\0\0\0\x80\0\t\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0\x01\x01\x03\0\x01\0\0\0\x01\0\0\0\
      \x02\x01\x03\0\x01\0\0\0\x08\0\0\0\x03\x01\x03\0\x01\0\0\0\x01\0\0\0\x06\x01\x03\0\x01\0\0\
      \0\x01\0\0\0\x11\x01\x04\0\x01\0\0\0\x08\0\0\0\x15\x01\x03\0\x01\0\0\0\x01\0\0\0\x16\x01\
      \x03\0\x01\0\0\0\x01\0\0\0\x17\x01\x04\0\x01\0\0\0\x01\0\0\0\0\0\0\0";

/// Nothing, compressed.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";

/// Nothing, compressed.
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\0\x01\0\0";

/// Nothing, compressed.
const BZIP2: &[u8] = b"BZh9\x17rE8P\x90\0\0\0\0";

/// An archive without entries: the two empty blocks that end it.
const TAR: &[u8] = &[0; 1024];

/// Four frames, a tenth of a second of silence.
const MP3: &[u8] =
    b"\xff\xf3\x14\xc4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xf3\x14\xc4\0\0\0\0\0\0\0\0\0\0\
      \0\0\0\0\0\0\0\0\0\0\xff\xf3\x14\xc4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xf3\x14\
      \xc4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The smallest useful body of a binary media type, if there is one.
pub(in crate::mock) fn sample(media_type: &str) -> Option<&'static [u8]> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match essence.as_str() {
        "image/png" | "image/apng" => PNG,
        "image/jpeg" | "image/jpg" => JPEG,
        "image/gif" => GIF,
        "image/svg+xml" => SVG,
        "image/webp" => WEBP,
        "image/bmp" | "image/x-bmp" | "image/x-ms-bmp" => BMP,
        "image/x-icon" | "image/vnd.microsoft.icon" => ICO,
        "image/tiff" => TIFF,
        "application/pdf" => PDF,
        "application/gzip" | "application/x-gzip" => GZIP,
        "application/zstd" => ZSTD,
        "application/x-bzip2" | "application/bzip2" => BZIP2,
        "application/x-tar" | "application/tar" => TAR,
        "audio/mpeg" | "audio/mp3" => MP3,
        "application/zip" | "application/x-zip-compressed" | "application/java-archive" => ZIP,
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => WAV,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_begin_as_their_kind_does() {
        for (media_type, start) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n"[..]),
            ("image/jpeg; q=1", b"\xff\xd8\xff"),
            ("Image/GIF", b"GIF89a"),
            ("application/pdf", b"%PDF-1."),
            ("application/zip", b"PK\x05\x06"),
            ("audio/wav", b"RIFF"),
            ("image/svg+xml", b"<svg"),
            ("image/webp", b"RIFF\x1e\0\0\0WEBPVP8L"),
            ("image/bmp", b"BM"),
            ("image/x-icon", b"\0\0\x01\0\x01\0"),
            ("image/tiff", b"II*\0"),
            ("application/x-bzip2", b"BZh9"),
            ("audio/mpeg", b"\xff\xf3"),
        ] {
            assert!(sample(media_type).is_some_and(|body| body.starts_with(start)), "{media_type}");
        }
        assert_eq!(sample("text/html"), None);
    }

    /// A reader that trusts these fields reads nothing beyond the file.
    #[test]
    fn the_sizes_in_files_are_right() {
        let field = |body: &[u8], at: usize| {
            let bytes = body[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes) as usize
        };
        assert_eq!(field(WEBP, 4) + 8, WEBP.len());
        assert_eq!(field(WAV, 4) + 8, WAV.len());
        assert_eq!(field(BMP, 2), BMP.len());
        // The offset of the pixels, and the size of their header.
        assert_eq!((field(BMP, 10) + 4, field(BMP, 14)), (BMP.len(), 40));
        assert_eq!(field(ICO, 18) + field(ICO, 14), ICO.len());
        // The directory has nine entries and no successor; the pixel is before it.
        assert_eq!((field(TIFF, 4), TIFF[8], TIFF[10], TIFF.len()), (10, 0x80, 9, 12 + 9 * 12 + 4));
        // A frame of 8 kbit/s and 24 kHz has 72 * 8000 / 24000 bytes.
        assert!(MP3.chunks(24).all(|frame| frame.starts_with(b"\xff\xf3\x14\xc4")));
        assert_eq!(MP3.len() % 24, 0);
    }

    #[test]
    fn compressed_files_decode_to_nothing() {
        use std::io::Read as _;
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(GZIP).read_to_end(&mut text).expect("gzip");
        zstd::stream::copy_decode(ZSTD, &mut text).expect("zstd");
        assert!(text.is_empty());
    }
}
