//! A plain log file, appended in complete lines and private to its owner.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::sink::{Sink, SinkError};

/// Number and interval of attempts to get a shared lock. Writers hold it exclusively only for the
/// two calls that truncate a file.
const LOCK_TRIES: (usize, Duration) = (50, Duration::from_millis(2));

/// A file that lines are appended to.
///
/// Each writer holds a shared lock (`flock`) on its file. A writer that gets an exclusive lock is
/// the only one, so it may remove an incomplete line that it wrote.
pub(super) struct FileSink {
    path: PathBuf,
    file: File,
    /// True if the file does not end in a newline.
    torn: bool,
    /// Data that may not be on the disk yet.
    unsynced: Unsynced,
}

#[derive(Default)]
struct Unsynced {
    lines: bool,
    /// The directory entry of the file.
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

    /// Appends with one `write(2)`. If the kernel takes only a part, there is usually no space
    /// left, and the next call reports this.
    fn append(&mut self, line: &[u8]) -> Result<(), PartialWrite> {
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
            return Err(PartialWrite { cause, written, is_one_piece: pieces == 1 });
        }
        Ok(())
    }

    /// Removes the last `written` bytes if they are certainly our own: no other writer has the file
    /// open, and nothing follows them.
    fn cut_off(&mut self, written: usize) -> bool {
        if self.file.try_lock().is_err() {
            // The attempt may have released the shared lock.
            lock_shared(&self.file);
            return false;
        }
        let cut = self.try_cut_off(written as u64);
        lock_shared(&self.file);
        cut.unwrap_or(false)
    }

    fn try_cut_off(&mut self, written: u64) -> io::Result<bool> {
        // After appending, the position is at the end of the written bytes.
        let end = self.file.stream_position()?;
        let found = self.file.metadata()?;
        if !found.is_file() || found.len() != end || end < written {
            return Ok(false);
        }
        self.file.set_len(end - written)?;
        Ok(true)
    }
}

/// A line that was not written completely.
struct PartialWrite {
    cause: io::Error,
    /// The number of bytes that were written.
    written: usize,
    /// Whether one call wrote them, so that no bytes of other writers are between them.
    is_one_piece: bool,
}

/// Signals to other writers that this one exists. On file systems without locks it does nothing.
fn lock_shared(file: &File) {
    for _ in 0..LOCK_TRIES.0 {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_TRIES.1),
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
                // If the line cannot be removed, the next one begins with a newline.
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
                // Pipes and devices cannot be synced.
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

/// Opens a file for appending, and creates its folder if needed; returns whether its last line is
/// torn.
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

/// True for an empty file too.
fn ends_with_newline(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        // Writable but not readable: begin with a newline to be safe, because blank lines are
        // valid.
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

/// Creates a folder that only its owner can enter, because it will hold traffic; an existing one
/// stays as it is.
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
