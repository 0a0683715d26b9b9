//! A plain log: appended in whole lines, private to its owner.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::sink::{Sink, SinkError};

/// A file that lines are appended to.
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
}

impl Sink for FileSink {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        let written = if self.torn {
            self.file.write_all(&[b"\n", line].concat())
        } else {
            self.file.write_all(line)
        };
        // After a failure part of the line may be there. Cutting it off could take away what another process
        // has appended since, so the next line begins with a newline instead.
        self.torn = written.is_err();
        self.unsynced.lines = true;
        written.map_err(|cause| self.failed(cause))
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
    let torn = file.metadata()?.is_file() && !ends_with_newline(path)?;
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
