//! The specs that come out, one or one a host.

use hmt_core::exchange::file_name_of_host;
use hmt_core::infer::Builder;
use hmt_core::merge::Contradictions;
use hmt_core::spec::{Document, to_text};

use super::args::Config;
use super::initial::{self, Built};

/// A spec, beside the host that it is of where hosts are split.
pub(crate) type OfHost = (Option<String>, Built);

/// The specs of what was folded.
///
/// # Errors
/// As of [`initial::document`].
pub(crate) fn specs(
    builder: Builder,
    contradictions: Option<Contradictions>,
    initial: Option<Document>,
    config: &Config,
) -> anyhow::Result<Vec<OfHost>> {
    if !config.split_hosts {
        return Ok(vec![(None, initial::document(builder, contradictions, initial, config)?)]);
    }
    let hosts = builder.split_hosts().into_iter();
    hosts
        .map(|(host, builder)| Ok((Some(host), initial::document(builder, None, None, config)?)))
        .collect()
}

/// Writes them.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn write(all: &[OfHost], config: &Config) -> anyhow::Result<()> {
    for (host, built) in all {
        let root = &built.document.root;
        // Recordings are traffic: a spec that holds them is its owner's alone.
        let private = root.get("x-hmt-replay").is_some();
        let text = to_text(root, config.format);
        match host {
            Some(host) => config.target.of_host(&host_file(host)).write(&text, private)?,
            None => config.target.write(&text, private)?,
        }
    }
    Ok(())
}

/// Nothing for what has no host.
fn host_file(host: &str) -> String {
    if host.is_empty() { String::new() } else { file_name_of_host(host) }
}
