//! Standard input or topics, read on its own thread, because a read blocks while there is no input.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use crate::infer::Ledger;
use crate::stream::{Block, Reader, StreamError};

use super::source::{NAP, Source};
use crate::build::config::Stop;
use crate::build::error::{BuildError, ResultExt as _};

/// Number of blocks that are read ahead.
const AHEAD: usize = 2;

/// An input whose end is not known.
pub(super) struct Pipe {
    blocks: Receiver<Result<Block, StreamError>>,
    ended: bool,
    /// How many blocks are still taken after a stop: those that are already read.
    left: usize,
}

impl Pipe {
    /// Starts reading.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(mut reader: Reader) -> Result<Pipe, BuildError> {
        let (sender, blocks) = sync_channel(AHEAD);
        let read = move || {
            while let Some(block) = reader.next_block().transpose() {
                // The receiver has ended, because the program ends.
                if sender.send(block).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("read".to_owned())
            .spawn(read)
            .because(|| "cannot start a thread that reads the input")?;
        Ok(Pipe { blocks, ended: false, left: AHEAD + 1 })
    }
}

impl Source for Pipe {
    fn begin(&mut self, _: &mut Ledger) -> Result<(), BuildError> {
        Ok(())
    }

    fn next_block(&mut self, until: Instant, stop: &Stop) -> Result<Option<Block>, BuildError> {
        loop {
            let stopping = stop.is_set();
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() || stopping && self.left == 0 {
                return Ok(None);
            }
            match self.blocks.recv_timeout(NAP.min(rest)) {
                Ok(block) => {
                    self.left -= usize::from(stopping);
                    return block.map(Some).because(|| "cannot read the input");
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return Ok(None);
                }
                Err(RecvTimeoutError::Timeout) if stopping => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.ended
    }
}
