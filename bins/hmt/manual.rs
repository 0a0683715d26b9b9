//! The manual pages, which are embedded in this executable, so that they are always available.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail};
use hmt_core::cli::Status;

use crate::tool::{Tool, on_path};

/// A page of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Page {
    /// hmt-record(1)
    #[value(alias = "hmt-record")]
    Record,
    /// hmt-build(1)
    #[value(alias = "hmt-build")]
    Build,
    /// hmt-merge(1)
    #[value(alias = "hmt-merge")]
    Merge,
    /// hmt-mock(1)
    #[value(alias = "hmt-mock")]
    Mock,
    /// hmt-replay(1)
    #[value(alias = "hmt-replay")]
    Replay,
    /// hmt-exchange(5): recordings, a line of JSON for each exchange
    #[value(alias = "hmt-exchange")]
    Exchange,
    /// hmt-spec(5): what HMT adds to OpenAPI
    #[value(alias = "hmt-spec")]
    Spec,
    /// hmt-pipelines(7): pipes, make, cron, GNU parallel, Kafka, Spark
    #[value(alias = "hmt-pipelines")]
    Pipelines,
}

impl Page {
    /// The file's name and its text.
    fn source(self) -> (&'static str, &'static str) {
        macro_rules! page {
            ($name:literal) => {
                ($name, include_str!(concat!("../../man/", $name)))
            };
        }
        match self {
            Page::Record => page!("hmt-record.1"),
            Page::Build => page!("hmt-build.1"),
            Page::Merge => page!("hmt-merge.1"),
            Page::Mock => page!("hmt-mock.1"),
            Page::Replay => page!("hmt-replay.1"),
            Page::Exchange => page!("hmt-exchange.5"),
            Page::Spec => page!("hmt-spec.5"),
            Page::Pipelines => page!("hmt-pipelines.7"),
        }
    }

    /// The tool that the page describes, if any.
    fn tool(self) -> Option<Tool> {
        let (file, _) = self.source();
        Tool::ALL.into_iter().find(|tool| file.split('.').next() == Some(tool.program()))
    }
}

/// Shows a page with `man`; without `man`, shows the help of the tool.
pub(crate) fn show(page: Page) -> anyhow::Result<Status> {
    let (file, text) = page.source();
    if on_path("man").is_some() {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let path = folder.path().join(file);
        fs::File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let status = Command::new("man").arg(&path).status().context("cannot run man")?;
        if status.success() {
            return Ok(Status::Done);
        }
    }
    match page.tool() {
        Some(tool) => tool.run(&["--help".into()], None),
        None => bail!(
            "there is no working `man` on PATH to show {file}; read it in the folder `man` of the source"
        ),
    }
}
