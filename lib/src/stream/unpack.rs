//! Decompresses gzip and zstd, which are detected by their first bytes, whatever the name is.

use std::io::{self, BufRead, BufReader, Cursor, Read};

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
        let input = Tail { input: whole, last: [0; 4] };
        Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, input))))
    } else if zstd {
        let input = BufReader::with_capacity(BUFFER, whole);
        let decoder = zstd::stream::read::Decoder::with_buffer(input)?;
        Box::new(Zstd { decoder, is_empty: true })
    } else {
        Box::new(whole)
    })
}

/// The compressed data ends in the middle, so that something is lost.
#[derive(Debug, thiserror::Error)]
#[error("the compressed data is cut off")]
pub(super) struct CutOff;

/// Decompresses gzip. If a recorder still writes to the file, or was killed, the file ends at the
/// last flush, and nothing is lost. Any other early end is [`CutOff`].
struct Gzip<R: Read>(MultiGzDecoder<BufReader<Tail<R>>>);

/// The bytes at the end of a flush of deflate: an empty stored block (RFC 1951, 3.2.4).
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error)
                if error.kind() == io::ErrorKind::UnexpectedEof
                    && self.0.get_ref().get_ref().last != FLUSHED =>
            {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, CutOff))
            }
            other => other,
        }
    }
}

/// Decompresses zstd. Input that ends before the first bytes of its content is [`CutOff`].
struct Zstd<R: BufRead> {
    decoder: zstd::stream::read::Decoder<'static, R>,
    is_empty: bool,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.is_empty => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, CutOff))
            }
            Ok(length) => {
                self.is_empty &= length == 0;
                Ok(length)
            }
            other => other,
        }
    }
}

/// Remembers the last bytes that were read.
struct Tail<R> {
    input: R,
    last: [u8; 4],
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        for byte in &buffer[length.saturating_sub(4)..length] {
            self.last.rotate_left(1);
            self.last[3] = *byte;
        }
        Ok(length)
    }
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
