//! Folds the input, on one thread or several. The result does not depend on their number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::conform::Api;
use crate::exchange::{Exchange, parse_line};
use crate::infer::{Builder, Ledger, Partial, Provenance, Unread};
use crate::merge::Contradictions;
use crate::stream::{Block, Record, RecordPosition, Rejects};

use super::blocks::{Blocks, Work, share_out};
use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::unread::UnreadPlaces;

/// Size of the unit of work: large enough that passing it is cheap, small enough that threads end
/// together.
pub(super) const BLOCK: usize = 1 << 20;

/// The result of earlier folds.
pub(super) struct Earlier {
    pub(super) builder: Option<Builder>,
    /// Its inputs.
    pub(super) ledger: Ledger,
    /// Exchanges that were not selected.
    pub(super) left_out: u64,
    /// The places of bodies that do not match their type.
    pub(super) unread: UnreadPlaces,
}

impl Earlier {
    /// Nothing.
    pub(super) fn none(config: &Config) -> Earlier {
        let ledger = Ledger::new(config.allow_overlap);
        Earlier { builder: None, ledger, left_out: 0, unread: UnreadPlaces::default() }
    }
}

/// The result of folding.
pub(super) struct Folded {
    pub(super) builder: Builder,
    /// The results for partitions, if these are kept apart.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "only topics have any"))]
    pub(super) partitions: BTreeMap<i32, Builder>,
    ledger: Ledger,
    pub(super) left_out: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    /// The contradictions of the initial spec; `None` if some input came in partials, which have
    /// none.
    pub(super) contradictions: Option<Contradictions>,
    pub(super) unread: UnreadPlaces,
}

impl Folded {
    /// True if there was input, but none of it could be used.
    pub(super) fn nothing_usable(&self) -> bool {
        self.rejected > 0 && self.accepted == 0
    }

    /// Converts the result to the base of the next fold.
    pub(super) fn into_earlier(self) -> Earlier {
        let Folded { builder, ledger, left_out, unread, .. } = self;
        Earlier { builder: Some(builder), ledger, left_out, unread }
    }
}

/// The state that all workers share.
struct Shared<'c> {
    config: &'c Config,
    /// The initial spec.
    initial: Option<&'c Api>,
    contradictions: Mutex<Contradictions>,
    rejects: Mutex<Rejects>,
    accepted: AtomicU64,
    /// Set by `--strict` at the first rejected record.
    stop: AtomicBool,
    /// Exchanges that were not selected.
    left_out: AtomicU64,
    /// Whether partitions of a topic are kept apart.
    by_partition: bool,
    /// The inputs that partials in the input list, by `FILE:LINE`.
    partials: Mutex<Vec<(String, Provenance)>>,
    unread: Mutex<UnreadPlaces>,
}

impl Shared<'_> {
    /// Folds an exchange if it is selected, and notes its contradictions of the initial spec.
    fn take(
        &self,
        builder: &mut Builder,
        exchange: &Exchange<'_>,
        place: RecordPosition<'_>,
        contradictions: &mut Contradictions,
    ) {
        if !self.config.selection.takes(&exchange.request) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let unread = builder.fold(exchange);
        if unread != Unread::default() {
            self.unread.lock().add(exchange, unread, place);
        }
        if let Some(Err(violations)) = self.initial.map(|api| api.conforms(exchange)) {
            for fault in violations.iter().filter_map(|violation| violation.fault.as_deref()) {
                contradictions.add(fault);
            }
        }
    }

    fn reject(&self, place: RecordPosition<'_>, why: impl std::fmt::Display) {
        if !self.stop.load(Ordering::Relaxed) {
            self.rejects.lock().add(place, why);
        }
        if self.config.strict {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Folds the whole input, and adds the earlier result.
///
/// # Errors
/// A source that cannot be read; with `--strict`, a rejected record.
pub(super) fn fold(
    blocks: &mut dyn Blocks,
    earlier: Earlier,
    initial: Option<&Api>,
    config: &Config,
) -> Result<Folded, BuildError> {
    let Earlier { builder: earlier, mut ledger, left_out, unread } = earlier;
    let shared = Shared {
        config,
        initial,
        contradictions: Mutex::default(),
        rejects: Mutex::new(Rejects::new({
            let messages = config.messages().clone();
            move |text| messages.error(text)
        })),
        accepted: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        left_out: AtomicU64::new(0),
        partials: Mutex::default(),
        unread: Mutex::new(unread),
        by_partition: blocks.by_partition(),
    };
    let mut shards = share_out(blocks, config.threads, &shared.stop, &mut 0, &shared)?;
    let mut builder = shards.0.remove(&None).unwrap_or_else(|| new_builder(config));
    let partitions =
        shards.0.into_iter().filter_map(|(partition, builder)| Some((partition?, builder)));
    let partitions = partitions.collect();
    let all_checked = earlier.is_none();
    if let Some(mut earlier) = earlier {
        // The new part is smaller.
        earlier.merge(builder);
        builder = earlier;
    }
    let rejects = shared.rejects.into_inner();
    if shared.stop.into_inner() {
        return Err(BuildError::Reported);
    }
    let mut partials = shared.partials.into_inner();
    // Workers add theirs in any order.
    partials.sort_by(|(a, _), (b, _)| a.cmp(b));
    let contradictions = shared.contradictions.into_inner();
    let contradictions = (all_checked && partials.is_empty()).then_some(contradictions);
    for (name, inputs) in partials.into_iter().chain(blocks.inputs()) {
        ledger.add(&name, inputs).whole()?;
    }
    for name in ledger.silent() {
        config.messages().warn(format_args!("{name} does not say which input it was built from"));
    }
    builder.set_inputs(ledger.inputs().clone());
    let accepted = shared.accepted.into_inner();
    rejects.finish(accepted);
    let left_out = left_out + shared.left_out.into_inner();
    Ok(Folded {
        builder,
        partitions,
        ledger,
        left_out,
        accepted,
        rejected: rejects.count(),
        contradictions,
        unread: shared.unread.into_inner(),
    })
}

/// A builder for each separate partition, and one for everything else.
#[derive(Default)]
struct Shards(BTreeMap<Option<i32>, Builder>);

impl Work for Shared<'_> {
    type Result = Shards;

    fn add(&self, shards: &mut Shards, block: &Block, _: u64) {
        let partition = block.partition().filter(|_| self.by_partition);
        let builder = shards.0.entry(partition).or_insert_with(|| new_builder(self.config));
        fold_block(builder, block, self);
    }

    fn merge(&self, shards: &mut Shards, other: Shards) {
        for (partition, builder) in other.0 {
            match shards.0.get_mut(&partition) {
                Some(ours) => ours.merge(builder),
                None => drop(shards.0.insert(partition, builder)),
            }
        }
    }
}

pub(super) fn new_builder(config: &Config) -> Builder {
    Builder::new(config.inference())
}

fn fold_block(builder: &mut Builder, block: &Block, shared: &Shared<'_>) {
    let mut accepted = 0;
    let mut contradictions = Contradictions::default();
    for (number, record) in block.records() {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        match record {
            Record::Line(line) | Record::TornTail(line) if Partial::is(line) => {
                match Partial::parse(line).and_then(|partial| {
                    let (exchanges, inputs) = (partial.exchanges(), partial.inputs().clone());
                    builder.add(partial).map(|()| (exchanges, inputs))
                }) {
                    Ok((exchanges, inputs)) => {
                        accepted += exchanges.max(1);
                        let name = block.at(number).to_string();
                        shared.partials.lock().push((name, inputs));
                    }
                    Err(error) => shared.reject(block.at(number), error),
                }
            }
            Record::Line(line) => match parse_line(line) {
                Ok(exchange) => {
                    accepted += 1;
                    shared.take(builder, &exchange, block.at(number), &mut contradictions);
                }
                Err(error) => shared.reject(block.at(number), error),
            },
            Record::TornTail(line) => match parse_line(line) {
                Ok(exchange) => {
                    accepted += 1;
                    shared.take(builder, &exchange, block.at(number), &mut contradictions);
                }
                Err(_) => shared.config.messages().warn(format_args!(
                    "{}: the last line is incomplete and was ignored",
                    block.at(number)
                )),
            },
            Record::TooLong(bytes) => shared.reject(
                block.at(number),
                format_args!(
                    "line of {bytes} bytes; the limit is {} bytes",
                    crate::stream::MAX_LINE
                ),
            ),
            Record::Rejected(error) => shared.reject(block.at(number), error),
        }
    }
    shared.accepted.fetch_add(accepted, Ordering::Relaxed);
    if contradictions != Contradictions::default() {
        shared.contradictions.lock().unite(contradictions);
    }
}

impl Earlier {
    /// Reports which parts of the input are not in the result.
    pub(super) fn tell(&self, config: &Config) {
        let Earlier { builder: Some(builder), left_out, .. } = self else { return };
        let left_out = *left_out;
        let counts = builder.counts();
        if left_out > 0 && (config.verbose || counts.exchanges == 0) {
            config.messages().warn(format_args!(
                "{left_out} exchanges were ignored because of --host, --include or --exclude"
            ));
        }
        if config.verbose {
            config.messages().warn(format_args!("{} exchanges folded", counts.exchanges));
        }
        if counts.unanswered > 0 {
            config.messages().warn(format_args!(
                "{} exchanges failed before they had a response, and were ignored",
                counts.unanswered
            ));
        }
        if counts.deep > 0 {
            config.messages().warn(format_args!(
            "{} exchanges were ignored because a path item cannot describe them: CONNECT, other unknown methods, or more than 24 path segments",
            counts.deep
        ));
        }
        let (places, halved) = counts.places;
        if halved > 0 {
            config.messages().warn(format_args!(
            "about {places} different paths, parameters and properties; the limits on how many are kept apart were halved {halved} times"
        ));
        }
        if counts.unrepeatable > 0 {
            config.messages().warn(format_args!(
                "{} exchanges were recorded incompletely, and are not among the recordings",
                counts.unrepeatable
            ));
        }
    }
}
