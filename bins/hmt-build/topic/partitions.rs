//! What was folded of a topic, by partition, and the state file that holds it: a line for each partition.
//!
//! What has been folded since the group last heard how far a partition was read is fresh, and has a line of its own. If the group
//! never hears of it, others read it again, and it is taken out: a state cannot be subtracted from.

use std::collections::BTreeMap;

use hmt_core::infer::{Builder, Ledger, Partial, Provenance};
use hmt_core::stream::{Topic, TopicReader};

use crate::args::Config;
use crate::{fold, state};

pub(super) struct Partitions<'c> {
    config: &'c Config,
    /// What the state file had.
    loaded: Vec<Partial>,
    /// What is not of this topic alone.
    base: Piece,
    parts: BTreeMap<i32, Part>,
    cluster: String,
    topic: String,
    /// True where the state file had fresh pieces, of which is not known whether the group had heard of them.
    unsettled: bool,
}

#[derive(Default)]
struct Part {
    confirmed: Piece,
    fresh: Piece,
}

/// Something folded, and of what.
#[derive(Default)]
struct Piece {
    builder: Option<Builder>,
    inputs: Provenance,
}

impl Piece {
    fn of(partial: Partial, config: &Config) -> anyhow::Result<Piece> {
        let inputs = partial.inputs().clone();
        Ok(Piece { builder: Some(state::builder_of(partial, config)?), inputs })
    }

    fn unite(&mut self, other: Piece) {
        self.inputs.unite(&other.inputs);
        match (&mut self.builder, other.builder) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (None, theirs) => self.builder = theirs,
            (Some(_), None) => (),
        }
    }

    fn line(&mut self) -> Option<String> {
        let builder = self.builder.as_mut()?;
        builder.set_inputs(self.inputs.clone());
        Some(builder.to_partial())
    }
}

impl<'c> Partitions<'c> {
    /// Reads the state file, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn load(config: &'c Config) -> anyhow::Result<Partitions<'c>> {
        Ok(Partitions {
            config,
            loaded: state::lines(config)?,
            base: Piece::default(),
            parts: BTreeMap::new(),
            cluster: String::new(),
            topic: String::new(),
            unsettled: false,
        })
    }

    /// Finds what is of this topic; gives up to which offsets it has the partitions.
    ///
    /// # Errors
    /// The state was made in another mode, or its lines of the same.
    pub(super) fn begin(
        &mut self,
        cluster: &str,
        topic: &Topic,
    ) -> anyhow::Result<BTreeMap<i32, u64>> {
        cluster.clone_into(&mut self.cluster);
        topic.name().clone_into(&mut self.topic);
        let mut ledger = Ledger::new(self.config.allow_overlap);
        for (number, partial) in self.loaded.drain(..).enumerate() {
            ledger.add(&format!("line {} of the state", number + 1), partial.inputs().clone())?;
            let partition = partial.inputs().only_partition(cluster, topic.name());
            let piece = Piece::of(partial, self.config)?;
            let Some(partition) = partition else {
                self.base.unite(piece);
                continue;
            };
            let part = self.parts.entry(partition).or_default();
            if part.confirmed.builder.is_none() {
                part.confirmed = piece;
            } else if part.fresh.builder.is_none() && topic.has_group() {
                part.fresh = piece;
                self.unsettled = true;
            } else {
                part.confirmed.unite(piece);
            }
        }
        Ok(ledger.inputs().ends_of(cluster, topic.name()))
    }

    /// Once the group has said which partitions are ours, decides about what was fresh when an earlier run ended: it stays where
    /// the partition is ours, as we go on behind it, or where the group has heard of it. True where something was taken out.
    pub(super) fn settle(&mut self, reader: &mut TopicReader) -> bool {
        if !self.unsettled || !reader.is_assigned() {
            return false;
        }
        self.unsettled = false;
        let (ours, mut changed) = (reader.read(), false);
        for (partition, part) in &mut self.parts {
            if part.fresh.builder.is_none() || ours.contains_key(partition) {
                continue;
            }
            let end = part.fresh.inputs.ends_of(&self.cluster, &self.topic).remove(partition);
            let heard = reader.committed_of(*partition).max(Some(0)) >= end;
            let fresh = std::mem::take(&mut part.fresh);
            if heard {
                part.confirmed.unite(fresh);
            } else {
                let ends = part.confirmed.inputs.ends_of(&self.cluster, &self.topic);
                reader.set_known(*partition, ends.get(partition).copied());
            }
            changed = true;
        }
        changed
    }

    /// Adds what was folded in a round; true where it was anything.
    pub(super) fn add(&mut self, folded: BTreeMap<i32, Builder>, reader: &TopicReader) -> bool {
        let (mut folded, mut new) = (folded, false);
        for (partition, range) in reader.read() {
            let part = self.parts.entry(partition).or_default();
            let confirmed = part.confirmed.inputs.ends_of(&self.cluster, &self.topic);
            let start = confirmed.get(&partition).map_or(range.start, |end| range.start.max(*end));
            let read = start..range.end.max(start);
            let inputs = Provenance::of_partition(&self.cluster, &self.topic, partition, read);
            new |= !inputs.is_empty() && inputs != part.fresh.inputs;
            let builder = folded.remove(&partition);
            let builder = match builder {
                None if inputs.is_empty() || part.fresh.builder.is_some() => None,
                builder => Some(builder.unwrap_or_else(|| fold::new_builder(self.config))),
            };
            part.fresh.unite(Piece { builder, inputs });
        }
        new
    }

    /// Up to where our partitions have been read, or will be read from: what the group is to hear.
    pub(super) fn ends(&self, reader: &TopicReader) -> BTreeMap<i32, u64> {
        let ours = reader.read().into_iter();
        ours.map(|(partition, range)| (partition, self.end(partition).unwrap_or(0).max(range.end)))
            .collect()
    }

    /// The group has heard of all.
    pub(super) fn confirm(&mut self) {
        for part in self.parts.values_mut() {
            part.confirmed.unite(std::mem::take(&mut part.fresh));
        }
    }

    /// Takes out what the group has not heard of; true where there was something.
    pub(super) fn forget_fresh(&mut self, partitions: &[i32]) -> bool {
        let mut some = false;
        for partition in partitions {
            if let Some(part) = self.parts.get_mut(partition) {
                some |= std::mem::take(&mut part.fresh).builder.is_some();
            }
        }
        some
    }

    /// Up to where everything of a partition is here.
    pub(super) fn end(&self, partition: i32) -> Option<u64> {
        let part = self.parts.get(&partition)?;
        let end =
            |piece: &Piece| piece.inputs.ends_of(&self.cluster, &self.topic).remove(&partition);
        end(&part.fresh).max(end(&part.confirmed))
    }

    /// Writes the state file, if there is to be one.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&mut self) -> anyhow::Result<()> {
        let Some(path) = &self.config.state else { return Ok(()) };
        let mut lines: Vec<String> = self.base.line().into_iter().collect();
        for part in self.parts.values_mut() {
            lines.extend(part.confirmed.line());
            lines.extend(part.fresh.line());
        }
        if lines.is_empty() {
            lines.push(fold::new_builder(self.config).to_partial());
        }
        state::save(path, &lines.join("\n"))
    }

    /// True where nothing was ever folded.
    pub(super) fn is_empty(&self) -> bool {
        let pieces = self.parts.values().flat_map(|part| [&part.confirmed, &part.fresh]);
        pieces
            .chain([&self.base])
            .filter_map(|piece| piece.builder.as_ref())
            .all(|builder| builder.counts().exchanges == 0)
    }

    /// All of it together.
    pub(super) fn united(&self) -> Builder {
        let mut whole = fold::new_builder(self.config);
        let mut inputs = Provenance::default();
        let pieces = self.parts.values().flat_map(|part| [&part.confirmed, &part.fresh]);
        for piece in [&self.base].into_iter().chain(pieces) {
            inputs.unite(&piece.inputs);
            if let Some(builder) = &piece.builder {
                whole.merge(builder.clone());
            }
        }
        whole.set_inputs(inputs);
        whole
    }
}
