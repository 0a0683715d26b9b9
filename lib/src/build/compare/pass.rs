//! Records judged on several threads. The result does not depend on their number.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::check::{Checker, Place, Tally};
use crate::exchange::parse_line;
use crate::report::Example;
use crate::stream::{Block, Record, RecordPosition, Rejects};

use crate::build::config::Config;
use crate::build::error::BuildError;
use crate::build::fold::Blocks;

/// What one run has read.
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

    /// Tells what was left out; gives the number of rejected records.
    pub(super) fn finish(&self) -> u64 {
        let left_out = self.left_out.load(Ordering::Relaxed);
        if left_out > 0 && (self.config.verbose || left_out == self.accepted()) {
            self.config.messages().warn(format_args!(
                "{left_out} exchanges were left out by --host, --include or --exclude"
            ));
        }
        let rejects = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        rejects.finish(self.accepted());
        rejects.count()
    }

    /// Judges all records of some blocks.
    ///
    /// # Errors
    /// A source that cannot be read; with `--strict`, a rejected record.
    pub(super) fn over(&mut self, blocks: &mut dyn Blocks) -> Result<Tally, BuildError> {
        let mut number = self.blocks;
        let tally = if self.config.threads == 1 {
            self.alone(blocks, &mut number)
        } else {
            self.together(blocks, &mut number)
        };
        self.blocks = number;
        if self.stop.load(Ordering::Relaxed) {
            return Err(BuildError::Reported);
        }
        tally
    }

    fn alone(&self, blocks: &mut dyn Blocks, number: &mut u64) -> Result<Tally, BuildError> {
        let mut tally = Tally::default();
        while let Some(block) = blocks.next_block()? {
            self.block(&block, *number, &mut tally);
            blocks.reuse(block);
            *number += 1;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(tally)
    }

    fn together(&self, blocks: &mut dyn Blocks, number: &mut u64) -> Result<Tally, BuildError> {
        let threads = self.config.threads;
        let (sender, receiver) = sync_channel::<(u64, Block)>(threads);
        let receiver = Mutex::new(receiver);
        let (done_with, done) = channel::<Block>();
        std::thread::scope(|scope| {
            let work = || {
                let (receiver, done_with) = (&receiver, done_with.clone());
                move || {
                    let mut tally = Tally::default();
                    loop {
                        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok((number, block)) = next else { return tally };
                        self.block(&block, number, &mut tally);
                        // Where nobody reads any more, nobody needs the room.
                        let _ = done_with.send(block);
                    }
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work())).collect();
            let mut failure = None;
            while !self.stop.load(Ordering::Relaxed) {
                done.try_iter().for_each(|block| blocks.reuse(block));
                match blocks.next_block() {
                    Ok(Some(block)) => {
                        if sender.send((*number, block)).is_err() {
                            break;
                        }
                        *number += 1;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            drop(sender);
            let mut whole = Tally::default();
            for worker in workers {
                match worker.join() {
                    Ok(tally) => whole.merge(tally),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            failure.map_or(Ok(whole), Err)
        })
    }

    fn block(&self, block: &Block, number: u64, tally: &mut Tally) {
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
            self.rejects.lock().unwrap_or_else(PoisonError::into_inner).add(place, why);
        }
        if self.config.strict {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn place(block: &Block, number: u64, at: RecordPosition<'_>) -> Place {
    let is_file = block.partition().is_none() && &*block.source != "-";
    let file = is_file.then(|| (block.source.to_string(), at.number()));
    Place { order: (number, at.number()), example: Example { place: at.to_string(), file } }
}
