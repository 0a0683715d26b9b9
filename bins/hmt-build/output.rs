//! Writing the result: whole or not at all.

use std::io::Write as _;

use anyhow::Context as _;
use hmt_core::cli::replace_file;
use hmt_core::spec::{Format, to_text};
use serde_json::Value;

use super::args::{Config, Target};

/// Writes a spec.
pub(crate) fn document(root: &Value, config: &Config) -> anyhow::Result<()> {
    let (Target::Stdout(format) | Target::File(_, format)) = &config.target;
    let format: Format = *format;
    // Recordings are traffic: a spec that holds them is its owner's alone.
    write(&to_text(root, format), root.get("x-hmt-replay").is_some(), config)
}

/// Writes a state.
pub(crate) fn partial(line: &str, config: &Config) -> anyhow::Result<()> {
    write(&format!("{line}\n"), true, config)
}

fn write(text: &str, private: bool, config: &Config) -> anyhow::Result<()> {
    match &config.target {
        Target::Stdout(_) => {
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush())
                .context("cannot write standard output")
        }
        Target::File(path, _) => replace_file(path, text.as_bytes(), private)
            .with_context(|| format!("cannot write {}", path.display())),
    }
}
