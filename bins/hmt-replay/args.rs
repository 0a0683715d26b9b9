//! The command line of `hmt-replay`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use clap::{Parser, Subcommand, ValueEnum};
use hmt_core::cli::{Messages, parse_duration};
use hmt_core::exchange::{RedactOptions, Redactor, default_key_path, load_or_create_key};
use hmt_core::net::{Report, Routing};
use hmt_core::recorded::MatchRule;
use hmt_core::replay::{Latency, ServeOptions};
use hmt_core::stream::Locator;

/// Bytes of a recording that are read at once.
const BLOCK: usize = 4 << 20;

/// Replay recorded HTTP exchanges.
#[derive(Debug, Parser)]
#[command(
    name = "hmt-replay",
    version,
    after_help = "Try 'hmt-replay serve --help' for examples.",
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
}

/// Answer requests with what was recorded for them.
///
/// The answers to equal requests come in the order of the files, each once, then the last for ever. An
/// answer is exact: status, body, and all headers that go from end to end. A request that was not recorded gets
/// a 404 that tells the nearest one which was.
#[derive(Debug, Parser)]
#[command(after_long_help = EXAMPLES)]
struct Serve {
    /// Recordings: files (.jsonl, .ndjson, .har; with .gz or .zst), folders of them, topics (kafka://BROKER/TOPIC), or -
    /// for standard input
    #[arg(value_name = "LOCATOR", required = true)]
    sources: Vec<Locator>,

    /// Port to listen on; 0 takes a free one
    #[arg(short, long, default_value_t = 8000)]
    port: u16,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Take the host that a request means from its Host header
    ///
    /// Without this, a path that begins with /http://HOST or /https://HOST names the host, and any other path
    /// is looked up among the recordings of all hosts.
    #[arg(short = 'r', long)]
    header_routing: bool,

    /// What must be equal for a recording to answer a request
    ///
    /// A list of method, path, query, body, host and header:NAME, separated by commas; what is not listed is
    /// not compared. The default is method, path, query and host (where the request names one), and an equal
    /// body where one was recorded, else a recording with any body.
    #[arg(long = "match", value_name = "FIELDS")]
    matching: Option<MatchRule>,

    /// Answer after the time that the recorded answer took, or at once
    #[arg(long, value_name = "WHEN", default_value = "none")]
    latency: LatencyArg,

    /// Key of the pseudonyms that stand for secrets in recordings
    ///
    /// The default is redact.key in the user's data folder, if it is there. Without a key, a pseudonym in a
    /// recording matches any value that is not empty.
    #[arg(long, value_name = "FILE")]
    redact_key: Option<PathBuf>,

    /// Time for requests in flight after SIGTERM
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    grace: Duration,

    /// A line on standard error for each request
    #[arg(short, long)]
    verbose: bool,

    /// No messages but errors
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  Serve what was recorded, each answer once:
    hmt-replay serve api.example.com-recordings.jsonl
    curl http://127.0.0.1:8000/users/1

  Several hosts, named in the path:
    hmt-replay serve logs/
    curl http://127.0.0.1:8000/https://api.example.com/users/1

  Pay no regard to the body, but to a header:
    hmt-replay serve --match method,path,query,header:x-tenant log.jsonl

Exit status:
  0 ended by a signal   1 failed   2 wrong usage   3 ended, but some records were rejected";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LatencyArg {
    Recorded,
    None,
}

/// What the command line means.
pub(crate) struct Config {
    pub(crate) sources: Vec<Locator>,
    pub(crate) block_size: usize,
    pub(crate) rule: MatchRule,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) quiet: bool,
    pub(crate) serving: ServeOptions,
    /// Where there is a key.
    pub(crate) redactor: Option<Redactor>,
}

impl Args {
    pub(crate) fn config(self) -> anyhow::Result<Config> {
        let Command::Serve(args) = self.command;
        let redactor = redactor(args.redact_key.as_deref())?;
        let messages = Messages::new("hmt-replay", args.quiet);
        let trace = {
            let messages = messages.clone();
            args.verbose.then(|| Arc::new(move |line: &str| messages.ready(line)) as Report)
        };
        let serving = ServeOptions {
            routing: if args.header_routing { Routing::Header } else { Routing::Plain },
            latency: match args.latency {
                LatencyArg::Recorded => Latency::Recorded,
                LatencyArg::None => Latency::None,
            },
            grace: args.grace,
            report: Arc::new(move |text| messages.warn(text)),
            trace,
        };
        Ok(Config {
            // Answers are looked up in all that there is.
            sources: args.sources.into_iter().map(Locator::to_end).collect(),
            block_size: BLOCK,
            rule: args.matching.unwrap_or_default(),
            address: args.bind,
            port: args.port,
            quiet: args.quiet,
            serving,
            redactor,
        })
    }
}

/// The redactor with the key of `path`, else with the user's own, if that is there.
fn redactor(path: Option<&Path>) -> anyhow::Result<Option<Redactor>> {
    let own = || default_key_path(|name| std::env::var_os(name)).filter(|path| path.exists());
    let Some(place) = path.map(Path::to_owned).or_else(own) else { return Ok(None) };
    ensure!(place.exists(), "--redact-key {}: no such file", place.display());
    let key = load_or_create_key(&place)?;
    Ok(Some(Redactor::new(&key, &RedactOptions::default())?))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
