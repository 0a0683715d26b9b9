//! The state that all exchanges of a run share.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::ca::Authority;
use super::connect::Connector;
use super::journal::Journal;
use super::link::Pool;
use super::progress::{Hosts, OnProgress};
use super::tally::{Dropped, Tally};
use crate::check::{Checker, Severity, Verdict};
use crate::exchange::{Exchange, Redactor, Selection};
use crate::net::{Refused, Report, Target, ThrottledReport};

/// Maximum number of exchanges whose violations are reported immediately; the records hold them
/// all.
const MAX_REPORTED_VIOLATIONS: u64 = 20;

/// How requests name their targets. Requests in absolute form always name their own target.
#[derive(Clone, Debug)]
pub enum Routing {
    /// The path, as `/http://host[:port]/path?query`.
    Path,
    /// The `Host` header, with another header for the scheme.
    Header,
    /// All requests go to one target, whose path is prepended to the paths of requests.
    Fixed(Target),
}

/// The state of a run.
pub(super) struct Recorder {
    pub(super) routing: Routing,
    pub(super) connector: Connector,
    pub(super) pool: Pool,
    pub(super) tally: Arc<Tally>,
    pub(super) report: Report,
    pub(super) problems: ThrottledReport,
    /// Time without progress before an upstream or a client is timed out.
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) filter: Selection,
    /// The spec that exchanges are checked against.
    pub(super) spec: Option<Checker>,
    pub(super) redactor: Option<Redactor>,
    pub(super) trace: Option<Report>,
    pub(super) watch: Option<(OnProgress, Hosts)>,
    pub(super) journal: Journal,
    /// Terminates TLS in tunnels, if tunnels are accepted.
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) run: String,
    /// The `Via` value of this run, which detects loops; only if enabled.
    pub(super) via: Option<HeaderValue>,
    /// Whether redirects and cookies of upstreams are rewritten to point to the recorder.
    pub(super) rewrite_redirects: bool,
}

impl Recorder {
    /// The path that is prepended to those of requests.
    pub(super) fn base(&self) -> &str {
        match &self.routing {
            Routing::Fixed(target) => target.path(),
            Routing::Path | Routing::Header => "",
        }
    }

    /// True if no sink is left. The request, which could not be recorded, is counted, and must not
    /// be forwarded.
    pub(super) fn must_withhold(&self) -> bool {
        let is_gone = self.journal.is_gone();
        if is_gone {
            self.tally.count_request();
            self.tally.discard(Dropped::SinkFailed);
        }
        is_gone
    }

    /// Counts a request that is not recorded, and reports the first one for each reason.
    pub(super) fn discard(&self, why: Dropped, message: &str) {
        if self.tally.discard(why) {
            (self.report)(message);
        }
    }

    /// Counts a request that could not be read, and reports the reason.
    pub(super) fn refused(&self, refused: &Refused) {
        self.tally.count_request();
        self.tally.discard(Dropped::Malformed);
        self.problems.report("malformed", "", || refused.to_string());
    }

    /// Notes the violations of the spec in the exchange, and reports the first ones.
    pub(super) fn check(&self, exchange: &mut Exchange<'_>) {
        let Some(spec) = &self.spec else { return };
        let findings = match spec.check(exchange) {
            Verdict::Operation(_, _, findings) => findings,
            Verdict::Unknown(_, finding) => vec![finding],
            Verdict::Absent | Verdict::Preflight => return,
        };
        if findings.is_empty() {
            return;
        }
        let errors = findings.iter().filter(|found| found.severity == Severity::Error).count();
        let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let violating = self.tally.violated(errors, texts.len() - errors);
        if violating <= MAX_REPORTED_VIOLATIONS {
            let request = &exchange.request;
            let method = request.method.as_str().to_ascii_uppercase();
            let text =
                format!("{method} {}{} {}", request.host, request.pathname, texts.join("; "));
            (self.report)(&text.escape_debug().to_string());
        }
        exchange.meta.violations = texts.into_iter().map(Cow::Owned).collect();
    }

    /// A path for messages, with its secrets replaced.
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
