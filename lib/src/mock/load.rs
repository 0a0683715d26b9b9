//! What a user names on the command line, as documents.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::spec::{self, Document, Format, SpecError};

/// Documents in the order in which they were named, and what a person should know about them.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The documents.
    pub documents: Vec<Document>,
    /// Broken formalities, and files of a folder that were left out.
    pub warnings: Vec<String>,
}

/// Why the specs cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file, or standard input, is no spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A folder cannot be listed.
    #[error("{}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A folder holds nothing to serve.
    #[error("{}: no spec in this folder; put a .yaml, .yml or .json file there", .0.display())]
    Empty(PathBuf),
    /// Standard input cannot be read.
    #[error("standard input: {0}")]
    Stdin(io::Error),
    /// `-` twice.
    #[error("standard input (-) is named twice: it can be read once")]
    StdinTwice,
    /// A URL.
    #[error("{0}: specs are read from files; pipe it in: curl -fsSL {0} | hmt-mock -")]
    Url(String),
}

/// Loads files, folders (every `.yaml`, `.yml` and `.json`, in the order of their names) and `-`.
///
/// # Errors
/// The first that cannot be loaded.
pub fn load(names: &[String], stdin: &mut dyn Read) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    let mut stdin = Some(stdin);
    for name in names {
        if name == "-" {
            let mut bytes = Vec::new();
            let stdin = stdin.take().ok_or(LoadError::StdinTwice)?;
            stdin.read_to_end(&mut bytes).map_err(LoadError::Stdin)?;
            loaded.add(spec::load(&bytes, "standard input")?);
        } else if name.starts_with("http://") || name.starts_with("https://") {
            return Err(LoadError::Url(name.clone()));
        } else if Path::new(name).is_dir() {
            loaded.add_folder(Path::new(name))?;
        } else {
            loaded.add(spec::load_file(Path::new(name))?);
        }
    }
    Ok(loaded)
}

impl Loaded {
    fn add(&mut self, document: Document) {
        let source = &document.source;
        self.warnings
            .extend(document.warnings.iter().map(|warning| format!("{source}: {warning}")));
        self.documents.push(document);
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), LoadError> {
        let wrong = |error| LoadError::Folder { path: folder.to_owned(), error };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.is_file() && Format::of_path(&path).is_some() {
                paths.push(path);
            }
        }
        paths.sort();
        let before = self.documents.len();
        for path in paths {
            match spec::load_file(&path) {
                Ok(document) => self.add(document),
                // Folders also hold a package.json or a partial.
                Err(error @ SpecError::NotOpenApi { .. }) => {
                    self.warnings.push(format!("left out: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.documents.len() == before {
            Err(LoadError::Empty(folder.to_owned()))
        } else {
            Ok(())
        }
    }
}
