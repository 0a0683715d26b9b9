//! The other outputs: a spec for each host, three-way merges, and the content of partials.

use hmt_core::cli::{Destination, Failure};
use hmt_core::exchange::file_name_of_host;
use hmt_core::infer::{Builder, Mode};
use hmt_core::merge;
use hmt_core::spec::{Document, Version, to_text};
use serde_json::Value;

use crate::args::Config;
use crate::finalise::OpenApi;
use crate::load::{self, Inputs, NamedPartial};

/// Maximum number of reported places of bodies that are not JSON.
const NAMED: usize = 20;

/// Writes a spec of the partials for each host.
pub(crate) fn split(
    state: Option<Builder>,
    documents: &[Document],
    config: &Config,
) -> anyhow::Result<()> {
    if let Some(document) = documents.first() {
        let message = format!(
            "--split-hosts can be used only with partials, but {} is a spec",
            document.source
        );
        return Err(Failure::usage(message));
    }
    for (host, state) in state.map(Builder::split_hosts).unwrap_or_default() {
        let mut root = inferred(state, config).root;
        as_asked(&mut root, config)?;
        let private = root.get("x-hmt-replay").is_some();
        let name = if host.is_empty() { String::new() } else { file_name_of_host(&host) };
        config.target.of_host(&name).write(&to_text(&root, config.format), private)?;
    }
    Ok(())
}

/// Converts a spec to the requested version.
pub(crate) fn as_asked(root: &mut Value, config: &Config) -> anyhow::Result<()> {
    match config.openapi {
        Some(OpenApi::V3_1) => merge::to_3_1(root),
        Some(OpenApi::V3_0) if !root["openapi"].as_str().unwrap_or_default().starts_with("3.0") => {
            anyhow::bail!(
                "the merged spec cannot be written as OpenAPI 3.0, because an input has a later version; use --openapi 3.1"
            );
        }
        _ => {}
    }
    Ok(())
}

/// Merges three ways: the changes of the first spec since the base with those of each other spec.
pub(crate) fn three_ways(documents: &[Document], config: &Config) -> anyhow::Result<Value> {
    let [ours, theirs @ ..] = documents else { return Err(too_few()) };
    if theirs.is_empty() || ours.source == load::INFERRED {
        return Err(too_few());
    }
    let base = load::base(config)?;
    let mut merged = ours.clone();
    for theirs in theirs {
        let (document, conflicts) = merge::three_way(&base, &merged, theirs, config.policy)?;
        merged = document;
        for conflict in conflicts {
            config.messages.ready(conflict);
        }
    }
    Ok(merged.root)
}

fn too_few() -> anyhow::Error {
    Failure::usage(
        "--base OLD requires two more specs: the one that people changed, and the new one",
    )
}

/// Prints the content of each partial.
pub(crate) fn info(inputs: &Inputs) -> anyhow::Result<()> {
    if let Some(document) = inputs.documents.first() {
        let message =
            format!("--info can be used only with partials, but {} is a spec", document.source);
        return Err(Failure::usage(message));
    }
    let mut text = String::new();
    for NamedPartial { name, partial, bytes } in &inputs.partials {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}partial: {name}\nbytes: {bytes}\n{}", partial.info()));
    }
    Destination::Stdout.write(&text, false)?;
    Ok(())
}

/// The spec of the partials.
pub(crate) fn inferred(state: Builder, config: &Config) -> Document {
    for path in &config.explain {
        state.explain(path, &config.options).iter().for_each(|line| config.messages.ready(line));
    }
    let replays = state.mode() == Mode::Replay;
    let (mut root, notes) = state.finalise_with_notes(&config.options);
    for bodies in notes.unread.iter().take(NAMED) {
        config.messages.warn(bodies);
    }
    if let Some(more @ 1..) = notes.unread.len().checked_sub(NAMED) {
        config.messages.warn(format_args!("{more} more operations have bodies that are not JSON"));
    }
    let mut version = Version::V3_0;
    if config.openapi == Some(OpenApi::V3_1) {
        merge::to_3_1(&mut root);
        version = Version::V3_1;
    }
    // Checked for the written version, not the original one.
    if !replays {
        merge::remember(&mut root);
    }
    Document { root, source: load::INFERRED.to_owned(), version, warnings: Vec::new() }
}
