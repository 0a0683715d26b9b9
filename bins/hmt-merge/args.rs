//! The command line of `hmt-merge`: what was typed, then what it means.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::TypedValueParser as _;
use clap::{Parser, ValueEnum};
use hmt_core::cli::Messages;
use hmt_core::merge::Policy;
use hmt_core::spec::{Document, Format, load};

/// Merge OpenAPI specs into one
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
  hmt-merge --conflict error v1.yaml v2.yaml > /dev/null
      Name every place where two specs differ.

Exit status: 0 done, 1 failed (nothing was written), 2 wrong usage."
)]
pub(crate) struct Args {
    /// Specs to merge (OpenAPI 3.0, 3.1, 3.2 or Swagger 2.0; YAML or JSON); `-` is standard input
    #[arg(value_name = "SPEC", required = true)]
    specs: Vec<PathBuf>,

    /// Where to write: `-`, a file, or a folder, which gets openapi.json
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    out: PathBuf,

    /// Format of the output, where no file name tells: yaml on standard output, json in a folder
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<FormatName>,

    /// What becomes of values that differ: union, first, last or error
    ///
    /// union: schemas are joined; of other values the one that sorts first stays, so that the order of the specs does
    /// not matter. first, last: the value of the spec given first or last. error: fail, naming each place.
    #[arg(long, value_name = "POLICY", default_value = "union", value_parser = policy())]
    conflict: Policy,

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

/// Where the result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout(Format),
    /// Written as a whole or not at all.
    File(PathBuf, Format),
}

/// What the command line means.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) specs: Vec<PathBuf>,
    pub(crate) target: Target,
    pub(crate) policy: Policy,
    pub(crate) messages: Messages,
}

impl Args {
    /// Decides what is meant.
    pub(crate) fn config(self) -> Config {
        let format = self.format.map(|name| match name {
            FormatName::Yaml => Format::Yaml,
            FormatName::Json => Format::Json,
        });
        Config {
            specs: self.specs,
            target: target(self.out, format),
            policy: self.conflict,
            messages: Messages::new("hmt-merge", self.quiet),
        }
    }
}

/// The rule of all tools: `-`, a folder (ends in `/`, is one, or has no extension), else a file.
fn target(out: PathBuf, format: Option<Format>) -> Target {
    if out.as_os_str() == "-" {
        return Target::Stdout(format.unwrap_or(Format::Yaml));
    }
    let folder = out.as_os_str().to_string_lossy().ends_with('/')
        || out.is_dir()
        || !out.exists() && out.extension().is_none();
    if !folder {
        let named = Format::of_path(&out).or(format).unwrap_or(Format::Yaml);
        return Target::File(out, named);
    }
    let format = format.unwrap_or(Format::Json);
    let name = match format {
        Format::Json => "openapi.json",
        Format::Yaml => "openapi.yaml",
    };
    Target::File(out.join(name), format)
}

/// Reads a spec from standard input.
///
/// # Errors
/// Where it cannot be read, or is no spec.
pub(crate) fn stdin() -> anyhow::Result<Document> {
    // One byte more than a document may have: the loader then says so.
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take((64 << 20) + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Ok(load(&bytes, "<stdin>")?)
}
