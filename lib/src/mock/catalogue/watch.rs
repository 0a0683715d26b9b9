//! Detects changes in the files of specs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Interval of the checks.
pub const WATCH_EVERY: Duration = Duration::from_millis(300);

/// The times and sizes of files when they were last seen. They are compared because not every file
/// system supports notifications.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen(HashMap<PathBuf, Option<(SystemTime, u64)>>);

impl Seen {
    /// Examines files and folders.
    pub fn look<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Seen {
        Seen(paths.into_iter().map(|path| (path.clone(), stamp(path))).collect())
    }

    /// True if a file has changed, or was added or removed.
    pub fn changed(&self) -> bool {
        self.0.iter().any(|(path, seen)| stamp(path) != *seen)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = path.metadata().ok()?;
    Some((found.modified().ok()?, found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        let seen = Seen::look([&path]);
        assert!(!seen.changed());
        std::fs::write(&path, "a").expect("written");
        assert!(seen.changed());
        let seen = Seen::look([&path]);
        std::fs::write(&path, "longer").expect("written");
        assert!(seen.changed());
    }
}
