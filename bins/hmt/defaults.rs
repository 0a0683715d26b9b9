//! Adds defaults to the arguments of a tool: the folders `logs` and `specs`, and the next command,
//! which the closing line names.
//!
//! The tool's own command line definition decides whether the user named an input or an output. So
//! every spelling counts (`-o FILE`, `-oFILE`, `--out=FILE`, `-do FILE`), and the value of another
//! flag never does.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;
use clap::parser::ValueSource;
use hmt_core::cli::Status;

use crate::tool::Tool;

/// The default folder of recordings.
pub(crate) const LOGS: &str = "logs";
/// The default folder of specs.
pub(crate) const SPECS: &str = "specs";

/// How to run a tool.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) tool: Tool,
    pub(crate) args: Vec<OsString>,
    /// The command that usually follows, if the run makes something.
    pub(crate) next: Option<String>,
}

impl Call {
    fn unchanged(tool: Tool, args: Vec<OsString>) -> Self {
        Call { tool, args, next: None }
    }

    /// Runs the tool in place of this process; returns only if that fails.
    pub(crate) fn run(&self) -> anyhow::Result<Status> {
        self.tool.run(&self.args, self.next.as_deref())
    }
}

/// Adds the defaults to the arguments of a tool.
///
/// # Errors
/// A folder that cannot be created.
pub(crate) fn call(tool: Tool, args: Vec<OsString>) -> anyhow::Result<Call> {
    match tool {
        Tool::Record => record(args, Path::new(SPECS)),
        Tool::Build => Ok(build(args)),
        Tool::Merge => Ok(merge(args)),
        Tool::Mock => Ok(mock(args)),
        Tool::Replay => Ok(replay(args)),
    }
}

/// `hmt record`, which records into `logs` if no output is named.
///
/// # Errors
/// A folder that cannot be created.
pub(crate) fn record(mut args: Vec<OsString>, specs: &Path) -> anyhow::Result<Call> {
    let tool = Tool::Record;
    let Some(matches) = parse(tool, &args) else { return Ok(Call::unchanged(tool, args)) };
    if raw(&matches, "verb").is_some_and(|verb| verb != "start") {
        return Ok(Call::unchanged(tool, args));
    }
    let outputs = ["out", "log_dir", "kafka_broker", "kafka_topic"];
    let next = if outputs.into_iter().any(|id| is_given(&matches, id)) {
        let made = raw(&matches, "log_dir").or_else(|| raw(&matches, "out"));
        made.filter(|made| made != "-").map(|made| format!("hmt build {made}"))
    } else {
        // Recordings hold traffic, so their folder is private; specs are meant to be shared.
        make_folder(Path::new(LOGS), true)?;
        make_folder(specs, false)?;
        insert(&mut args, ["--log-dir", LOGS]);
        Some("hmt build".to_owned())
    };
    Ok(Call { tool, args, next })
}

/// `hmt build`, which reads `logs` and writes to `specs`.
fn build(mut args: Vec<OsString>) -> Call {
    let tool = Tool::Build;
    let Some(matches) = parse(tool, &args) else { return Call::unchanged(tool, args) };
    if !reads(&matches) {
        insert(&mut args, ["--input-file", LOGS]);
    }
    let next = match raw(&matches, "out").filter(|_| is_given(&matches, "out")) {
        Some(out) if matches.get_flag("partial") => Some(format!("hmt merge {out}")),
        Some(out) => Some(format!("hmt mock {out}")),
        None => {
            // A report goes to standard output.
            if is_given(&matches, "check") {
                return Call::unchanged(tool, args);
            }
            insert(&mut args, ["--out", SPECS]);
            let partial = matches.get_flag("partial");
            Some(if partial { "hmt merge specs".to_owned() } else { "hmt mock".to_owned() })
        }
    };
    Call { tool, args, next }
}

/// `hmt check`: `hmt-build --check`, which compares `logs` with `specs`.
pub(crate) fn check(mut args: Vec<OsString>) -> Call {
    let tool = Tool::Build;
    // Without --check, its own flags are refused.
    let mut with_check = args.clone();
    insert(&mut with_check, ["--check", SPECS]);
    let Some(matches) = parse(tool, &with_check) else {
        return Call::unchanged(tool, with_check);
    };
    if matches.get_raw("check").is_none_or(|specs| specs.len() == 1) {
        args = with_check;
    }
    if !reads(&matches) {
        insert(&mut args, ["--input-file", LOGS]);
    }
    let next = if is_given(&matches, "report") {
        "hmt build"
    } else {
        "hmt check --report html=report.html"
    };
    Call { tool, args, next: Some(next.to_owned()) }
}

/// `hmt merge`, whose result is usually mocked.
fn merge(args: Vec<OsString>) -> Call {
    let matches = parse(Tool::Merge, &args);
    let out = matches.and_then(|matches| raw(&matches, "out").filter(|out| out != "-"));
    Call { tool: Tool::Merge, args, next: out.map(|out| format!("hmt mock {out}")) }
}

/// `hmt mock`, which serves `specs`.
fn mock(mut args: Vec<OsString>) -> Call {
    let tool = Tool::Mock;
    let mut with_specs = args.clone();
    insert(&mut with_specs, [SPECS]);
    // With --kill and --status, this is refused.
    if let Some(matches) = parse(tool, &with_specs)
        && matches.get_raw("specs").is_some_and(|specs| specs.len() == 1)
        && matches.get_raw("callback_dir").is_none()
    {
        args = with_specs;
    }
    let is_served = parse(tool, &args).is_some_and(|matches| {
        let word = raw(&matches, "specs");
        ["kill", "status", "daemon"].into_iter().all(|flag| !matches.get_flag(flag))
            && !word.is_some_and(|word| BACKGROUND.contains(&&*word))
    });
    Call { tool, args, next: is_served.then(|| "hmt check".to_owned()) }
}

/// `hmt replay`, which is `serve`, and serves `logs`.
fn replay(mut args: Vec<OsString>) -> Call {
    let tool = Tool::Replay;
    let command = tool.command();
    let first = args.first().and_then(|word| word.to_str()).unwrap_or_default();
    let is_own = ["-h", "--help", "-V", "--version", "help"].contains(&first);
    if is_own {
        return Call::unchanged(tool, args);
    }
    if command.find_subcommand(first).is_none() {
        args.insert(0, "serve".into());
    }
    let mut with_logs = args.clone();
    with_logs.insert(1, LOGS.into());
    let sources = |args: &[OsString]| -> Option<usize> {
        let matches = parse(tool, args)?;
        let (_, matches) = matches.subcommand()?;
        Some(matches.get_raw("sources")?.len())
    };
    if sources(&with_logs) == Some(1) {
        args = with_logs;
    }
    let is_served = parse(tool, &args).is_some_and(|matches| {
        matches.subcommand().is_some_and(|(name, matches)| {
            name == "serve"
                && !matches.get_flag("daemon")
                && !raw(matches, "sources").is_some_and(|word| BACKGROUND.contains(&&*word))
        })
    });
    let next = is_served.then(|| "hmt replay send --target URL --diff".to_owned());
    Call { tool, args, next }
}

/// The words that address a server in the background.
const BACKGROUND: [&str; 2] = ["stop", "status"];

/// The folder that `hmt record` writes its recordings to; `None` if it does not, or runs in the
/// background. If the tool refuses the command line, the program ends here as the tool would.
pub(crate) fn log_folder(args: &[OsString]) -> Option<PathBuf> {
    let matches = try_parse(Tool::Record, args).unwrap_or_else(|error| error.exit());
    if matches.get_flag("daemon") || raw(&matches, "verb").is_some_and(|verb| verb != "start") {
        return None;
    }
    matches.get_raw("log_dir")?.next().map(PathBuf::from)
}

/// The meaning of the arguments for the tool; `None` if it will refuse them, or prints its help.
fn parse(tool: Tool, args: &[OsString]) -> Option<ArgMatches> {
    try_parse(tool, args).ok()
}

fn try_parse(tool: Tool, args: &[OsString]) -> clap::error::Result<ArgMatches> {
    let command = tool.command();
    let name = OsString::from(command.get_name());
    command.try_get_matches_from(std::iter::once(name).chain(args.iter().cloned()))
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Whether the arguments of `hmt-build` name an input.
fn reads(matches: &ArgMatches) -> bool {
    ["inputs", "input_file", "source"].into_iter().any(|id| is_given(matches, id))
}

/// The first value of an argument, as text.
fn raw(matches: &ArgMatches, id: &str) -> Option<String> {
    Some(matches.get_raw(id)?.next()?.to_string_lossy().into_owned())
}

/// Flags must precede `--`, and follow a word such as `start` that may determine their meaning.
fn insert<const N: usize>(args: &mut Vec<OsString>, addition: [&str; N]) {
    let at = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    args.splice(at..at, addition.map(OsString::from));
}

fn make_folder(path: &Path, private: bool) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).with_context(|| format!("cannot create the folder {}", path.display()))
}
