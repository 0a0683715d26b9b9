//! Decompresses gzip and zstd, which are detected by their first bytes, whatever the name is.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 64 << 10;

/// The decompressed bytes of `input`.
///
/// # Errors
/// Those of reading the first bytes.
pub(super) fn unpack(mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = [0; 4];
    let mut length = 0;
    while length < head.len() && !may_end(&head[..length]) {
        match input.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(got) => length += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let head = head[..length].to_vec();
    let gzip = head.starts_with(&GZIP);
    let zstd = head.starts_with(&ZSTD);
    let whole = Cursor::new(head).chain(input);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))
    } else if zstd {
        Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER, whole))?)
    } else {
        Box::new(whole)
    })
}

/// True once the bytes match neither format: reading must not block on a pipe that has only two
/// bytes.
fn may_end(head: &[u8]) -> bool {
    !head.is_empty()
        && !GZIP.starts_with(head)
        && !head.starts_with(&GZIP)
        && !ZSTD.starts_with(head)
        || head.starts_with(&GZIP)
}
