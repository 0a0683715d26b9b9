//! Writes the specs, one in total or one for each host.

use crate::infer::Builder;
use crate::merge::Contradictions;
use crate::spec::Document;

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::initial::{self, Built};

/// A spec, with its host if hosts are split.
pub(super) type OfHost = (Option<String>, Built);

/// The specs of the folded traffic.
///
/// # Errors
/// Those of [`initial::document`].
pub(super) fn specs(
    builder: Builder,
    contradictions: Option<Contradictions>,
    initial: Option<Document>,
    config: &Config,
) -> Result<Vec<OfHost>, BuildError> {
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
pub(super) fn write(all: &[OfHost], config: &Config) -> Result<(), BuildError> {
    all.iter().try_for_each(|(host, built)| {
        config.output().spec(host.as_deref(), &built.document.root).whole()
    })
}
