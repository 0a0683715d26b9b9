//! The command line of `hmt-mock`.

#[path = "args/behaviour.rs"]
mod behaviour;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use clap::parser::ValueSource;
use hmt_core::cli::daemon::is_daemon;
use hmt_core::cli::{self, Failure, Messages, parse_duration};
use hmt_core::exchange::{Pattern, Redactor};
use hmt_core::mock::{Settings, Upstream};
use hmt_core::net::{Client, Report, ServerOptions, Target};
use hmt_core::stream::Locator;

use behaviour::Behaviour;

use super::serving::{KeyArgs, TlsArgs, redactor_of_lines, routing};
use crate::parse;

/// Serve an API from its OpenAPI spec
///
/// Reads OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0, in YAML or JSON. The response is the recording
/// that the spec contains for the request, else an example, else data generated from the schema.
/// The header x-hmt-source names the source. Requests that violate the spec get an error that lists
/// every violation.
#[derive(Debug, Parser)]
#[command(name = "hmt-mock", version, max_term_width = 100, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Specs: files, folders of .yaml, .yml and .json files, URLs, or - for standard input; stop
    /// ends a mock in the background, and status shows it
    ///
    /// References can lead to other files in the same folder and the folders below it, or below
    /// --ref-root. An unresolved reference causes a warning, and any value is accepted in its
    /// place.
    #[arg(value_name = "SPEC", required_unless_present_any = ["callback_dir", "kill", "status"])]
    specs: Vec<String>,

    /// Port to listen on; 0 selects a free port
    #[arg(short, long, default_value_t = 8000)]
    port: u16,

    /// Port of the admin endpoints; 0 selects a free port [default: 8888, or a free port if that is
    /// in use]
    #[arg(short, long)]
    admin_port: Option<u16>,

    /// Do not serve admin endpoints
    #[arg(long)]
    no_admin: bool,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Run in the background; print where the messages go, and return when the server listens
    #[arg(short, long)]
    daemon: bool,

    /// End the mock in the background on --port, or the only one, and wait until it has ended
    #[arg(short, long, conflicts_with_all = ["specs", "daemon", "status"])]
    kill: bool,

    /// Print which mocks run in the background, or whether one runs on --port
    #[arg(short, long, conflicts_with_all = ["specs", "daemon"])]
    status: bool,

    /// Take the requested host from the Host header
    ///
    /// Without this flag, a path that begins with /http://HOST or /https://HOST names the host, and
    /// any other path is looked up in all specs, with or without the base path of their servers.
    #[arg(short = 'r', long)]
    header_routing: bool,

    /// Let the programs in this folder edit the responses
    ///
    /// Each .py file (python3), each .js file (node) and each executable file is one program. It
    /// runs as long as the mock, and speaks the protocol in the manual page. With this flag, no spec
    /// is needed.
    #[arg(short, long, value_name = "DIR")]
    callback_dir: Option<PathBuf>,

    /// References of specs can lead only to files in this folder or below it
    ///
    /// Symbolic links are resolved first. The default is the folder of each spec. A spec from
    /// standard input cannot refer to files without this flag.
    #[arg(long, value_name = "DIR")]
    ref_root: Option<PathBuf>,

    /// Allow references of specs to other servers
    ///
    /// Each URL is fetched once. Link-local and metadata addresses are never contacted, and private
    /// addresses only if the spec itself came from a private address. Without this flag, a spec from
    /// a URL can refer only to its own server.
    #[arg(long)]
    remote_refs: bool,

    /// Do not start (exit 1) if there is any warning about a spec
    #[arg(long)]
    strict: bool,

    /// Require that a request matches exactly one branch of oneOf, as JSON Schema does
    ///
    /// Without this flag, a discriminator decides which branch of a request is checked, and a
    /// request that matches several branches is accepted.
    #[arg(long)]
    strict_one_of: bool,

    #[command(flatten)]
    tls: TlsArgs,

    /// Reload the specs when one of their files changes; if that fails, keep the old ones
    #[arg(long)]
    watch: bool,

    /// Send a request to this server if no spec has an operation for it
    #[arg(long, value_name = "URL", value_parser = Target::from_url)]
    upstream: Option<Target>,

    /// Do not check requests or credentials
    #[arg(long)]
    no_validate: bool,

    /// Keep the state of collections and items, which are found by their paths and schemas
    ///
    /// On a collection, POST adds an item, and GET lists the items with filters, order and pages.
    /// GET, PUT, PATCH and DELETE on an item act on it. The initial items are those of x-hmt-data,
    /// else those of the examples and recordings of the spec.
    #[arg(long)]
    stateful: bool,

    /// Keep the state in this file over restarts; implies --stateful
    ///
    /// Each change is appended as a line of JSON before its response is sent. Secrets are not
    /// replaced. Only one mock can use the file at a time.
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,

    /// Accept only bearer tokens that this mock issued and that have not expired
    ///
    /// Clients get them from the OAuth endpoints of the spec. Credentials are then checked before
    /// recordings are served.
    #[arg(long, conflicts_with = "no_validate")]
    strict_auth: bool,

    /// Generate new data for each request, without recordings and examples
    #[arg(long)]
    dynamic: bool,

    /// Do not reflect the request (ids in the path, members of the body, page sizes) in generated
    /// responses
    #[arg(long)]
    no_reflect: bool,

    /// The seed of generated data (default: 0)
    ///
    /// Without --dynamic, the same request gets the same response, also after a restart. With
    /// --dynamic and a seed, each run gives the same sequence of responses.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Allow web pages of all origins to read the responses (the default)
    #[arg(long, overrides_with = "no_cors")]
    cors: bool,

    /// Do not handle cross-origin requests
    #[arg(long)]
    no_cors: bool,

    /// Write the served exchanges to a new file mock-TIME.jsonl in this folder
    #[arg(short, long, value_name = "DIR")]
    log_dir: Option<PathBuf>,

    /// Write the served exchanges to a file, a folder (a file for each host), a topic
    /// (kafka://BROKER/TOPIC), or - for standard output
    #[arg(short, long, value_name = "LOCATOR", value_parser = Locator::sink)]
    out: Vec<Locator>,

    /// Write secrets unchanged instead of pseudonyms
    #[arg(long)]
    keep_secrets: bool,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    behaviour: Behaviour,

    /// Token that clients of the admin endpoints must send, as Authorization: Bearer TOKEN
    ///
    /// With it, the admin endpoints listen on the address of --bind. Without it, they are on
    /// 127.0.0.1 only.
    #[arg(long, value_name = "TOKEN", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    admin_token: Option<String>,

    /// Send the callbacks and webhooks that specs declare, after the response
    ///
    /// Receivers must be on this machine, or on a host of --allow-webhook.
    #[arg(long)]
    fire_callbacks: bool,

    /// Allow webhooks on this host too; * stands for any text
    ///
    /// Without this flag, webhooks must be on this machine. Link-local and metadata addresses and
    /// the ports of the mock are never contacted. Repeatable.
    #[arg(long, value_name = "HOST")]
    allow_webhook: Vec<Pattern>,

    /// How long to wait for requests in flight after SIGTERM
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    grace: Duration,

    /// List the operations at startup, and print a line for each request, even if standard error is
    /// not a terminal; report bodies that match several branches of oneOf, and all examples that
    /// violate their schemas
    #[arg(short, long, overrides_with = "verbose")]
    verbose: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  Serve a spec and send a request:
    hmt-mock openapi.yaml
    curl http://127.0.0.1:8000/users/1

  Build a spec from recordings and mock it:
    hmt-build -m mixed logs/ | hmt-mock -

  Serve several APIs; name the host in the path or in the Host header:
    hmt-mock specs/
    curl http://127.0.0.1:8000/https://api.example.com/users/1
    hmt-mock -r specs/
    curl -H 'Host: api.example.com' http://127.0.0.1:8000/users/1

  Request a certain status or example, or new data:
    curl -H 'Prefer: code=404' http://127.0.0.1:8000/users/1
    curl 'http://127.0.0.1:8000/users/1?__example=admin'
    curl -H 'Prefer: dynamic=true' http://127.0.0.1:8000/users/1

  Set the scope of the exchanges that are logged from now on:
    curl -d name=checkout-test http://127.0.0.1:8888/admin/scope

Exit status:
  0 ended by a signal   1 failed   2 wrong usage   3 -k or -s found no mock in the background";

/// The command.
pub(crate) enum Command {
    Serve(Box<Config>),
    /// Start again in the background.
    Daemon(u16),
    Stop(Option<u16>),
    Status(Option<u16>),
}

/// The configuration from the command line.
pub(crate) struct Config {
    pub(crate) specs: Vec<String>,
    /// The folder of the programs that edit responses.
    pub(crate) callback_dir: Option<PathBuf>,
    /// Hosts of webhooks beyond this machine.
    pub(crate) allow_webhook: Vec<Pattern>,
    pub(crate) ref_root: Option<PathBuf>,
    /// References may lead to other servers.
    pub(crate) remote_refs: bool,
    /// Treat any warning about a spec as an error.
    pub(crate) strict: bool,
    /// Require exactly one branch of `oneOf`.
    pub(crate) strict_one_of: bool,
    /// List all examples that violate their schemas.
    pub(crate) list_faults: bool,
    /// Keep state without annotations.
    pub(crate) stateful: bool,
    /// Where state is kept.
    pub(crate) state_file: Option<PathBuf>,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// `None` without admin endpoints.
    pub(crate) admin: AdminPort,
    /// Print a banner and a line for each request.
    pub(crate) for_people: bool,
    pub(crate) log_dir: Option<PathBuf>,
    pub(crate) out: Vec<Locator>,
    pub(crate) quiet: bool,
    /// Reload specs when they change.
    pub(crate) watch: bool,
    pub(crate) settings: Settings,
    pub(crate) serving: ServerOptions,
    /// Clients of the admin port must send it.
    pub(crate) admin_token: Option<Arc<str>>,
    /// Write pseudonyms instead of secrets.
    pub(crate) hide_secrets: bool,
    /// If there is a key.
    pub(crate) redactor: Option<Arc<Redactor>>,
    /// Overrides, faults and the journal.
    pub(crate) behaviour: Behaviour,
}

/// Where the admin endpoints are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AdminPort {
    None,
    /// 8888, or a free one.
    Default,
    Given(u16),
}

impl Args {
    /// Reads the command line; clap ends the program with 2 on a syntax error.
    pub(crate) fn read() -> anyhow::Result<Command> {
        let (args, matches) = parse::args::<Args>();
        let typed = matches.value_source("port") == Some(ValueSource::CommandLine);
        let port = typed.then_some(args.port);
        let word = match args.specs.as_slice() {
            [word] => word.as_str(),
            _ => "",
        };
        if args.kill || word == "stop" {
            return Ok(Command::Stop(port));
        }
        if args.status || word == "status" {
            return Ok(Command::Status(port));
        }
        if args.daemon {
            if args.out.contains(&Locator::Stdio) || args.specs.iter().any(|spec| spec == "-") {
                return Err(Failure::usage(
                    "a mock in the background has no standard input or output; name files instead of -",
                ));
            }
            if !is_daemon() {
                return Ok(Command::Daemon(args.port));
            }
        }
        Ok(Command::Serve(Box::new(args.config()?)))
    }

    pub(crate) fn config(self) -> anyhow::Result<Config> {
        let writes = self.log_dir.is_some() || !self.out.is_empty();
        let redactor = self.key.redactor(writes && !self.keep_secrets)?;
        let redactor = redactor.map(Arc::new);
        let hidden = match self.keep_secrets {
            true => None,
            false => Some(redactor_of_lines(redactor.as_ref())?),
        };
        let messages = Messages::new("hmt-mock", self.quiet);
        let for_people = self.verbose || !self.quiet && cli::is_foreground_terminal();
        let trace = for_people.then(|| {
            let messages = messages.clone();
            Arc::new(move |line: &str| messages.ready(line)) as Report
        });
        let protocols = self.tls.protocols()?;
        let upstream = match self.upstream {
            Some(target) => Some(Upstream::new(Client::new(None)?, target)),
            None => None,
        };
        let settings = Settings {
            validate: !self.no_validate,
            strict_auth: self.strict_auth,
            fire_callbacks: self.fire_callbacks,
            dynamic: self.dynamic,
            reflect: !self.no_reflect,
            report_overlaps: self.verbose && !self.strict_one_of,
            seed: self.seed,
            cors: self.cors || !self.no_cors,
            upstream,
            journal: self.behaviour.journal,
        };
        let serving = ServerOptions {
            routing: routing(self.header_routing),
            protocols,
            grace: self.grace,
            report: Arc::new(move |text| messages.error(text)),
            trace,
            redactor: hidden,
        };
        Ok(Config {
            specs: self.specs,
            callback_dir: self.callback_dir,
            allow_webhook: self.allow_webhook,
            ref_root: self.ref_root,
            remote_refs: self.remote_refs,
            strict: self.strict,
            strict_one_of: self.strict_one_of,
            list_faults: self.verbose,
            stateful: self.stateful || self.state_file.is_some(),
            state_file: self.state_file,
            address: self.bind,
            port: self.port,
            admin: match (self.no_admin, self.admin_port) {
                (true, _) => AdminPort::None,
                (false, Some(port)) => AdminPort::Given(port),
                (false, None) => AdminPort::Default,
            },
            for_people,
            log_dir: self.log_dir,
            out: self.out,
            quiet: self.quiet,
            watch: self.watch,
            settings,
            serving,
            admin_token: self.admin_token.map(Arc::from),
            hide_secrets: !self.keep_secrets,
            redactor,
            behaviour: self.behaviour,
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

    #[test]
    fn the_last_of_cors_and_no_cors_holds() {
        let cors = |flags: &[&str]| {
            let args = ["hmt-mock", "spec.yaml"].iter().chain(flags);
            Args::parse_from(args).config().unwrap().settings.cors
        };
        assert!(cors(&[]) && cors(&["--no-cors", "--cors"]));
        assert!(!cors(&["--no-cors"]) && !cors(&["--cors", "--no-cors"]));
    }
}
