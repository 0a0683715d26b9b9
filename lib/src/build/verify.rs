//! `--verify`: checks every input exchange against the spec that was built from it.

use crate::conform::{Api, Violation};
use crate::exchange::{Exchange, origin, parse_line};
use crate::infer::{Mode, Undescribed, is_indescribable, is_not_found, is_unanswered, undescribed};
use crate::spec::Document;
use crate::stream::{Reader, Record};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::output::OfHost;

/// Number of non-conforming exchanges that are reported individually.
const NAMED: u64 = 20;

/// Checks the exchanges that `reader` returns again. A document with a host only applies to the
/// exchanges of that host.
///
/// # Errors
/// An exchange does not conform (each one is reported); input cannot be read again.
pub(super) fn verify(
    all: &[OfHost],
    mut reader: Reader,
    config: &Config,
) -> Result<(), BuildError> {
    let compile = |document: &Document| {
        Api::compile(document).because(|| "the spec that was built cannot be compiled")
    };
    let mut apis = Vec::new();
    for (host, built) in all {
        let whole = built.whole.as_ref().map(compile).transpose()?;
        apis.push((host.as_deref(), compile(&built.document)?, whole));
    }
    let (mut checked, mut failed, mut absent, mut deleted) = (0u64, 0u64, 0u64, 0u64);
    let (mut unread, mut asked) = (0u64, 0u64);
    while let Some(block) = reader.next_block().because(|| "cannot read the input again")? {
        for (number, record) in block.records() {
            let (Record::Line(line) | Record::TornTail(line)) = record else { continue };
            let Ok(mut exchange) = parse_line(line) else { continue };
            let status = exchange.response.as_ref().map(|response| response.status);
            // Requests that failed before a response are not in the spec; in mode replay, neither
            // are requests without a response.
            let is_left_out = config.mode == Mode::Replay || is_unanswered(&exchange);
            if status.is_none() && is_left_out {
                continue;
            }
            if config.mode == Mode::Replay && is_cut_short(&exchange) {
                continue;
            }
            if !config.selection.takes(&exchange.request) {
                continue;
            }
            let own =
                apis.iter().find(|(host, ..)| host.is_none_or(|host| is_host_of(&exchange, host)));
            // The document without a host applies to hosts beyond the cap.
            let rest = || apis.iter().find(|(host, ..)| *host == Some(""));
            let Some((_, api, whole)) = own.or_else(rest) else {
                continue;
            };
            checked += 1;
            asked += u64::from(status.is_none());
            let check = |api: &Api, exchange: &Exchange<'_>| match exchange.response {
                Some(_) => api.conforms(exchange),
                None => api.request_conforms(exchange),
            };
            let mut verdict = check(api, &exchange);
            if verdict.is_err() && excuse_bodies(&mut exchange) {
                verdict = check(api, &exchange);
                unread += u64::from(verdict.is_ok());
            }
            if let Err(violations) = verdict {
                if (status.is_some_and(is_not_found) || is_indescribable(&exchange))
                    && violations.iter().all(|v| matches!(v.location, "path" | "method"))
                {
                    absent += 1;
                    continue;
                }
                if whole.as_ref().is_some_and(|whole| check(whole, &exchange).is_ok()) {
                    deleted += 1;
                    continue;
                }
                failed += 1;
                if failed <= NAMED {
                    config.messages().error(format_args!(
                        "{}: {}",
                        block.at(number),
                        sentence(&violations)
                    ));
                }
            }
        }
    }
    if failed > 0 {
        config
            .messages()
            .error(format_args!("{failed} of {checked} exchanges do not conform to the spec"));
        return Err(BuildError::Reported);
    }
    let mut note = match absent {
        0 => String::new(),
        n => format!(
            "; {n} have no path in the spec, because of a 404 or similar response, CONNECT, or more than 24 segments"
        ),
    };
    if deleted > 0 {
        note.push_str(&format!("; {deleted} belong to parts that were deleted from the spec"));
    }
    if unread > 0 {
        note.push_str(&format!("; bodies of {unread} do not match their media type"));
    }
    let all = match checked {
        0 => "there was no exchange to check".to_owned(),
        _ if asked == checked => {
            format!("all {checked} requests conform to the spec; no answer to them was recorded")
        }
        _ => format!("all {checked} exchanges conform to the spec"),
    };
    if asked > 0 && asked < checked {
        note.push_str(&format!("; of {asked} only the request was recorded"));
    }
    config.messages().warn(format_args!("{all}{note}"));
    Ok(())
}

/// Marks bodies that the spec does not describe as incompletely recorded. True if there are any.
fn excuse_bodies(exchange: &mut Exchange<'_>) -> bool {
    let Undescribed { request, response } = undescribed(exchange);
    if request {
        exchange.meta.truncated_request = Some(0);
    }
    if response {
        exchange.meta.truncated_response = Some(0);
    }
    request || response
}

/// True if a document's host, which has no default port, is that of an exchange.
fn is_host_of(exchange: &Exchange<'_>, host: &str) -> bool {
    host == exchange.request.host
        || origin(&exchange.request).split_once("://").is_some_and(|(_, own)| own == host)
}

/// True for exchanges that cannot be replayed; a spec in mode replay does not declare them.
fn is_cut_short(exchange: &Exchange<'_>) -> bool {
    exchange.meta.incomplete.is_some() || exchange.meta.truncated_response.is_some()
}

fn sentence(violations: &[Violation]) -> String {
    let all: Vec<String> = violations
        .iter()
        .map(|violation| format!("{} {}: {}", violation.location, violation.at, violation.message))
        .collect();
    all.join("; ")
}
