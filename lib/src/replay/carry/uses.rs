//! The use of an earlier value in a request.

use std::ops::Range;
use std::sync::Arc;

use super::origin::ValuePlace;
use super::slot::Slot;
use super::spot::{Carrier, Encoding};

/// A part of a request that is replaced.
#[derive(Debug)]
pub(in super::super) struct Use {
    /// The text that holds the part.
    pub(in super::super) carrier: Carrier,
    /// The part in it, in bytes.
    pub(in super::super) range: Range<usize>,
    /// How the new value is written there.
    pub(in super::super) encoding: Encoding,
    /// The recorded value.
    pub(in super::super) old: Box<str>,
    /// Where the new value comes from.
    pub(in super::super) source: ValueSource,
}

/// Where a new value comes from.
#[derive(Debug)]
pub(in super::super) enum ValueSource {
    /// Places in earlier responses; the first one with a value is used.
    Answers(Vec<(Arc<Slot>, ValuePlace)>),
    /// The user.
    Given(Arc<str>),
}
