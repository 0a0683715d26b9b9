//! The caps in force while one exchange is folded.

use std::cell::Cell;
use std::ops::Deref;

use crate::infer::Limits;

/// Limits, with a note of whether the fold met something without an existing place.
#[derive(Debug)]
pub(crate) struct Caps<'l> {
    limits: &'l Limits,
    fresh: Cell<bool>,
}

impl<'l> Caps<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Caps { limits, fresh: Cell::new(false) }
    }

    /// Notes that a place was created, or that something joined a rest. A rest does not record its
    /// members.
    pub(crate) fn note_fresh(&self) {
        self.fresh.set(true);
    }

    /// False if everything folded had an existing place.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh.get()
    }
}

impl Deref for Caps<'_> {
    type Target = Limits;

    fn deref(&self) -> &Limits {
        self.limits
    }
}
