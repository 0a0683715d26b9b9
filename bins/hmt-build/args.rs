//! The command line of `hmt-build`: what was typed, then what it means.
//!
//! The front end reads this file too, which is why its module has a path.

#[path = "args/output.rs"]
mod output;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use hmt_core::build::{Config, Environment, Messages, Severity, Stop};
use hmt_core::cli::{self, Failure, Target, parse_duration};
use hmt_core::exchange::{Pattern, Selection};
use hmt_core::infer::Mode;
use hmt_core::spec::{Format, Version};
use hmt_core::stream::{Locator, Topic};

use super::finalise::{FinaliseArgs, OpenApi};
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
      Add to a spec what new recordings show.
  hmt-build --verify traffic.har
      Build a spec from a browser's capture, and check every exchange against it.
  hmt-build -m replay recordings.jsonl -o replay.yaml
      Keep the recordings themselves in the spec, for hmt-mock to answer with.
  hmt-build --state api.state --track-inputs logs/ -o api.yaml
      Add to what earlier runs have read what is new in the logs.
  hmt-record -t https://api.example.com | hmt-build --follow -o api.yaml -
      Keep a spec current while recording.
  hmt-build --follow --state api.state 'kafka://broker:9092/http_recordings?group=specs' -o api.yaml
      Keep a spec current from Kafka; whatever is killed, every record is counted once.
  hmt-build --partial part-0001.jsonl > 0001.partial.json
      Build a part, to be united with others by hmt-merge.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some records were rejected."
)]
pub(crate) struct Args {
    /// Exchanges: `-`, a file, a folder of files, or a topic (kafka://BROKER/TOPIC)
    ///
    /// Files are recognised by content: JSON Lines, HAR, mitmproxy flows, Charles JSON sessions, Postman collections with
    /// saved responses, and partials; each also packed by gzip, zstd or zip.
    ///
    /// Without any, and where standard input is no terminal, `-` is read.
    #[arg(value_name = "LOCATOR")]
    inputs: Vec<Locator>,

    /// Exchanges, as the positional argument
    #[arg(short = 'i', long = "input-file", value_name = "LOCATOR")]
    input_file: Vec<Locator>,

    /// Where exchanges come from where no locator says so: files, or a topic of Kafka
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = SourceName::File, hide_default_value = true)]
    source: SourceName,

    /// The brokers of --source kafka, HOST:PORT, by commas (default: localhost:9092)
    #[arg(long, value_name = "BROKER")]
    kafka_broker: Option<String>,

    /// The topic of --source kafka (default: http_recordings)
    #[arg(long, value_name = "TOPIC")]
    kafka_topic: Option<String>,

    /// The consumer group of --source kafka; without one, all of the topic is read
    #[arg(long, value_name = "GROUP")]
    kafka_group: Option<String>,

    /// What to make of the traffic: gen, replay or mixed
    ///
    /// gen: templated paths and inferred schemas. replay: literal paths, schemas of the recorded constants, and the
    /// recordings themselves under x-hmt-replay. mixed: the generated spec with the recordings.
    #[arg(short, long, value_name = "MODE", default_value = "gen")]
    mode: Mode,

    /// A spec to start from: what it describes stays, and is widened by what the traffic shows
    ///
    /// Its path templates, parameter names and base paths are honoured.
    #[arg(short = 'a', long, value_name = "FILE", conflicts_with = "partial")]
    initial_openapi_spec: Option<PathBuf>,

    /// Where to write: `-`, a file, or a folder, which gets openapi.json
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    out: PathBuf,

    /// Format of the output, where no file name tells: yaml on standard output, json in a folder
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// Write the state instead of a spec: a line for hmt-merge or hmt-build to go on from
    ///
    /// It holds observed values, so a file is only readable by its owner.
    #[arg(long)]
    partial: bool,

    /// Go on from the state in this file, if it is there, and write the new state into it at the end
    ///
    /// The result is that of one run over all that was ever read. The file is a partial, only readable by its owner.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Write into the partial or state what it was made of, so that nothing is counted twice
    ///
    /// Files are known by their content: hmt-merge and hmt-build then refuse partials of the same file, or of one that
    /// has grown since. With --state, files that are in it are passed over, and of those that have grown only what is
    /// new is read. Standard input cannot be tracked.
    #[arg(long)]
    track_inputs: bool,

    /// Go on as exchanges arrive, and rewrite the output every few seconds until SIGTERM, or the end of standard input
    ///
    /// Reads standard input, a topic, or .jsonl and .ndjson files and folders of them as they grow. Ctrl-C ends it too
    /// where it reads files or a topic. With --state, what the spec is made of is in the state before the spec is written.
    #[arg(long, conflicts_with_all = ["partial", "verify"])]
    follow: bool,

    /// How often --follow writes, where something is new
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, requires = "follow")]
    every: Duration,

    /// Unite partials, and files with --track-inputs, even where they were made of the same input
    #[arg(long)]
    allow_overlap: bool,

    #[command(flatten)]
    finalise: FinaliseArgs,

    /// With a folder as --out: write one spec for each host
    #[arg(long, conflicts_with_all = ["partial", "initial_openapi_spec"])]
    split_hosts: bool,

    /// Only take exchanges with this host, with its port or without; may be given again
    #[arg(long, value_name = "PATTERN")]
    host: Vec<Pattern>,

    /// Only take exchanges whose `METHOD host/path` matches; may be given again
    ///
    /// In a pattern, * is any run of characters and ? any one; it must cover the whole.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<Pattern>,

    /// Leave out exchanges whose `METHOD host/path` matches; may be given again
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<Pattern>,

    /// Keep no observed value, in a partial neither; there are then no enums
    ///
    /// Only words of paths and names of properties are kept. Partials made so can only be united with each other.
    #[arg(long)]
    no_values: bool,

    /// Check every input exchange against the spec, and fail if one does not conform
    ///
    /// Standard input is kept in a temporary file meanwhile, only readable by its owner. Of a topic the same offsets are
    /// read again.
    #[arg(long, conflicts_with = "partial")]
    verify: bool,

    /// Threads to fold with; the result is the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,

    /// Fail at the first rejected record
    #[arg(long)]
    strict: bool,

    /// Tell on standard error what was read
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Only report errors
    #[arg(short, long)]
    quiet: bool,
}

/// A name of a format.
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
    /// Decides what is meant.
    ///
    /// # Errors
    /// No input; nothing to track inputs in; options that do not go together; a file of literals that cannot be read.
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
        let target = Target::of(&self.out, name);
        let format = match &target {
            Target::Stdout => asked,
            Target::File(path) => Format::of_path(path).or(asked),
        };
        if self.track_inputs && !self.partial && self.state.is_none() {
            return Err(Failure::usage(
                "--track-inputs writes into a partial or a state: add --partial or --state FILE",
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
                "--kafka-broker, --kafka-topic and --kafka-group are for --source kafka",
            ));
        }
        let topics = inputs.iter().filter(|input| matches!(input, Locator::Kafka(_))).count();
        let kept = self.follow || self.state.is_some();
        if topics > 0 && inputs.len() > 1 && kept {
            return Err(Failure::usage(
                "with --state or --follow, a topic is read alone; hmt-merge unites its state with others",
            ));
        }
        if inputs.is_empty() {
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                return Err(Failure::usage(
                    "no input: name a recording or a folder, or pipe exchanges in",
                ));
            }
            inputs.push(Locator::Stdio);
        }
        if self.no_values && self.mode != Mode::Gen {
            return Err(Failure::usage(
                "--no-values: the recordings of the modes replay and mixed are values; use the mode gen",
            ));
        }
        if self.no_values && self.finalise.shows_values() {
            return Err(Failure::usage(
                "--no-values keeps nothing that --tight or --examples could show",
            ));
        }
        if self.partial && self.finalise.is_given() {
            return Err(Failure::usage(
                "--partial: how a spec is written is told to hmt-merge, when it makes one of the partial",
            ));
        }
        if self.split_hosts && !target.is_in_folder(name) {
            return Err(Failure::usage("--split-hosts needs a folder: name one with --out"));
        }
        if self.follow {
            can_be_followed(&inputs, &target)?;
        }
        Ok(Config {
            mode: self.mode,
            initial: self.initial_openapi_spec,
            partial: self.partial,
            state: self.state,
            // Files are told from one another, and what is new in them from what is not, by what was read of them.
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
            threads: self.threads.map_or_else(default_threads, usize::from),
            strict: self.strict,
            verbose: self.verbose,
            environment: Environment {
                stdin: || Box::new(std::io::stdin()),
                stop: Stop::never(),
                messages: shown(self.quiet),
                output: Box::new(Out { target, format: format.unwrap_or(Format::Yaml) }),
            },
            inputs,
        })
    }
}

/// One endless input, or files that grow, and an output that can be rewritten.
fn can_be_followed(inputs: &[Locator], target: &Target) -> anyhow::Result<()> {
    if *target == Target::Stdout {
        return Err(Failure::usage(
            "--follow rewrites its output: name a file or folder with --out",
        ));
    }
    if inputs.contains(&Locator::Stdio) && inputs.len() > 1 {
        return Err(Failure::usage("--follow reads standard input or files, not both"));
    }
    for input in inputs {
        if let Locator::File(path) = input
            && !hmt_core::stream::grows(path)
        {
            return Err(Failure::usage(format!(
                "--follow reads files of lines as they grow, .jsonl or .ndjson, and not {}",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Beyond a few, the reader is the bottleneck, and every thread has a state of its own.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(4))
}

/// Messages go to standard error.
fn shown(quiet: bool) -> Messages {
    let messages = cli::Messages::new("hmt-build", quiet);
    Messages::new(move |severity, text| match severity {
        Severity::Plain => messages.ready(text),
        Severity::Warning => messages.warn(text),
        Severity::Error => messages.error(text),
    })
}
