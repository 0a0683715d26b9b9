//! Options of hmt-build and hmt-merge that say how a spec is made of what was folded.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use hmt_core::infer::{Options, literals};

/// What finalising is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct FinaliseArgs {
    /// The title of a spec that is inferred; else the host's name
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The version of OpenAPI to write: 3.0 or 3.1
    ///
    /// Without it, 3.0, or the latest version among the specs that are read.
    #[arg(long, value_name = "VERSION")]
    openapi: Option<OpenApi>,

    /// Tell how often everything was seen, under x-hmt-evidence
    #[arg(long)]
    evidence: bool,

    /// Bound numbers, and the lengths of texts and arrays, by what was seen
    #[arg(long)]
    tight: bool,

    /// Give observed values as examples, but for secrets and what tells of a person
    #[arg(long)]
    examples: bool,

    /// Path segments that are names and never values, one a line
    ///
    /// A line may also be a path: then all of its segments are names, but for those in braces. Blank lines and lines
    /// that begin with # say nothing.
    #[arg(long, value_name = "FILE")]
    literals: Option<PathBuf>,

    /// Tell on standard error why a path is templated as it is; may be given again
    #[arg(long, value_name = "PATH")]
    explain: Vec<String>,
}

/// Versions that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpenApi {
    #[value(name = "3.0")]
    V3_0,
    #[value(name = "3.1")]
    V3_1,
}

impl FinaliseArgs {
    /// What the library is told; initial templates are the caller's.
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

    /// True where any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        self.title.is_some()
            || self.openapi.is_some()
            || self.evidence
            || self.shows_values()
            || self.literals.is_some()
            || !self.explain.is_empty()
    }

    /// The version that was asked for.
    pub(crate) fn version(&self) -> Option<OpenApi> {
        self.openapi
    }

    /// The paths to be explained.
    pub(crate) fn explain(&self) -> &[String] {
        &self.explain
    }

    /// True where values that were seen are to be written.
    pub(crate) fn shows_values(&self) -> bool {
        self.tight || self.examples
    }
}
