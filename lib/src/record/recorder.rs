//! What all exchanges of a run share.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::connect::Connector;
use super::journal::Journal;
use super::link::Pool;
use super::tally::{Dropped, Tally};
use crate::exchange::{Exchange, Redactor};
use crate::net::{Report, Target};

/// How requests name their targets. Requests in absolute form name theirs in any case.
#[derive(Clone, Debug)]
pub enum Routing {
    /// `/http://host[:port]/path?query`.
    Path,
    /// `Host`, and a header for the scheme.
    Header,
    /// All go to one target, whose path comes before theirs.
    Fixed(Target),
}

/// The state of a run.
pub(super) struct Recorder {
    pub(super) routing: Routing,
    pub(super) connector: Connector,
    pub(super) pool: Pool,
    pub(super) tally: Arc<Tally>,
    pub(super) report: Report,
    /// Time without progress after which an upstream or a client is given up.
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) redactor: Option<Redactor>,
    pub(super) trace: Option<Report>,
    pub(super) journal: Journal,
    pub(super) run: String,
    /// Names this run to itself, should a request come round.
    pub(super) via: HeaderValue,
}

impl Recorder {
    /// Counts a request that is not recorded, and tells why the first time.
    pub(super) fn discard(&self, why: Dropped, message: &str) {
        if self.tally.discard(why) {
            (self.report)(message);
        }
    }

    pub(super) fn redact(&self, exchange: &mut Exchange<'_>) {
        if let Some(redactor) = &self.redactor {
            redactor.apply(exchange);
        }
    }
}
