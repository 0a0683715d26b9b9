//! The two defaults of the front end for the output.
//!
//! Whether the user named an output is read from the tool's own command line definition, so that
//! every spelling counts (`-o FILE`, `-oFILE`, `--out=FILE`, `-do FILE`), and the value of another
//! flag never does.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::tool::Tool;

/// The default folder of `hmt record` for its recordings.
const LOGS: &str = "logs";
/// The default folder of `hmt build` for its specs.
pub(crate) const SPECS: &str = "specs";

/// Adds the defaults to the arguments of a tool, and creates their folders.
pub(crate) fn apply(tool: Tool, args: Vec<OsString>) -> anyhow::Result<Vec<OsString>> {
    let addition = match tool {
        Tool::Record => ["--log-dir", LOGS],
        Tool::Build => ["--out", SPECS],
        Tool::Merge | Tool::Mock | Tool::Replay => return Ok(args),
    };
    if says_where(&tool.command(), &args) {
        return Ok(args);
    }
    if tool == Tool::Record {
        // Recordings hold traffic, so their folder is private; specs are meant to be shared.
        make_folder(Path::new(LOGS), true)?;
        make_folder(Path::new(SPECS), false)?;
    }
    Ok(insert(args, addition))
}

/// The arguments of `hmt check` for `hmt-build`: it reads `logs` and compares with `specs`, where
/// nothing else is named.
pub(crate) fn check(args: Vec<OsString>) -> Vec<OsString> {
    let command = Tool::Build.command();
    // Without --check, its own flags are refused.
    let with_check = insert(args.clone(), ["--check", SPECS]);
    let words = std::iter::once(OsString::from(command.get_name())).chain(with_check.clone());
    let Ok(matches) = command.clone().try_get_matches_from(words) else { return with_check };
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let is_named = matches.get_raw("check").is_some_and(|specs| specs.len() > 1);
    let reads = ["inputs", "input_file", "source"].into_iter().any(is_given);
    let args = if is_named { args } else { with_check };
    if reads { args } else { insert(args, ["--input-file", LOGS]) }
}

/// The folder that `hmt record` writes its recordings to; `None` if it does not, or runs in the
/// background. If the tool refuses the command line, the program ends here as the tool would.
pub(crate) fn log_folder(args: &[OsString]) -> Option<PathBuf> {
    let command = Tool::Record.command();
    let words = std::iter::once(OsString::from(command.get_name())).chain(args.iter().cloned());
    let matches = command.clone().try_get_matches_from(words).unwrap_or_else(|error| error.exit());
    if matches.get_flag("daemon") || command.get_arguments().any(|arg| is_other_task(arg, &matches))
    {
        return None;
    }
    matches.get_raw("log_dir")?.next().map(PathBuf::from)
}

/// Whether the default does not apply: a flag names an output, there is no output of this kind
/// (`stop`, `status`, `import`, `--help`, `--version`), or the tool will refuse the command line
/// anyway.
fn says_where(command: &clap::Command, args: &[OsString]) -> bool {
    let words = std::iter::once(OsString::from(command.get_name())).chain(args.iter().cloned());
    let Ok(matches) = command.clone().try_get_matches_from(words) else { return true };
    given(command, &matches)
}

fn given(command: &clap::Command, matches: &ArgMatches) -> bool {
    let named = command.get_arguments().any(|arg| {
        let id = arg.get_id().as_str();
        let typed = matches.value_source(id) == Some(ValueSource::CommandLine);
        typed && (arg.get_long().is_some_and(names_output) || is_other_task(arg, matches))
    });
    named
        || matches.subcommand().is_some_and(|(name, matches)| {
            OTHER_TASKS.contains(&name)
                || command.find_subcommand(name).is_some_and(|command| given(command, matches))
        })
}

/// The other commands of `hmt-record`.
const OTHER_TASKS: [&str; 3] = ["stop", "status", "import"];

fn names_output(long: &str) -> bool {
    long == "log-dir" || long.starts_with("out") || long.starts_with("kafka-")
}

/// Whether a positional argument names another command than recording.
fn is_other_task(arg: &clap::Arg, matches: &ArgMatches) -> bool {
    arg.is_positional()
        && matches.get_raw(arg.get_id().as_str()).is_some_and(|mut values| {
            values.next().and_then(|value| value.to_str()).is_some_and(|v| OTHER_TASKS.contains(&v))
        })
}

/// Flags must precede `--`, and follow a word such as `start` that may determine their meaning.
fn insert(mut args: Vec<OsString>, addition: [&str; 2]) -> Vec<OsString> {
    let at = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    args.splice(at..at, addition.map(OsString::from));
    args
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
