//! Loads the documents that the command line names.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::spec::{self, Document, Format, Home, SpecError};

/// Characters that need no escape in a URL's path.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Documents in the order of the command line, with warnings.
#[derive(Debug, Default)]
pub struct LoadedSpecs {
    /// The documents.
    pub documents: Vec<Document>,
    /// Formal errors, and skipped files of a folder.
    pub warnings: Vec<String>,
    /// The files and folders of the documents, to watch for changes.
    pub files: Vec<PathBuf>,
}

/// Returns the content at a URL, or why there is none.
pub type Fetch = Box<dyn FnMut(&str) -> Result<Vec<u8>, String> + Send>;

/// The sources named on the command line, which may be loaded repeatedly.
pub struct Sources {
    names: Vec<String>,
    /// Standard input, which can be read only once.
    stdin: Option<Vec<u8>>,
    /// The folder that references must not leave; `None` for the folder of each file.
    ref_root: Option<PathBuf>,
    fetch: Fetch,
}

/// Why the specs cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SpecLoadError {
    /// A file, or standard input, is not a spec.
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
    /// A folder contains no specs.
    #[error("{}: this folder contains no specs; add a .yaml, .yml or .json file", .0.display())]
    Empty(PathBuf),
    /// Standard input cannot be read.
    #[error("standard input: {0}")]
    Stdin(io::Error),
    /// `-` was given twice.
    #[error("standard input (-) is named twice, but it can be read only once")]
    StdinTwice,
    /// A URL.
    #[error("{url}: {why}")]
    Url {
        /// The URL.
        url: String,
        /// The cause.
        why: String,
    },
}

impl Sources {
    /// Files, folders (every `.yaml`, `.yml` and `.json`, sorted by name), `http://` and `https://`
    /// URLs, and `-`, which is read immediately.
    ///
    /// # Errors
    /// Standard input cannot be read, or is named twice.
    pub fn new(
        names: Vec<String>,
        stdin: &mut dyn Read,
        ref_root: Option<PathBuf>,
        fetch: Fetch,
    ) -> Result<Sources, SpecLoadError> {
        let stdin = match names.iter().filter(|name| *name == "-").count() {
            0 => None,
            1 => {
                let mut bytes = Vec::new();
                stdin.read_to_end(&mut bytes).map_err(SpecLoadError::Stdin)?;
                Some(bytes)
            }
            _ => return Err(SpecLoadError::StdinTwice),
        };
        Ok(Sources { names, stdin, ref_root, fetch })
    }

    /// Loads all of them.
    ///
    /// # Errors
    /// The first that cannot be loaded.
    pub fn load(&mut self) -> Result<LoadedSpecs, SpecLoadError> {
        let mut loaded = LoadedSpecs::default();
        let root = self.ref_root.as_deref();
        for name in &self.names {
            if name == "-" {
                loaded.add_stdin(self.stdin.as_deref().unwrap_or(&[]), root)?;
            } else if name.starts_with("http://") || name.starts_with("https://") {
                loaded.add_url(name, &mut self.fetch)?;
            } else if Path::new(name).is_dir() {
                loaded.add_folder(Path::new(name), root)?;
            } else {
                loaded.add_file(Path::new(name), root)?;
            }
        }
        Ok(loaded)
    }
}

impl LoadedSpecs {
    fn add(&mut self, document: Document) {
        let source = &document.source;
        self.warnings
            .extend(document.warnings.iter().map(|warning| format!("{source}: {warning}")));
        self.documents.push(document);
    }

    fn add_stdin(&mut self, bytes: &[u8], root: Option<&Path>) -> Result<(), SpecError> {
        let home = Home::of_stdin(root)?;
        let mut read = spec::reader(&home, &mut self.files);
        let document = spec::load_bundle(bytes, "standard input", &home, &mut read)?;
        drop(read);
        self.add(document);
        Ok(())
    }

    fn add_file(&mut self, path: &Path, root: Option<&Path>) -> Result<(), SpecError> {
        let (document, files) = spec::load_with_files(path, root)?;
        self.files.extend(files);
        self.add(document);
        Ok(())
    }

    fn add_url(&mut self, url: &str, fetch: &mut Fetch) -> Result<(), SpecLoadError> {
        let wrong = |why: String| SpecLoadError::Url { url: url.to_owned(), why };
        let bytes = fetch(url).map_err(wrong)?;
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Its references may refer to anything on the document's server.
        let home = Home::of_url_path(path);
        let mut read = |name: &str| {
            let name = utf8_percent_encode(name, IN_PATH);
            fetch(&format!("{scheme}://{host}/{name}"))
        };
        let document = spec::load_bundle(&bytes, url, &home, &mut read)?;
        self.add(document);
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, root: Option<&Path>) -> Result<(), SpecLoadError> {
        let wrong = |error| SpecLoadError::Folder { path: folder.to_owned(), error };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.is_file() && Format::of_path(&path).is_some() {
                paths.push(path);
            }
        }
        paths.sort();
        self.files.push(folder.to_owned());
        let before = self.documents.len();
        for path in paths {
            match self.add_file(&path, root) {
                Ok(()) => {}
                // Folders also contain a package.json, a partial, or referenced files.
                Err(error @ SpecError::NotOpenApi { .. }) => {
                    self.files.push(path);
                    self.warnings.push(format!("ignored: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.documents.len() == before {
            Err(SpecLoadError::Empty(folder.to_owned()))
        } else {
            Ok(())
        }
    }
}
