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
use hmt_core::cli::{self, Status};
use hmt_core::exchange::shown_text;
use hmt_core::merge;

use args::{Args, Config};
use load::Inputs;

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
        return output::info(&inputs).map(|()| status);
    }
    inputs.settle_claims(config);
    let ledger = inputs.ledger(config)?;
    let Inputs { documents, partials, .. } = inputs;
    let (names, partials): (Vec<_>, Vec<_>) =
        partials.into_iter().map(|named| (named.name, named.partial)).unzip();
    let state = merge::partials(partials).map_err(|(index, error)| {
        let name = names.get(index).map_or("", String::as_str);
        anyhow::Error::new(error).context(format!("cannot combine {name} with {}", names[0]))
    })?;
    if config.partial {
        output::partial(state, &documents, ledger.into_inputs(), config)?;
    } else if config.split_hosts {
        output::split(state, &documents, config)?;
    } else {
        output::spec(state, documents, config)?;
    }
    Ok(status)
}
