//! Stores recorded answers: the first ones in memory, the rest of a large recording in a temporary
//! file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::exchange::parse_line;

use super::answer::RecordedAnswer;

/// Answers are kept in memory for this many bytes of lines; they use about twice as much memory.
const IN_MEMORY: u64 = 8 << 20;

/// A recorded answer.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    /// In memory.
    Ready(Arc<RecordedAnswer>),
    /// A line in the temporary file.
    Line {
        /// The offset of the line.
        offset: u64,
        /// The length of the line.
        length: u32,
    },
}

/// Stores answers.
#[derive(Debug, Default)]
pub(super) struct Store {
    in_memory: u64,
    spool: Option<Spool>,
}

/// Lines in an unlinked file, which nobody else can open and which disappears with the process.
#[derive(Debug)]
struct Spool {
    file: BufWriter<File>,
    length: u64,
}

/// A large recording cannot be written to a temporary file.
#[derive(Debug, thiserror::Error)]
#[error(
    "the recording has more than {} MiB and cannot be put into a temporary file in {}; set TMPDIR to a folder with \
     enough room",
    IN_MEMORY >> 20,
    .folder.display()
)]
pub struct SpoolError {
    folder: PathBuf,
    #[source]
    cause: io::Error,
}

impl Store {
    /// Stores the answer of an exchange with this line.
    pub(super) fn keep(
        &mut self,
        answer: RecordedAnswer,
        line: &[u8],
    ) -> Result<Stored, SpoolError> {
        self.in_memory += line.len() as u64;
        if self.in_memory <= IN_MEMORY {
            return Ok(Stored::Ready(Arc::new(answer)));
        }
        let failed = |cause| SpoolError { folder: folder(), cause };
        let spool = match &mut self.spool {
            Some(spool) => spool,
            None => {
                let file = tempfile::tempfile_in(folder()).map_err(failed)?;
                let file = BufWriter::with_capacity(1 << 20, file);
                self.spool.insert(Spool { file, length: 0 })
            }
        };
        spool.file.write_all(line).map_err(failed)?;
        let offset = spool.length;
        spool.length += line.len() as u64;
        // A line has 64 MiB at most.
        Ok(Stored::Line { offset, length: u32::try_from(line.len()).unwrap_or(u32::MAX) })
    }

    /// Makes all lines readable.
    pub(super) fn flush(&mut self) -> Result<(), SpoolError> {
        let failed = |cause| SpoolError { folder: folder(), cause };
        self.spool.as_mut().map_or(Ok(()), |spool| spool.file.flush()).map_err(failed)
    }

    /// The answer itself.
    pub(super) fn read(&self, stored: &Stored) -> io::Result<Arc<RecordedAnswer>> {
        let (offset, length) = match stored {
            Stored::Ready(answer) => return Ok(Arc::clone(answer)),
            Stored::Line { offset, length } => (*offset, *length),
        };
        let spool = self.spool.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut line = vec![0; length as usize];
        spool.file.get_ref().read_exact_at(&mut line, offset)?;
        let changed = || io::Error::other("the temporary file of the recording was changed");
        let exchange = parse_line(&line).map_err(|_| changed())?;
        let (answer, _) = RecordedAnswer::of_exchange(&exchange).map_err(|_| changed())?;
        Ok(Arc::new(answer))
    }
}

/// `$TMPDIR`, or the folder for large temporary files, because `/tmp` is often in memory.
fn folder() -> PathBuf {
    let named = std::env::var_os("TMPDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let large = PathBuf::from("/var/tmp");
    named.unwrap_or_else(|| if large.is_dir() { large } else { std::env::temp_dir() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_memory_is_read_from_a_file() {
        let line = |body: &str| {
            let text = format!(
                r#"{{"request":{{"method":"get","path":"/"}},"response":{{"statusCode":200,"body":"{body}"}}}}"#
            );
            text.into_bytes()
        };
        let (first, second) = (line("first"), line("second"));
        let answer =
            |line: &[u8]| RecordedAnswer::of_exchange(&parse_line(line).unwrap()).unwrap().0;
        let mut store = Store { in_memory: IN_MEMORY - first.len() as u64, spool: None };
        let ready = store.keep(answer(&first), &first).unwrap();
        let lines = [&second, &first].map(|line| store.keep(answer(line), line).unwrap());
        store.flush().unwrap();
        assert!(matches!(ready, Stored::Ready(_)));
        assert!(lines.iter().all(|stored| matches!(stored, Stored::Line { .. })));
        assert_eq!(&store.read(&ready).unwrap().body[..], b"first");
        assert_eq!(&store.read(&lines[0]).unwrap().body[..], b"second");
        assert_eq!(&store.read(&lines[1]).unwrap().body[..], b"first");
    }
}
