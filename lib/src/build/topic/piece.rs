//! A folded range of messages, which counts completely or not at all.

use std::ops::Range;

use crate::infer::{Builder, Partial, Provenance};
use crate::stream::KnownRange;

use crate::build::config::Config;
use crate::build::error::BuildError;
use crate::build::state;

#[derive(Default)]
pub(super) struct Piece {
    pub(super) builder: Option<Builder>,
    pub(super) inputs: Provenance,
    /// For a single partition: its end, and the hash of its last message.
    pub(super) end: KnownRange,
}

/// Messages read for a group that may not have recorded the commit yet.
pub(super) struct Claimed {
    pub(super) piece: Piece,
    /// The run that has read it.
    pub(super) run: String,
    /// The offsets.
    pub(super) read: Range<u64>,
    /// True once a commit was tried: it succeeds or fails as a whole, so nothing is added any more.
    pub(super) tried: bool,
}

impl Piece {
    /// A line of the state.
    ///
    /// # Errors
    /// It was made in another mode or by another version.
    pub(super) fn of(partial: Partial, config: &Config) -> Result<Piece, BuildError> {
        let inputs = partial.inputs().clone();
        let end = KnownRange { end: 0, last: partial.last().map(str::to_owned) };
        Ok(Piece { builder: Some(state::builder_of(partial, config)?), inputs, end })
    }

    pub(super) fn unite(&mut self, other: Piece) {
        self.inputs.unite(&other.inputs);
        if other.end.end >= self.end.end {
            self.end = other.end;
        }
        match (&mut self.builder, other.builder) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (None, theirs) => self.builder = theirs,
            (Some(_), None) => (),
        }
    }

    /// The line of the state that holds it.
    pub(super) fn line(&mut self, member: Option<&str>) -> Option<String> {
        self.line_of(None, member)
    }

    fn line_of(&mut self, claim: Option<&str>, member: Option<&str>) -> Option<String> {
        let builder = self.builder.as_mut()?;
        builder.set_inputs(self.inputs.clone());
        Some(builder.to_partition(claim, self.end.last.as_deref(), member))
    }
}

impl Claimed {
    /// The line of the state that holds it.
    pub(super) fn line(&mut self, member: Option<&str>) -> Option<String> {
        self.piece.line_of(Some(&self.run), member)
    }
}
