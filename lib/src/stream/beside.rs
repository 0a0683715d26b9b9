//! Files that a capture refers to: those in its folder, or in the archive that it is in.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::MAX_LINE;
use super::zip::Archive;

/// Where a capture finds the files that it names.
#[derive(Clone)]
pub(super) enum Beside {
    /// Nowhere, as on standard input.
    Nothing,
    /// In a folder.
    Folder(PathBuf),
    /// In an archive, below a folder of it that ends in `/`, or is empty.
    Archive(Arc<Archive>, String),
}

impl Beside {
    /// The folder of a file.
    pub(super) fn of_file(path: &Path) -> Beside {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Beside::Folder(folder.unwrap_or(Path::new(".")).to_owned())
    }

    /// A file's bytes; `None` where it is not there, lies elsewhere or has more than a line may have.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let inner = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !inner || name.is_empty() {
            return None;
        }
        match self {
            Beside::Nothing => None,
            Beside::Folder(folder) => {
                let folder = folder.canonicalize().ok()?;
                // A link must not lead out of the folder.
                let path = folder.join(name).canonicalize().ok()?;
                let found = fs::metadata(&path).ok()?;
                if !path.starts_with(&folder) || !found.is_file() {
                    return None;
                }
                whole(File::open(path).ok()?)
            }
            Beside::Archive(archive, folder) => {
                let member = archive.member(&format!("{folder}{name}"))?;
                whole(archive.open(member).ok()?)
            }
        }
    }
}

fn whole(input: impl std::io::Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_LINE as u64 + 1).read_to_end(&mut bytes);
    (read.is_ok() && bytes.len() <= MAX_LINE).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("a.json"), "[]").unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret"), inner.join("link")).unwrap();
        let beside = Beside::of_file(&inner.join("x.har"));
        assert_eq!(beside.read("a.json").as_deref(), Some(&b"[]"[..]));
        let absolute = folder.path().join("secret");
        for name in ["../secret", "link", "", "missing", "/etc/passwd", absolute.to_str().unwrap()]
        {
            assert_eq!(beside.read(name), None, "{name}");
        }
    }
}
