//! The implementation of `hmt-build`: folds exchanges, and builds a spec from them.
//!
//! A [`Config`] says what to read and to build, and an [`Environment`] is the interface to the
//! process: standard input, messages, files, and when to stop. Folding uses several threads; the
//! result does not depend on their number.

mod blocks;
mod compare;
mod config;
mod error;
mod fold;
mod follow;
mod initial;
mod inputs;
mod output;
mod state;
mod state_lock;
#[cfg(feature = "kafka")]
mod topic;
mod track;
mod unread;
mod verify;

pub use config::{BuildOutput, CheckConfig, Config, Environment, MessageKind, Messages, Stop};
pub use error::{BuildError, Cause};

use error::ResultExt as _;
use inputs::Inputs;
use state_lock::StateLock;

/// Reads the inputs and writes the results; returns the number of rejected records.
///
/// # Errors
/// An input that cannot be read, an output that cannot be written, no usable record, a failed
/// check; with `strict`, a rejected record.
pub fn run(config: &Config) -> Result<u64, BuildError> {
    if let Some(comparison) = &config.comparison {
        return compare::compare(comparison, config);
    }
    let _lock = config.state.as_deref().map(StateLock::take).transpose()?;
    #[cfg(feature = "kafka")]
    if let Some(topic) = config.kept_topic() {
        return topic::build(topic, config);
    }
    if let Some(every) = config.follow {
        return follow::follow(config, every);
    }
    let inputs = Inputs::prepare(config)?;
    let initial = config.initial.as_deref().map(initial::load).transpose()?;
    let checker = initial.as_ref().map(initial::checker).transpose()?;
    let mut earlier = state::earlier(config)?;
    let mut reader = inputs.open(config)?;
    if config.track_inputs {
        track::files(&mut reader, &mut earlier.ledger, config)?;
    }
    let mut folded = fold::fold(&mut reader, earlier, checker.as_ref(), config)?;
    for note in reader.take_notes() {
        config.messages().warn(note);
    }
    let rejected = folded.rejected;
    if folded.nothing_usable() {
        return Err(BuildError::all_rejected(rejected));
    }
    let contradictions = folded.contradictions.take();
    let folded = folded.into_earlier();
    folded.tell(config);
    let Some(builder) = folded.builder else { return Ok(0) };
    let exchanges = builder.counts().exchanges;
    let after = config.state.as_deref().map(|path| (path, builder.to_partial()));
    if config.partial {
        config.output().partial(&builder.to_partial()).whole()?;
    } else {
        let all = output::specs(builder, contradictions, initial, config)?;
        output::write(&all, config)?;
        let mut teller = unread::UnreadReporter::default();
        all.iter().for_each(|(_, built)| teller.tell(&built.notes, &folded.unread, config));
        if config.verify {
            verify::verify(&all, inputs.again(reader.partitions())?, config)?;
        }
    }
    // Last: everything that the state counts is in the written output.
    if let Some((path, line)) = after {
        state::save(path, &line, config)?;
    }
    config.output().finished(exchanges);
    Ok(rejected)
}
