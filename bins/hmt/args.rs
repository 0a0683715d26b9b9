//! The command line of `hmt`.

use std::ffi::OsString;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::completions::Shell;
use crate::manual::Page;
use crate::parse;
use crate::tool::Tool;
use crate::tutorial;

/// What a run of `hmt` does.
pub(crate) enum Task {
    /// Run a tool with these arguments.
    Tool(Tool, Vec<OsString>),
    /// Compare exchanges with specs.
    Check(Vec<OsString>),
    /// Write completions.
    Completions(Shell),
    /// Run the tutorial.
    Tutorial(tutorial::Options),
    /// Show a page of the manual, or the list of commands.
    Help(Option<Page>),
}

/// Record HTTP traffic, build an OpenAPI spec from it, and mock the API.
///
/// Most commands run the program of that name: `hmt build …` runs `hmt-build …`. Arguments are
/// passed on unchanged. Without arguments, recordings are in the folder `logs` and specs in the
/// folder `specs`: `hmt record` writes to `logs`, `hmt build` reads `logs` and writes to `specs`,
/// `hmt check` compares them, `hmt mock` serves `specs`, and `hmt replay` serves `logs`. `hmt
/// record --mode gen|replay|mixed` also keeps a spec of each host current while it records, in
/// specs/HOST_MODE.json, or in the folder of `--specs-dir`.
#[derive(Parser)]
#[command(name = "hmt", version, disable_help_subcommand = true, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Record requests to an API and build a spec of it until Ctrl-C, then mock it:
      hmt record --mode mixed --target https://api.example.com
      hmt mock

  Build a spec from recordings, and compare later recordings with it:
      hmt build
      hmt check

  The same with a pipe instead of folders:
      hmt-record --target https://api.example.com | hmt-build - > spec.yaml

  Enable completions in this shell:
      source <(hmt completions bash)

Exit status: that of the program that was run; 1 if it is not found; 2 for wrong usage.";

#[derive(Subcommand)]
enum Command {
    /// Record HTTP traffic as lines of JSON (hmt-record)
    #[command(disable_help_flag = true)]
    Record(Rest),
    /// Build an OpenAPI spec from recordings (hmt-build)
    #[command(disable_help_flag = true)]
    Build(Rest),
    /// Compare recordings with specs (hmt-build --check)
    #[command(disable_help_flag = true)]
    Check(Rest),
    /// Merge specs (hmt-merge)
    #[command(disable_help_flag = true)]
    Merge(Rest),
    /// Mock the API of a spec (hmt-mock)
    #[command(disable_help_flag = true)]
    Mock(Rest),
    /// Serve recorded responses (hmt-replay)
    #[command(disable_help_flag = true)]
    Replay(Rest),
    /// Learn to record, build and mock, with a small API that runs in this program
    Tutorial(tutorial::Options),
    /// Write shell completions for hmt and all its tools to standard output
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Show the manual page of a tool or a file format
    Help {
        /// A tool or a format; without it, the list of commands
        page: Option<Page>,
    },
}

#[derive(clap::Args)]
struct Rest {
    /// Passed on unchanged; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    args: Vec<OsString>,
}

/// Reads the command line; help, version and wrong usage end the program here.
pub(crate) fn read() -> Task {
    let mut words = std::env::args_os();
    // A tool parses its own arguments: clap would interpret `--` and abbreviations in them.
    let word = words.nth(1);
    if let Some(tool) = word.as_ref().and_then(|word| Tool::named(word.to_str()?)) {
        return Task::Tool(tool, words.collect());
    }
    if word.is_some_and(|word| word == "check") {
        return Task::Check(words.collect());
    }
    match parse::args::<Args>().0.command {
        Command::Record(rest) => Task::Tool(Tool::Record, rest.args),
        Command::Build(rest) => Task::Tool(Tool::Build, rest.args),
        Command::Check(rest) => Task::Check(rest.args),
        Command::Merge(rest) => Task::Tool(Tool::Merge, rest.args),
        Command::Mock(rest) => Task::Tool(Tool::Mock, rest.args),
        Command::Replay(rest) => Task::Tool(Tool::Replay, rest.args),
        Command::Tutorial(options) => Task::Tutorial(options),
        Command::Completions { shell } => Task::Completions(shell),
        Command::Help { page } => Task::Help(page),
    }
}

/// Writes the full help to standard output.
pub(crate) fn print_help() -> anyhow::Result<()> {
    Args::command().print_long_help().context("cannot write the help")
}
