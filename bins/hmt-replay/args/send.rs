//! The command line of `hmt-replay send`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use hmt_core::cli::{Failure, parse_duration};
use hmt_core::exchange::{Pattern, Redactor};
use hmt_core::net::{Target, Trust, is_loopback_host};
use hmt_core::replay::{RequestChange, SecretValue, SendOptions, Speed};
use hmt_core::stream::Locator;

use super::KeyArgs;
use super::diff::{DiffArgs, DiffConfig};

/// Send recorded requests again.
///
/// Requests are sent in the order of the recordings, and the new exchanges are written as lines.
/// Cookies, tokens and ids that a recorded response gave, and that a later request used, are
/// replaced by the values of the new responses.
#[derive(Debug, Parser)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Send {
    /// Recordings: files, folders, topics (kafka://BROKER/TOPIC), or - for standard input
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and
    /// Postman collections with saved responses. Each can be compressed with gzip, zstd or zip.
    #[arg(value_name = "LOCATOR", required = true)]
    sources: Vec<Locator>,

    /// The server; the path of URL is put before that of each request
    #[arg(short, long, value_name = "URL", value_parser = target)]
    target: Target,

    /// Allow this target beyond loopback (*: any characters, ?: one; repeatable)
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<Pattern>,

    /// When to send: max (as fast as responses arrive), 1x (at the recorded times), or another
    /// factor (10x, 0.5x)
    #[arg(long, value_name = "SPEED", default_value = "max", conflicts_with = "rate")]
    speed: Speed,

    /// Send this many requests per second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,

    /// Number of requests in progress
    ///
    /// Requests of one recorded client connection keep their order. If no connection is recorded,
    /// requests of one session (Authorization or session cookie) keep their order. With 1, all
    /// requests keep their order.
    #[arg(short, long, value_name = "N", default_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    concurrency: u32,

    /// Send at most this many requests
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// Also send POST, PUT, PATCH and DELETE; without this flag, they are skipped
    #[arg(long)]
    unsafe_methods: bool,

    /// Longest time to connect, and longest pause in a response
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    timeout: Duration,

    /// Set a header of each request; without VALUE, remove it (repeatable)
    #[arg(long, value_name = "NAME:VALUE", value_parser = RequestChange::header)]
    set_header: Vec<RequestChange>,

    /// Set a query parameter of each request (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = RequestChange::query)]
    set_query: Vec<RequestChange>,

    /// Send the value of the environment variable ENV in place of the replaced secret NAME
    /// (repeatable)
    ///
    /// NAME is the name of a header, cookie, query parameter, form field or JSON property. In an
    /// Authorization header, the scheme stays.
    #[arg(long, value_name = "NAME=ENV", value_parser = secret)]
    secret: Vec<(String, String)>,

    /// Send nothing; print what would be sent, where, and how long it takes
    #[arg(long)]
    dry_run: bool,

    /// Where the new exchanges are written: a file (.jsonl; with .gz or .zst; .har), a folder, a
    /// topic, or - for standard output
    #[arg(short, long, value_name = "LOCATOR", default_value = "-", value_parser = Locator::sink)]
    out: Locator,

    #[command(flatten)]
    diff: DiffArgs,

    /// Trust only the certificates in this PEM file: authorities, or self-signed certificates of
    /// servers
    #[arg(long, value_name = "FILE")]
    upstream_ca: Option<PathBuf>,

    #[command(flatten)]
    key: KeyArgs,

    /// Do not replace secrets in the new exchanges
    #[arg(long, conflicts_with = "redact_key")]
    keep_secrets: bool,

    /// End with 1 at the first record that is not an exchange
    #[arg(long)]
    strict: bool,

    /// How long to wait for responses after SIGTERM or SIGINT
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    grace: Duration,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  Send the GET requests of a recording to a server, and keep the new exchanges:
    hmt-replay send log.jsonl --target http://localhost:3000 -o new.jsonl

  Send all requests, eight at a time, and build a spec from the answers:
    hmt-replay send log.jsonl -t http://localhost:3000 --unsafe-methods -c 8 | hmt-build - > api.yaml

  Send to another host, ten times as fast as recorded, with a password from the environment:
    hmt-replay send log.jsonl -t https://staging.example --allow-host staging.example \\
      --speed 10x --secret password=PASSWORD -o new.jsonl

  Compare the answers with the recorded ones, and write a page about the differences:
    hmt-replay send log.jsonl -t http://localhost:3000 --diff --ignore header:x-build \
      --report text --report html=diff.html -o new.jsonl

  Learn which fields change with each request, and ignore them from now on:
    hmt-replay send log.jsonl -t http://localhost:3000 --diff --learn-ignore rules.txt \
      --learn-by-sending -o new.jsonl

  See what would be sent:
    hmt-replay send log.jsonl -t http://localhost:3000 --dry-run

Exit status:
  0 done   1 nothing could be sent, --diff found a difference, or failed   2 wrong usage
  3 done, but some records were rejected";

/// `http://` may be left out.
fn target(text: &str) -> Result<Target, String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let target = Target::from_url(&url).map_err(|error| error.to_string())?;
    if target.wire_query().is_some() {
        return Err("a target has no query; use --set-query NAME=VALUE".to_owned());
    }
    Ok(target)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim_end_matches("/s").parse::<f64>().ok();
    rate.filter(|rate| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| format!("{text:?} is not a number of requests per second"))
}

fn secret(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, variable)) if !name.is_empty() && !variable.is_empty() => {
            Ok((name.to_owned(), variable.to_owned()))
        }
        _ => Err("write NAME=ENV, with the name of an environment variable".to_owned()),
    }
}

/// The configuration of a run.
pub(crate) struct SendConfig {
    pub(crate) sources: Vec<Locator>,
    pub(crate) options: SendOptions,
    pub(crate) out: Locator,
    /// `None` if secrets are kept.
    pub(crate) redactor: Option<Arc<Redactor>>,
    /// `None` if responses are not compared.
    pub(crate) diff: Option<DiffConfig>,
    pub(crate) dry_run: bool,
    pub(crate) strict: bool,
    pub(crate) quiet: bool,
}

impl Send {
    pub(crate) fn config(self) -> anyhow::Result<SendConfig> {
        self.check_target()?;
        let url = format!("{}://{}", self.target.protocol.as_str(), self.target.host);
        let diff = self.diff.clone().config(url, &self.out)?;
        let authorities = match &self.upstream_ca {
            Some(path) => Some(
                std::fs::read(path).with_context(|| format!("--upstream-ca {}", path.display()))?,
            ),
            None => None,
        };
        let trust = Trust::new(authorities.as_deref()).context("--upstream-ca")?;
        let redactor = match self.keep_secrets {
            true => None,
            false => self.key.redactor(!self.dry_run)?.map(Arc::new),
        };
        let secrets =
            self.secret.into_iter().map(|(name, variable)| match std::env::var(&variable) {
                Ok(value) if !value.is_empty() => Ok(SecretValue { name, value: value.into() }),
                _ => Err(Failure::usage(format!(
                    "--secret {name}={variable}: the environment variable {variable} is not set"
                ))),
            });
        let options = SendOptions {
            target: self.target,
            speed: self.rate.map_or(self.speed, Speed::Rate),
            concurrency: self.concurrency as usize,
            count: self.count,
            unsafe_methods: self.unsafe_methods,
            timeout: self.timeout,
            changes: [self.set_header, self.set_query].concat(),
            secrets: secrets.collect::<anyhow::Result<_>>()?,
            trust,
            grace: self.grace,
            twice: diff.as_ref().is_some_and(|diff| diff.twice),
        };
        Ok(SendConfig {
            sources: self.sources.into_iter().map(Locator::to_end).collect(),
            options,
            out: self.out,
            redactor,
            diff,
            dry_run: self.dry_run,
            strict: self.strict,
            quiet: self.quiet,
        })
    }

    fn check_target(&self) -> anyhow::Result<()> {
        let (name, host) = (self.target.hostname(), &self.target.host);
        let allowed = |pattern: &Pattern| pattern.matches(name) || pattern.matches(host);
        if is_loopback_host(name) || self.allow_host.iter().any(allowed) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "the target {host} is not this machine; add --allow-host {name} to send requests there"
        )))
    }
}
