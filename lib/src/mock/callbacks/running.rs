//! A running co-process: its pipes, within limits of time and size.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::net::Report;

/// Time for the first line, and for each answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Maximum length of a line in bytes.
const MAX_LINE: usize = 16 << 20;
/// Time between the end of its input and the kill.
const FAREWELL: Duration = Duration::from_millis(500);
/// Maximum length of a line of its standard error that is shown, in bytes.
const SHOWN: usize = 4096;
/// Maximum number of lines of its standard error that are shown in [`ERROR_WINDOW`].
const ERRORS: usize = 200;
const ERROR_WINDOW: Duration = Duration::from_secs(1);

/// A process and its pipes. The whole process group is killed with this value.
pub(super) struct Running {
    child: Child,
    /// Its process group, until that is killed.
    group: Option<Pid>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// Ends with this value.
    _watchdog: Option<Child>,
}

impl Running {
    /// Starts the command. Lines of its standard error go to `report`, after its name.
    pub(super) fn start(mut command: Command, name: &str, report: &Report) -> io::Result<Running> {
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let stderr = child.stderr.take().ok_or_else(missing)?;
        tokio::spawn(pass_errors(stderr, name.to_owned(), report.clone()));
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let _watchdog = group.and_then(|group| watch(group).ok());
        Ok(Running { stdin: child.stdin.take(), stdout, child, group, _watchdog })
    }

    /// The next line that is not blank, within the deadline.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, String> {
        match timeout(DEADLINE, self.read_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(self.end().await),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("did not answer within {} s", DEADLINE.as_secs())),
        }
    }

    /// Sends a line, and returns the answer to it, both within the deadline.
    ///
    /// # Errors
    /// The reason why there is no answer.
    pub(super) async fn ask(&mut self, line: &[u8]) -> Result<Vec<u8>, String> {
        let Some(mut stdin) = self.stdin.take() else { return Err(self.end().await) };
        // Writes and reads at the same time: the process may answer before it has read everything,
        // and wait until its answer is read.
        let written = async {
            let written = stdin.write_all(line).await;
            // A process that does not read may still answer.
            written.is_ok().then_some(stdin)
        };
        let (stdin, answer) = tokio::join!(timeout(DEADLINE, written), self.line());
        self.stdin = stdin.ok().flatten();
        answer
    }

    /// Waits until it ends, or writes something without a call, which is not allowed.
    pub(super) async fn idle(&mut self) -> String {
        match self.stdout.fill_buf().await {
            Ok([]) | Err(_) => self.end().await,
            Ok(_) => "wrote a line although there was no call".to_owned(),
        }
    }

    async fn read_line(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        loop {
            let part = self.stdout.fill_buf().await.map_err(|error| error.to_string())?;
            if part.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', part);
            let taken = end.map_or(part.len(), |end| end + 1);
            line.extend_from_slice(&part[..taken]);
            self.stdout.consume(taken);
            if line.len() > MAX_LINE {
                return Err(format!("wrote a line of more than {} MiB", MAX_LINE >> 20));
            }
            if end.is_none() {
                continue;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                line.clear();
                continue;
            }
            return Ok(Some(line));
        }
    }

    /// Describes how it ended. It has closed its output, so it is about to end.
    async fn end(&mut self) -> String {
        match timeout(FAREWELL, self.child.wait()).await {
            Ok(Ok(status)) => format!("ended ({})", shown(status)),
            _ => "closed its standard output".to_owned(),
        }
    }

    /// The exit status, if it has ended.
    pub(super) fn exit_code(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten().and_then(|status| status.code())
    }

    /// Closes its input, waits for its end, and kills the processes that are left.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        let _ = timeout(FAREWELL, self.child.wait()).await;
    }

    /// Kills it with all processes of its group.
    pub(super) async fn kill(mut self) {
        self.kill_group();
        let _ = self.child.wait().await;
    }

    /// Also kills processes that an ended one left behind. This is done at once and only once,
    /// because the id of an empty group may be reused.
    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Starts a shell that kills a process group when this process is gone. A co-process that hangs
/// does not notice the end of its input, and a mock that is killed cannot end it.
fn watch(group: Pid) -> io::Result<Child> {
    // The pipe is closed when this process ends, however it ends.
    let script = format!("read -r line; kill -9 -{}", group.as_raw_nonzero());
    Command::new("/bin/sh")
        .args(["-c", &script])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A signal from the terminal must not end it before the mock.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn shown(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Reports its standard error line by line, at a limited rate.
async fn pass_errors(stderr: ChildStderr, name: String, report: Report) {
    let mut stderr = BufReader::new(stderr);
    let (mut line, mut cut) = (Vec::new(), false);
    let (mut window, mut lines) = (tokio::time::Instant::now(), 0);
    let mut dropped = 0_u64;
    loop {
        let Ok(part) = stderr.fill_buf().await else { return };
        let ended = part.is_empty();
        let end = memchr::memchr(b'\n', part);
        let taken = end.map_or(part.len(), |end| end + 1);
        let room = SHOWN.saturating_sub(line.len());
        cut |= taken > room;
        line.extend_from_slice(&part[..taken.min(room)]);
        stderr.consume(taken);
        if window.elapsed() > ERROR_WINDOW {
            if dropped > 0 {
                report(&format!("{name}: {dropped} more lines"));
            }
            (window, lines, dropped) = (tokio::time::Instant::now(), 0, 0);
        }
        if end.is_some() || (ended && !line.is_empty()) {
            lines += 1;
            if lines <= ERRORS {
                let text = String::from_utf8_lossy(&line);
                let more = if cut { " …" } else { "" };
                report(&format!("{name}: {}{more}", text.trim_end()));
            } else {
                dropped += 1;
            }
            line.clear();
            cut = false;
        }
        if ended {
            if dropped > 0 {
                report(&format!("{name}: {dropped} more lines"));
            }
            return;
        }
    }
}
