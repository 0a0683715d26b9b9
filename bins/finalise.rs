//! Options of hmt-build and hmt-merge for writing a spec.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use hmt_core::infer::{Options, literals};
use hmt_core::report::ReportFormat;

/// The options for writing a spec.
#[derive(Clone, Debug, Args)]
pub(crate) struct FinaliseArgs {
    /// The title of an inferred spec (default: the name of the host)
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The OpenAPI version to write
    ///
    /// The default is 3.0, or the latest version of the specs that are read.
    #[arg(long, value_name = "VERSION")]
    openapi: Option<OpenApi>,

    /// Add counts of observations, under x-hmt-evidence
    #[arg(long)]
    evidence: bool,

    /// Limit numbers, and the lengths of strings and arrays, to the observed ranges
    #[arg(long)]
    tight: bool,

    /// Add observed values as examples, except secrets and personal data
    #[arg(long)]
    examples: bool,

    /// A list of path segments, one on each line, that are names and not values
    ///
    /// A line can also be a path: all its segments are then names, except those in braces. Blank
    /// lines and lines that begin with # are ignored.
    #[arg(long, value_name = "FILE")]
    literals: Option<PathBuf>,

    /// Explain on standard error why this path is templated as it is (repeatable)
    #[arg(long, value_name = "PATH")]
    explain: Vec<String>,
}

/// The versions that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpenApi {
    #[value(name = "3.0")]
    V3_0,
    #[value(name = "3.1")]
    V3_1,
}

impl FinaliseArgs {
    /// The options for the library; the caller adds initial templates.
    ///
    /// # Errors
    /// The file of literals cannot be read.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        let literals = match &self.literals {
            Some(path) => literals(
                &std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
            ),
            None => BTreeSet::new(),
        };
        Ok(Options {
            title: self.title.clone(),
            literals,
            evidence: self.evidence,
            tight: self.tight,
            examples: self.examples,
            ..Options::default()
        })
    }

    /// True if any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        self.title.is_some()
            || self.openapi.is_some()
            || self.evidence
            || self.shows_values()
            || self.literals.is_some()
            || !self.explain.is_empty()
    }

    /// The requested version.
    pub(crate) fn version(&self) -> Option<OpenApi> {
        self.openapi
    }

    /// The paths to explain.
    pub(crate) fn explain(&self) -> &[String] {
        &self.explain
    }

    /// True if observed values are written.
    pub(crate) fn shows_values(&self) -> bool {
        self.tight || self.examples
    }
}

/// `FORMAT` or `FORMAT=FILE`, with one of these formats.
pub(crate) fn report_of_formats(
    text: &str,
    formats: &[&str],
) -> Result<(ReportFormat, Option<PathBuf>), String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    let format = ReportFormat::of_name(name)
        .filter(|_| formats.contains(&name))
        .ok_or_else(|| format!("{name:?} is not one of {}", formats.join(", ")))?;
    match file {
        Some("") => Err(format!("{text} names no file")),
        _ => Ok((format, file.map(PathBuf::from))),
    }
}
