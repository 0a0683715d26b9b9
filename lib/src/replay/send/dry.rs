//! Reports the requests that would be sent.

use std::time::Duration;

use super::feed::{Item, OnReject, each};
use super::options::{RequestChange, SendOptions};
use super::pace::Pace;
use super::plan::Planner;
use super::summary::{SendSummary, Skip, shown};
use super::wire::{host_of, ready};
use crate::net::Target;
use crate::stream::{Reader, RecordPosition, StreamError};

/// The result of a dry run.
#[derive(Debug, Default)]
pub struct DryRun {
    /// Requests that would be sent.
    pub requests: u64,
    /// The requests that would be skipped, and the result of reading.
    pub summary: SendSummary,
    /// The time of the last request after the first one, at a recorded pace or a rate.
    pub lasts: Option<Duration>,
    /// The sum of the recorded durations.
    pub recorded: Duration,
}

impl DryRun {
    /// The closing line.
    pub fn sum_up(&self, target: &Target, concurrency: usize) -> String {
        let skipped: Vec<String> = (self.summary.skipped.iter())
            .map(|(why, count)| format!("{} {count}", why.name()))
            .collect();
        let skipped = match skipped.is_empty() {
            true => String::new(),
            false => format!(" ({})", skipped.join(", ")),
        };
        let lasts = match self.lasts {
            Some(lasts) => format!("takes {}", shown(lasts)),
            None => {
                #[expect(clippy::cast_possible_truncation, reason = "a guess for people")]
                let share = self.recorded / (concurrency as u32).max(1);
                format!(
                    "takes as long as the responses, about {} by the recorded durations",
                    shown(share)
                )
            }
        };
        format!(
            "dry run: {} requests to {}://{}, skipped {}{skipped}; {lasts}",
            self.requests,
            target.protocol.as_str(),
            target.host,
            self.summary.skipped(),
        )
    }
}

/// Reads all exchanges and calls `tell` with a line for each request that would be sent.
///
/// # Errors
/// A source cannot be read.
pub fn dry_run(
    mut reader: Reader,
    options: &SendOptions,
    tell: &mut dyn FnMut(&str),
    reject: impl FnMut(RecordPosition<'_>, &str) -> bool + Send + 'static,
) -> Result<DryRun, StreamError> {
    let mut planner = Planner::new(options, false);
    let mut run = DryRun::default();
    let mut pace = Pace::new(options.speed);
    let host = host_of(&options.target);
    let mut reject: OnReject = Box::new(reject);
    let target = &options.target;
    let fed = each(&mut reader, &mut planner, &mut reject, |item, _| {
        let planned = match item {
            Item::Planned(planned) => planned,
            Item::Skipped(why) => {
                run.summary.skip(why);
                return true;
            }
        };
        if options.count.is_some_and(|count| run.requests >= count) {
            return false;
        }
        run.requests += 1;
        let offset = pace.offset(planned.at);
        run.lasts = offset.or(run.lasts);
        let ms = planned.recorded.duration_ms.unwrap_or_default().max(0.0);
        run.recorded += Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        let carried = planned.uses.len();
        let place = format!("{}:{}", planned.source, planned.line);
        let changes: &[RequestChange] = &options.changes;
        let ready = ready(planned.method, planned.draft, planned.trailers, &host, changes);
        let mut line = format!(
            "{} {}://{}{} ({place}",
            ready.method,
            target.protocol.as_str(),
            target.host,
            ready.target
        );
        if let Some(offset) = offset {
            line.push_str(&format!(", after {}", shown(offset)));
        }
        match carried {
            0 => (),
            1 => line.push_str(", 1 value from earlier responses or --secret"),
            _ => line.push_str(&format!(", {carried} values from earlier responses or --secret")),
        }
        line.push(')');
        tell(&line);
        true
    })?;
    run.summary.exchanges = fed.exchanges;
    run.summary.rejected = fed.rejected;
    run.summary.notes = fed.notes;
    run.summary.missing = planner.table.missing;
    Ok(run)
}

impl DryRun {
    /// True if all requests would be skipped because of their methods.
    pub fn only_unsafe(&self) -> bool {
        self.requests == 0
            && self.summary.skipped.get(&Skip::Unsafe) == Some(&self.summary.skipped())
    }
}
