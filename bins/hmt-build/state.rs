//! `--state`: what was folded before, to go on from.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use hmt_core::cli::replace_file;
use hmt_core::infer::{Partial, PartialError};

/// The state of an earlier run.
pub(crate) struct State {
    /// The file's name, for messages.
    pub(crate) name: String,
    pub(crate) partial: Partial,
}

/// Reads a state; `None` where there is none yet.
///
/// # Errors
/// A file that cannot be read, or is not one partial.
pub(crate) fn load(path: &Path) -> anyhow::Result<Option<State>> {
    let name = path.display().to_string();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    let line = bytes.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let partial = Partial::parse(line)
        .with_context(|| format!("{name} is no state to go on from; name another file"))?;
    Ok(Some(State { name, partial }))
}

/// Says what to do where a state cannot be gone on from.
pub(crate) fn cannot_go_on(name: &str, error: PartialError) -> anyhow::Error {
    anyhow::Error::new(error).context(format!(
        "cannot go on from the state in {name}: use the mode and version it was made with, or begin anew with another file"
    ))
}

/// Writes the state as a whole or not at all, for its owner alone: it holds observed values.
///
/// # Errors
/// It cannot be written.
pub(crate) fn save(path: &Path, line: &str) -> anyhow::Result<()> {
    replace_file(path, format!("{line}\n").as_bytes(), true)
        .with_context(|| format!("cannot write the state to {}", path.display()))
}
