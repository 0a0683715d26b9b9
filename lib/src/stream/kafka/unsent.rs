//! The file for records that could not be sent.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::exchange::timestamp;

/// Made with the first record: `hmt-unsent-TIME.jsonl` in the working folder, or where that cannot be written to, in that for
/// temporary files; for its owner alone.
#[derive(Debug, Default)]
pub(super) struct Aside {
    open: Option<(PathBuf, File)>,
    count: u64,
}

impl Aside {
    /// Keeps a record.
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

    /// Where they are, and how many; waits until the disk has them.
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
    // Never one that is there: another process may have had the same moment.
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}
