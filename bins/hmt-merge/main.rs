//! `hmt-merge`: merges specs and partials into one spec or partial.

mod args;
mod changes;
#[path = "../finalise.rs"]
mod finalise;
mod load;
mod output;
#[path = "../parse.rs"]
mod parse;

use std::process::ExitCode;

use anyhow::Context as _;
use hmt_core::cli::{self, Destination, Failure, Status};
use hmt_core::exchange::shown_text;
use hmt_core::merge;
use hmt_core::spec::to_text;
use serde_json::{Map, Value};

use args::{Args, Config};
use load::Inputs;
use output::{as_asked, inferred, info, split, three_ways};

fn main() -> ExitCode {
    cli::run("hmt-merge", shown_text, || run(&parse::args::<Args>().0.config()?))
}

fn run(config: &Config) -> anyhow::Result<Status> {
    match config.reads_stdin() {
        true => cli::ignore_first_signal(),
        false => cli::end_on_sigterm(),
    }
    .context("cannot handle signals")?;
    if let Some(reports) = &config.diff {
        return changes::changes(reports, config);
    }
    let mut inputs = load::load(config)?;
    let status = match inputs.rejects.count() {
        0 => Status::Done,
        _ => Status::Partly,
    };
    if config.info {
        return info(&inputs).map(|()| status);
    }
    inputs.settle_claims(config);
    let ledger = inputs.ledger(config)?;
    let Inputs { mut documents, partials, .. } = inputs;
    let (names, partials): (Vec<_>, Vec<_>) =
        partials.into_iter().map(|named| (named.name, named.partial)).unzip();
    let mut state = merge::partials(partials).map_err(|(index, error)| {
        let name = names.get(index).map_or("", String::as_str);
        anyhow::Error::new(error).context(format!("cannot combine {name} with {}", names[0]))
    })?;
    if config.partial {
        if let Some(document) = documents.first() {
            let message =
                format!("--partial can combine only partials, but {} is a spec", document.source);
            return Err(Failure::usage(message));
        }
        let state = state.as_mut().context("no partials to combine")?;
        state.set_inputs(ledger.into_inputs());
        config.target.write(&format!("{}\n", state.to_partial()), true)?;
        return Ok(status);
    }
    if config.split_hosts {
        return split(state, &documents, config).map(|()| status);
    }
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
        let paths = cli::count(paths as u64, "path");
        config.messages.closing(format_args!("{paths}: {}", path.display()));
    }
    Ok(status)
}
