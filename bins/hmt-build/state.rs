//! `--state`: what was folded before, to go on from.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use hmt_core::cli::replace_file;
use hmt_core::infer::{Ledger, Partial};

use super::args::Config;
use super::fold::{self, Earlier};

/// What earlier runs have folded, if a state is asked for and there.
///
/// # Errors
/// A file that cannot be read, is not one partial, or was made in another mode or by another version.
pub(crate) fn earlier(config: &Config) -> anyhow::Result<Earlier> {
    let ledger = Ledger::new(config.allow_overlap);
    let mut earlier = Earlier { builder: None, ledger, left_out: 0 };
    let Some(path) = &config.state else { return Ok(earlier) };
    let name = path.display().to_string();
    let Some(partial) = load(path, &name)? else { return Ok(earlier) };
    earlier.ledger.add(&name, partial.inputs().clone())?;
    let mut builder = fold::new_builder(config);
    builder.add(partial).with_context(|| {
        format!(
            "cannot go on from the state in {name}: use the mode and version it was made with, or begin anew with another file"
        )
    })?;
    earlier.builder = Some(builder);
    Ok(earlier)
}

/// Reads a state; `None` where there is none yet.
fn load(path: &Path, name: &str) -> anyhow::Result<Option<Partial>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    let line = bytes.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    Partial::parse(line)
        .map(Some)
        .with_context(|| format!("{name} is no state to go on from; name another file"))
}

/// Writes the state as a whole or not at all, for its owner alone: it holds observed values.
///
/// # Errors
/// It cannot be written.
pub(crate) fn save(path: &Path, line: &str) -> anyhow::Result<()> {
    replace_file(path, format!("{line}\n").as_bytes(), true)
        .with_context(|| format!("cannot write the state to {}", path.display()))
}
