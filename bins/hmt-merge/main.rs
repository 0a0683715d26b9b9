//! `hmt-merge`: specs and partials in, one spec or partial out.

mod args;
#[path = "../finalise.rs"]
mod finalise;
mod load;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use hmt_core::cli::{self, Failure, Status, Target};
use hmt_core::exchange::file_name_of_host;
use hmt_core::infer::Builder;
use hmt_core::merge;
use hmt_core::spec::{Document, Version, to_text};
use serde_json::Value;

use args::{Args, Config};
use finalise::OpenApi;
use load::{Inputs, Named};

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-merge", || run(&args.config()?))
}

fn run(config: &Config) -> anyhow::Result<Status> {
    let inputs = load::load(config)?;
    if config.info {
        return info(&inputs);
    }
    let ledger = inputs.ledger(config)?;
    let Inputs { mut documents, partials } = inputs;
    let (names, partials): (Vec<_>, Vec<_>) =
        partials.into_iter().map(|named| (named.name, named.partial)).unzip();
    let mut state = merge::partials(partials).map_err(|(index, error)| {
        let name = names.get(index).map_or("", String::as_str);
        anyhow::Error::new(error).context(format!("cannot unite {name} with {}", names[0]))
    })?;
    if config.partial {
        if let Some(document) = documents.first() {
            let message =
                format!("--partial unites partials only, and {} is a spec", document.source);
            return Err(Failure::usage(message));
        }
        let state = state.as_mut().context("no partial to unite")?;
        state.set_inputs(ledger.into_inputs());
        config.target.write(&format!("{}\n", state.to_partial()), true)?;
        return Ok(Status::Done);
    }
    if config.split_hosts {
        return split(state, &documents, config);
    }
    // Partials are united first, then finalised, then joined with the specs.
    documents.extend(state.map(|state| inferred(state, config)));
    let mut root = match documents.as_slice() {
        all if config.base.is_some() => three_ways(all, config)?,
        // Nothing but partials: the spec that `hmt-build` would have written.
        [one] if one.source == load::INFERRED => one.root.clone(),
        several => merge::specs(several, config.policy)?,
    };
    as_asked(&mut root, config)?;
    // Recordings are traffic: a spec that holds them is its owner's alone.
    let private = root.get("x-hmt-replay").is_some();
    config.target.write(&to_text(&root, config.format), private)?;
    Ok(Status::Done)
}

/// A spec of the partials for each host.
fn split(
    state: Option<Builder>,
    documents: &[Document],
    config: &Config,
) -> anyhow::Result<Status> {
    if let Some(document) = documents.first() {
        let message =
            format!("--split-hosts is for partials only, and {} is a spec", document.source);
        return Err(Failure::usage(message));
    }
    for (host, state) in state.map(Builder::split_hosts).unwrap_or_default() {
        let mut root = inferred(state, config).root;
        as_asked(&mut root, config)?;
        let private = root.get("x-hmt-replay").is_some();
        let name = if host.is_empty() { String::new() } else { file_name_of_host(&host) };
        config.target.of_host(&name).write(&to_text(&root, config.format), private)?;
    }
    Ok(Status::Done)
}

/// Brings a spec to the version that was asked for.
fn as_asked(root: &mut Value, config: &Config) -> anyhow::Result<()> {
    match config.openapi {
        Some(OpenApi::V3_1) => merge::to_3_1(root),
        Some(OpenApi::V3_0) if !root["openapi"].as_str().unwrap_or_default().starts_with("3.0") => {
            anyhow::bail!(
                "the merged spec cannot be written as OpenAPI 3.0, as one that was read is of a later version"
            );
        }
        _ => {}
    }
    Ok(())
}

/// What the first changed since the base, and what each of the others did.
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
    Failure::usage("--base OLD needs two more: the spec that people changed, then what is new")
}

/// Tells what is in each partial.
fn info(inputs: &Inputs) -> anyhow::Result<Status> {
    if let Some(document) = inputs.documents.first() {
        let message = format!("--info tells of partials only, and {} is a spec", document.source);
        return Err(Failure::usage(message));
    }
    let mut text = String::new();
    for Named { name, partial, bytes } in &inputs.partials {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}partial: {name}\nbytes: {bytes}\n{}", partial.info()));
    }
    Target::Stdout.write(&text, false)?;
    Ok(Status::Done)
}

/// What the partials say.
fn inferred(state: Builder, config: &Config) -> Document {
    for path in &config.explain {
        state.explain(path, &config.options).iter().for_each(|line| config.messages.ready(line));
    }
    Document {
        root: state.finalise(&config.options),
        source: load::INFERRED.to_owned(),
        version: Version::V3_0,
        warnings: Vec::new(),
    }
}
