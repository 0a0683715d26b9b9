//! The command line of `hmt-build`, and its conversion to a configuration.
//!
//! The front end includes this file too, so its module has a path.

#[path = "args/output.rs"]
mod output;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::TypedValueParser as _;
use clap::{Parser, ValueEnum};
use hmt_core::build::{CheckConfig, Config, Environment, MessageKind, Messages, Stop};
use hmt_core::check::{FailOn, Severity};
use hmt_core::cli::{self, Destination, Failure, parse_duration};
use hmt_core::exchange::{Pattern, Selection};
use hmt_core::infer::Mode;
use hmt_core::report::ReportFormat;
use hmt_core::spec::{Format, Version};
use hmt_core::stream::{Locator, Topic};

use super::finalise::{FinaliseArgs, OpenApi, report_of_formats};
use output::Out;

/// Build an OpenAPI spec from recorded HTTP exchanges
#[derive(Debug, Parser)]
#[command(
    name = "hmt-build",
    version,
    after_long_help = "\
Examples:
  hmt-record -t https://api.example.com | hmt-build - > spec.yaml
      Build a spec while recording; Ctrl-C ends the recorder, and the spec is written.
  hmt-build logs/ -o specs/
      Build specs/openapi.json from all recordings in a folder.
  hmt-build -a api.yaml logs/ -o api.yaml
      Extend a spec with new recordings.
  hmt-build --verify traffic.har
      Build a spec from the capture of a browser, and check every exchange against it.
  hmt-build -m replay recordings.jsonl -o replay.yaml
      Store the recordings themselves in the spec, for hmt-mock.
  hmt-build --state api.state --track-inputs logs/ -o api.yaml
      Add what is new in the logs since the last run.
  hmt-record -t https://api.example.com | hmt-build --follow -o api.yaml -
      Keep a spec current while recording.
  hmt-build --follow --state api.state 'kafka://broker:9092/http_recordings?group=specs' -o api.yaml
      Keep a spec current from Kafka; every record is counted once, even if a process is killed.
  hmt-build --partial part-0001.jsonl > 0001.partial.json
      Build a partial, which hmt-merge can combine with others.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some records were rejected."
)]
pub(crate) struct Args {
    /// Exchanges: `-`, a file, a folder of files, or a topic (kafka://BROKER/TOPIC)
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions,
    /// Postman collections with saved responses, and partials. Each can be compressed with gzip,
    /// zstd or zip.
    ///
    /// The default is `-`, unless standard input is a terminal.
    #[arg(value_name = "LOCATOR")]
    inputs: Vec<Locator>,

    /// Also read this locator
    #[arg(short = 'i', long = "input-file", value_name = "LOCATOR")]
    input_file: Vec<Locator>,

    /// Where to read exchanges if no locator is given: files, or a Kafka topic
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = SourceName::File, hide_default_value = true)]
    source: SourceName,

    /// The brokers of --source kafka: HOST:PORT, separated by commas (default: localhost:9092)
    #[arg(long, value_name = "BROKER")]
    kafka_broker: Option<String>,

    /// The topic of --source kafka (default: http_recordings)
    #[arg(long, value_name = "TOPIC")]
    kafka_topic: Option<String>,

    /// The consumer group of --source kafka; without one, the whole topic is read
    #[arg(long, value_name = "GROUP")]
    kafka_group: Option<String>,

    /// What to build: gen, replay or mixed
    ///
    /// gen: path templates and inferred schemas. replay: literal paths, schemas of the recorded
    /// constants, and the recordings themselves under x-hmt-replay. mixed: the inferred spec with
    /// the recordings.
    #[arg(short, long, value_name = "MODE", default_value = "gen")]
    mode: Mode,

    /// Start from this spec; its content stays, and is widened where the traffic requires it
    ///
    /// Its path templates, parameter names and base paths are used.
    #[arg(short = 'a', long, value_name = "FILE", conflicts_with = "partial")]
    initial_openapi_spec: Option<PathBuf>,

    /// Write to `-` (standard output), a file, or openapi.json in a folder
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    out: PathBuf,

    /// The output format (default: by file extension; yaml on standard output, json in a folder)
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// Write a partial instead of a spec: a line that hmt-merge or hmt-build can continue from
    ///
    /// It contains observed values, so only its owner can read the file.
    #[arg(long)]
    partial: bool,

    /// Continue from the state in this file, if it exists, and replace it at the end
    ///
    /// The result is that of one run over all input so far. The file is a partial that only its
    /// owner can read. It is locked during the run.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Store in the partial or state which input it was built from, so that nothing is counted
    /// twice
    ///
    /// Files are identified by content. hmt-merge and hmt-build then refuse to combine partials of
    /// the same file, even if it has grown. With --state, files that the state contains are
    /// skipped, and only the new parts of files that have grown are read. Standard input cannot be
    /// tracked.
    #[arg(long)]
    track_inputs: bool,

    /// Keep reading, and rewrite the output every few seconds until SIGTERM or the end of standard
    /// input
    ///
    /// The input is standard input, a topic, or growing .jsonl and .ndjson files and folders of
    /// them. Ctrl-C also ends it if it reads files or a topic. With --state, the state is written
    /// before the spec.
    #[arg(long, conflicts_with_all = ["partial", "verify"])]
    follow: bool,

    /// How often --follow writes if there is something new
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, requires = "follow")]
    every: Duration,

    /// Combine partials, and files with --track-inputs, even if they were built from the same input
    #[arg(long)]
    allow_overlap: bool,

    #[command(flatten)]
    finalise: FinaliseArgs,

    /// Write one spec for each host into the folder --out
    #[arg(long, conflicts_with_all = ["partial", "initial_openapi_spec"])]
    split_hosts: bool,

    /// Use only exchanges with this host, with or without its port (repeatable)
    #[arg(long, value_name = "PATTERN")]
    host: Vec<Pattern>,

    /// Use only exchanges whose `METHOD host/path` matches this pattern (repeatable)
    ///
    /// In a pattern, * matches any number of characters, and ? matches one. It must match the whole
    /// text.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<Pattern>,

    /// Ignore exchanges whose `METHOD host/path` matches this pattern (repeatable)
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<Pattern>,

    /// Do not keep observed values, not even in partials; the spec then has no enums
    ///
    /// Only words in paths and names of properties are kept. Such a partial can be combined only
    /// with other partials of this kind.
    #[arg(long)]
    no_values: bool,

    /// Check every input exchange against the spec, and fail if one does not conform
    ///
    /// Standard input is copied to a temporary file for this, which only its owner can read. For a
    /// topic, the same offsets are read again.
    #[arg(long, conflicts_with = "partial")]
    verify: bool,

    /// Do not build; compare the exchanges with this spec: a file, a folder of specs, or - for
    /// standard input (repeatable)
    ///
    /// The report lists contradictions (errors), parts that the spec does not describe
    /// (undocumented), and operations and statuses that no exchange touched (uncovered).
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["partial", "verify", "state", "initial_openapi_spec", "format", "no_values", "track_inputs", "mode"])]
    check: Vec<PathBuf>,

    /// Which findings make --check end with 1: error, undocumented, uncovered or never (default:
    /// error; repeatable)
    #[arg(long, value_name = "LEVEL", value_parser = fail_on(), requires = "check")]
    fail_on: Vec<FailOn>,

    /// Format of a report of --check: text, json, junit, sarif or html (default: text; repeatable)
    ///
    /// A report without FILE is written to --out; there can be only one.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_report, requires = "check")]
    report: Vec<(ReportFormat, Option<PathBuf>)>,

    /// The number of threads; it does not change the result
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,

    /// Fail at the first rejected record
    #[arg(long)]
    strict: bool,

    /// Print on standard error what was read
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

fn fail_on() -> impl clap::builder::TypedValueParser<Value = FailOn> {
    clap::builder::PossibleValuesParser::new(["error", "undocumented", "uncovered", "never"])
        .try_map(|name| name.parse::<FailOn>())
}

/// `FORMAT` or `FORMAT=FILE`.
fn parse_report(text: &str) -> Result<(ReportFormat, Option<PathBuf>), String> {
    report_of_formats(text, &["text", "json", "junit", "sarif", "html"])
}

/// A format name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Yaml,
    Json,
}

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceName {
    File,
    Kafka,
}

impl Args {
    /// Converts the arguments to a configuration.
    ///
    /// # Errors
    /// There is no input, or no place to track inputs in; options cannot be combined; a file of
    /// literals cannot be read.
    pub(crate) fn config(self) -> anyhow::Result<Config> {
        let asked = self.format.map(|name| match name {
            FormatName::Yaml => Format::Yaml,
            FormatName::Json => Format::Json,
        });
        let name = match asked {
            _ if self.partial => "openapi.partial.json",
            Some(Format::Yaml) => "openapi.yaml",
            _ => "openapi.json",
        };
        let target = match self.check.is_empty() || self.out.as_os_str() == "-" {
            true => Destination::of(&self.out, name),
            false => Destination::File(self.out.clone()),
        };
        target.refuse_packed()?;
        let format = match &target {
            Destination::Stdout => asked,
            Destination::File(path) => Format::of_path(path).or(asked),
        };
        if self.track_inputs && !self.partial && self.state.is_none() {
            return Err(Failure::usage(
                "--track-inputs requires a partial or a state; add --partial or --state FILE",
            ));
        }
        let mut inputs = self.inputs;
        inputs.extend(self.input_file);
        let kafka = [&self.kafka_broker, &self.kafka_topic, &self.kafka_group];
        if self.source == SourceName::Kafka {
            let [broker, topic, group] = kafka.map(Option::as_deref);
            let topic = Topic::of(broker, topic, group)
                .map_err(|error| Failure::usage(error.to_string()))?;
            inputs.push(Locator::Kafka(Box::new(topic)));
        } else if kafka.iter().any(|flag| flag.is_some()) {
            return Err(Failure::usage(
                "--kafka-broker, --kafka-topic and --kafka-group require --source kafka",
            ));
        }
        let topics = inputs.iter().filter(|input| matches!(input, Locator::Kafka(_))).count();
        let kept = self.follow || self.state.is_some();
        if topics > 0 && inputs.len() > 1 && kept {
            return Err(Failure::usage(
                "with --state or --follow, a topic must be the only input; combine its state with others by hmt-merge",
            ));
        }
        let specs_from_stdin = self.check.iter().filter(|spec| spec.as_os_str() == "-").count();
        if specs_from_stdin > 1
            || specs_from_stdin == 1 && (inputs.is_empty() || inputs.contains(&Locator::Stdio))
        {
            return Err(Failure::usage(
                "with --check -, standard input is the spec: name the recordings, and only one spec as -",
            ));
        }
        if inputs.is_empty() {
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                return Err(Failure::usage(
                    "no input; name a recording or a folder, or pipe exchanges to standard input",
                ));
            }
            inputs.push(Locator::Stdio);
        }
        if self.no_values && self.mode != Mode::Gen {
            return Err(Failure::usage(
                "--no-values cannot be used with --mode replay or mixed, whose recordings contain values; use --mode gen",
            ));
        }
        if self.no_values && self.finalise.shows_values() {
            return Err(Failure::usage(
                "--no-values cannot be used with --tight or --examples, which write observed values",
            ));
        }
        if self.partial && self.finalise.is_given() {
            return Err(Failure::usage(
                "--partial cannot be used with options that change how a spec is written; give them to hmt-merge when it builds the spec",
            ));
        }
        if self.split_hosts && !target.is_in_folder(name) {
            return Err(Failure::usage("--split-hosts requires a folder; name one with --out"));
        }
        let comparison = comparison(
            self.check,
            self.fail_on,
            self.report,
            &self.out,
            self.finalise.is_given() || self.split_hosts,
        )?;
        if self.follow {
            let rewritable = match &comparison {
                Some(comparison) => comparison.reports.iter().all(|(_, file)| file.is_some()),
                None => false,
            };
            can_be_followed(&inputs, &target, rewritable)?;
        }
        Ok(Config {
            mode: self.mode,
            initial: self.initial_openapi_spec,
            partial: self.partial,
            state: self.state,
            // Tracking identifies files, and finds their new parts.
            track_inputs: self.track_inputs || self.follow && !inputs.contains(&Locator::Stdio),
            follow: self.follow.then_some(self.every),
            allow_overlap: self.allow_overlap,
            options: self.finalise.options()?,
            openapi: self.finalise.version().map(|version| match version {
                OpenApi::V3_0 => Version::V3_0,
                OpenApi::V3_1 => Version::V3_1,
            }),
            explain: self.finalise.explain().to_vec(),
            split_hosts: self.split_hosts,
            selection: Selection { hosts: self.host, include: self.include, exclude: self.exclude },
            no_values: self.no_values,
            verify: self.verify,
            comparison,
            threads: self.threads.map_or_else(default_threads, usize::from),
            strict: self.strict,
            verbose: self.verbose,
            environment: Environment {
                stdin: || Box::new(std::io::stdin()),
                stop: Stop::never(),
                messages: shown(self.quiet),
                output: Box::new(Out::new(target, format.unwrap_or(Format::Yaml), self.quiet)),
            },
            inputs,
        })
    }
}

/// The specs to compare with and the reports to write, if --check was given.
fn comparison(
    specs: Vec<PathBuf>,
    mut fail_on: Vec<FailOn>,
    mut reports: Vec<(ReportFormat, Option<PathBuf>)>,
    out: &Path,
    shapes_spec: bool,
) -> anyhow::Result<Option<CheckConfig>> {
    if specs.is_empty() {
        return Ok(None);
    }
    if shapes_spec {
        return Err(Failure::usage(
            "--check writes a report; it cannot be used with options for writing a spec",
        ));
    }
    if fail_on.contains(&FailOn::Never) && fail_on.iter().any(|level| *level != FailOn::Never) {
        return Err(Failure::usage("--fail-on never cannot be used with other levels"));
    }
    if fail_on.is_empty() {
        fail_on.push(FailOn::Severity(Severity::Error));
    }
    if reports.is_empty() {
        reports.push((ReportFormat::Text, None));
    }
    if reports.iter().filter(|(_, file)| file.is_none()).count() > 1 {
        return Err(Failure::usage(
            "only one --report goes to --out: name files for the others, as --report json=FILE",
        ));
    }
    let is_dir = out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/');
    if is_dir && reports.iter().any(|(_, file)| file.is_none()) {
        return Err(Failure::usage("with --check, --out is the file of the report, not a folder"));
    }
    Ok(Some(CheckConfig { specs, fail_on, reports }))
}

/// Following needs one endless input, or growing files, and an output that can be rewritten.
fn can_be_followed(
    inputs: &[Locator],
    target: &Destination,
    rewritable: bool,
) -> anyhow::Result<()> {
    if *target == Destination::Stdout && !rewritable {
        return Err(Failure::usage(
            "--follow rewrites its output; name a file or folder with --out",
        ));
    }
    if inputs.contains(&Locator::Stdio) && inputs.len() > 1 {
        return Err(Failure::usage("--follow can read standard input or files, not both"));
    }
    for input in inputs {
        if let Locator::File(path) = input
            && !hmt_core::stream::grows(path)
        {
            return Err(Failure::usage(format!(
                "--follow can read only .jsonl and .ndjson files, not {}",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Beyond a few threads, reading is the bottleneck, and every thread has its own state.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(4))
}

/// Messages go to standard error.
fn shown(quiet: bool) -> Messages {
    let messages = cli::Messages::new("hmt-build", quiet);
    Messages::new(move |severity, text| match severity {
        MessageKind::Plain => messages.ready(text),
        MessageKind::Warning => messages.warn(text),
        MessageKind::Error => messages.error(text),
    })
}
