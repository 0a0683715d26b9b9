//! A run of the recorder, from the first connection to the last record.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::ca::Authority;
use super::connect::Connector;
use super::delivery::{DeliveryPolicy, Output};
use super::journal::Journal;
use super::link::{MAX_HEAD, MAX_HEADERS, Pool};
use super::policy::TargetPolicy;
use super::progress::{self, Hosts, OnProgress};
use super::proxies::Proxies;
use super::proxy;
use super::recorder::{Recorder, Routing};
use super::tally::{Dropped, Summary, Tally};
use super::tunnel;
use crate::check::Checker;
use crate::exchange::{Redactor, Selection};
use crate::net::Trust;
use crate::net::{self, Limits, Refused, Report, ThrottledReport};

/// Interval at which idle links are checked.
const PRUNE_EVERY: Duration = Duration::from_secs(15);

/// Time for the records of connections that were closed at the end of the grace period.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// The configuration of a recorder.
pub struct RecorderConfig {
    /// How requests name their targets.
    pub routing: Routing,
    /// Which targets are allowed.
    pub policy: TargetPolicy,
    /// Which certificates of https upstreams are trusted.
    pub trust: Trust,
    /// The outgoing proxies.
    pub proxies: Proxies,
    /// Terminates TLS in tunnels; without it, tunnels are refused.
    pub authority: Option<Authority>,
    /// Maximum size of a recorded body in bytes; larger ones are forwarded completely.
    pub max_body: usize,
    /// Which exchanges are recorded.
    pub filter: Selection,
    /// The spec that exchanges are checked against; violations are added to the record.
    pub spec: Option<Checker>,
    /// How records are delivered to their sinks.
    pub delivery: DeliveryPolicy,
    /// Whether a `Via` header is added to requests, to detect loops.
    pub via: bool,
    /// Whether redirects and cookies of upstreams are rewritten to point to the recorder.
    pub rewrite_redirects: bool,
    /// Time without progress before an upstream or a client is timed out.
    pub timeout: Duration,
    /// Timeout for a connection to an upstream, including name resolution and TLS handshake.
    pub connect_timeout: Duration,
    /// Time for exchanges in progress after the shutdown.
    pub grace: Duration,
    /// Replaces secrets before a record leaves memory.
    pub redactor: Option<Redactor>,
    /// Receives a line for each exchange, if wanted.
    pub trace: Option<Report>,
    /// Receives the progress of the run, if wanted.
    pub watch: Option<OnProgress>,
    /// The limits on clients, and the receiver of problems.
    pub limits: Limits,
}

/// Proxies and records on `listener` until `shutdown`, or until no sink is left. Then it finishes
/// the exchanges in progress and writes the remaining records.
///
/// # Errors
/// The address of the listener is unknown.
pub async fn record(
    listener: TcpListener,
    config: RecorderConfig,
    outputs: Vec<Output>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Summary> {
    let run = format!("{:016x}", rand::random::<u64>());
    let via = HeaderValue::from_str(&format!("1.1 hmt-{run}")).map_err(io::Error::other)?;
    let via = config.via.then_some(via);
    let tally = Arc::new(Tally::default());
    let report = config.limits.report.clone();
    let recorder = Arc::new(Recorder {
        routing: config.routing,
        connector: Connector {
            policy: config.policy,
            trust: config.trust,
            proxies: config.proxies,
            timeout: config.connect_timeout,
            own: listener.local_addr()?,
        },
        pool: Pool::default(),
        tally: tally.clone(),
        report: report.clone(),
        problems: ThrottledReport::new(report.clone()),
        timeout: config.timeout,
        max_body: config.max_body,
        filter: config.filter,
        spec: config.spec,
        redactor: config.redactor,
        trace: config.trace,
        watch: config.watch.map(|watch| (watch, Hosts::default())),
        authority: config.authority.map(Arc::new),
        journal: Journal::open(outputs, config.delivery, tally.clone(), report.clone()),
        run,
        via,
        rewrite_redirects: config.rewrite_redirects,
    });
    let gone = recorder.journal.gone();
    let mut end = None;
    let stop = async {
        tokio::select! {
            () = shutdown => (),
            () = gone => report("no destination for records is left; ending"),
        }
        end = Some(Instant::now() + config.grace);
    };
    // The `Date` header of a response is the upstream's; without one, none is added.
    let limits = Limits {
        date_header: false,
        // Some space beyond the head, for the reads.
        max_buffer: MAX_HEAD + (16 << 10),
        max_head: Some(MAX_HEAD),
        max_headers: Some(MAX_HEADERS),
        preserve_header_case: true,
        refused: Some(Arc::new({
            let recorder = recorder.clone();
            move |refused: &Refused| recorder.refused(refused)
        })),
        ended: Some(Arc::new({
            let recorder = recorder.clone();
            move |connection| recorder.pool.disown(connection)
        })),
        ..config.limits
    };
    let handler = {
        let recorder = recorder.clone();
        move |request: Request<Incoming>, peer| {
            let recorder = recorder.clone();
            async move {
                match *request.method() {
                    Method::CONNECT => tunnel::answer(&recorder, request, peer),
                    _ => proxy::answer(recorder, request, peer, None).await,
                }
            }
        }
    };
    let serving = net::serve(listener, limits, stop, config.grace, handler);
    let drained = {
        let updates =
            progress::send_updates(recorder.watch.as_ref(), &recorder.tally, &recorder.journal);
        tokio::pin!(serving, updates);
        loop {
            tokio::select! {
                drained = &mut serving => break drained,
                () = sleep(PRUNE_EVERY) => recorder.pool.prune(),
                () = &mut updates => (),
            }
        }
    };
    if drained.cut > 0 {
        report(&format!(
            "{} connections were closed at the end of the grace period (--grace)",
            drained.cut
        ));
    }
    let left = end.map_or(config.grace, |end| end.saturating_duration_since(Instant::now()));
    let sink_error = recorder.journal.close(left.max(LAST_RECORDS)).await;
    tally.discard_rest(Dropped::SinkBehind);
    let mut summary = tally.summary(sink_error);
    summary.replaced = recorder.redactor.as_ref().map(Redactor::replaced).unwrap_or_default();
    Ok(summary)
}
