//! The outputs: a spec, a partial, a spec for each host, and the content of partials.

use anyhow::Context as _;
use hmt_core::cli::{self, Destination, Failure};
use hmt_core::exchange::file_name_of_host;
use hmt_core::infer::{Builder, Mode, Provenance};
use hmt_core::merge::{self, NamedPartial};
use hmt_core::spec::{Document, Version, to_text};
use serde_json::{Map, Value};

use crate::args::Config;
use crate::finalise::OpenApi;
use crate::load::{self, Inputs};

/// Maximum number of reported places of bodies that are not JSON.
const NAMED: usize = 20;

/// Writes the spec of all inputs.
pub(crate) fn spec(
    state: Option<Builder>,
    mut documents: Vec<Document>,
    config: &Config,
) -> anyhow::Result<()> {
    // Partials are united first, then converted to a spec, and then merged with the specs.
    documents.extend(state.map(|state| inferred(state, config)));
    let mut root = match documents.as_slice() {
        all if config.base.is_some() => three_ways(all, config)?,
        // If there are only partials, the spec is the one that `hmt-build` would have written.
        [one] if one.source == load::INFERRED => one.root.clone(),
        several => merge::specs(several, config.policy)?,
    };
    as_asked(&mut root, config)?;
    // Recordings contain traffic, so a spec with recordings is private.
    let private = root.get("x-hmt-replay").is_some();
    config.target.write(&to_text(&root, config.format), private)?;
    if let Destination::File(path) = &config.target {
        let paths = root.get("paths").and_then(Value::as_object).map_or(0, Map::len);
        let paths = cli::counted(paths as u64, "path");
        config.messages.closing(format_args!("{paths}: {}", path.display()));
    }
    Ok(())
}

/// Writes the partial of all inputs.
pub(crate) fn partial(
    state: Option<Builder>,
    documents: &[Document],
    inputs: Provenance,
    config: &Config,
) -> anyhow::Result<()> {
    no_specs("--partial can combine only", documents)?;
    let mut state = state.context("no partials to combine")?;
    state.set_inputs(inputs);
    config.target.write(&format!("{}\n", state.to_partial()), true)
}

/// Returns an error if an input is a spec. `what` begins the message.
fn no_specs(what: &str, documents: &[Document]) -> anyhow::Result<()> {
    match documents.first() {
        Some(document) => {
            Err(Failure::usage(format!("{what} partials, but {} is a spec", document.source)))
        }
        None => Ok(()),
    }
}

/// Writes a spec of the partials for each host.
pub(crate) fn split(
    state: Option<Builder>,
    documents: &[Document],
    config: &Config,
) -> anyhow::Result<()> {
    no_specs("--split-hosts can be used only with", documents)?;
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
fn as_asked(root: &mut Value, config: &Config) -> anyhow::Result<()> {
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
fn three_ways(documents: &[Document], config: &Config) -> anyhow::Result<Value> {
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
    no_specs("--info can be used only with", &inputs.documents)?;
    let mut text = String::new();
    for NamedPartial { name, partial, bytes } in &inputs.partials {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}partial: {name}\nbytes: {bytes}\n{}", partial.info()));
    }
    Destination::Stdout.write(&text, false)?;
    Ok(())
}

/// The spec of the partials.
fn inferred(state: Builder, config: &Config) -> Document {
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
