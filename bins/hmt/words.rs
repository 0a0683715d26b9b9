//! Splits a command line into flags and values by the definition of the command, as clap does.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::{Arg, ArgAction, Command};

/// Removes the flag with this id, in any spelling (`--mode gen`, `--mode=gen`, `-m gen`, `-mgen`,
/// `-rm gen`), and returns its last value: empty if the value is missing. Words after `--` and the
/// values of other flags are ignored.
pub(crate) fn take(command: &Command, args: &mut Vec<OsString>, id: &str) -> Option<OsString> {
    let mut taken = None;
    let mut at = 0;
    while at < args.len() && args[at] != "--" {
        match flag(command, &args[at]) {
            Some(Found { arg, value, prefix }) if arg.get_id() == id => {
                args.remove(at);
                let next = |args: &mut Vec<OsString>| (at < args.len()).then(|| args.remove(at));
                taken = Some(value.or_else(|| next(args)).unwrap_or_default());
                // The other letters of the word.
                if let Some(prefix) = prefix {
                    args.insert(at, prefix);
                    at += 1;
                }
            }
            Some(Found { value: None, .. }) => at += 2,
            _ => at += 1,
        }
    }
    taken
}

/// A flag that takes a value.
struct Found<'c> {
    arg: &'c Arg,
    /// The value in the same word.
    value: Option<OsString>,
    /// The letters before the flag in the same word, with their `-`.
    prefix: Option<OsString>,
}

fn flag<'c>(command: &'c Command, word: &OsStr) -> Option<Found<'c>> {
    let bytes = word.as_bytes();
    if let Some(long) = bytes.strip_prefix(b"--") {
        let (name, value) = match long.iter().position(|byte| *byte == b'=') {
            Some(at) => (&long[..at], Some(os(&long[at + 1..]))),
            None => (long, None),
        };
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_long().is_some_and(|long| long.as_bytes() == name))?;
        return takes_value(arg).then_some(Found { arg, value, prefix: None });
    }
    let letters = bytes.strip_prefix(b"-")?;
    for (at, letter) in letters.iter().enumerate() {
        let arg =
            command.get_arguments().find(|arg| arg.get_short() == Some(char::from(*letter)))?;
        if takes_value(arg) {
            let rest = &letters[at + 1..];
            let rest = rest.strip_prefix(b"=").unwrap_or(rest);
            return Some(Found {
                arg,
                value: (at + 1 < letters.len()).then(|| os(rest)),
                prefix: (at > 0).then(|| os(&bytes[..=at])),
            });
        }
    }
    None
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn os(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("x")
            .arg(Arg::new("mode").short('m').long("mode"))
            .arg(Arg::new("out").short('o').long("out"))
            .arg(Arg::new("routing").short('r').action(ArgAction::SetTrue))
    }

    #[track_caller]
    fn check(words: &str, value: Option<&str>, left: &str) {
        let mut args: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        let taken = take(&command(), &mut args, "mode");
        assert_eq!(taken, value.map(OsString::from), "{words}");
        assert_eq!(args, left.split_whitespace().collect::<Vec<_>>(), "{words}");
    }

    #[test]
    fn every_spelling_is_found_and_nothing_else() {
        check("", None, "");
        check("a --mode gen b", Some("gen"), "a b");
        check("--mode=gen", Some("gen"), "");
        check("-m gen -r", Some("gen"), "-r");
        check("-mgen", Some("gen"), "");
        check("-m=gen", Some("gen"), "");
        check("-rm gen x", Some("gen"), "-r x");
        check("-rmgen", Some("gen"), "-r");
        check("--mode", Some(""), "");
        check("--mode a --mode b", Some("b"), "");
        check("-o --mode gen", None, "-o --mode gen");
        check("-o-m gen", None, "-o-m gen");
        check("--out=-m -- --mode gen", None, "--out=-m -- --mode gen");
        check("--modes gen", None, "--modes gen");
    }
}
