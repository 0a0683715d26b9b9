//! `--state`: the result of earlier runs, to continue from.

use std::fs;
use std::io;
use std::path::Path;

use crate::infer::{Builder, Partial};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::fold::{self, Earlier};

/// The result of earlier runs, if a state is configured and exists.
///
/// # Errors
/// A file that cannot be read, is not a state, or was built in another mode or by another version.
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

/// The builder for a line of the state.
///
/// # Errors
/// It was built in another mode or by another version.
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

/// The lines of the state: for a topic, one for each partition. Empty if there is no state yet.
///
/// # Errors
/// The file cannot be read, or is not a state.
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

/// Replaces the state atomically; only its owner can read it, because it holds observed values.
///
/// # Errors
/// It cannot be written.
pub(super) fn save(path: &Path, line: &str, config: &Config) -> Result<(), BuildError> {
    config
        .output()
        .state(path, format!("{line}\n").as_bytes())
        .because(|| format!("cannot write the state to {}", path.display()))
}
