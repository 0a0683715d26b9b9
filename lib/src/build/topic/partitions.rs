//! The result for each partition of a topic, and the state file with a line for each partition.
//!
//! Records that were folded since the group's last recorded commit are only claimed, and have their
//! own line. If the commit fails, others read these messages again, and the line is removed,
//! because nothing can be subtracted from a state. The notes of the offsets show whether the commit
//! succeeded; see `claims.rs`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::infer::{Builder, Ledger, Partial, Provenance};
use crate::stream::{Committed, KnownRange, StreamError, Topic, TopicReader};

use super::claims::{ClaimVerdict, Claims};
use super::piece::{Claimed, Piece};
use crate::build::config::Config;
use crate::build::error::{BuildError, ResultExt as _};
use crate::build::{fold, state};

pub(super) struct Partitions<'c> {
    config: &'c Config,
    /// The name of this run.
    run: String,
    /// Its name in the group, which the next run with the same state reuses.
    member: Option<String>,
    /// All data that does not belong only to this topic.
    base: Piece,
    parts: BTreeMap<i32, PartitionState>,
    cluster: String,
    topic: String,
    /// True if there is no group.
    alone: bool,
    /// True if there are claims for partitions of others, which the group must be asked about.
    unsettled: bool,
}

#[derive(Default)]
struct PartitionState {
    confirmed: Piece,
    /// Sorted by offset.
    claimed: Vec<Claimed>,
    /// The previous owners of the partition, and the offset from which this run owns it.
    before: Option<(Claims, Option<u64>)>,
}

impl PartitionState {
    /// The end of what is included; 0 if nothing is included yet.
    fn end(&self) -> &KnownRange {
        let claimed = self.claimed.iter().map(|claimed| &claimed.piece.end);
        [&self.confirmed.end]
            .into_iter()
            .chain(claimed)
            .max_by_key(|end| end.end)
            .unwrap_or(&self.confirmed.end)
    }
}

impl<'c> Partitions<'c> {
    /// Finds the lines of the state that belong to this topic.
    ///
    /// # Errors
    /// They were built in another mode, or overlap.
    pub(super) fn load(
        config: &'c Config,
        lines: Vec<Partial>,
        cluster: &str,
        topic: &Topic,
    ) -> Result<Partitions<'c>, BuildError> {
        let mut all = Partitions {
            config,
            run: format!("{:016x}", rand::random::<u64>()),
            member: topic.member().map(str::to_owned),
            base: Piece::default(),
            parts: BTreeMap::new(),
            cluster: cluster.to_owned(),
            topic: topic.name().to_owned(),
            alone: !topic.has_group(),
            unsettled: false,
        };
        let mut ledger = Ledger::new(config.allow_overlap);
        for (number, partial) in lines.into_iter().enumerate() {
            ledger
                .add(&format!("line {} of the state", number + 1), partial.inputs().clone())
                .whole()?;
            let claim = partial.claim().map(str::to_owned);
            let place = partial.inputs().only_partition(cluster, topic.name());
            let mut piece = Piece::of(partial, config)?;
            let Some(partition) = place else {
                all.base.unite(piece);
                continue;
            };
            let part = all.parts.entry(partition).or_default();
            let ends = piece.inputs.ends_of(cluster, topic.name());
            piece.end.end = ends.get(&partition).copied().unwrap_or(0);
            let mut ranges = piece.inputs.partitions_of(cluster, topic.name()).into_iter();
            match (claim, ranges.next(), ranges.next()) {
                (Some(run), Some((_, read)), None) => {
                    part.claimed.push(Claimed { piece, run, read, tried: true });
                    all.unsettled = topic.has_group();
                }
                _ => part.confirmed.unite(piece),
            }
        }
        for part in all.parts.values_mut() {
            part.claimed.sort_by_key(|claimed| claimed.read.start);
        }
        Ok(all)
    }

    /// Decides about the claims for newly assigned partitions, and returns the ends of what is
    /// included.
    pub(super) fn assigned(
        &mut self,
        partitions: &BTreeMap<i32, Option<Committed>>,
    ) -> BTreeMap<i32, KnownRange> {
        let mut known = BTreeMap::new();
        for (partition, committed) in partitions {
            let part = self.parts.entry(*partition).or_default();
            let found = committed.clone().unwrap_or_default();
            let claims = Claims::parse(&found.note);
            if !self.alone {
                let offset = found.offset;
                decide(part, &claims, offset, Some(&self.run));
            }
            // If the group has never committed, this run owns the partition from the position where
            // it begins or began to read.
            let ours = part.claimed.iter().filter(|claimed| claimed.run == self.run);
            let first = ours.map(|claimed| claimed.read.start).min();
            part.before = Some((claims, committed.as_ref().map(|found| found.offset).or(first)));
            if part.end().end > 0 {
                known.insert(*partition, part.end().clone());
            }
        }
        known
    }

    /// After the assignment, asks the group about the claims for partitions of others; true if
    /// anything changed.
    pub(super) fn settle(&mut self, reader: &TopicReader) -> Result<bool, StreamError> {
        if !self.unsettled {
            return Ok(false);
        }
        let ours = reader.read();
        let others: Vec<i32> = self
            .parts
            .iter()
            .filter(|(partition, part)| !part.claimed.is_empty() && !ours.contains_key(partition))
            .map(|(partition, _)| *partition)
            .collect();
        let committed =
            if others.is_empty() { BTreeMap::new() } else { reader.committed(others.clone())? };
        self.unsettled = false;
        let mut changed = false;
        for partition in others {
            let Some(part) = self.parts.get_mut(&partition) else { continue };
            let found = committed.get(&partition).cloned().unwrap_or_default();
            let before = part.claimed.len();
            decide(part, &Claims::parse(&found.note), found.offset, None);
            changed |= part.claimed.len() < before;
        }
        Ok(changed)
    }

    /// Adds the result of a round; true if it is not empty.
    pub(super) fn add(&mut self, folded: BTreeMap<i32, Builder>, reader: &TopicReader) -> bool {
        let (mut folded, mut new) = (folded, false);
        for (partition, range) in reader.read() {
            let part = self.parts.entry(partition).or_default();
            let read = range.start.max(part.end().end)..range.end;
            if read.is_empty() {
                continue;
            }
            new = true;
            let builder = folded.remove(&partition);
            let builder = Some(builder.unwrap_or_else(|| fold::new_builder(self.config)));
            let inputs =
                Provenance::of_partition(&self.cluster, &self.topic, partition, read.clone());
            let last = reader.last(partition).map(str::to_owned);
            let piece = Piece { builder, inputs, end: KnownRange { end: read.end, last } };
            if self.alone {
                part.confirmed.unite(piece);
                continue;
            }
            match part.claimed.last_mut() {
                Some(last) if !last.tried && last.read.end == read.start => {
                    last.piece.unite(piece);
                    last.read.end = read.end;
                }
                _ => {
                    part.claimed.push(Claimed { piece, run: self.run.clone(), read, tried: false });
                }
            }
        }
        new
    }

    /// The offsets that the group should commit for the assigned partitions, each with the run that
    /// has read, or will read, up to it.
    pub(super) fn pending_commits(&mut self, reader: &TopicReader) -> BTreeMap<i32, Committed> {
        let mut all = BTreeMap::new();
        for (partition, range) in reader.read() {
            let part = self.parts.entry(partition).or_default();
            let end = part.end().end;
            let (claims, from) = part.before.clone().unwrap_or_default();
            let claims = claims.with(from.unwrap_or(range.start), &self.run);
            for claimed in &mut part.claimed {
                claimed.tried = true;
            }
            let offset = end.max(range.end);
            all.insert(partition, Committed { offset, note: claims.to_string() });
        }
        all
    }

    /// The group has committed all claims of this run for these partitions.
    pub(super) fn confirm(&mut self, noted: &BTreeMap<i32, Committed>) {
        for partition in noted.keys() {
            let Some(part) = self.parts.get_mut(partition) else { continue };
            let (ours, others) = std::mem::take(&mut part.claimed)
                .into_iter()
                .partition(|claimed| claimed.run == self.run);
            part.claimed = others;
            let ours: Vec<Claimed> = ours;
            for claimed in ours {
                part.confirmed.unite(claimed.piece);
            }
        }
    }

    /// Partitions were revoked: removes records that were never committed, so that other members
    /// read them. The group is asked about the rest. True if something was removed.
    pub(super) fn revoked(&mut self, partitions: &[i32]) -> bool {
        let mut some = false;
        for partition in partitions {
            if let Some(part) = self.parts.get_mut(partition) {
                let before = part.claimed.len();
                part.claimed.retain(|claimed| claimed.tried);
                some |= part.claimed.len() < before;
                self.unsettled |= !part.claimed.is_empty();
            }
        }
        some
    }

    /// Claims whose commit is unknown.
    pub(super) fn unknown(&self) -> Vec<(i32, Range<u64>)> {
        let all = self.parts.iter();
        all.flat_map(|(partition, part)| {
            part.claimed.iter().map(|claimed| (*partition, claimed.read.clone()))
        })
        .collect()
    }

    /// Writes the state file, if one is configured.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&mut self) -> Result<(), BuildError> {
        let Some(path) = &self.config.state else { return Ok(()) };
        let member = self.member.as_deref();
        let mut lines: Vec<String> = self.base.line(member).into_iter().collect();
        for part in self.parts.values_mut() {
            lines.extend(part.confirmed.line(member));
            lines.extend(part.claimed.iter_mut().filter_map(|claimed| claimed.line(member)));
        }
        if lines.is_empty() {
            lines.push(fold::new_builder(self.config).to_partition(None, None, member));
        }
        state::save(path, &lines.join("\n"), self.config)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let parts = self.parts.values().flat_map(|part| {
            [&part.confirmed].into_iter().chain(part.claimed.iter().map(|claimed| &claimed.piece))
        });
        [&self.base].into_iter().chain(parts)
    }

    /// True if nothing was ever folded.
    pub(super) fn is_empty(&self) -> bool {
        let mut builders = self.pieces().filter_map(|piece| piece.builder.as_ref());
        builders.all(|builder| builder.counts().exchanges == 0)
    }

    /// The included offsets of the topic.
    pub(super) fn read(&self) -> Vec<(i32, Range<u64>)> {
        let mut inputs = Provenance::default();
        self.pieces().for_each(|piece| inputs.unite(&piece.inputs));
        inputs.partitions_of(&self.cluster, &self.topic)
    }

    /// Everything together.
    pub(super) fn united(&self) -> Builder {
        let mut whole = fold::new_builder(self.config);
        let mut inputs = Provenance::default();
        for piece in self.pieces() {
            inputs.unite(&piece.inputs);
            if let Some(builder) = &piece.builder {
                whole.merge(builder.clone());
            }
        }
        whole.set_inputs(inputs);
        whole
    }
}

/// Decides about the claims for a partition. `successor` is this run if it owns the partition. It
/// then takes over the claimed records, unless another run has read them. Without a successor,
/// another member is about to read the partition.
fn decide(part: &mut PartitionState, claims: &Claims, committed: u64, successor: Option<&str>) {
    for mut claimed in std::mem::take(&mut part.claimed) {
        match (claims.verdict(committed, &claimed.read, &claimed.run), successor) {
            (ClaimVerdict::Heard, _) => part.confirmed.unite(claimed.piece),
            (ClaimVerdict::Open, Some(successor)) => {
                successor.clone_into(&mut claimed.run);
                part.claimed.push(claimed);
            }
            (ClaimVerdict::Open, None) | (ClaimVerdict::TakenOver, _) => (),
            (ClaimVerdict::Unknown, _) => part.claimed.push(claimed),
        }
    }
}
