//! The arguments. The front end includes this file too, so its modules have paths.

#[path = "args/config.rs"]
mod config;
#[path = "args/sinks.rs"]
pub(super) mod sinks;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Parser, ValueEnum};
use hmt_core::cli::{self, Failure, parse_duration, parse_size};
use hmt_core::record::Pattern;
use hmt_core::stream::Locator;

use crate::parse;

pub(super) use config::{Import, Start};

const USAGE: &str = "\
hmt-record [start] [OPTIONS]
       hmt-record stop|status [-p PORT]
       hmt-record import [OPTIONS] LOCATOR...";

const EXAMPLES: &str = "\
Examples:
  hmt-record > api.jsonl                     record requests to /http://HOST/PATH
  curl http://localhost:8000/https://api.example.com/pets

  hmt-record -t https://api.example.com -l logs
                                             record one API, a file for each host
  hmt-record | hmt-build - > spec.yaml       build a spec; Ctrl-C ends both
  curl -x http://localhost:8000 http://api.example.com/pets
                                             use the recorder as a forward proxy
  hmt-record --forward -o all.jsonl          also record https; clients must trust its authority
  hmt-record import session.har -o api.jsonl convert a capture of a browser

Exit status: 0 done; 1 failed, or the recording is not complete; 2 wrong usage;
3 some records of an import were rejected, or stop or status found no recorder.";

/// Record HTTP traffic: a proxy that writes each exchange as a line of JSON.
///
/// Send the requests of a client to it instead of to the API. Requests name their target in the
/// path (/https://host/path) or, with -r, in the Host header. With --target, all go to one URL. The
/// proxy does not change the traffic. In the record, it replaces secrets by pseudonyms.
#[derive(Debug, Parser)]
#[command(name = "hmt-record", version, override_usage = USAGE, after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// start (default) records until SIGTERM or Ctrl-C; stop ends a recorder in the background, and
    /// status shows it; import converts captures
    #[arg(value_name = "COMMAND", value_enum, default_value_t = Verb::Start, hide_default_value = true)]
    verb: Verb,

    /// What to import: files, folders, topics, or - for standard input
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and
    /// Postman collections with saved responses. Each can be compressed with gzip, zstd or zip.
    #[arg(value_name = "LOCATOR")]
    locators: Vec<Locator>,

    /// Port to listen on; 0 selects a free port
    #[arg(short, long, default_value_t = 8000, help_heading = "Requests")]
    port: u16,

    /// Address to listen on; other than loopback requires --target or --allow-host
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), help_heading = "Requests")]
    bind: IpAddr,

    /// Run in the background; requires -o or -l
    #[arg(short, long, help_heading = "Requests")]
    daemon: bool,

    /// Take the target from the Host header, and the scheme from the X-HMT-Scheme header
    #[arg(short = 'r', long, conflicts_with = "target", help_heading = "Requests")]
    header_routing: bool,

    /// Send all requests to this URL; its path is put before the paths of requests
    #[arg(short, long, value_name = "URL", help_heading = "Requests")]
    target: Option<String>,

    /// Accept CONNECT from proxy clients, and terminate TLS with certificates of a local authority
    #[arg(long, conflicts_with = "target", help_heading = "Requests")]
    forward: bool,

    /// Folder of the certificate authority for --forward (default: ca in the data folder of the
    /// user; created on first use)
    #[arg(long, value_name = "DIR", requires = "forward", help_heading = "Requests")]
    ca_dir: Option<PathBuf>,

    /// How long to wait for requests in flight at the end
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration, help_heading = "Requests")]
    grace: Duration,

    /// Rewrite redirects and cookies so that clients come back to the recorder (default without -r)
    #[arg(long, help_heading = "Requests")]
    rewrite_redirects: bool,

    /// Do not rewrite redirects and cookies
    #[arg(long, overrides_with = "rewrite_redirects", help_heading = "Requests")]
    no_rewrite_redirects: bool,

    /// Add a Via header to requests, and answer 508 if it comes back; this detects loops of
    /// recorders
    #[arg(long, help_heading = "Requests")]
    via: bool,

    /// Allow only targets whose host, or host:port, matches this pattern (*: any characters, ?:
    /// one)
    #[arg(long, value_name = "PATTERN", value_parser = host_pattern, help_heading = "Targets")]
    allow_host: Vec<Pattern>,

    /// Refuse targets at loopback and private addresses
    #[arg(long, help_heading = "Targets")]
    deny_private: bool,

    /// Longest time to connect to a target
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration, help_heading = "Targets")]
    connect_timeout: Duration,

    /// Longest time that a target, or a client that uploads, may be silent (event streams: no
    /// limit)
    #[arg(long, value_name = "TIME", default_value = "300s", value_parser = parse_duration, help_heading = "Targets")]
    timeout: Duration,

    /// Trust only the certificates in this PEM file (of authorities, or self-signed ones of
    /// servers), not the authorities of the system
    #[arg(long, value_name = "FILE", help_heading = "Targets")]
    upstream_ca: Option<PathBuf>,

    /// Accept any certificate of a target
    #[arg(long, conflicts_with = "upstream_ca", help_heading = "Targets")]
    insecure: bool,

    /// Send this certificate (PEM, with its chain) to targets that request one
    #[arg(long, value_name = "FILE", requires = "client_key", help_heading = "Targets")]
    client_cert: Option<PathBuf>,

    /// Private key of --client-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Targets")]
    client_key: Option<PathBuf>,

    /// Connect to targets through this proxy, except hosts in NO_PROXY (default: HTTPS_PROXY,
    /// HTTP_PROXY or ALL_PROXY)
    #[arg(long, value_name = "URL", help_heading = "Targets")]
    upstream_proxy: Option<String>,

    /// Write records to - (standard output, the default), a file (.jsonl, also with .gz or .zst;
    /// .har), a folder (a file for each host), or a topic (kafka://BROKER/TOPIC)
    #[arg(short, long, value_name = "LOCATOR", value_parser = Locator::sink, help_heading = "Records")]
    out: Vec<Locator>,

    /// Append records to DIR/HOST-recordings.jsonl, a file for each host
    #[arg(short, long, value_name = "DIR", help_heading = "Records")]
    log_dir: Option<PathBuf>,

    /// Send records to a topic of this broker, like --out kafka://BROKER/TOPIC; separate several
    /// brokers by commas
    #[arg(long, value_name = "BROKER", help_heading = "Records")]
    kafka_broker: Option<String>,

    /// Send records to this topic (default: http_recordings, at localhost:9092)
    #[arg(long, value_name = "TOPIC", help_heading = "Records")]
    kafka_topic: Option<String>,

    /// Start a new log file before the current one exceeds this size
    #[arg(long, value_name = "BYTES", value_parser = parse_size, help_heading = "Records")]
    rotate_size: Option<u64>,

    /// Start a new log file when the current one is older than this
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Records")]
    rotate_every: Option<Duration>,

    /// Record only exchanges whose METHOD host/path matches this pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Records")]
    include: Vec<Pattern>,

    /// Do not record exchanges whose METHOD host/path matches this pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Records")]
    exclude: Vec<Pattern>,

    /// Compare exchanges with this OpenAPI document; report violations and store them in the record
    #[arg(long, value_name = "FILE", help_heading = "Records")]
    spec: Option<PathBuf>,

    /// How durably a record is stored before the response completes: by the kernel, on disk,
    /// acknowledged by the brokers of a topic, or only in memory
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Durable::Kernel, help_heading = "Records")]
    durable: Durable,

    /// While a destination is slow: make clients wait, or drop records
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Slow::Wait, help_heading = "Records")]
    on_backpressure: Slow,

    /// When records cannot be written: stop, or drop records and continue
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Broken::Stop, help_heading = "Records")]
    on_sink_error: Broken,

    /// Record at most this much of a body; the whole body is forwarded
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = parse_size, help_heading = "Records")]
    max_body: u64,

    /// End an import with 1 at the first rejected record
    #[arg(long, help_heading = "Records")]
    strict: bool,

    /// Key of the pseudonyms (default: redact.key in the data folder of the user; created on first
    /// use)
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    redact_key: Option<PathBuf>,

    /// Also replace values of headers, cookies and keys with this name (*: any characters, ?: one)
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    redact: Vec<String>,

    /// Also replace the value at this JSON pointer in JSON bodies, such as /user/email or
    /// /users/*/email
    #[arg(long, value_name = "POINTER", help_heading = "Secrets")]
    redact_json: Vec<String>,

    /// Also replace what this regular expression, or its first group, matches in any value or text
    #[arg(long, value_name = "REGEX", help_heading = "Secrets")]
    redact_value: Vec<String>,

    /// Do not replace values with this name
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    keep: Vec<String>,

    /// Do not replace any secrets
    #[arg(long, conflicts_with_all = ["redact", "redact_json", "redact_value", "keep", "redact_key"], help_heading = "Secrets")]
    keep_secrets: bool,

    /// Print a line for each exchange on standard error
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

/// A pattern that a host can match.
fn host_pattern(text: &str) -> Result<Pattern, String> {
    if text.is_empty() {
        return Err("an empty pattern matches no host; name a host, or * for every host".to_owned());
    }
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    if text.contains("://") || text.contains('/') {
        return Err(format!("this must be a host, or host:port, as in {host}"));
    }
    text.parse().map_err(|error: std::convert::Infallible| error.to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Verb {
    Start,
    Stop,
    Status,
    Import,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Durable {
    Kernel,
    Fsync,
    Acked,
    Buffered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Slow {
    Wait,
    Drop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Broken {
    Stop,
    Drop,
}

/// Flags that the other command does not accept.
const START_ONLY: [&str; 27] = [
    "daemon",
    "bind",
    "header_routing",
    "target",
    "forward",
    "ca_dir",
    "grace",
    "rewrite_redirects",
    "no_rewrite_redirects",
    "via",
    "allow_host",
    "deny_private",
    "connect_timeout",
    "timeout",
    "upstream_ca",
    "insecure",
    "client_cert",
    "client_key",
    "upstream_proxy",
    "include",
    "exclude",
    "spec",
    "durable",
    "on_backpressure",
    "on_sink_error",
    "max_body",
    "verbose",
];
const IMPORT_ONLY: [&str; 2] = ["locators", "strict"];
/// Flags of start and import.
const BOTH: [&str; 12] = [
    "out",
    "kafka_broker",
    "kafka_topic",
    "log_dir",
    "rotate_size",
    "rotate_every",
    "redact_key",
    "redact",
    "redact_json",
    "redact_value",
    "keep",
    "keep_secrets",
];

/// The command.
pub(super) enum Command {
    Start(Box<Start>),
    /// Start again in the background.
    Daemon(u16),
    Stop(Option<u16>),
    Status(Option<u16>),
    Import(Box<Import>),
}

impl Args {
    /// Reads the command line; clap ends the program with 2 on a syntax error.
    pub(super) fn read() -> anyhow::Result<Command> {
        let (args, matches) = parse::args::<Args>();
        match args.verb {
            Verb::Start => {
                refuse(&matches, &IMPORT_ONLY, "import")?;
                if args.daemon && args.outputs()?.contains(&Locator::Stdio) {
                    return Err(Failure::usage(
                        "a recorder in the background has no standard output; name a destination with -o or -l",
                    ));
                }
                if args.daemon && !cli::daemon::is_daemon() {
                    return Ok(Command::Daemon(args.port));
                }
                args.start().map(|start| Command::Start(Box::new(start)))
            }
            Verb::Stop | Verb::Status => {
                refuse(&matches, &START_ONLY, "start")?;
                refuse(&matches, &BOTH, "start")?;
                refuse(&matches, &IMPORT_ONLY, "import")?;
                let typed = matches.value_source("port") == Some(ValueSource::CommandLine);
                let port = typed.then_some(args.port);
                Ok(if args.verb == Verb::Stop {
                    Command::Stop(port)
                } else {
                    Command::Status(port)
                })
            }
            Verb::Import => {
                refuse(&matches, &START_ONLY, "start")?;
                refuse(&matches, &["port"], "start")?;
                args.import().map(|import| Command::Import(Box::new(import)))
            }
        }
    }
}

fn refuse(matches: &ArgMatches, flags: &[&str], verb: &str) -> anyhow::Result<()> {
    let typed = |flag: &&&str| matches.value_source(flag) == Some(ValueSource::CommandLine);
    let Some(flag) = flags.iter().find(typed) else { return Ok(()) };
    let shown = match *flag {
        "locators" => "a locator".to_owned(),
        flag => format!("--{}", flag.replace('_', "-")),
    };
    Err(Failure::usage(format!("{shown} is only for hmt-record {verb}")))
}
