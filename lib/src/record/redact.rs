//! Until the redactor is there, nothing is replaced.

use crate::exchange::Exchange;

/// Replaces secrets; there is none yet.
#[derive(Debug)]
pub enum Redactor {}

impl Redactor {
    pub(super) fn redact(&self, _: &mut Exchange<'_>) {
        match *self {}
    }
}
