//! Reads files that a capture refers to, from its folder or its archive.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::MAX_LINE;
use super::zip::Archive;

/// The location of the files that a capture names.
#[derive(Clone)]
pub(super) enum SiblingFiles {
    /// None, as on standard input.
    Nothing,
    /// In a folder.
    Folder(PathBuf),
    /// In an archive, below one of its folders, whose name is empty or ends in `/`.
    Archive(Arc<Archive>, String),
}

impl SiblingFiles {
    /// The folder of a file.
    pub(super) fn of_file(path: &Path) -> SiblingFiles {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        SiblingFiles::Folder(folder.unwrap_or(Path::new(".")).to_owned())
    }

    /// The bytes of a file; `None` if it does not exist, is outside, or is longer than a line may
    /// be.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let inner = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !inner || name.is_empty() {
            return None;
        }
        match self {
            SiblingFiles::Nothing => None,
            SiblingFiles::Folder(folder) => {
                let folder = folder.canonicalize().ok()?;
                // A symbolic link must not lead out of the folder.
                let path = folder.join(name).canonicalize().ok()?;
                let found = fs::metadata(&path).ok()?;
                if !path.starts_with(&folder) || !found.is_file() {
                    return None;
                }
                whole(File::open(path).ok()?)
            }
            SiblingFiles::Archive(archive, folder) => {
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
        let beside = SiblingFiles::of_file(&inner.join("x.har"));
        assert_eq!(beside.read("a.json").as_deref(), Some(&b"[]"[..]));
        let absolute = folder.path().join("secret");
        for name in ["../secret", "link", "", "missing", "/etc/passwd", absolute.to_str().unwrap()]
        {
            assert_eq!(beside.read(name), None, "{name}");
        }
    }
}
