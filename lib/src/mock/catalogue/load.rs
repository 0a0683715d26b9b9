//! Loads the documents that the command line names.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::net::{Fetched, Reach};
use crate::spec::{self, Document, Format, Home, SpecError, is_url};

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

/// Fetches a URL, which must be within [`Reach`], or returns why it cannot.
pub type Fetch = Box<dyn FnMut(&str, Reach) -> Result<Fetched, String> + Send>;

/// The sources named on the command line, which may be loaded repeatedly.
pub struct Sources {
    names: Vec<String>,
    /// Standard input, which can be read only once.
    stdin: Option<Vec<u8>>,
    /// The folder that limits references; `None` for the folder of each file.
    ref_root: Option<PathBuf>,
    /// True if references may lead to other servers.
    remote_refs: bool,
    fetch: Fetch,
    /// The responses of other servers to references: each URL is requested once.
    fetched: HashMap<String, Vec<u8>>,
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
        /// The error of the system.
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
        remote_refs: bool,
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
        Ok(Sources { names, stdin, ref_root, remote_refs, fetch, fetched: HashMap::new() })
    }

    /// Loads all of them.
    ///
    /// # Errors
    /// The first that cannot be loaded.
    pub fn load(&mut self) -> Result<LoadedSpecs, SpecLoadError> {
        let mut loaded = LoadedSpecs::default();
        for name in &self.names {
            let mut references = References {
                root: self.ref_root.as_deref(),
                remote: self.remote_refs,
                reach: Reach::Public,
                fetch: &mut self.fetch,
                fetched: &mut self.fetched,
            };
            if name == "-" {
                loaded.add_stdin(self.stdin.as_deref().unwrap_or(&[]), &mut references)?;
            } else if is_url(name) {
                loaded.add_url(name, &mut references)?;
            } else if Path::new(name).is_dir() {
                loaded.add_folder(Path::new(name), &mut references)?;
            } else {
                loaded.add_file(Path::new(name), &mut references)?;
            }
        }
        Ok(loaded)
    }
}

/// Returns where references of a document may lead.
struct References<'s> {
    root: Option<&'s Path>,
    remote: bool,
    /// Fetches the targets of references to other servers.
    reach: Reach,
    fetch: &'s mut Fetch,
    fetched: &'s mut HashMap<String, Vec<u8>>,
}

impl References<'_> {
    /// The content at a URL of another server.
    fn get(&mut self, url: &str) -> Result<Vec<u8>, String> {
        if let Some(known) = self.fetched.get(url) {
            return Ok(known.clone());
        }
        let bytes = Vec::from((self.fetch)(url, self.reach)?.bytes);
        self.fetched.insert(url.to_owned(), bytes.clone());
        Ok(bytes)
    }
}

impl LoadedSpecs {
    fn add(&mut self, document: Document) {
        let source = &document.source;
        self.warnings
            .extend(document.warnings.iter().map(|warning| format!("{source}: {warning}")));
        self.documents.push(document);
    }

    fn add_stdin(
        &mut self,
        bytes: &[u8],
        references: &mut References<'_>,
    ) -> Result<(), SpecError> {
        let home = Home::of_stdin(references.root)?.with_remote(references.remote);
        self.add_local(bytes, "standard input", &home, references)
    }

    fn add_file(&mut self, path: &Path, references: &mut References<'_>) -> Result<(), SpecError> {
        let bytes = spec::read_file(path)?;
        let home = Home::of_file(path, references.root)?.with_remote(references.remote);
        self.files.push(path.to_owned());
        self.add_local(&bytes, &path.display().to_string(), &home, references)
    }

    /// A document whose references lead to files, and to other servers where that is allowed.
    fn add_local(
        &mut self,
        bytes: &[u8],
        source: &str,
        home: &Home,
        references: &mut References<'_>,
    ) -> Result<(), SpecError> {
        let mut files = Vec::new();
        let mut read_file = spec::reader(home, &mut files);
        let mut read = |name: &str| match is_url(name) {
            true => references.get(name),
            false => read_file(name),
        };
        let document = spec::load_bundle(bytes, source, home, &mut read);
        drop(read_file);
        self.files.append(&mut files);
        self.add(document?);
        Ok(())
    }

    fn add_url(&mut self, url: &str, references: &mut References<'_>) -> Result<(), SpecLoadError> {
        let wrong = |why: String| SpecLoadError::Url { url: url.to_owned(), why };
        let Fetched { bytes, private } = (references.fetch)(url, Reach::Named).map_err(wrong)?;
        references.reach = if private { Reach::Private } else { Reach::Public };
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // References of a document may lead to any URL of its own server.
        let home = Home::of_url(url).with_remote(references.remote);
        let mut read = |name: &str| match is_url(name) {
            true => references.get(name),
            false => {
                let name = utf8_percent_encode(name, IN_PATH);
                let url = format!("{scheme}://{host}/{name}");
                (references.fetch)(&url, references.reach).map(|fetched| fetched.bytes.into())
            }
        };
        let document = spec::load_bundle(&bytes, url, &home, &mut read)?;
        self.add(document);
        Ok(())
    }

    fn add_folder(
        &mut self,
        folder: &Path,
        references: &mut References<'_>,
    ) -> Result<(), SpecLoadError> {
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
            match self.add_file(&path, references) {
                Ok(()) => {}
                // Folders also contain a package.json, a partial, or referenced files.
                Err(error @ SpecError::NotOpenApi { .. }) => {
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
