//! Reads the recordings, and reports which were left out.

use std::io;

use anyhow::bail;
use hmt_core::cli::Messages;
use hmt_core::replay::{self, LoadedRecordings};
use hmt_core::stream::{Reader, Rejects};

use super::args::Config;

/// # Errors
/// A source cannot be read, or contains no exchange; with `--strict`, the first invalid record.
pub(crate) fn load(config: &Config, messages: &Messages) -> anyhow::Result<LoadedRecordings> {
    let errors = messages.clone();
    let mut rejects = Rejects::new(move |text| errors.error(text));
    let mut first = None;
    let reader = Reader::open(&config.sources, Some(Box::new(io::stdin())), config.block_size)?
        .without_partials();
    let loaded = replay::load(reader, config.rule.clone(), |place, why| {
        first.get_or_insert_with(|| format!("{place}: {why}"));
        rejects.add(place, why);
    })?;
    let exchanges = loaded.exchanges + loaded.left_out;
    rejects.finish(exchanges);
    if let Some(first) = first.filter(|_| config.strict) {
        bail!("--strict: {first}");
    }
    if loaded.rejected > 0 && exchanges == 0 {
        bail!("no record is an exchange, so there is nothing to replay");
    }
    loaded.remarks().into_iter().for_each(|remark| messages.warn(remark));
    Ok(loaded)
}
