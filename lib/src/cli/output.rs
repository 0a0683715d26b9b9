//! Files that are replaced atomically, and messages for people.

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Replaces the secrets in a message.
pub type Filter = fn(&str) -> Cow<'_, str>;

/// The filter of this process.
static FILTER: OnceLock<Filter> = OnceLock::new();

/// Sets the filter for all further messages. Only the first call in a process has an effect.
pub(super) fn filter_messages(filter: Filter) {
    let _ = FILTER.set(filter);
}

/// The text without the secrets that the filter of [`super::run`] finds.
pub fn filtered(text: &str) -> Cow<'_, str> {
    FILTER.get().map_or(Cow::Borrowed(text), |filter| filter(text))
}

/// The environment variable that makes a program print a last line about what it made. Its value is
/// the command that the line names as the next one. If it is empty, no line is printed.
pub const NEXT: &str = "HMT_NEXT";

/// Writes messages to standard error, each as `program: text`; `quiet` suppresses all except
/// errors.
#[derive(Clone, Debug)]
pub struct Messages {
    program: &'static str,
    quiet: bool,
}

impl Messages {
    /// Messages of one program.
    pub fn new(program: &'static str, quiet: bool) -> Self {
        Messages { program, quiet }
    }

    /// A warning; suppressed with `-q`.
    pub fn warn(&self, text: impl Display) {
        if !self.quiet {
            tell(format_args!("{}: {text}", self.program));
        }
    }

    /// A line without prefix; suppressed with `-q`.
    pub fn plain(&self, line: impl Display) {
        if !self.quiet {
            tell(line);
        }
    }

    /// A line that programs may parse too, such as `listening on http://…`: unchanged, without
    /// prefix, and also with `-q`.
    pub fn ready(&self, line: impl Display) {
        let _ = write_line(&mut io::stderr().lock(), line);
    }

    /// The last line of a run that `hmt` started: what was made, and the command in [`NEXT`].
    /// Without this variable, and with `-q`, nothing is written.
    pub fn closing(&self, made: impl Display) {
        let Some(next) = env::var_os(NEXT).filter(|next| !next.is_empty()) else { return };
        self.plain(format_args!("{made}. Next: {}", next.display()));
    }

    /// An error.
    pub fn error(&self, text: impl Display) {
        tell(format_args!("{}: {text}", self.program));
    }
}

/// True if standard error is a terminal and this process is in its foreground group: a background
/// process would disturb what the user types.
pub fn is_foreground_terminal() -> bool {
    let stderr = io::stderr();
    stderr.is_terminal()
        && rustix::termios::tcgetpgrp(&stderr)
            .is_ok_and(|group| group == rustix::process::getpgrp())
}

/// A line on the terminal that is replaced by the next one, and removed before other messages.
#[derive(Clone, Debug, Default)]
pub struct StatusLine {
    /// True while the line is shown.
    shown: Arc<AtomicBool>,
}

impl StatusLine {
    /// Erases the line and returns to its beginning (ECMA-48: CR, EL).
    const CLEAR: &str = "\r\x1b[K";

    /// Shows the line, unless this process is no longer in the foreground: the shell may have put
    /// it into the background.
    pub fn show(&self, line: impl Display) {
        if is_foreground_terminal() {
            self.shown.store(true, Ordering::Relaxed);
            let _ = write!(io::stderr().lock(), "{}{line}", Self::CLEAR);
        }
    }

    /// Removes the line.
    pub fn clear(&self) {
        if self.shown.swap(false, Ordering::Relaxed) {
            let _ = write!(io::stderr().lock(), "{}", Self::CLEAR);
        }
    }
}

/// Writes a line to standard error, ignoring errors.
pub(super) fn tell(line: impl Display) {
    let line = line.to_string();
    let _ = write_line(&mut io::stderr().lock(), filtered(&line));
}

/// Writes a line with one call. Standard error is unbuffered, so a formatted line would be written
/// in pieces: a program that waits for `listening on …` could read half a port, and tools in a
/// pipeline would mix their messages.
fn write_line(out: &mut impl Write, line: impl Display) -> io::Result<()> {
    out.write_all(format!("{line}\n").as_bytes())
}

/// Replaces `path` atomically: a temporary file in its folder, fsync, rename, fsync of the folder.
/// `private` sets mode 0600, for files with traffic; otherwise the umask decides. If `path` is not
/// a regular file (`/dev/null`, `/dev/stdout`, a pipe), it is written to and never replaced.
///
/// # Errors
/// Any I/O error; the old file is then unchanged.
pub fn replace_file(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hmt-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(if private { 0o600 } else { 0o666 }));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The written bytes, one entry for each call.
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_write() {
        let mut out = Writes(Vec::new());
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 4010));
        write_line(&mut out, format_args!("listening on http://{address}")).unwrap();
        assert_eq!(out.0, [b"listening on http://127.0.0.1:4010\n"]);
    }
}
