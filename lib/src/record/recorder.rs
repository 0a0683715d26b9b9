//! What all exchanges of a run share.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::ca::Authority;
use super::connect::Connector;
use super::journal::Journal;
use super::link::Pool;
use super::progress::{Hosts, Watch};
use super::tally::{Dropped, Tally};
use crate::conform::Api;
use crate::exchange::{Exchange, Redactor, Selection};
use crate::net::{Refused, Report, Target, Trouble};

/// Exchanges whose violations are told of while they come; the others are in the records.
const TOLD_VIOLATIONS: u64 = 20;

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
    pub(super) trouble: Trouble,
    /// Time without progress after which an upstream or a client is given up.
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) filter: Selection,
    /// What exchanges are held against.
    pub(super) spec: Option<Api>,
    pub(super) redactor: Option<Redactor>,
    pub(super) trace: Option<Report>,
    pub(super) watch: Option<(Watch, Hosts)>,
    pub(super) journal: Journal,
    /// Ends TLS in tunnels, where those are taken.
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) run: String,
    /// Names this run to itself, should a request come round; only where that is asked for.
    pub(super) via: Option<HeaderValue>,
    /// Whether redirects and cookies of the upstream lead back here.
    pub(super) rewrite_redirects: bool,
}

impl Recorder {
    /// The path that comes before those of requests.
    pub(super) fn base(&self) -> &str {
        match &self.routing {
            Routing::Fixed(target) => target.path(),
            Routing::Path | Routing::Header => "",
        }
    }

    /// Counts a request that is not recorded, and tells why the first time.
    pub(super) fn discard(&self, why: Dropped, message: &str) {
        if self.tally.discard(why) {
            (self.report)(message);
        }
    }

    /// Counts a request that could not be read, and reports why.
    pub(super) fn refused(&self, refused: &Refused) {
        self.tally.see();
        self.tally.discard(Dropped::Malformed);
        self.trouble.report("malformed", "", || refused.to_string());
    }

    /// Notes in the exchange how it contradicts the spec, and tells of the first of them.
    pub(super) fn check(&self, exchange: &mut Exchange<'_>) {
        let Some(spec) = &self.spec else { return };
        let Err(violations) = spec.conforms(exchange) else { return };
        let texts = violations.iter().map(|violation| {
            let (location, at) = (violation.location, &violation.at);
            let blank = if at.is_empty() { "" } else { " " };
            format!("{location}{blank}{at}: {}", violation.message)
        });
        let texts: Vec<String> = texts.collect();
        if self.tally.violated(texts.len()) <= TOLD_VIOLATIONS {
            let request = &exchange.request;
            let method = request.method.as_str().to_ascii_uppercase();
            let text =
                format!("{method} {}{} {}", request.host, request.pathname, texts.join("; "));
            (self.report)(&text.escape_debug().to_string());
        }
        exchange.meta.violations = texts.into_iter().map(Cow::Owned).collect();
    }

    /// A path for messages, without the secrets in it.
    pub(super) fn shown_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match &self.redactor {
            Some(redactor) => redactor.shown_path(path),
            None => Cow::Borrowed(path),
        }
    }

    pub(super) fn redact(&self, exchange: &mut Exchange<'_>) {
        if let Some(redactor) = &self.redactor {
            redactor.apply(exchange);
        }
    }
}
