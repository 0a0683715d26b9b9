//! The command line of `hmt-merge`: what was typed, then what it means.

use std::path::PathBuf;

use clap::builder::TypedValueParser as _;
use clap::{Parser, ValueEnum};
use hmt_core::cli::{Failure, Messages, Target};
use hmt_core::infer::Options;
use hmt_core::merge::Policy;
use hmt_core::spec::Format;

use super::finalise::{FinaliseArgs, OpenApi};

/// Merge OpenAPI specs, and partials of hmt-build, into one
///
/// What any of the specs describes, the result describes: paths, operations, responses, servers and components of all,
/// their schemas joined, and the recordings of replay specs. Unknown keywords stay.
#[derive(Debug, Parser)]
#[command(
    name = "hmt-merge",
    version,
    max_term_width = 100,
    after_long_help = "\
Examples:
  hmt-merge users.yaml orders.yaml > api.yaml
      One spec of two services; where their hosts differ, paths keep their servers.
  hmt-merge replay.yaml gen.yaml -o mixed.yaml
      A spec to mock by: recordings where there are, else data by the generated schemas.
  hmt-merge parts/*.partial.json > api.yaml
      What hmt-build would have made of all the recordings behind the parts.
  hmt-merge --conflict error v1.yaml v2.yaml > /dev/null
      Name every place where two specs differ.
  hmt-merge --base generated.yaml edited.yaml new.yaml > api.yaml
      What people changed in a generated spec, and what was inferred anew.
  hmt-merge --info parts/
      What is in each of the parts.

Exit status: 0 done, 1 failed (nothing was written), 2 wrong usage."
)]
pub(crate) struct Args {
    /// Specs (OpenAPI 3.0, 3.1, 3.2 or Swagger 2.0; YAML or JSON) and partials of hmt-build; `-` is standard input
    ///
    /// Of a folder, every .yaml, .yml and .json file in it, in the order of their names.
    #[arg(value_name = "SPEC|PARTIAL", required = true)]
    inputs: Vec<PathBuf>,

    /// Where to write: `-`, a file, or a folder, which gets openapi.json
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    out: PathBuf,

    /// Format of the output, where no file name tells: yaml on standard output, json in a folder
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// Write the united state of partials instead of a spec
    #[arg(long)]
    partial: bool,

    /// Tell what is in partials, and write nothing else
    ///
    /// Lines of `name: value` on standard output: mode, configuration, exchanges, hosts, paths and operations as kept, and
    /// the inputs, where hmt-build tracked them.
    #[arg(long, conflicts_with_all = ["out", "format", "partial", "title", "openapi", "evidence", "tight", "examples", "literals", "explain", "conflict"])]
    info: bool,

    /// Unite partials even where they were made of the same input
    #[arg(long)]
    allow_overlap: bool,

    /// Merge three ways: what people changed in the first SPEC since OLD stays, what the others changed comes in
    ///
    /// What both changed stays as in the first, and is told on standard error as `POINTER: ours / theirs`; with
    /// --conflict last it is as in the others, with --conflict error nothing is written.
    #[arg(long, value_name = "OLD", conflicts_with_all = ["partial", "info"])]
    base: Option<PathBuf>,

    #[command(flatten)]
    finalise: FinaliseArgs,

    /// With a folder as --out: write one spec of the partials for each host
    #[arg(long, conflicts_with_all = ["partial", "info", "base"])]
    split_hosts: bool,

    /// What becomes of values that differ: union, first, last or error
    ///
    /// union: schemas are joined; of other values the one that sorts first stays, so that the order of the specs does
    /// not matter. first, last: the value of the spec given first or last. error: fail, naming each place.
    #[arg(long, value_name = "POLICY", default_value = "union", value_parser = policy())]
    conflict: Policy,

    /// Tell on standard error what was read
    #[arg(short, long, conflicts_with = "quiet", overrides_with = "verbose")]
    verbose: bool,

    /// Only report errors
    #[arg(short, long)]
    quiet: bool,
}

fn policy() -> impl clap::builder::TypedValueParser<Value = Policy> {
    clap::builder::PossibleValuesParser::new(["union", "first", "last", "error"])
        .try_map(|name| name.parse::<Policy>())
}

/// A name of a format.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Yaml,
    Json,
}

/// What the command line means.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) target: Target,
    pub(crate) format: Format,
    pub(crate) partial: bool,
    pub(crate) info: bool,
    pub(crate) base: Option<PathBuf>,
    pub(crate) allow_overlap: bool,
    pub(crate) options: Options,
    pub(crate) openapi: Option<OpenApi>,
    pub(crate) explain: Vec<String>,
    pub(crate) split_hosts: bool,
    pub(crate) policy: Policy,
    pub(crate) verbose: bool,
    pub(crate) messages: Messages,
}

impl Args {
    /// Decides what is meant.
    ///
    /// # Errors
    /// Options that do not go together; a file of literals that cannot be read.
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
        if self.partial && self.finalise.is_given() {
            return Err(Failure::usage(
                "--partial: how a spec is written is told when one is made of the partial",
            ));
        }
        if self.split_hosts && !target.is_in_folder(name) {
            return Err(Failure::usage("--split-hosts needs a folder: name one with --out"));
        }
        Ok(Config {
            inputs: self.inputs,
            target,
            format: format.unwrap_or(Format::Yaml),
            partial: self.partial,
            info: self.info,
            base: self.base,
            allow_overlap: self.allow_overlap,
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
