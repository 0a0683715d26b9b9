//! The options of `hmt-replay send` that compare responses.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use hmt_core::cli::Failure;
use hmt_core::replay::{DiffOptions, IgnoreRule, RulePlace};
use hmt_core::report::ReportFormat;
use hmt_core::stream::Locator;

/// What is compared, and where it is reported.
#[derive(Clone, Debug, Args)]
pub(crate) struct DiffArgs {
    /// Compare the new responses with the recorded ones; end with 1 on a difference
    ///
    /// This compares the status, the end-to-end headers (except those that differ by nature) and
    /// the body: JSON by pointer, text by line, anything else by bytes. Carried values,
    /// consistently renamed ids, and the order of array items with ids do not count as differences.
    #[arg(long, help_heading = "Comparison")]
    diff: bool,

    /// A part that may differ: header:NAME, json:/POINTER, or query:NAME (repeatable)
    ///
    /// In a pointer, * matches any key or index. A pointer includes all values below it. A query
    /// parameter is ignored in URLs of responses, and when requests are compared.
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = ignored,
        help_heading = "Comparison")]
    ignore: Vec<RulePlace>,

    /// Read from FILE the rules for what may differ, add rules for what varies between equal
    /// recorded requests, and write FILE back
    ///
    /// Each line of FILE is a rule, followed by its reason. Existing lines are kept.
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    learn_ignore: Option<PathBuf>,

    /// Send each request twice, and learn what varies between the two responses (only safe methods
    /// unless --unsafe-methods)
    #[arg(long, help_heading = "Comparison")]
    learn_by_sending: bool,

    /// Format of a report of --diff: text, json, junit or html (default: text; repeatable)
    ///
    /// Without FILE, text goes to standard error. The others go to standard output, if --out names
    /// another place.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = report, requires = "diff",
        help_heading = "Comparison")]
    report: Vec<(ReportFormat, Option<PathBuf>)>,
}

fn ignored(text: &str) -> Result<RulePlace, String> {
    text.parse::<RulePlace>().map_err(|error| error.to_string())
}

/// `FORMAT` or `FORMAT=FILE`.
fn report(text: &str) -> Result<(ReportFormat, Option<PathBuf>), String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    let format = ReportFormat::of_name(name)
        .filter(|format| *format != ReportFormat::Sarif)
        .ok_or_else(|| format!("{name:?} is not one of text, json, junit, html"))?;
    if file == Some("") {
        return Err(format!("{text} names no file"));
    }
    Ok((format, file.map(PathBuf::from)))
}

/// What is compared, and where it is reported.
pub(crate) struct DiffConfig {
    /// Differences make the run fail, and are reported.
    pub(crate) diff: bool,
    /// Each safe request is sent twice.
    pub(crate) twice: bool,
    pub(crate) options: DiffOptions,
    /// The file of rules, with its content.
    pub(crate) learn: Option<(PathBuf, String)>,
    pub(crate) reports: Vec<(ReportFormat, Option<PathBuf>)>,
}

impl DiffArgs {
    /// `None` if responses are not compared.
    pub(crate) fn config(
        self,
        target: String,
        out: &Locator,
    ) -> anyhow::Result<Option<DiffConfig>> {
        if self.learn_by_sending && !self.diff && self.learn_ignore.is_none() {
            return Err(Failure::usage(
                "--learn-by-sending requires --diff or --learn-ignore FILE",
            ));
        }
        let to_stdout = self
            .report
            .iter()
            .filter(|(format, file)| *format != ReportFormat::Text && file.is_none())
            .count();
        if to_stdout > 0 && *out == Locator::Stdio {
            return Err(Failure::usage(
                "the report and the new exchanges cannot both go to standard output: name a file, as --report json=FILE or -o FILE",
            ));
        }
        if to_stdout > 1 {
            return Err(Failure::usage(
                "only one --report goes to standard output: name files for the others, as --report json=FILE",
            ));
        }
        if !self.diff && self.learn_ignore.is_none() {
            if !self.ignore.is_empty() {
                return Err(Failure::usage("--ignore requires --diff or --learn-ignore FILE"));
            }
            return Ok(None);
        }
        let mut rules: Vec<IgnoreRule> =
            self.ignore.into_iter().map(IgnoreRule::everywhere).collect();
        let learn = match self.learn_ignore {
            None => None,
            Some(path) => {
                let text = match std::fs::read_to_string(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                    text => text.with_context(|| format!("--learn-ignore {}", path.display()))?,
                };
                let own = IgnoreRule::read_all(&text)
                    .with_context(|| format!("--learn-ignore {}", path.display()))?;
                rules.extend(own);
                Some((path, text))
            }
        };
        let mut reports = self.report;
        if self.diff && reports.is_empty() {
            reports.push((ReportFormat::Text, None));
        }
        Ok(Some(DiffConfig {
            diff: self.diff,
            twice: self.learn_by_sending,
            options: DiffOptions {
                rules,
                learns: learn.is_some() || self.learn_by_sending,
                learns_from_recording: learn.is_some(),
                target,
            },
            learn,
            reports,
        }))
    }
}
