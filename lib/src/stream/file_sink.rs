//! A plain log: appended in whole lines, private to its owner.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::sink::{Sink, SinkError};

/// How often, and at what distance, a shared lock is asked for. It is held exclusively only for the two calls that
/// cut a file.
const LOCK_TRIES: (usize, Duration) = (50, Duration::from_millis(2));

/// A file that lines are appended to.
///
/// Each writer holds a shared lock (`flock`) on its file. One that gets an exclusive lock is the only writer, and so
/// may cut off the beginning of a line that it could not finish.
pub(super) struct FileSink {
    path: PathBuf,
    file: File,
    /// True where the file does not end in a newline.
    torn: bool,
    /// What the disk may not have yet.
    unsynced: Unsynced,
}

#[derive(Default)]
struct Unsynced {
    lines: bool,
    /// The file's name in its folder.
    name: bool,
}

impl FileSink {
    pub(super) fn open(path: &Path) -> Result<Self, SinkError> {
        let (file, torn) =
            open_log(path).map_err(|cause| SinkError::Open { path: path.to_owned(), cause })?;
        let unsynced = Unsynced { lines: false, name: true };
        Ok(FileSink { path: path.to_owned(), file, torn, unsynced })
    }

    fn failed(&self, cause: io::Error) -> SinkError {
        SinkError::Write { name: self.path.display().to_string(), cause }
    }

    /// In one `write(2)`, unless the kernel takes less at once: then there is little room left, as a rule, and the
    /// next call says so.
    fn append(&mut self, line: &[u8]) -> Result<(), Failed> {
        let mut written = 0;
        let mut pieces = 0;
        while written < line.len() {
            let cause = match self.file.write(&line[written..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(more) => {
                    written += more;
                    pieces += 1;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(Failed { cause, written, is_one_piece: pieces == 1 });
        }
        Ok(())
    }

    /// Cuts off the last `written` bytes, where it is certain that they are ours: no other writer has the file
    /// open, and nothing came behind them.
    fn cut_off(&mut self, written: usize) -> bool {
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_err() {
            // The shared lock may have been given up for the attempt.
            lock_shared(&self.file);
            return false;
        }
        let cut = self.try_cut_off(written as u64);
        lock_shared(&self.file);
        cut.unwrap_or(false)
    }

    fn try_cut_off(&mut self, written: u64) -> io::Result<bool> {
        // A write that appends leaves the position behind what it wrote.
        let end = self.file.stream_position()?;
        let found = self.file.metadata()?;
        if !found.is_file() || found.len() != end || end < written {
            return Ok(false);
        }
        self.file.set_len(end - written)?;
        Ok(true)
    }
}

/// A line that was not written whole.
struct Failed {
    cause: io::Error,
    /// Bytes of it that are there.
    written: usize,
    /// Whether they came there by one call, so that nothing of others is between them.
    is_one_piece: bool,
}

/// Tells other writers that this one is there. File systems without locks are left without.
fn lock_shared(file: &File) {
    for _ in 0..LOCK_TRIES.0 {
        match flock(file, FlockOperation::NonBlockingLockShared) {
            Err(rustix::io::Errno::WOULDBLOCK) => thread::sleep(LOCK_TRIES.1),
            _ => return,
        }
    }
}

impl Sink for FileSink {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        let outcome =
            if self.torn { self.append(&[b"\n", line].concat()) } else { self.append(line) };
        self.torn = match &outcome {
            Ok(()) => false,
            Err(failed) => match failed.written {
                0 => self.torn,
                // The next line begins with a newline where this one cannot be cut off.
                written => self.torn || !(failed.is_one_piece && self.cut_off(written)),
            },
        };
        self.unsynced.lines = true;
        outcome.map_err(|failed| self.failed(failed.cause))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        if std::mem::take(&mut self.unsynced.lines) {
            match self.file.sync_data() {
                // A pipe or a device has no disk.
                Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => return Ok(()),
                outcome => outcome.map_err(|cause| self.failed(cause))?,
            }
        }
        if std::mem::take(&mut self.unsynced.name) {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))
                .and_then(|folder| folder.sync_all())
                .map_err(|cause| self.failed(cause))?;
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Opens a file for appending, with its folder where that is missing; tells whether its last line is torn.
pub(super) fn open_log(path: &Path) -> io::Result<(File, bool)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Ok((file, false));
    }
    lock_shared(&file);
    let torn = !ends_with_newline(path)?;
    Ok((file, torn))
}

/// True of an empty file, too.
fn ends_with_newline(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Writable but not readable: begin on a new line to be safe; blank lines are no error.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Makes a folder that only its owner can enter, because traffic will be in it; one that exists stays as it is.
pub(super) fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(folder) {
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists && fs::metadata(folder)?.is_dir() =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}
