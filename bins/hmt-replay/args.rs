//! The command line of `hmt-replay`.
//!
//! The front end includes this file too, so its modules have paths.

#[path = "args/diff.rs"]
pub(super) mod diff;
#[path = "args/send.rs"]
mod send;

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use hmt_core::cli::{Failure, Messages, daemon, parse_duration};
use hmt_core::exchange::Redactor;
use hmt_core::net::{Report, ServerOptions, Target, TargetError};
use hmt_core::recorded::{Ignore, MatchRule};
use hmt_core::replay::Latency;
use hmt_core::stream::Locator;

use super::serving::{KeyArgs, TlsArgs, redactor_of_lines, routing};

pub(crate) use send::SendConfig;

/// Block size of reads in bytes.
const BLOCK: usize = 4 << 20;
/// The default port.
const PORT: u16 = 8000;

/// Replay recorded HTTP exchanges: serve the responses, or send the requests again.
#[derive(Debug, Parser)]
#[command(
    name = "hmt-replay",
    version,
    after_help = "Try 'hmt-replay serve --help' and 'hmt-replay send --help' for examples.",
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<Serve>),
    Send(Box<send::Send>),
}

/// Serve recorded responses.
///
/// Equal requests get their responses in the order of the files, each once; then the last one
/// repeats. A response has the recorded status, reason phrase, body, trailers and end-to-end
/// headers. A request that was not recorded gets a 404 that names the nearest recording and the
/// differences.
#[derive(Debug, Parser)]
#[command(after_long_help = EXAMPLES)]
struct Serve {
    /// Recordings: files, folders, topics (kafka://BROKER/TOPIC), or - for standard input; stop
    /// ends a server in the background, and status shows it
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and
    /// Postman collections with saved responses. Each can be compressed with gzip, zstd or zip.
    #[arg(value_name = "LOCATOR", required = true)]
    sources: Vec<Locator>,

    /// Port to listen on; 0 selects a free port [default: 8000]
    #[arg(short, long)]
    port: Option<u16>,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Run in the background
    #[arg(short, long)]
    daemon: bool,

    /// Take the requested host from the Host header
    ///
    /// Without this flag, a path that begins with /http://HOST or /https://HOST names the host, and
    /// any other path is looked up in the recordings of all hosts.
    #[arg(short = 'r', long)]
    header_routing: bool,

    /// The parts of a request that must be equal to the recording
    ///
    /// A list of method, path, query, body, host and header:NAME, separated by commas. Other parts
    /// are not compared. The default is method, path, query and host (if the request names one),
    /// and an equal body; if no recording has an equal body, one with any body matches.
    #[arg(long = "match", value_name = "FIELDS")]
    matching: Option<MatchRule>,

    /// A part that may differ: query:NAME, json:/POINTER, header:NAME or credentials (repeatable)
    ///
    /// In a pointer, * matches any key or index. With credentials, a request without a credential
    /// can match a recording whose request had one.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    ignore: Vec<Ignore>,

    /// How to respond to a request that was not recorded: 404, URL, or record=URL
    ///
    /// With URL, the request is sent to this server; the path of URL is put before that of the
    /// request. With record=URL, the exchange is also appended to --out, with its secrets replaced.
    #[arg(long, value_name = "WHAT", default_value = "404")]
    on_miss: OnMiss,

    /// Where --on-miss record=URL appends exchanges: a file (.jsonl; with .gz or .zst), a folder,
    /// or a topic
    #[arg(short, long, value_name = "LOCATOR", value_parser = Locator::sink)]
    out: Option<Locator>,

    /// After the last response to a request, start again with the first
    #[arg(long = "loop")]
    again: bool,

    /// Respond after the recorded time, with each chunk of a stream at its time; or respond at once
    #[arg(long, value_name = "WHEN", default_value = "none")]
    latency: LatencyArg,

    #[command(flatten)]
    tls: TlsArgs,

    /// End with 1 at the first record that is not an exchange
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    key: KeyArgs,

    /// How long to wait for requests in flight after SIGTERM
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    grace: Duration,

    /// Print a line for each request on standard error
    #[arg(short, long, overrides_with = "verbose")]
    verbose: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  Serve a recording, each response once:
    hmt-replay serve api.example.com-recordings.jsonl
    curl http://127.0.0.1:8000/users/1

  Serve several hosts; name the host in the path:
    hmt-replay serve logs/
    curl http://127.0.0.1:8000/https://api.example.com/users/1

  Compare a header, but not the body:
    hmt-replay serve --match method,path,query,header:x-tenant log.jsonl

  Ignore parts that change with each request:
    hmt-replay serve --ignore query:ts --ignore json:/requestId log.jsonl

  Record missing responses:
    hmt-replay serve --on-miss record=https://api.example.com -o log.jsonl log.jsonl

  Run in the background:
    hmt-replay serve -d -p 9000 log.jsonl
    hmt-replay serve stop -p 9000

Exit status:
  0 ended by a signal   1 failed   2 wrong usage
  3 ended, but some records were rejected; or stop or status found no server";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LatencyArg {
    Recorded,
    None,
}

/// How to handle a request that was not recorded.
#[derive(Clone, Debug)]
pub(crate) enum OnMiss {
    NotFound,
    Ask(Target),
    Record(Target),
}

impl FromStr for OnMiss {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "404" {
            return Ok(OnMiss::NotFound);
        }
        match text.strip_prefix("record=") {
            Some(url) => Target::from_url(url).map(OnMiss::Record),
            None => Target::from_url(text).map(OnMiss::Ask),
        }
    }
}

/// The command.
pub(crate) enum Action {
    Serve(Box<Config>),
    Send(Box<SendConfig>),
    /// Start again in the background.
    Daemon(u16),
    Stop(Option<u16>),
    Status(Option<u16>),
}

/// The configuration from the command line.
pub(crate) struct Config {
    pub(crate) sources: Vec<Locator>,
    pub(crate) block_size: usize,
    pub(crate) strict: bool,
    pub(crate) rule: MatchRule,
    pub(crate) again: bool,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) quiet: bool,
    /// The server for requests that were not recorded.
    pub(crate) upstream: Option<Target>,
    /// Where the exchanges with it are recorded.
    pub(crate) out: Option<Locator>,
    pub(crate) serving: ServerOptions,
    pub(crate) latency: Latency,
    /// If there is a key.
    pub(crate) redactor: Option<Arc<Redactor>>,
}

impl Args {
    pub(crate) fn action(self) -> anyhow::Result<Action> {
        let args = match self.command {
            Command::Serve(args) => args,
            Command::Send(args) => {
                return args.config().map(|config| Action::Send(Box::new(config)));
            }
        };
        if let [Locator::Dir(name)] = args.sources.as_slice() {
            match name.to_str() {
                Some("stop") => return Ok(Action::Stop(args.port)),
                Some("status") => return Ok(Action::Status(args.port)),
                _ => (),
            }
        }
        if args.daemon && !daemon::is_daemon() {
            if args.sources.contains(&Locator::Stdio) {
                let why =
                    "a server in the background has no standard input; name a file or a folder";
                return Err(Failure::usage(why));
            }
            return Ok(Action::Daemon(args.port.unwrap_or(PORT)));
        }
        args.config().map(|config| Action::Serve(Box::new(config)))
    }
}

impl Serve {
    fn config(self) -> anyhow::Result<Config> {
        let records = matches!(self.on_miss, OnMiss::Record(_));
        if records && self.out.is_none() {
            return Err(Failure::usage("--on-miss record=URL requires -o/--out LOCATOR"));
        }
        if !records && self.out.is_some() {
            return Err(Failure::usage("-o/--out requires --on-miss record=URL"));
        }
        if self.out == Some(Locator::Stdio) && self.daemon {
            return Err(Failure::usage(
                "a server in the background has no standard output; name a file or a folder with -o",
            ));
        }
        let redactor = self.key.redactor(records)?.map(Arc::new);
        let messages = Messages::new("hmt-replay", self.quiet);
        let trace = {
            let messages = messages.clone();
            self.verbose.then(|| Arc::new(move |line: &str| messages.ready(line)) as Report)
        };
        let serving = ServerOptions {
            routing: routing(self.header_routing),
            protocols: self.tls.protocols()?,
            grace: self.grace,
            report: Arc::new(move |text| messages.warn(text)),
            trace,
            redactor: Some(redactor_of_lines(redactor.as_ref())?),
        };
        let mut rule = self.matching.unwrap_or_default();
        rule.ignored.extend(self.ignore);
        Ok(Config {
            // All recordings must be loaded before serving.
            sources: self.sources.into_iter().map(Locator::to_end).collect(),
            block_size: BLOCK,
            strict: self.strict,
            rule,
            again: self.again,
            address: self.bind,
            port: self.port.unwrap_or(PORT),
            quiet: self.quiet,
            upstream: match self.on_miss {
                OnMiss::NotFound => None,
                OnMiss::Ask(target) | OnMiss::Record(target) => Some(target),
            },
            out: self.out,
            serving,
            latency: match self.latency {
                LatencyArg::Recorded => Latency::Recorded,
                LatencyArg::None => Latency::None,
            },
            redactor,
        })
    }
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
