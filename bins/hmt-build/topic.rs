//! A topic that one goes on with: with `--state`, `--follow` or a group.
//!
//! Time is cut into rounds. What was folded in one is kept by partition, because a group may take any partition away. At its end
//! the state is written, after it the spec, and only then the group is told how far it was read. So a run that is killed, at any
//! moment, repeats at most what no state has; and where the group gives something again that the state has, it is passed over.

mod partitions;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use hmt_core::cli::{self, Status, StopFlag};
use hmt_core::stream::{Block, Step, Topic, TopicReader};

use super::args::Config;
use super::fold::{self, BLOCK, Blocks, Earlier};
use super::{initial, output};
use partitions::Partitions;

/// How often the state is written where nobody says, at most: writing it then takes a tenth of the time.
const CHECKPOINT: Duration = Duration::from_secs(10);

/// How often it is asked whether the rest of the group is done.
const ASK: Duration = Duration::from_secs(1);

/// The blocks of a round.
struct Round<'r> {
    reader: &'r mut TopicReader,
    until: Instant,
    stop: &'r StopFlag,
    config: &'r Config,
    /// Which partitions are to be given back, and whether they are lost already.
    revoked: Option<(Vec<i32>, bool)>,
}

impl Blocks for Round<'_> {
    fn next_block(&mut self) -> anyhow::Result<Option<Block>> {
        let notify = |text: &str| self.config.messages.warn(text);
        let stop = || self.stop.is_set();
        match self.reader.next(Some(self.until), &stop, &notify).context("cannot read the input")? {
            Step::Block(block) => Ok(Some(block)),
            Step::Rest => Ok(None),
            Step::Revoked { partitions, lost } => {
                self.revoked = Some((partitions, lost));
                Ok(None)
            }
        }
    }

    fn by_partition(&self) -> bool {
        true
    }
}

/// Builds until the topic ends, where it is to be read to its end, or a signal asks to stop.
///
/// # Errors
/// A topic that cannot be read, an output that cannot be written; with `--strict`, a rejected record.
pub(crate) fn build(topic: &Topic, config: &Config) -> anyhow::Result<Status> {
    let stop = cli::stop_on_signals().context("cannot handle signals")?;
    let mut parts = Partitions::load(config)?;
    let mut known = Ok(Default::default());
    let opened = TopicReader::open(
        topic,
        BLOCK,
        |cluster| {
            known = parts.begin(cluster, topic);
            known.as_ref().map(Clone::clone).unwrap_or_default()
        },
        &|| stop.is_set(),
        &|text| config.messages.warn(text),
    )?;
    known?;
    let mut run = Run {
        config,
        parts,
        accepted: 0,
        rejected: 0,
        left_out: 0,
        unheard: false,
        written: false,
    };
    let Some(mut reader) = opened else {
        // Stopped before any broker answered: what was there before is all there is.
        run.parts.begin("", topic)?;
        run.write(config.initial.as_deref().map(initial::load).transpose()?)?;
        return Ok(Status::Done);
    };
    if topic.has_group() && config.state.is_none() {
        config.messages.warn(
            "a group without --state: nothing is committed, so what is read here is given to another reader again",
        );
    }
    run.read(&mut reader, topic, &stop)?;
    let repeated = reader.repeated();
    if repeated > 0 {
        config.messages.warn(format_args!(
            "{repeated} records were given again that the state has already; they were passed over"
        ));
    }
    run.finish()
}

struct Run<'c> {
    config: &'c Config,
    parts: Partitions<'c>,
    accepted: u64,
    rejected: u64,
    left_out: u64,
    /// Whether there is something that the group has not heard of.
    unheard: bool,
    /// Whether the spec is that of what was read.
    written: bool,
}

impl Run<'_> {
    fn read(
        &mut self,
        reader: &mut TopicReader,
        topic: &Topic,
        stop: &StopFlag,
    ) -> anyhow::Result<()> {
        let config = self.config;
        let shares = topic.has_group() && config.state.is_some();
        let mut every = config.follow.unwrap_or(CHECKPOINT);
        let mut waits = false;
        loop {
            let last = stop.is_set();
            let until = Instant::now() + if waits { ASK } else { every };
            let mut round = Round { reader, until, stop, config, revoked: None };
            let none = Earlier::none(config);
            let folded = fold::fold(&mut round, none, None, config)?;
            let revoked = round.revoked.take();
            self.accepted += folded.accepted;
            self.rejected += folded.rejected;
            self.left_out += folded.left_out;
            let new = self.parts.add(folded.partitions, reader);
            if let Some((partitions, true)) = &revoked {
                // Others read from the last offset that was committed.
                self.parts.forget_fresh(partitions);
            }
            self.unheard |= new | reader.has_joined();
            let due = new || self.unheard && config.state.is_some();
            if self.parts.settle(reader) || due || revoked.is_some() {
                let start = Instant::now();
                self.checkpoint(reader, revoked.as_ref().map(|(partitions, _)| &**partitions))?;
                if config.follow.is_none() {
                    every = CHECKPOINT.max(start.elapsed() * 10);
                }
            }
            if revoked.is_some() {
                reader.release()?;
                continue;
            }
            if last {
                return Ok(());
            }
            if reader.is_read() {
                if !shares || reader.is_read_by_all() {
                    return Ok(());
                }
                // Others may fail, and leave their partitions to us.
                waits = true;
                reader.stay();
            } else {
                waits = false;
            }
        }
    }

    /// State, spec, group, in this order.
    fn checkpoint(
        &mut self,
        reader: &mut TopicReader,
        revoked: Option<&[i32]>,
    ) -> anyhow::Result<()> {
        let config = self.config;
        self.written = false;
        self.parts.save()?;
        if config.follow.is_some() {
            match config.initial.as_deref().map(initial::load).transpose() {
                // People may be at it; the next round comes soon.
                Err(error) => config
                    .messages
                    .warn(format_args!("{error:#}; nothing is written until it can be read")),
                Ok(initial) => self.write(initial)?,
            }
        }
        if config.state.is_some() {
            match reader.commit(&self.parts.ends(reader)) {
                Ok(()) => {
                    self.parts.confirm();
                    self.unheard = false;
                }
                Err(error) => config.messages.warn(&error),
            }
        }
        let Some(revoked) = revoked else { return Ok(()) };
        // What could not be committed will be read by others.
        if self.parts.forget_fresh(revoked) {
            self.parts.save()?;
            self.written = false;
        }
        for partition in revoked {
            reader.set_known(*partition, self.parts.end(*partition));
        }
        Ok(())
    }

    fn write(&mut self, initial: Option<hmt_core::spec::Document>) -> anyhow::Result<()> {
        let config = self.config;
        let builder = self.parts.united();
        let count = builder.counts().exchanges;
        if config.partial {
            config.target.write(&format!("{}\n", builder.to_partial()), true)?;
        } else {
            output::write(&output::specs(builder, None, initial, config)?, config)?;
        }
        self.written = true;
        if config.verbose && config.follow.is_some() {
            config.messages.ready(format_args!("up to date with {count} exchanges"));
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<Status> {
        let (config, rejected) = (self.config, self.rejected);
        if self.accepted == 0 && rejected > 0 && self.parts.is_empty() {
            anyhow::bail!("all {rejected} records rejected, so nothing was written");
        }
        if !self.written {
            self.write(config.initial.as_deref().map(initial::load).transpose()?)?;
        }
        // Now that all is confirmed, there is one line for each partition.
        self.parts.save()?;
        let mut earlier = Earlier::none(config);
        earlier.builder = Some(self.parts.united());
        earlier.left_out = self.left_out;
        earlier.tell(config);
        Ok(if rejected > 0 { Status::Partly } else { Status::Done })
    }
}
