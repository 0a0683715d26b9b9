//! Loads the specs to compare with.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::build::config::Config;
use crate::build::error::{BuildError, ResultExt as _};
use crate::spec::{self, Document, SpecError};

/// The specs. Those in folders are sorted by name.
pub(super) fn load_all(specs: &[PathBuf], config: &Config) -> Result<Vec<Document>, BuildError> {
    let mut documents = Vec::new();
    for path in specs {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            config
                .stdin()
                .read_to_end(&mut bytes)
                .because(|| "cannot read standard input".to_owned())?;
            documents.push(spec::load(&bytes, "<stdin>").whole()?);
        } else if path.is_dir() {
            load_folder(path, &mut documents, config)?;
        } else {
            let (document, _) = spec::load_with_files(path, None).whole()?;
            documents.push(document);
        }
    }
    for document in &documents {
        for warning in &document.warnings {
            config.messages().warn(format_args!("{}: {warning}", document.source));
        }
    }
    Ok(documents)
}

fn load_folder(
    folder: &Path,
    documents: &mut Vec<Document>,
    config: &Config,
) -> Result<(), BuildError> {
    let cannot = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).because(cannot)? {
        let path = entry.because(cannot)?.path();
        if path.is_file() && spec::Format::of_path(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    let before = documents.len();
    for path in paths {
        match spec::load_with_files(&path, None) {
            Ok((document, _)) => documents.push(document),
            // A folder may also contain a package.json, a partial, or files that specs refer to.
            Err(error @ SpecError::NotOpenApi { .. }) => {
                config.messages().warn(format_args!("ignored: {error}"));
            }
            Err(error) => return Err(error).whole(),
        }
    }
    if documents.len() == before {
        return Err(BuildError::Failed(format!(
            "{}: no spec in this folder; name a file or another folder with --check",
            folder.display()
        )));
    }
    Ok(())
}
