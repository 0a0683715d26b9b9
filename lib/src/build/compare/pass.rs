//! Checks records on several threads. The result does not depend on their number.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::check::{Checker, FindingTally, RecordPlace};
use crate::exchange::parse_line;
use crate::report::Example;
use crate::stream::{Block, Record, RecordPosition, Rejects};

use crate::build::blocks::{Blocks, Work, share_out};
use crate::build::config::Config;
use crate::build::error::BuildError;

/// The result of reading.
pub(super) struct Pass<'c> {
    checker: &'c Checker,
    config: &'c Config,
    rejects: Mutex<Rejects>,
    accepted: AtomicU64,
    left_out: AtomicU64,
    /// Set by `--strict` with the first rejected record.
    stop: AtomicBool,
    /// Blocks that were read.
    blocks: u64,
}

impl<'c> Pass<'c> {
    pub(super) fn new(checker: &'c Checker, config: &'c Config) -> Self {
        let messages = config.messages().clone();
        Pass {
            checker,
            config,
            rejects: Mutex::new(Rejects::new(move |text| messages.error(text))),
            accepted: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            blocks: 0,
        }
    }

    /// Records that are exchanges.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Reports how many exchanges were left out; returns the number of rejected records.
    pub(super) fn finish(&self) -> u64 {
        let left_out = self.left_out.load(Ordering::Relaxed);
        if left_out > 0 && (self.config.verbose || left_out == self.accepted()) {
            self.config.messages().warn(format_args!(
                "{left_out} exchanges were left out by --host, --include or --exclude"
            ));
        }
        let rejects = self.rejects.lock();
        rejects.finish(self.accepted());
        rejects.count()
    }

    /// Checks all records of some blocks.
    ///
    /// # Errors
    /// A source that cannot be read; with `--strict`, a rejected record.
    pub(super) fn over(&mut self, blocks: &mut dyn Blocks) -> Result<FindingTally, BuildError> {
        let mut number = self.blocks;
        let tally = share_out(blocks, self.config.threads, &self.stop, &mut number, &*self);
        self.blocks = number;
        if self.stop.load(Ordering::Relaxed) {
            return Err(BuildError::Reported);
        }
        tally
    }

    fn block(&self, block: &Block, number: u64, tally: &mut FindingTally) {
        for (line_number, record) in block.records() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let at = block.at(line_number);
            let (line, is_torn) = match record {
                Record::Line(line) => (line, false),
                Record::TornTail(line) => (line, true),
                Record::TooLong(bytes) => {
                    let limit = crate::stream::MAX_LINE;
                    let why = format!("line of {bytes} bytes; the limit is {limit} bytes");
                    self.reject(at, why);
                    continue;
                }
                Record::Rejected(error) => {
                    self.reject(at, error);
                    continue;
                }
            };
            match parse_line(line) {
                Ok(exchange) => {
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                    if self.config.selection.takes(&exchange.request) {
                        tally.add(self.checker, &exchange, || place(block, number, at));
                    } else {
                        self.left_out.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(_) if is_torn => self
                    .config
                    .messages()
                    .warn(format_args!("{at}: the last line is incomplete and was left out")),
                Err(error) => self.reject(at, error),
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

impl Work for Pass<'_> {
    type Result = FindingTally;

    fn add(&self, tally: &mut FindingTally, block: &Block, number: u64) {
        self.block(block, number, tally);
    }

    fn merge(&self, tally: &mut FindingTally, other: FindingTally) {
        tally.merge(other);
    }
}

fn place(block: &Block, number: u64, at: RecordPosition<'_>) -> RecordPlace {
    let is_file = block.partition().is_none() && &*block.source != "-";
    let file = is_file.then(|| (block.source.to_string(), at.number()));
    RecordPlace { order: (number, at.number()), example: Example { place: at.to_string(), file } }
}
