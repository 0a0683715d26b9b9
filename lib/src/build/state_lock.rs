//! The lock of a `--state` file: if two runs continued from the same state, the additions of one
//! would be lost.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::BuildError;

/// The lock of a state, until it is dropped.
///
/// The state is replaced, and a lock on the file would end with it. So a file beside it is locked
/// as well; it exists only during the run.
#[derive(Debug)]
pub(super) struct StateLock {
    path: PathBuf,
    _beside: File,
    _state: Option<File>,
}

impl StateLock {
    /// Locks a state. `None` if the file system has no locks, or if the lock file cannot be
    /// created. Writing the state then reports the problem, if there is one.
    ///
    /// # Errors
    /// Another run has the lock.
    pub(super) fn take(state: &Path) -> Result<Option<StateLock>, BuildError> {
        let in_use = || {
            BuildError::Failed(format!(
                "{}: another run of hmt-build uses this state; wait for its end, or name another file with --state",
                state.display()
            ))
        };
        // Symbolic links are followed, because the state is replaced at their target.
        let path = state.canonicalize().unwrap_or_else(|_| state.to_owned());
        let existing = File::open(&path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file()));
        if let Some(file) = &existing
            && is_locked(file)
        {
            return Err(in_use());
        }
        let Some(name) = path.file_name() else { return Ok(None) };
        let beside = path.with_file_name(format!(".{}.lock", name.to_string_lossy()));
        loop {
            let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&beside);
            let Ok(file) = opened else { return Ok(None) };
            if is_locked(&file) {
                return Err(in_use());
            }
            // The run that had the lock may have removed the file meanwhile.
            if is_at(&file, &beside).unwrap_or(true) {
                return Ok(Some(StateLock { path: beside, _beside: file, _state: existing }));
            }
        }
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // A file that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Locks a file; true if another process has the lock.
fn is_locked(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// True if this file is the one with this name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok(found.dev() == own.dev() && found.ino() == own.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("s");
        let held = StateLock::take(&state).unwrap();
        assert!(held.is_some());
        let error = StateLock::take(&state).unwrap_err().to_string();
        assert!(error.contains("another run of hmt-build uses this state"), "{error}");
        // The lock outlives the replaced file.
        fs::write(&state, "1").unwrap();
        assert!(StateLock::take(&state).is_err());
        drop(held);
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["s"]);
        // A lock of another program on the file itself counts too.
        let other = File::open(&state).unwrap();
        other.try_lock().unwrap();
        assert!(StateLock::take(&state).is_err());
        drop(other);
        assert!(StateLock::take(&state).unwrap().is_some());
    }
}
