//! What was folded of a topic, by partition, and the state file that holds it: a line for each partition.
//!
//! What has been folded since the group last noted how far a partition was read is only claimed, and has a line of its own. If
//! the group never notes it, others read it again, and it is taken out: a state cannot be subtracted from. Whether the group has
//! noted it is told by what stands beside its offsets, see `claims.rs`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::infer::{Builder, Ledger, Partial, Provenance};
use crate::stream::{Committed, KnownRange, StreamError, Topic, TopicReader};

use super::claims::{Claims, Verdict};
use super::piece::{Claimed, Piece};
use crate::build::config::Config;
use crate::build::error::{BuildError, ResultExt as _};
use crate::build::{fold, state};

pub(super) struct Partitions<'c> {
    config: &'c Config,
    /// The name of this run.
    run: String,
    /// Its name in the group, which the next run with the same state takes over.
    member: Option<String>,
    /// What is not of this topic alone.
    base: Piece,
    parts: BTreeMap<i32, Part>,
    cluster: String,
    topic: String,
    /// True where there is no group that could note anything.
    alone: bool,
    /// True where something is claimed of partitions that are not ours: the group is to be asked about it.
    unsettled: bool,
}

#[derive(Default)]
struct Part {
    confirmed: Piece,
    /// In the order of their offsets.
    claimed: Vec<Claimed>,
    /// Who has had the partition before, and from where on we have it.
    before: Option<(Claims, Option<u64>)>,
}

impl Part {
    /// Up to where everything is here; nowhere yet where the end is 0.
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
    /// Finds among the lines of the state what is of this topic.
    ///
    /// # Errors
    /// They were made in another mode, or of the same.
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

    /// Decides about what was claimed of partitions that are assigned to this member, and gives up to where they are here.
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
            // Where the group has never committed anything, we have it from where we begin, or began.
            let ours = part.claimed.iter().filter(|claimed| claimed.run == self.run);
            let first = ours.map(|claimed| claimed.read.start).min();
            part.before = Some((claims, committed.as_ref().map(|found| found.offset).or(first)));
            if part.end().end > 0 {
                known.insert(*partition, part.end().clone());
            }
        }
        known
    }

    /// Once it is known which partitions are ours, asks the group about what is claimed of others; true where anything changed.
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

    /// Adds what was folded in a round; true where it was anything.
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

    /// What the group is to note of our partitions: up to where they have been read, or will be read from, and by whom.
    pub(super) fn to_commit(&mut self, reader: &TopicReader) -> BTreeMap<i32, Committed> {
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

    /// The group has noted all that this run claims of these partitions.
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

    /// Partitions are no longer assigned to this member: takes out what the group was never asked to note, so that others read it; about the rest
    /// the group is asked. True where something was taken out.
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

    /// What is claimed, and it is not known whether the group has noted it.
    pub(super) fn unknown(&self) -> Vec<(i32, Range<u64>)> {
        let all = self.parts.iter();
        all.flat_map(|(partition, part)| {
            part.claimed.iter().map(|claimed| (*partition, claimed.read.clone()))
        })
        .collect()
    }

    /// Writes the state file, if there is to be one.
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

    /// True where nothing was ever folded.
    pub(super) fn is_empty(&self) -> bool {
        let mut builders = self.pieces().filter_map(|piece| piece.builder.as_ref());
        builders.all(|builder| builder.counts().exchanges == 0)
    }

    /// Which offsets of the topic are here.
    pub(super) fn read(&self) -> Vec<(i32, Range<u64>)> {
        let mut inputs = Provenance::default();
        self.pieces().for_each(|piece| inputs.unite(&piece.inputs));
        inputs.partitions_of(&self.cluster, &self.topic)
    }

    /// All of it together.
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

/// Decides about what is claimed of a partition. `successor` is our run where the partition is ours: then what nobody has read again
/// is its own from now on; where it is not, others are about to read it.
fn decide(part: &mut Part, claims: &Claims, committed: u64, successor: Option<&str>) {
    for mut claimed in std::mem::take(&mut part.claimed) {
        match (claims.verdict(committed, &claimed.read, &claimed.run), successor) {
            (Verdict::Heard, _) => part.confirmed.unite(claimed.piece),
            (Verdict::Open, Some(successor)) => {
                successor.clone_into(&mut claimed.run);
                part.claimed.push(claimed);
            }
            (Verdict::Open, None) | (Verdict::TakenOver, _) => (),
            (Verdict::Unknown, _) => part.claimed.push(claimed),
        }
    }
}
