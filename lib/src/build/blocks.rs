//! Reads the input as blocks, and distributes them over threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};

use parking_lot::Mutex;

use crate::infer::Provenance;
use crate::stream::{Block, Reader};

use super::error::{BuildError, ResultExt as _};

/// Provides the blocks of the input one by one.
pub(super) trait Blocks {
    /// The next one; `None` after the last.
    fn next_block(&mut self) -> Result<Option<Block>, BuildError>;

    /// Takes back a block whose memory may be reused.
    fn reuse(&mut self, _: Block) {}

    /// True if partitions of a topic must be kept apart.
    fn by_partition(&self) -> bool {
        false
    }

    /// The inputs, if they are known only after reading.
    fn inputs(&self) -> Vec<(String, Provenance)> {
        Vec::new()
    }
}

impl Blocks for Reader {
    fn next_block(&mut self) -> Result<Option<Block>, BuildError> {
        Reader::next_block(self).because(|| "cannot read the input")
    }

    fn reuse(&mut self, block: Block) {
        Reader::reuse(self, block);
    }

    fn inputs(&self) -> Vec<(String, Provenance)> {
        let all = self.partitions().iter();
        all.map(|(cluster, topic, partition, offsets)| {
            let name = format!("{topic}/{partition}");
            (name, Provenance::of_partition(cluster, topic, *partition, offsets.clone()))
        })
        .collect()
    }
}

/// Work on blocks whose results are merged. The result must not depend on which thread gets which
/// block.
pub(super) trait Work: Sync {
    /// The data that a thread collects.
    type Result: Default + Send;

    /// Adds a block, whose number is its place in the input.
    fn add(&self, result: &mut Self::Result, block: &Block, number: u64);

    /// Adds the result of another thread.
    fn merge(&self, result: &mut Self::Result, other: Self::Result);
}

/// Does the work on all blocks, on this number of threads, until `stop` is set. `number` counts the
/// blocks.
///
/// # Errors
/// A source that cannot be read.
pub(super) fn share_out<W: Work>(
    blocks: &mut dyn Blocks,
    threads: usize,
    stop: &AtomicBool,
    number: &mut u64,
    work: &W,
) -> Result<W::Result, BuildError> {
    if threads > 1 {
        return share_out_to_threads(blocks, threads, stop, number, work);
    }
    let mut result = W::Result::default();
    while let Some(block) = blocks.next_block()? {
        work.add(&mut result, &block, *number);
        blocks.reuse(block);
        *number += 1;
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(result)
}

fn share_out_to_threads<W: Work>(
    blocks: &mut dyn Blocks,
    threads: usize,
    stop: &AtomicBool,
    number: &mut u64,
    work: &W,
) -> Result<W::Result, BuildError> {
    let (sender, receiver) = sync_channel::<(u64, Block)>(threads);
    let receiver = Mutex::new(receiver);
    let (done_with, done) = channel::<Block>();
    std::thread::scope(|scope| {
        let start = || {
            let (receiver, done_with) = (&receiver, done_with.clone());
            move || {
                let mut result = W::Result::default();
                loop {
                    let next = receiver.lock().recv();
                    let Ok((number, block)) = next else { return result };
                    work.add(&mut result, &block, number);
                    // If the reader has ended, it needs no buffers.
                    let _ = done_with.send(block);
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(start())).collect();
        let mut read = || {
            while !stop.load(Ordering::Relaxed) {
                done.try_iter().for_each(|block| blocks.reuse(block));
                let Some(block) = blocks.next_block()? else { break };
                if sender.send((*number, block)).is_err() {
                    break;
                }
                *number += 1;
            }
            Ok(())
        };
        let outcome = read();
        drop(sender);
        let mut whole = W::Result::default();
        for worker in workers {
            match worker.join() {
                Ok(result) => work.merge(&mut whole, result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcome.map(|()| whole)
    })
}
