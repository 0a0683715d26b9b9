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

/// The smallest useful body of a binary media type, if there is one.
pub(in crate::mock) fn sample(media_type: &str) -> Option<&'static [u8]> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match essence.as_str() {
        "image/png" | "image/apng" => PNG,
        "image/jpeg" | "image/jpg" => JPEG,
        "image/gif" => GIF,
        "image/svg+xml" => SVG,
        "application/pdf" => PDF,
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
        ] {
            assert!(sample(media_type).is_some_and(|body| body.starts_with(start)), "{media_type}");
        }
        assert_eq!(sample("text/html"), None);
    }
}
