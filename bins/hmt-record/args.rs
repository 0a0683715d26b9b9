//! What was typed, and what it means.

use std::fs;
use std::io::{IsTerminal as _, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use hmt_core::cli::{self, Failure, Messages, parse_duration, parse_size};
use hmt_core::conform::Api;
use hmt_core::exchange::{RedactOptions, Redactor, default_key_path, load_or_create_key};
use hmt_core::net::{Limits, Target};
use hmt_core::record::{
    Authority, AuthorityError, Backpressure, Config, Delivery, Durability, Filter, OnSinkError,
    Output, Pattern, Policy, Proxies, Routing, Trust,
};
use hmt_core::spec::load_file;
use hmt_core::stream::{Locator, Rotation, open_rotating_sink};

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

    /// What to import: files (.jsonl, .ndjson, .har, also with .gz or .zst), folders, or -
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
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration, help_heading = "Targets")]
    timeout: Duration,

    /// Trust the certificate authorities in this PEM file, besides the system's
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

    /// Where records go: - (the default), FILE (.jsonl, also with .gz or .zst), or DIR (a file for each host)
    #[arg(short, long, value_name = "LOCATOR", help_heading = "Records")]
    out: Vec<Locator>,

    /// Append to DIR/HOST-recordings.jsonl, a file for each host
    #[arg(short, long, value_name = "DIR", help_heading = "Records")]
    log_dir: Option<PathBuf>,

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

    /// Who has a record before the client has the end of the answer: the kernel, the disk, or nobody
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

    /// Do not replace values of this name
    #[arg(long, value_name = "NAME", help_heading = "Secrets")]
    keep: Vec<String>,

    /// Replace nothing
    #[arg(long, conflicts_with_all = ["redact", "redact_json", "keep", "redact_key"], help_heading = "Secrets")]
    keep_secrets: bool,

    /// Tell of each exchange on standard error
    #[arg(short, long, conflicts_with = "quiet")]
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
const START_ONLY: [&str; 24] = [
    "daemon",
    "bind",
    "header_routing",
    "target",
    "forward",
    "ca_dir",
    "grace",
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
const BOTH: [&str; 9] = [
    "out",
    "log_dir",
    "rotate_size",
    "rotate_every",
    "redact_key",
    "redact",
    "redact_json",
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

/// All that `hmt-record start` needs.
pub(super) struct Start {
    pub(super) ip: IpAddr,
    pub(super) port: u16,
    pub(super) config: Config,
    pub(super) outputs: Vec<Locator>,
    pub(super) rotation: Rotation,
    /// Whether a status line is wanted, where there is a terminal.
    pub(super) watched: bool,
    pub(super) messages: Messages,
}

/// All that `hmt-record import` needs.
pub(super) struct Import {
    pub(super) sources: Vec<Locator>,
    pub(super) outputs: Vec<Locator>,
    pub(super) rotation: Rotation,
    pub(super) redactor: Option<Redactor>,
    pub(super) strict: bool,
    pub(super) messages: Messages,
}

impl Args {
    /// Reads the command line; on a mistake of grammar, clap ends the program with 2.
    pub(super) fn read() -> anyhow::Result<Command> {
        let matches = Args::command().get_matches();
        let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        match args.verb {
            Verb::Start => {
                refuse(&matches, &IMPORT_ONLY, "import")?;
                if args.daemon && args.outputs().contains(&Locator::Stdio) {
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

    fn start(self) -> anyhow::Result<Start> {
        let messages = Messages::new("hmt-record", self.quiet);
        let routing = self.routing()?;
        if !self.bind.is_loopback() {
            if self.allow_host.is_empty() && self.target.is_none() {
                return Err(Failure::usage(format!(
                    "listening on {} would let anybody on the network reach any host through this machine; say which with --target URL or --allow-host PATTERN",
                    self.bind
                )));
            }
            messages.warn(format_args!(
                "listening on {}: others on the network can use this recorder",
                self.bind
            ));
        }
        let policy =
            Policy { allow_hosts: self.allow_host.clone(), deny_private: self.deny_private };
        if let Routing::Fixed(target) = &routing
            && policy.check_name(target).is_err()
        {
            let target = &target.host;
            let why = format!("no --allow-host pattern covers the --target {target}");
            return Err(Failure::usage(why));
        }
        let trust = self.trust(&messages)?;
        let report = messages.clone();
        let trace = move |text: &str| report.warn(text);
        let config = Config {
            routing,
            policy,
            trust,
            proxies: self.proxies()?,
            authority: self.authority(&messages)?,
            filter: Filter { include: self.include.clone(), exclude: self.exclude.clone() },
            spec: self.spec.as_deref().map(|path| spec(path, &messages)).transpose()?,
            delivery: self.delivery(),
            max_body: usize::try_from(self.max_body).unwrap_or(usize::MAX),
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            grace: self.grace,
            redactor: self.redactor()?,
            watch: None,
            trace: if self.verbose { Some(Arc::new(trace)) } else { None },
            limits: Limits::default(),
        };
        if config.delivery.durability == Durability::Buffered {
            messages.warn("--durable buffered: a kill may lose a second of records, 4 MiB at most");
        }
        let outputs = self.outputs();
        let rotation = self.rotation();
        // Lines for each exchange, or records, would be torn apart by it.
        let to_terminal = outputs.contains(&Locator::Stdio) && std::io::stdout().is_terminal();
        let watched = !self.quiet && !self.verbose && !to_terminal;
        let (ip, port) = (self.bind, self.port);
        Ok(Start { ip, port, config, outputs, rotation, watched, messages })
    }

    fn import(self) -> anyhow::Result<Import> {
        if self.locators.is_empty() {
            return Err(Failure::usage(
                "say what to import: files, folders, or - for standard input",
            ));
        }
        let outputs = self.outputs();
        for source in &self.locators {
            if outputs.iter().any(|output| is_same_file(source, output)) {
                let why = format!("{source} is read and written at once; name another --out");
                return Err(Failure::usage(why));
            }
        }
        Ok(Import {
            outputs,
            rotation: self.rotation(),
            redactor: self.redactor()?,
            strict: self.strict,
            messages: Messages::new("hmt-record", self.quiet),
            sources: self.locators,
        })
    }

    fn routing(&self) -> anyhow::Result<Routing> {
        match &self.target {
            None if self.header_routing => Ok(Routing::Header),
            None => Ok(Routing::Path),
            Some(url) => match Target::from_url(url) {
                Ok(target) if target.query().is_empty() => Ok(Routing::Fixed(target)),
                Ok(_) => Err(Failure::usage(format!("--target {url}: a target has no query"))),
                Err(error) => Err(Failure::usage(format!("--target {url}: {error}"))),
            },
        }
    }

    fn trust(&self, messages: &Messages) -> anyhow::Result<Trust> {
        let trust = if self.insecure {
            messages.warn("--insecure: whoever answers for a target is believed");
            Trust::everybody()
        } else if let Some(path) = &self.upstream_ca {
            let name = || format!("--upstream-ca {}", path.display());
            Trust::new(Some(&fs::read(path).with_context(name)?)).with_context(name)?
        } else {
            Trust::new(None)?
        };
        let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok(trust);
        };
        let read = |flag: &str, path: &Path| {
            fs::read(path).with_context(|| format!("{flag} {}", path.display()))
        };
        let (chain_pem, key_pem) = (read("--client-cert", chain)?, read("--client-key", key)?);
        trust.with_identity(&chain_pem, &key_pem).with_context(|| {
            format!("--client-cert {} --client-key {}", chain.display(), key.display())
        })
    }

    fn proxies(&self) -> anyhow::Result<Proxies> {
        let variable = |name: &str| std::env::var_os(name);
        match &self.upstream_proxy {
            // The URL may hold a password, so it is not shown.
            Some(url) => Proxies::one(url, variable)
                .map_err(|error| Failure::usage(format!("--upstream-proxy: {error}"))),
            None => Proxies::from_environment(variable)
                .map_err(|(name, error)| Failure::usage(format!("{name}: {error}"))),
        }
    }

    fn authority(&self, messages: &Messages) -> anyhow::Result<Option<Authority>> {
        if !self.forward {
            return Ok(None);
        }
        let folder = match &self.ca_dir {
            Some(folder) => folder.clone(),
            None => default_key_path(|name| std::env::var_os(name))
                .context("no HOME, so no place for the certificate authority; name a folder with --ca-dir")?
                .with_file_name("ca"),
        };
        let authority = match Authority::load_or_create(&folder) {
            Err(error @ AuthorityError::Exposed { .. }) => {
                return Err(Failure::usage(error.to_string()));
            }
            loaded => loaded?,
        };
        messages.warn(format_args!(
            "clients of --forward must trust {}",
            authority.certificate().display()
        ));
        Ok(Some(authority))
    }

    fn redactor(&self) -> anyhow::Result<Option<Redactor>> {
        if self.keep_secrets {
            return Ok(None);
        }
        let path = match &self.redact_key {
            Some(path) => path.clone(),
            None => default_key_path(|name| std::env::var_os(name)).context(
                "no HOME, so no place for the key of the pseudonyms; name a file with --redact-key",
            )?,
        };
        let key = load_or_create_key(&path)?;
        let options = RedactOptions {
            add: self.redact.clone(),
            add_json: self.redact_json.clone(),
            keep: self.keep.clone(),
        };
        match Redactor::new(&key, &options) {
            Ok(redactor) => Ok(Some(redactor)),
            Err(error) => Err(Failure::usage(error.to_string())),
        }
    }

    fn delivery(&self) -> Delivery {
        Delivery {
            durability: match self.durable {
                Durable::Kernel => Durability::Kernel,
                Durable::Fsync => Durability::Fsync,
                Durable::Buffered => Durability::Buffered,
            },
            backpressure: match self.on_backpressure {
                Slow::Wait => Backpressure::Wait,
                Slow::Drop => Backpressure::Drop,
            },
            on_error: match self.on_sink_error {
                Broken::Stop => OnSinkError::Stop,
                Broken::Drop => OnSinkError::Drop,
            },
        }
    }

    fn rotation(&self) -> Rotation {
        Rotation { size: self.rotate_size, every: self.rotate_every }
    }

    fn outputs(&self) -> Vec<Locator> {
        let mut outputs = self.out.clone();
        outputs.extend(self.log_dir.clone().map(Locator::Dir));
        if outputs.is_empty() {
            outputs.push(Locator::Stdio);
        }
        outputs
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

/// The document that exchanges are held against.
fn spec(path: &Path, messages: &Messages) -> anyhow::Result<Api> {
    let name = || format!("--spec {}", path.display());
    let document = load_file(path).with_context(name)?;
    let api = Api::compile(&document).with_context(name)?;
    for warning in &api.warnings {
        messages.warn(format_args!("{}: {warning}", path.display()));
    }
    Ok(api)
}

/// Opens the outputs for records.
pub(super) fn open(locators: &[Locator], rotation: Rotation) -> anyhow::Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for locator in locators {
        // `-` named twice gets its second sink without a stream, which is refused.
        let mut stdout: Option<Box<dyn Write + Send>> = None;
        let mut is_file = false;
        if *locator == Locator::Stdio {
            let file = cli::stdout_unbuffered()?;
            is_file = file.metadata()?.is_file();
            stdout = Some(Box::new(file));
        }
        let sink = open_rotating_sink(locator, stdout, rotation)?;
        let may_wait = match locator {
            Locator::Stdio => !is_file,
            Locator::File(path) => !is_plain_file(path),
            Locator::Dir(_) => false,
            Locator::Kafka(_) => true,
        };
        outputs.push(Output { sink, may_wait });
    }
    Ok(outputs)
}

/// Compressed files take their time, pipes and devices that of whoever reads them.
fn is_plain_file(path: &Path) -> bool {
    let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
    !packed && fs::metadata(path).is_ok_and(|found| found.is_file())
}

fn is_same_file(source: &Locator, output: &Locator) -> bool {
    let (
        Locator::File(source) | Locator::Dir(source),
        Locator::File(output) | Locator::Dir(output),
    ) = (source, output)
    else {
        return false;
    };
    matches!((source.canonicalize(), output.canonicalize()), (Ok(source), Ok(output))
        if source == output || output.parent() == Some(&source))
}
