//! Finds captures in folders and archives.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::StreamError;
use super::detect::{SourceKind, detect};
use super::locator::by_name;
use super::unpack::unpack;
use super::zip::{Archive, Member};

/// The captures of a folder, sorted by name, recognised by name or content.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, StreamError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name();
            let is_hidden = name.to_string_lossy().starts_with('.');
            if fs::metadata(&path).is_ok_and(|found| found.is_file())
                && !name.to_string_lossy().starts_with("._")
                && (is_named(&path) || !is_hidden && holds_capture(&path))
            {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    };
    list().map_err(|error| StreamError::open(folder, error))
}

/// True for files in which macOS keeps the attributes of another file, under a similar name: `._x`
/// beside `x`, and the folder `__MACOSX` in archives (AppleDouble, RFC 1740).
fn is_metadata(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("._") || path.components().any(|part| part.as_os_str() == "__MACOSX")
}

/// True for names that only captures have.
fn is_named(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    by_name(path).0.is_some() || [".flow", ".flows", ".chlsj"].iter().any(|end| name.ends_with(end))
}

/// True for input that begins like a capture.
fn is_capture(input: Box<dyn Read + Send>) -> bool {
    let found = unpack(input).and_then(detect);
    matches!(found, Ok((SourceKind::Lines { known: true } | SourceKind::Capture(_), _)))
}

/// True if a file, or a file in an archive, begins like a capture; false if it cannot be read.
fn holds_capture(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match unpack(Box::new(file)).and_then(detect) {
        Ok((SourceKind::Lines { known: true } | SourceKind::Capture(_), _)) => true,
        Ok((SourceKind::Zip, input)) => open_archive(Some(path), input)
            .and_then(|archive| in_archive(&archive))
            .is_ok_and(|found| !found.is_empty()),
        _ => false,
    }
}

/// The captures in an archive, sorted by name. If any has the extension of a capture, only those
/// count: the others are bodies.
pub(super) fn in_archive(archive: &Archive) -> io::Result<Vec<Member>> {
    let is_named = |member: &&Member| is_named(Path::new(&member.name));
    let is_file = |member: &&Member| !is_metadata(Path::new(&member.name));
    let files: Vec<&Member> = archive.members().iter().filter(is_file).collect();
    let named: Vec<&Member> = files.iter().copied().filter(is_named).collect();
    let all = if named.is_empty() { files } else { named };
    let mut found = Vec::new();
    for member in all {
        if is_named(&member) || is_capture(archive.open(member)?) {
            found.push(member.clone());
        }
    }
    Ok(found)
}

/// An archive. Its directory is at the end, so an archive from a pipe is first copied to a file.
pub(super) fn open_archive(
    path: Option<&Path>,
    mut input: Box<dyn Read + Send>,
) -> io::Result<Archive> {
    if let Some(path) = path {
        let mut file = File::open(path)?;
        let mut head = [0; 2];
        // A compressed archive must be decompressed first.
        if file.read_exact(&mut head).is_ok() && head == *b"PK" {
            return Archive::read(file);
        }
    }
    // An unlinked file with mode 0600, which disappears with the process.
    let mut file = tempfile::tempfile()?;
    io::copy(&mut input, &mut file)?;
    Archive::read(file)
}
