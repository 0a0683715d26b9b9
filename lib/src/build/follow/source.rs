//! An endless source of exchanges, whose input is read in rounds.

use std::time::{Duration, Instant};

use crate::build::blocks::Blocks;
use crate::build::config::Stop;
use crate::build::error::BuildError;
use crate::infer::Ledger;
use crate::stream::Block;

/// Maximum time between two checks.
pub(in crate::build) const NAP: Duration = Duration::from_millis(50);

/// An endless source of exchanges.
pub(in crate::build) trait Source {
    /// Begins a round: finds new input, and enters what will be read into the ledger.
    fn begin(&mut self, ledger: &mut Ledger) -> Result<(), BuildError>;

    /// The next block of the round, which ends at `until`, or at the end of the available input
    /// after a stop.
    fn next_block(&mut self, until: Instant, stop: &Stop) -> Result<Option<Block>, BuildError>;

    /// True if there will be no more input.
    fn has_ended(&self) -> bool {
        false
    }
}

/// The blocks of a round.
pub(in crate::build) struct Round<'r> {
    pub(in crate::build) source: &'r mut dyn Source,
    pub(in crate::build) until: Instant,
    pub(in crate::build) stop: &'r Stop,
}

impl Blocks for Round<'_> {
    fn next_block(&mut self) -> Result<Option<Block>, BuildError> {
        self.source.next_block(self.until, self.stop)
    }
}
