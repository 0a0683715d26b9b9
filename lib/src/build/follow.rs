//! `--follow`: keeps a spec current while exchanges arrive.
//!
//! Time is divided into rounds. The input of a [`Source`] in one round is folded into the earlier
//! result; then the state is written, and after it the spec. Topics are followed in `topic.rs`.

mod files;
mod pipe;
mod source;

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::spec::Document;

use super::config::Config;
use super::error::BuildError;
use super::fold::{self, Earlier};
use super::unread::UnreadReporter;
use super::{initial, inputs, output, state};

pub(super) use source::{NAP, Round, Source};

/// The source that is followed.
///
/// # Errors
/// A topic that cannot be read.
pub(super) fn open(config: &Config) -> Result<Box<dyn Source + '_>, BuildError> {
    Ok(if config.reads_stdin() || config.topic().is_some() {
        Box::new(pipe::Pipe::start(inputs::Inputs::prepare(config)?.open(config)?)?)
    } else {
        Box::new(files::Files::new(config))
    })
}

/// Builds until the input ends or a signal requests a stop, and writes at the given interval.
///
/// # Errors
/// An input that cannot be read, an output that cannot be written; with `--strict`, a rejected
/// record.
pub(super) fn follow(config: &Config, every: Duration) -> Result<u64, BuildError> {
    let stop = config.stop();
    let mut source = open(config)?;
    let mut earlier = state::earlier(config)?;
    let mut teller = UnreadReporter::default();
    let (mut accepted, mut rejected) = (0, 0);
    // Even without exchanges, a spec is written at the end.
    let (mut written, mut waiting) = (false, false);
    loop {
        // The last round includes everything that had arrived when the signal came.
        let last = stop.is_set();
        let until = Instant::now() + every;
        source.begin(&mut earlier.ledger)?;
        let mut round = Round { source: &mut *source, until, stop };
        let folded = fold::fold(&mut round, earlier, None, config)?;
        let last = last || source.has_ended();
        waiting |= folded.accepted > 0;
        accepted += folded.accepted;
        rejected += folded.rejected;
        if last && accepted == 0 && rejected > 0 {
            return Err(BuildError::all_rejected(rejected));
        }
        earlier = folded.into_earlier();
        if waiting || last && !written {
            // People may have edited the initial spec since the last round, or may be editing it
            // now.
            match config.initial.as_deref().map(initial::load).transpose() {
                Err(error) if !last => config.messages().warn(format_args!(
                    "{}; nothing is written until it can be read",
                    error.in_full()
                )),
                initial => {
                    write(&earlier, initial?, &mut teller, config)?;
                    (written, waiting) = (true, false);
                }
            }
        }
        if last {
            earlier.tell(config);
            let exchanges = earlier.builder.map_or(0, |builder| builder.counts().exchanges);
            config.output().finished(exchanges);
            return Ok(rejected);
        }
        while Instant::now() < until && !stop.is_set() && !source.has_ended() {
            sleep(NAP.min(until.saturating_duration_since(Instant::now())));
        }
    }
}

/// The state first: an existing spec then never contains exchanges that a crash could lose.
fn write(
    earlier: &Earlier,
    initial: Option<Document>,
    teller: &mut UnreadReporter,
    config: &Config,
) -> Result<(), BuildError> {
    let Some(builder) = &earlier.builder else { return Ok(()) };
    if let Some(path) = &config.state {
        state::save(path, &builder.to_partial(), config)?;
    }
    let all = output::specs(builder.clone(), None, initial, config)?;
    output::write(&all, config)?;
    all.iter().for_each(|(_, built)| teller.tell(&built.notes, &earlier.unread, config));
    if config.verbose {
        let count = builder.counts().exchanges;
        config.messages().ready(format_args!("up to date with {count} exchanges"));
    }
    Ok(())
}
