//! The location of a document, and the files that its references may name.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::document::SpecError;

/// The location of a document, and the folder that its references must not leave (the reference
/// root).
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The folders of the reference root, the outermost first; `None` if the document has no
    /// folder.
    root: Option<Vec<String>>,
    /// The folders of the document and its own name.
    document: Vec<String>,
}

/// The target of a reference to another file.
pub(super) enum ReferenceTarget {
    /// The document itself.
    Document,
    /// Another file, by its name relative to the reference root.
    File(String),
}

impl Home {
    /// The home of a file: the reference root is `root`, or else its own folder. Symbolic links of
    /// both are resolved.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn of_file(path: &Path, root: Option<&Path>) -> Result<Home, SpecError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = names(&real(folder)?);
        let root = root.map(real).transpose()?.map_or_else(|| folder.clone(), |root| names(&root));
        let mut document = folder;
        document.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        Ok(Home { root: Some(root), document })
    }

    /// The home of standard input: it may refer to files below `root`, if given.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_stdin(root: Option<&Path>) -> Result<Home, SpecError> {
        let Some(root) = root else { return Ok(Home::default()) };
        let root = names(&real(root)?);
        let mut document = root.clone();
        document.push(String::new());
        Ok(Home { root: Some(root), document })
    }

    /// The home of a document at a URL, from its path: it may refer to everything on its server.
    pub fn of_url_path(path: &str) -> Home {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let document = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        Home { root: Some(Vec::new()), document }
    }

    /// The document's own name.
    pub fn name(&self) -> &str {
        self.document.last().map_or("", String::as_str)
    }

    /// The path of a file whose name is relative to the reference root.
    pub fn path_of(&self, name: &str) -> PathBuf {
        let root = self.root.iter().flatten();
        root.map(String::as_str).chain(name.split('/')).fold(
            PathBuf::from(std::path::MAIN_SEPARATOR_STR),
            |mut path, part| {
                path.push(part);
                path
            },
        )
    }

    /// The target of a reference without a scheme; `from` is the referring file, empty for the
    /// document.
    pub(super) fn find(&self, from: &str, target: &str) -> Result<ReferenceTarget, &'static str> {
        const OUTSIDE: &str =
            "leaves the folder of the document; allow a larger folder with --ref-root DIR";
        let Some(root) = &self.root else {
            return Err(
                "refers to a file, but standard input has no folder; name one with --ref-root",
            );
        };
        let decoded = percent_decode_str(target).decode_utf8();
        let target = decoded.map_err(|_| "is not a file name, because it is not UTF-8")?;
        if target.contains(['\\', '\0']) {
            return Err("is not a file name");
        }
        let mut parts: Vec<&str> = Vec::new();
        if !target.starts_with('/') {
            if from.is_empty() {
                parts.extend(self.document.iter().map(String::as_str));
            } else {
                parts.extend(root.iter().map(String::as_str).chain(from.split('/')));
            }
            parts.pop();
        }
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(OUTSIDE)?;
                }
                part => parts.push(part),
            }
        }
        if parts == self.document {
            return Ok(ReferenceTarget::Document);
        }
        match parts.strip_prefix(&root.iter().map(String::as_str).collect::<Vec<_>>()[..]) {
            Some(inside) if !inside.is_empty() => Ok(ReferenceTarget::File(inside.join("/"))),
            _ => Err(OUTSIDE),
        }
    }
}

fn real(path: &Path) -> Result<PathBuf, SpecError> {
    path.canonicalize().map_err(|error| SpecError::Io { path: path.to_owned(), error })
}

fn names(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    names.collect()
}
