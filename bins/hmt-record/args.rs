//! What can be typed. The front end reads this file too, which is why its modules have paths.

#[path = "args/config.rs"]
mod config;
#[path = "args/sinks.rs"]
pub(super) mod sinks;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use hmt_core::cli::{self, Failure, parse_duration, parse_size};
use hmt_core::record::Pattern;
use hmt_core::stream::Locator;

pub(super) use config::{Import, Start};

const USAGE: &str = "\
hmt-record [start] [OPTIONS]
       hmt-record stop|status [-p PORT]
       hmt-record import [OPTIONS] LOCATOR...";

const EXAMPLES: &str = "\
Examples:
  hmt-record > api.jsonl                     record what is asked as /http://HOST/PATH
  curl http://localhost:8000/https://api.example.com/pets

  hmt-record -t https://api.example.com -l logs
                                             stand before one API, a file for each host
  hmt-record | hmt-build - > spec.yaml       Ctrl-C ends both, and the spec is there
  curl -x http://localhost:8000 http://api.example.com/pets
                                             serve as a proxy
  hmt-record --forward -o all.jsonl          and one for https, once clients trust its authority
  hmt-record import session.har -o api.jsonl take over what a browser has captured

Exit status: 0 done; 1 failed, or the recording is not complete; 2 wrong usage;
3 some records of an import were rejected.";

/// Record HTTP traffic: a proxy that writes each exchange down as a line of JSON.
///
/// Point a client at it instead of at the API. Requests name their target in the path
/// (/https://host/path), or with -r in the Host header, or all go to the --target. What client and
/// server see is not changed; secrets are replaced in the record by pseudonyms.
#[derive(Debug, Parser)]
#[command(name = "hmt-record", version, override_usage = USAGE, after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// start: proxy and record until SIGTERM or Ctrl-C; stop, status: of a recorder in the background; import:
    /// take captures over
    #[arg(value_name = "COMMAND", value_enum, default_value_t = Verb::Start, hide_default_value = true)]
    verb: Verb,

    /// What to import: files, folders, topics, or -
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and Postman collections
    /// with saved responses; each also packed by gzip, zstd or zip.
    #[arg(value_name = "LOCATOR")]
    locators: Vec<Locator>,

    /// Port to listen on; 0 takes a free one
    #[arg(short, long, default_value_t = 8000, help_heading = "Requests")]
    port: u16,

    /// Address to listen on; any but loopback needs --target or --allow-host
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), help_heading = "Requests")]
    bind: IpAddr,

    /// Run in the background; needs -o or -l
    #[arg(short, long, help_heading = "Requests")]
    daemon: bool,

    /// Take the target from the Host header, and https from X-HMT-Scheme: https
    #[arg(short = 'r', long, conflicts_with = "target", help_heading = "Requests")]
    header_routing: bool,

    /// Send all requests to this URL, whose path comes before theirs
    #[arg(short, long, value_name = "URL", help_heading = "Requests")]
    target: Option<String>,

    /// As a proxy, take CONNECT too, and end TLS with certificates of a local authority
    #[arg(long, conflicts_with = "target", help_heading = "Requests")]
    forward: bool,

    /// Where that authority is kept (default: the folder ca in the data folder of the user, made on first use)
    #[arg(long, value_name = "DIR", requires = "forward", help_heading = "Requests")]
    ca_dir: Option<PathBuf>,

    /// Time for what is in flight at the end
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration, help_heading = "Requests")]
    grace: Duration,

    /// Lead redirects and cookies of a target back through the recorder (default, but with -r)
    #[arg(long, help_heading = "Requests")]
    rewrite_redirects: bool,

    /// Leave redirects and cookies as they are
    #[arg(long, overrides_with = "rewrite_redirects", help_heading = "Requests")]
    no_rewrite_redirects: bool,

    /// Add a Via header to requests, and answer 508 where it comes back: finds loops of recorders
    #[arg(long, help_heading = "Requests")]
    via: bool,

    /// Allow only targets whose host, or host:port, matches a pattern (* any run, ? one character)
    #[arg(long, value_name = "PATTERN", help_heading = "Targets")]
    allow_host: Vec<Pattern>,

    /// Refuse targets at loopback and private addresses
    #[arg(long, help_heading = "Targets")]
    deny_private: bool,

    /// Time for a connection to a target
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration, help_heading = "Targets")]
    connect_timeout: Duration,

    /// Time that a target, or a client that uploads, may be silent (event streams as long as they like)
    #[arg(long, value_name = "TIME", default_value = "300s", value_parser = parse_duration, help_heading = "Targets")]
    timeout: Duration,

    /// Trust the certificates in this PEM file in place of the system's authorities: authorities, or those of
    /// servers themselves
    #[arg(long, value_name = "FILE", help_heading = "Targets")]
    upstream_ca: Option<PathBuf>,

    /// Accept any certificate of a target
    #[arg(long, conflicts_with = "upstream_ca", help_heading = "Targets")]
    insecure: bool,

    /// Show this certificate (PEM, with its chain) to targets that ask for one
    #[arg(long, value_name = "FILE", requires = "client_key", help_heading = "Targets")]
    client_cert: Option<PathBuf>,

    /// The private key of --client-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Targets")]
    client_key: Option<PathBuf>,

    /// Reach targets through this proxy (default: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY); NO_PROXY holds
    #[arg(long, value_name = "URL", help_heading = "Targets")]
    upstream_proxy: Option<String>,

    /// Where records go: - (the default), FILE (.jsonl, also with .gz or .zst; .har), DIR (a file for each host), or a topic
    /// (kafka://BROKER/TOPIC)
    #[arg(short, long, value_name = "LOCATOR", value_parser = Locator::sink, help_heading = "Records")]
    out: Vec<Locator>,

    /// Append to DIR/HOST-recordings.jsonl, a file for each host
    #[arg(short, long, value_name = "DIR", help_heading = "Records")]
    log_dir: Option<PathBuf>,

    /// Send to a topic of this broker, or of the first of these that answers, by commas; as --out kafka://BROKER/TOPIC
    #[arg(long, value_name = "BROKER", help_heading = "Records")]
    kafka_broker: Option<String>,

    /// Send to this topic (default: http_recordings), of a broker at localhost:9092 unless --kafka-broker names another
    #[arg(long, value_name = "TOPIC", help_heading = "Records")]
    kafka_topic: Option<String>,

    /// Put a log aside, under a name with the time, before it grows larger
    #[arg(long, value_name = "BYTES", value_parser = parse_size, help_heading = "Records")]
    rotate_size: Option<u64>,

    /// Put a log aside, under a name with the time, when it is older
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Records")]
    rotate_every: Option<Duration>,

    /// Record only exchanges whose METHOD host/path matches a pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Records")]
    include: Vec<Pattern>,

    /// Do not record exchanges whose METHOD host/path matches a pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Records")]
    exclude: Vec<Pattern>,

    /// Note in the records what contradicts this OpenAPI document, and report it
    #[arg(long, value_name = "FILE", help_heading = "Records")]
    spec: Option<PathBuf>,

    /// Who has a record before the client has the end of the answer: the kernel, the disk, the
    /// brokers of a topic, or nobody
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Durable::Kernel, help_heading = "Records")]
    durable: Durable,

    /// While nobody takes the records: let clients wait, or drop records
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Slow::Wait, help_heading = "Records")]
    on_backpressure: Slow,

    /// When records cannot be written: end, or drop records and go on
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Broken::Stop, help_heading = "Records")]
    on_sink_error: Broken,

    /// Record this much of a body; all of it passes
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = parse_size, help_heading = "Records")]
    max_body: u64,

    /// End an import at the first record that is rejected, with 1
    #[arg(long, help_heading = "Records")]
    strict: bool,

    /// Key of the pseudonyms (default: redact.key in the data folder of the user, made on first use)
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    redact_key: Option<PathBuf>,

    /// Also replace values of headers, cookies and keys of this name (* any run, ? one character)
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    redact: Vec<String>,

    /// Also replace what stands at this JSON pointer of JSON bodies, as /user/email or /users/*/email
    #[arg(long, value_name = "POINTER", help_heading = "Secrets")]
    redact_json: Vec<String>,

    /// Also replace what this regular expression matches, or its first group, in any value or text
    #[arg(long, value_name = "REGEX", help_heading = "Secrets")]
    redact_value: Vec<String>,

    /// Do not replace values of this name
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    keep: Vec<String>,

    /// Replace nothing
    #[arg(long, conflicts_with_all = ["redact", "redact_json", "redact_value", "keep", "redact_key"], help_heading = "Secrets")]
    keep_secrets: bool,

    /// Tell of each exchange on standard error
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Tell of errors only
    #[arg(short, long)]
    quiet: bool,
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

/// Flags that mean nothing to the other verb.
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

/// What is to be done.
pub(super) enum Command {
    Start(Box<Start>),
    /// Start again in the background.
    Daemon(u16),
    Stop(Option<u16>),
    Status(Option<u16>),
    Import(Box<Import>),
}

impl Args {
    /// Reads the command line; on a mistake of grammar, clap ends the program with 2.
    pub(super) fn read() -> anyhow::Result<Command> {
        let matches = Args::command().get_matches();
        let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        match args.verb {
            Verb::Start => {
                refuse(&matches, &IMPORT_ONLY, "import")?;
                if args.daemon && args.outputs()?.contains(&Locator::Stdio) {
                    return Err(Failure::usage(
                        "in the background there is no standard output; say where records go with -o or -l",
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
    Err(Failure::usage(format!("{shown} is for hmt-record {verb} only")))
}
