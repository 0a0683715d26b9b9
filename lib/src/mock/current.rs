//! The mock that answers now: another takes its place when its specs change.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use super::serving::Mock;

/// How often files are looked at.
pub const WATCH_EVERY: Duration = Duration::from_millis(300);

/// A mock that can be replaced. Requests under way are answered by the one that was there when they came.
///
/// Each request asks for it, on all threads: a lock, or a common count of those who have it, would be written to by
/// all of them in turn.
#[derive(Debug)]
pub struct Current(ArcSwap<Mock>);

impl Current {
    /// Begins with a mock.
    pub fn new(mock: Mock) -> Current {
        Current(ArcSwap::from_pointee(mock))
    }

    /// The mock for one request.
    pub fn get(&self) -> impl Deref<Target = Arc<Mock>> + Send + use<> {
        self.0.load()
    }

    /// Puts another in its place, which takes over the scope that was set.
    pub fn replace(&self, mock: Mock) {
        mock.state().set_scope(self.get().state().scope().as_deref());
        self.0.store(Arc::new(mock));
    }
}

/// What files looked like when they were last seen. Their time and size are compared; there is no notice from the system, which
/// would not come from every file system either.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen(HashMap<PathBuf, Option<(SystemTime, u64)>>);

impl Seen {
    /// Looks at files and folders.
    pub fn look<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Seen {
        Seen(paths.into_iter().map(|path| (path.clone(), stamp(path))).collect())
    }

    /// True where a file looks different now, or is gone or new.
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
