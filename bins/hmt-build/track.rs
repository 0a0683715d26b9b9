//! `--track-inputs`: of which files a partial is made, so that none is counted twice.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use anyhow::Context as _;
use hmt_core::cli::Failure;
use hmt_core::infer::{Partial, Provenance};
use hmt_core::stream::Reader;

/// Each file that is to be read, and what it is as an input.
///
/// # Errors
/// A file that cannot be read; standard input or a pipe, which nothing names.
pub(crate) fn files(reader: &Reader) -> anyhow::Result<Vec<(String, Provenance)>> {
    let mut all = Vec::new();
    for file in reader.files() {
        let Some(path) = file else { return Err(nameless("standard input")) };
        let name = path.display().to_string();
        if let Some(inputs) = of_file(path, &name)? {
            all.push((name, inputs));
        }
    }
    Ok(all)
}

/// `None` for a partial, which tells itself what it is made of.
fn of_file(path: &Path, name: &str) -> anyhow::Result<Option<Provenance>> {
    let cannot = || format!("cannot read {name}");
    let mut file = File::open(path).with_context(cannot)?;
    let found = file.metadata().with_context(cannot)?;
    if !found.is_file() {
        return Err(nameless(name));
    }
    let mut head = [0; 64];
    let length = file.read(&mut head).with_context(cannot)?;
    if Partial::is(&head[..length]) {
        return Ok(None);
    }
    file.rewind().with_context(cannot)?;
    Ok(Some(Provenance::of_file(file, found.len()).with_context(cannot)?))
}

fn nameless(what: &str) -> anyhow::Error {
    Failure::usage(format!(
        "--track-inputs: {what} has no name by which it could be told from other input; write it to a file first"
    ))
}
