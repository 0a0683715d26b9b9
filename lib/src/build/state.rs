//! `--state`: what was folded before, to go on from.

use std::fs;
use std::io;
use std::path::Path;

use crate::infer::{Builder, Partial};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::fold::{self, Earlier};

/// What earlier runs have folded, if a state is asked for and there.
///
/// # Errors
/// A file that cannot be read, is no state, or was made in another mode or by another version.
pub(super) fn earlier(config: &Config) -> Result<Earlier, BuildError> {
    let mut earlier = Earlier::none(config);
    for (number, partial) in lines(config)?.into_iter().enumerate() {
        earlier
            .ledger
            .add(&format!("line {} of the state", number + 1), partial.inputs().clone())
            .whole()?;
        let builder = builder_of(partial, config)?;
        match &mut earlier.builder {
            Some(all) => all.merge(builder),
            None => earlier.builder = Some(builder),
        }
    }
    Ok(earlier)
}

/// A line of the state, to go on from.
///
/// # Errors
/// It was made in another mode or by another version.
pub(super) fn builder_of(partial: Partial, config: &Config) -> Result<Builder, BuildError> {
    let mut builder = fold::new_builder(config);
    builder.add(partial).because(|| {
        format!(
            "cannot continue from the state in {}; use the same mode and version of hmt-build as before, or start with a new file",
            config.state.as_deref().unwrap_or(Path::new("")).display()
        )
    })?;
    Ok(builder)
}

/// The lines of the state: that of a topic has one for each partition. None where there is no state yet.
///
/// # Errors
/// The file cannot be read, or is no state.
pub(super) fn lines(config: &Config) -> Result<Vec<Partial>, BuildError> {
    let Some(path) = &config.state else { return Ok(Vec::new()) };
    let name = path.display();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).because(|| format!("cannot read {name}")),
    };
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            Partial::parse(line)
                .because(|| format!("{name} is not a state of hmt-build; name another file"))
        })
        .collect()
}

/// Writes the state as a whole or not at all, for its owner alone: it holds observed values.
///
/// # Errors
/// It cannot be written.
pub(super) fn save(path: &Path, line: &str, config: &Config) -> Result<(), BuildError> {
    config
        .output()
        .state(path, format!("{line}\n").as_bytes())
        .because(|| format!("cannot write the state to {}", path.display()))
}
