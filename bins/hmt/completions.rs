//! Shell completions for `hmt` and every tool, from the same definitions that the programs use.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::{generate, shells};

use crate::args::Args;
use crate::keep;
use crate::tool::Tool;

/// A supported shell.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Shell {
    /// source <(hmt completions bash)
    Bash,
    /// source <(hmt completions zsh), after compinit
    Zsh,
    /// hmt completions fish | source
    Fish,
}

/// Writes one script for all programs to standard output.
pub(crate) fn write(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    one(shell, &mut front_end(), &mut script);
    for tool in Tool::ALL {
        one(shell, &mut tool.command(), &mut script);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&script).and_then(|()| stdout.flush()).context("cannot write the completions")
}

/// The command line of `hmt` with those of the tools: `hmt build --o<TAB>` completes like
/// `hmt-build --o<TAB>`.
fn front_end() -> clap::Command {
    let mut command = Args::command();
    for tool in Tool::ALL {
        command = command.mut_subcommand(tool.name(), |short| {
            let mut full = tool.command().name(tool.name());
            if tool == Tool::Record {
                full = keep::options(full);
            }
            if let Some(about) = short.get_about() {
                full = full.about(about.clone());
            }
            full
        });
    }
    command
}

fn one(shell: Shell, command: &mut clap::Command, out: &mut Vec<u8>) {
    let name = command.get_name().to_owned();
    match shell {
        Shell::Bash => generate(shells::Bash, command, name, out),
        Shell::Zsh => generate(shells::Zsh, command, name, out),
        Shell::Fish => generate(shells::Fish, command, name, out),
    }
}
