//! Builds from a topic that is read continuously: with `--state`, `--follow` or a group.
//!
//! Time is divided into rounds. The result of a round is kept by partition, because a group may
//! revoke any partition. At the end of a round the state is written, then the spec, and only then
//! the offsets are committed to the group. A run that is killed at any moment therefore repeats
//! only records that are not in a state. Records that the group delivers again although the state
//! contains them are skipped.

mod claims;
mod partitions;
mod piece;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::infer::Partial;
use crate::stream::{Block, Committed, Locator, Reader, Topic, TopicEvent, TopicReader};

use super::blocks::Blocks;
use super::config::{Config, Stop};
use super::error::{BuildError, ResultExt as _};
use super::fold::{self, BLOCK, Earlier};
use super::output::OfHost;
use super::unread::{UnreadPlaces, UnreadReporter};
use super::{initial, output, state, verify};
use partitions::Partitions;

/// The default interval at which the state is written. If writing is slow, the interval grows, so
/// that at most a tenth of the time is spent on writing.
const CHECKPOINT: Duration = Duration::from_secs(10);

/// How often to check whether the rest of the group is done.
const ASK: Duration = Duration::from_secs(1);

/// A decision of the group.
enum Decision {
    Assigned(BTreeMap<i32, Option<Committed>>),
    Revoked { partitions: Vec<i32>, lost: bool },
}

/// The blocks of a round, which ends early after a decision of the group.
struct Round<'r> {
    reader: &'r mut TopicReader,
    until: Instant,
    stop: &'r Stop,
    config: &'r Config,
    decision: Option<Decision>,
}

impl Blocks for Round<'_> {
    fn next_block(&mut self) -> Result<Option<Block>, BuildError> {
        let notify = |text: &str| self.config.messages().warn(text);
        let stop = || self.stop.is_set();
        match self
            .reader
            .next(Some(self.until), &stop, &notify)
            .because(|| "cannot read the input")?
        {
            TopicEvent::Block(block) => return Ok(Some(block)),
            TopicEvent::Rest => (),
            TopicEvent::Assigned(partitions) => {
                self.decision = Some(Decision::Assigned(partitions));
            }
            TopicEvent::Revoked { partitions, lost } => {
                self.decision = Some(Decision::Revoked { partitions, lost });
            }
        }
        Ok(None)
    }

    fn by_partition(&self) -> bool {
        true
    }
}

/// Builds until the topic ends, if it is read to its end, or a signal requests a stop.
///
/// # Errors
/// A topic that cannot be read, an output that cannot be written; with `--strict`, a rejected
/// record.
pub(super) fn build(topic: &Topic, config: &Config) -> Result<u64, BuildError> {
    let stop = config.stop();
    let lines = state::lines(config)?;
    let topic = &named(topic, &lines, config)?;
    let opened = TopicReader::open(topic, BLOCK, &|| stop.is_set(), &|text| {
        config.messages().warn(text);
    })
    .whole()?;
    let cluster = opened.as_ref().map_or("", TopicReader::cluster).to_owned();
    let mut run = Run {
        config,
        parts: Partitions::load(config, lines, &cluster, topic)?,
        accepted: 0,
        rejected: 0,
        left_out: 0,
        unread: UnreadPlaces::default(),
        teller: UnreadReporter::default(),
        unreported: false,
        written: None,
    };
    let Some(mut reader) = opened else {
        // Stopped before any broker answered: only the earlier result exists.
        run.write(config.initial.as_deref().map(initial::load).transpose()?)?;
        return Ok(0);
    };
    if topic.has_group() && config.state.is_none() {
        config.messages().warn(
            "a group without --state: no offsets are committed, so other readers will get these records again",
        );
    }
    run.read(&mut reader, topic, stop)?;
    let repeated = reader.repeated();
    if repeated > 0 {
        config.messages().warn(format_args!(
            "{repeated} records were delivered again and skipped, because the state already contains them"
        ));
    }
    // Others wait for our partitions.
    drop(reader);
    run.finish(topic, &cluster)
}

/// The topic, with the static member name of this builder, which is stored in the state. The group
/// then recognises a restarted builder and gives it its partitions back immediately. The name is
/// stored before the group gets it.
fn named(topic: &Topic, lines: &[Partial], config: &Config) -> Result<Topic, BuildError> {
    let Some(path) = config.state.as_deref().filter(|_| topic.has_group()) else {
        return Ok(topic.clone());
    };
    let known = lines.iter().find_map(|line| line.member().map(str::to_owned));
    let topic = topic
        .clone()
        .with_member(known.unwrap_or_else(|| format!("hmt-{:016x}", rand::random::<u64>())));
    if lines.is_empty() {
        let line = fold::new_builder(config).to_partition(None, None, topic.member());
        state::save(path, &line, config)?;
    }
    Ok(topic)
}

struct Run<'c> {
    config: &'c Config,
    parts: Partitions<'c>,
    accepted: u64,
    rejected: u64,
    left_out: u64,
    unread: UnreadPlaces,
    teller: UnreadReporter,
    /// Whether there are records that the group has not committed.
    unreported: bool,
    /// The written spec, if it is current.
    written: Option<Vec<OfHost>>,
}

impl Run<'_> {
    fn read(
        &mut self,
        reader: &mut TopicReader,
        topic: &Topic,
        stop: &Stop,
    ) -> Result<(), BuildError> {
        let config = self.config;
        let shares = topic.has_group() && config.state.is_some();
        let mut every = config.follow.unwrap_or(CHECKPOINT);
        let (mut waits, mut assigned) = (false, false);
        loop {
            let last = stop.is_set();
            let until = Instant::now() + if waits { ASK } else { every };
            let mut round = Round { reader, until, stop, config, decision: None };
            let none = Earlier::none(config);
            let folded = fold::fold(&mut round, none, None, config)?;
            let decision = round.decision.take();
            self.accepted += folded.accepted;
            self.rejected += folded.rejected;
            self.left_out += folded.left_out;
            self.unread.unite(folded.unread);
            let new = self.parts.add(folded.partitions, reader);
            let mut changed = false;
            match &decision {
                Some(Decision::Assigned(partitions)) => {
                    self.tell("assigned to this member", topic, partitions.keys());
                    reader.accept(&self.parts.assigned(partitions)).whole()?;
                    assigned = true;
                    self.unreported = true;
                }
                Some(Decision::Revoked { partitions, lost }) => {
                    self.tell("no longer assigned to this member", topic, partitions.iter());
                    if *lost {
                        // Others read from the last committed offset, and it is up to them to
                        // commit the next one.
                        changed = self.parts.revoked(partitions);
                        reader.release().whole()?;
                    }
                }
                None => (),
            }
            if assigned {
                changed |= self.settle(reader);
            }
            self.unreported |= new;
            let due = new || self.unreported && config.state.is_some();
            let revoked = match &decision {
                Some(Decision::Revoked { partitions, lost: false }) => Some(&**partitions),
                _ => None,
            };
            if changed || due || revoked.is_some() {
                let start = Instant::now();
                self.checkpoint(reader, revoked)?;
                if config.follow.is_none() {
                    every = CHECKPOINT.max(start.elapsed() * 10);
                }
            }
            if revoked.is_some() {
                reader.release().whole()?;
                continue;
            }
            if last {
                return Ok(());
            }
            if reader.is_read() {
                if !shares || reader.is_read_by_all() {
                    return Ok(());
                }
                // Others may fail, and leave their partitions to this run.
                waits = true;
                reader.stay();
            } else {
                waits = false;
            }
        }
    }

    fn tell<'p>(&self, what: &str, topic: &Topic, partitions: impl Iterator<Item = &'p i32>) {
        let partitions: Vec<String> = partitions.map(i32::to_string).collect();
        if self.config.verbose && topic.has_group() && !partitions.is_empty() {
            let text = format!("{}: {what}: {}", topic.name(), partitions.join(", "));
            self.config.messages().ready(text);
        }
    }

    /// Asks the group about claims for partitions of others; true if that changed anything.
    fn settle(&mut self, reader: &TopicReader) -> bool {
        self.parts.settle(reader).unwrap_or_else(|error| {
            // It is asked again in the next round or by the next run, because the state contains
            // the claims.
            self.config.messages().warn(&error);
            false
        })
    }

    /// State, spec, group, in this order.
    fn checkpoint(
        &mut self,
        reader: &mut TopicReader,
        revoked: Option<&[i32]>,
    ) -> Result<(), BuildError> {
        let config = self.config;
        self.written = None;
        let offsets = self.parts.pending_commits(reader);
        self.parts.save()?;
        if config.follow.is_some() {
            match config.initial.as_deref().map(initial::load).transpose() {
                // People may be editing it; the next round comes soon.
                Err(error) => config.messages().warn(format_args!(
                    "{}; nothing is written until it can be read",
                    error.in_full()
                )),
                Ok(initial) => self.write(initial)?,
            }
        }
        if config.state.is_some() {
            match reader.commit(&offsets) {
                Ok(()) => {
                    self.parts.confirm(&offsets);
                    self.unreported = false;
                }
                Err(error) => config.messages().warn(&error),
            }
        }
        if let Some(revoked) = revoked
            && self.parts.revoked(revoked)
        {
            self.parts.save()?;
            self.written = None;
        }
        Ok(())
    }

    fn write(&mut self, initial: Option<crate::spec::Document>) -> Result<(), BuildError> {
        let config = self.config;
        let builder = self.parts.united();
        let count = builder.counts().exchanges;
        let mut all = Vec::new();
        if config.partial {
            config.output().partial(&builder.to_partial()).whole()?;
        } else {
            all = output::specs(builder, None, initial, config)?;
            output::write(&all, config)?;
            for (_, built) in &all {
                self.teller.tell(&built.notes, &self.unread, config);
            }
        }
        self.written = Some(all);
        if config.verbose && config.follow.is_some() {
            config.messages().ready(format_args!("up to date with {count} exchanges"));
        }
        Ok(())
    }

    fn finish(mut self, topic: &Topic, cluster: &str) -> Result<u64, BuildError> {
        let (config, rejected) = (self.config, self.rejected);
        if self.accepted == 0 && rejected > 0 && self.parts.is_empty() {
            return Err(BuildError::all_rejected(rejected));
        }
        if self.written.is_none() {
            self.write(config.initial.as_deref().map(initial::load).transpose()?)?;
        }
        // Now that everything is confirmed, there is one line for each partition.
        self.parts.save()?;
        for (partition, read) in self.parts.unknown() {
            config.messages().warn(format_args!(
                "{}/{partition}: it is unknown whether the offsets {} to {} were committed; if another member reads them again, hmt-merge counts them once",
                topic.name(), read.start, read.end
            ));
        }
        let mut earlier = Earlier::none(config);
        let builder = self.parts.united();
        let exchanges = builder.counts().exchanges;
        earlier.builder = Some(builder);
        earlier.left_out = self.left_out;
        earlier.tell(config);
        if config.verify {
            let read = self.parts.read().into_iter().map(|(partition, range)| {
                (cluster.to_owned(), topic.name().to_owned(), partition, range)
            });
            let read: Vec<_> = read.collect();
            let again = [Locator::Kafka(Box::new(topic.clone()))];
            let reader = Reader::open_again(&again, None, BLOCK, &read).whole()?;
            verify::verify(&self.written.unwrap_or_default(), reader, config)?;
        }
        config.output().finished(exchanges);
        Ok(rejected)
    }
}
