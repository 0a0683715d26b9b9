//! The command line of `hmt-merge`, and its conversion to a configuration.

use std::path::PathBuf;

use clap::builder::TypedValueParser as _;
use clap::{Parser, ValueEnum};
use hmt_core::cli::{Destination, Failure, Messages};
use hmt_core::infer::Options;
use hmt_core::merge::ConflictPolicy;
use hmt_core::report::ReportFormat;
use hmt_core::spec::Format;

use super::finalise::{FinaliseArgs, OpenApi, report_of_formats};

/// Merge OpenAPI specs, and partials of hmt-build, into one
///
/// The result contains the paths, operations, responses, servers and components of all specs, with
/// combined schemas, and the recordings of replay specs. Unknown keywords are kept.
#[derive(Debug, Parser)]
#[command(
    name = "hmt-merge",
    version,
    max_term_width = 100,
    after_long_help = "\
Examples:
  hmt-merge users.yaml orders.yaml > api.yaml
      Merge the specs of two services; if their hosts differ, paths keep their servers.
  hmt-merge replay.yaml gen.yaml -o mixed.yaml
      Make a spec for hmt-mock: recordings first, else data from the inferred schemas.
  hmt-merge parts/*.partial.json > api.yaml
      Build the spec of all recordings from which the partials were built.
  hmt-merge --conflict error v1.yaml v2.yaml > /dev/null
      Print every place where two specs differ.
  hmt-merge --base generated.yaml edited.yaml new.yaml > api.yaml
      Add newly inferred content to a spec, and keep what people changed in it.
  hmt-merge --diff old.yaml new.yaml
      List the changes that break clients of the old spec.
  hmt-merge --info parts/
      Print what each partial contains.

Exit status: 0 done, 1 failed (nothing was written) or --diff found a breaking change, 2 wrong
usage, 3 done, but some lines of partials were rejected."
)]
pub(crate) struct Args {
    /// Specs (OpenAPI 3.0, 3.1, 3.2 or Swagger 2.0; YAML or JSON) and partials of hmt-build; `-` is
    /// standard input
    ///
    /// In a folder, all .yaml, .yml and .json files are read, in the order of their names.
    #[arg(value_name = "SPEC|PARTIAL", required = true)]
    inputs: Vec<PathBuf>,

    /// Write to `-` (standard output), a file, or openapi.json in a folder
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    out: PathBuf,

    /// The output format (default: by file extension; yaml on standard output, json in a folder)
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// Write the combined partials as a partial instead of a spec
    #[arg(long)]
    partial: bool,

    /// Print what each partial contains, and write nothing else
    ///
    /// The lines on standard output have the form `name: value`: mode, configuration, exchanges,
    /// hosts, paths, operations, and the inputs if hmt-build tracked them.
    #[arg(long, conflicts_with_all = ["out", "format", "partial", "title", "openapi", "evidence", "tight", "examples", "literals", "explain", "conflict"])]
    info: bool,

    /// Fail at the first line that is not a valid partial
    ///
    /// Without this flag, such lines are reported, the others are merged, and the exit status is 3.
    #[arg(long)]
    strict: bool,

    /// Combine partials even if they were built from the same input
    #[arg(long)]
    allow_overlap: bool,

    /// Do a three-way merge: keep what people changed in the first SPEC since OLD, and add the
    /// changes in the others
    ///
    /// If both changed a value, the first SPEC wins, and a line `POINTER: ours / theirs` is printed
    /// on standard error. With --conflict last, the others win. With --conflict error, nothing is
    /// written.
    #[arg(long, value_name = "OLD", conflicts_with_all = ["partial", "info"])]
    base: Option<PathBuf>,

    /// Do not merge; report the changes from the first of two specs, OLD, to the second, NEW
    ///
    /// Each change is breaking, not breaking or unknown for clients, and has the name of a rule. If
    /// a change is breaking, the exit status is 1.
    #[arg(long, conflicts_with_all = ["format", "partial", "info", "base", "conflict", "allow_overlap", "split_hosts"])]
    diff: bool,

    /// Format of a report of --diff: text, json, junit or html (default: text; repeatable)
    ///
    /// A report without FILE is written to --out; there can be only one.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_report, requires = "diff")]
    report: Vec<(ReportFormat, Option<PathBuf>)>,

    #[command(flatten)]
    finalise: FinaliseArgs,

    /// Write one spec for each host in the partials, into the folder --out
    #[arg(long, conflicts_with_all = ["partial", "info", "base"])]
    split_hosts: bool,

    /// How to resolve values that differ: union, first, last or error
    ///
    /// union: combine schemas; of other values, keep the one that sorts first, so that the order of
    /// the specs does not matter. first, last: keep the value of the spec that is given first or
    /// last. error: fail, and print each place.
    #[arg(long, value_name = "POLICY", default_value = "union", value_parser = policy())]
    conflict: ConflictPolicy,

    /// Print on standard error what was read
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

fn policy() -> impl clap::builder::TypedValueParser<Value = ConflictPolicy> {
    clap::builder::PossibleValuesParser::new(["union", "first", "last", "error"])
        .try_map(|name| name.parse::<ConflictPolicy>())
}

/// `FORMAT` or `FORMAT=FILE`. Reports of changes have no SARIF format.
fn parse_report(text: &str) -> Result<(ReportFormat, Option<PathBuf>), String> {
    report_of_formats(text, &["text", "json", "junit", "html"])
}

/// A format name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Yaml,
    Json,
}

/// The configuration from the command line.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) target: Destination,
    pub(crate) format: Format,
    pub(crate) partial: bool,
    pub(crate) info: bool,
    pub(crate) base: Option<PathBuf>,
    /// The reports of `--diff`; `None` without the flag.
    pub(crate) diff: Option<Vec<(ReportFormat, Option<PathBuf>)>>,
    pub(crate) allow_overlap: bool,
    /// The first rejected record ends the run.
    pub(crate) strict: bool,
    pub(crate) options: Options,
    pub(crate) openapi: Option<OpenApi>,
    pub(crate) explain: Vec<String>,
    pub(crate) split_hosts: bool,
    pub(crate) policy: ConflictPolicy,
    pub(crate) verbose: bool,
    pub(crate) messages: Messages,
}

impl Config {
    /// True if a source is standard input.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.inputs.iter().any(|input| input.as_os_str() == "-")
    }
}

impl Args {
    /// The reports of --diff.
    fn reports(&self) -> anyhow::Result<Vec<(ReportFormat, Option<PathBuf>)>> {
        if self.inputs.len() != 2 {
            return Err(Failure::usage(
                "--diff compares two specs: name the old one, then the new one",
            ));
        }
        if self.finalise.is_given() {
            return Err(Failure::usage(
                "--diff writes a report; it cannot be used with options for writing a spec",
            ));
        }
        let mut reports = self.report.clone();
        if reports.is_empty() {
            reports.push((ReportFormat::Text, None));
        }
        if reports.iter().filter(|(_, file)| file.is_none()).count() > 1 {
            return Err(Failure::usage(
                "only one --report goes to --out: name files for the others, as --report json=FILE",
            ));
        }
        let is_dir = self.out.is_dir() || self.out.as_os_str().to_string_lossy().ends_with('/');
        if is_dir && reports.iter().any(|(_, file)| file.is_none()) {
            return Err(Failure::usage(
                "with --diff, --out is the file of the report, not a folder",
            ));
        }
        Ok(reports)
    }

    /// Converts the arguments to a configuration.
    ///
    /// # Errors
    /// Options cannot be combined; a file of literals cannot be read.
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
        let target = Destination::parse(&self.out, name)?;
        let format = match &target {
            Destination::Stdout => asked,
            Destination::File(path) => Format::of_path(path).or(asked),
        };
        let mut target = target;
        let diff = if self.diff { Some(self.reports()?) } else { None };
        if diff.is_some() && self.out.as_os_str() != "-" {
            target = Destination::File(self.out.clone());
        }
        if self.partial && self.finalise.is_given() {
            return Err(Failure::usage(
                "--partial cannot be used with options that change how a spec is written; give them when you build the spec",
            ));
        }
        if self.split_hosts && !target.is_in_folder(name) {
            return Err(Failure::usage("--split-hosts requires a folder; name one with --out"));
        }
        Ok(Config {
            inputs: self.inputs,
            target,
            format: format.unwrap_or(Format::Yaml),
            partial: self.partial,
            info: self.info,
            base: self.base,
            diff,
            allow_overlap: self.allow_overlap,
            strict: self.strict,
            options: self.finalise.options()?,
            openapi: self.finalise.version(),
            explain: self.finalise.explain().to_vec(),
            split_hosts: self.split_hosts,
            policy: self.conflict,
            verbose: self.verbose,
            messages: Messages::new("hmt-merge", self.quiet),
        })
    }
}
