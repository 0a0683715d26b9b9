//! The programs that `hmt` runs: their names, their command lines, and their locations.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, anyhow};
use hmt_core::cli::{NEXT, Status};

/// A program in the same folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    /// hmt-record
    Record,
    /// hmt-build
    Build,
    /// hmt-merge
    Merge,
    /// hmt-mock
    Mock,
    /// hmt-replay
    Replay,
}

impl Tool {
    /// All of them, in the order of the pipeline.
    pub(crate) const ALL: [Tool; 5] =
        [Tool::Record, Tool::Build, Tool::Merge, Tool::Mock, Tool::Replay];

    /// The tool with a command name such as `record`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The name of the command: `record`.
    pub(crate) fn name(self) -> &'static str {
        self.program().trim_start_matches("hmt-")
    }

    /// The name of the executable: `hmt-record`.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Tool::Record => "hmt-record",
            Tool::Build => "hmt-build",
            Tool::Merge => "hmt-merge",
            Tool::Mock => "hmt-mock",
            Tool::Replay => "hmt-replay",
        }
    }

    /// Its command line, which the program itself also uses.
    pub(crate) fn command(self) -> clap::Command {
        crate::commands::of(self)
    }

    /// Replaces this process with the program; returns only if that fails. `next` is the command
    /// that the closing line of the program names.
    pub(crate) fn run(self, args: &[OsString], next: Option<&str>) -> anyhow::Result<Status> {
        let path = self.find()?;
        let mut command = process::Command::new(&path);
        command.args(args);
        command.env(NEXT, next.unwrap_or_default());
        replace_process(&mut command).with_context(|| format!("cannot run {}", path.display()))
    }

    /// Starts the program as a child process; `next` as for [`Tool::run`].
    pub(crate) fn spawn(
        self,
        args: &[OsString],
        next: Option<&str>,
    ) -> anyhow::Result<process::Child> {
        let path = self.find()?;
        let mut command = process::Command::new(&path);
        let spawned = command.args(args).env(NEXT, next.unwrap_or_default()).spawn();
        spawned.with_context(|| format!("cannot run {}", path.display()))
    }

    /// The path of the program.
    ///
    /// # Errors
    /// The program is not installed.
    pub(crate) fn find(self) -> anyhow::Result<PathBuf> {
        let name = format!("{}{}", self.program(), env::consts::EXE_SUFFIX);
        let own = env::current_exe().context("cannot find the folder of this program")?;
        let folder = own.parent().unwrap_or(Path::new("."));
        let beside = folder.join(&name);
        if beside.is_file() {
            return Ok(beside);
        }
        on_path(&name).ok_or_else(|| {
            anyhow!(
                "{name} is neither in {} nor on PATH; run `cargo install --path .` in the source to install all programs",
                folder.display()
            )
        })
    }
}

/// The first file with that name in a folder of `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|p| p.is_file())
}

#[cfg(unix)]
fn replace_process(command: &mut process::Command) -> anyhow::Result<Status> {
    use std::os::unix::process::CommandExt as _;
    // Signals, terminal and exit status are then the tool's own.
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace_process(command: &mut process::Command) -> anyhow::Result<Status> {
    let status = command.status()?;
    process::exit(status.code().unwrap_or(1))
}
