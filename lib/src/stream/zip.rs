//! Zip archives, as far as captures use them: stored and deflated members, found through the
//! central directory (APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16).

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::DeflateDecoder;

/// The end record has 22 bytes and a comment of up to 65,535.
const END: usize = 22;
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const CENTRAL: usize = 46;
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const LOCAL: usize = 30;

/// Maximum ratio of a member's size to its compressed size; text like JSON seldom exceeds 100.
const MAX_RATIO: u64 = 200;
/// Up to this size the ratio is ignored.
const FREE_SIZE: u64 = 64 << 20;

/// An archive whose directory was read.
pub(super) struct Archive {
    file: Arc<File>,
    members: Vec<Member>,
}

/// A file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    method: u16,
    encrypted: bool,
    packed: u64,
    /// The offset of its local header.
    at: u64,
}

impl Archive {
    /// Reads the directory.
    ///
    /// # Errors
    /// The file cannot be read, or is cut or damaged.
    pub(super) fn read(file: File) -> io::Result<Archive> {
        let length = file.metadata()?.len();
        let tail_length = length.min(END as u64 + 0xffff);
        let mut tail = vec![0; tail_length as usize];
        read_at(&file, &mut tail, length - tail_length)?;
        let end = (0..=tail.len().saturating_sub(END))
            .rev()
            .find(|at| tail[*at..].starts_with(&END_SIGNATURE))
            .ok_or_else(|| damaged("it has no directory at its end; it may be cut off"))?;
        let end = &tail[end..];
        let (size, start) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
        if start + size > length {
            return Err(damaged("its directory is outside the file"));
        }
        let mut directory = vec![0; size as usize];
        read_at(&file, &mut directory, start)?;
        let mut members = Vec::new();
        let mut rest = directory.as_slice();
        let mut packed = 0;
        while rest.len() >= CENTRAL && rest.starts_with(&CENTRAL_SIGNATURE) {
            let lengths = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
            let [name, extra, comment] = lengths;
            let whole = CENTRAL + name + extra + comment;
            if rest.len() < whole {
                break;
            }
            let member = Member {
                name: String::from_utf8_lossy(&rest[CENTRAL..CENTRAL + name]).into_owned(),
                method: u16_at(rest, 10),
                encrypted: u16_at(rest, 8) & 1 != 0,
                packed: u64::from(u32_at(rest, 20)),
                at: u64::from(u32_at(rest, 42)),
            };
            packed += member.packed;
            if !member.name.ends_with('/') {
                members.push(member);
            }
            rest = &rest[whole..];
        }
        // Members that share their bytes turn small archives into huge output.
        if packed > length {
            return Err(damaged("its members overlap"));
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Archive { file: Arc::new(file), members })
    }

    /// The files, sorted by name.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The file with this name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Opens a member.
    ///
    /// # Errors
    /// It is encrypted, compressed with another method than deflate, or not where the directory
    /// says.
    pub(super) fn open(&self, member: &Member) -> io::Result<Box<dyn Read + Send>> {
        let name = &member.name;
        if member.encrypted {
            return Err(damaged(format_args!("{name} is encrypted; unpack it first")));
        }
        let mut local = [0; LOCAL];
        read_at(&self.file, &mut local, member.at)?;
        if !local.starts_with(&LOCAL_SIGNATURE) {
            return Err(damaged(format_args!("{name} is not where the directory says")));
        }
        let behind = LOCAL + usize::from(u16_at(&local, 26)) + usize::from(u16_at(&local, 28));
        let input = Window {
            file: Arc::clone(&self.file),
            at: member.at + behind as u64,
            left: member.packed,
        };
        let input: Box<dyn Read + Send> = match member.method {
            0 => Box::new(input),
            8 => Box::new(DeflateDecoder::new(input)),
            other => {
                return Err(damaged(format_args!(
                    "{name} is compressed with method {other}, which is not supported; unpack it first"
                )));
            }
        };
        let limit = FREE_SIZE.max(member.packed.saturating_mul(MAX_RATIO));
        Ok(Box::new(Bounded { input, left: limit }))
    }
}

fn damaged(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("this zip archive cannot be read: {why}"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(bytes, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it is cut off"),
        _ => error,
    })
}

/// A range of a file that is shared with other readers.
struct Window {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let got = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += got as u64;
        self.left -= got as u64;
        Ok(got)
    }
}

/// Fails after a maximum number of bytes.
struct Bounded {
    input: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buffer)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| {
            damaged(format_args!("a member has more than {MAX_RATIO} times its compressed size"))
        })?;
        Ok(got)
    }
}
