//! The file for records that could not be sent.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::exchange::timestamp;

/// Created with the first record: `hmt-unsent-TIME.jsonl` in the working directory or, if that is
/// not writable, in the directory for temporary files; only its owner can read it.
#[derive(Debug, Default)]
pub(super) struct UnsentFile {
    open: Option<(PathBuf, File)>,
    count: u64,
}

impl UnsentFile {
    /// Saves a record.
    pub(super) fn keep(&mut self, record: &[u8]) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(create(Path::new("")).or_else(|_| create(&env::temp_dir()))?);
        }
        if let Some((_, file)) = &mut self.open {
            file.write_all(&[record, b"\n"].concat())?;
            self.count += 1;
        }
        Ok(())
    }

    /// The path and the number of records; waits until they are on disk.
    pub(super) fn close(&mut self) -> io::Result<Option<(PathBuf, u64)>> {
        let Some((path, file)) = self.open.take() else { return Ok(None) };
        file.sync_all()?;
        Ok(Some((path, self.count)))
    }

    /// Where they are.
    pub(super) fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|(path, _)| path.as_path())
    }
}

fn create(folder: &Path) -> io::Result<(PathBuf, File)> {
    let time = timestamp(SystemTime::now()).replace(':', "-");
    let path = folder.join(format!("hmt-unsent-{time}.jsonl"));
    // Never an existing file: another process may have chosen the same time.
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}
