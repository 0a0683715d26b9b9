//! Background servers, and the pid files that identify them.
//!
//! A daemon holds a lock on its pid file while it runs. So a file that was left behind, or whose
//! process id has been reused, is recognised as stale. The files are in a folder that only the user
//! can access.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, geteuid, kill_process, setsid};

use super::exit::{Failure, Status};
use super::output::tell;

/// Marks the second process of `-d`.
const MARK: &str = "HMT_DAEMON";

/// How often to check whether a process has started or ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether this process must become a daemon, because a process with `-d` started it.
pub fn is_daemon() -> bool {
    env::var_os(MARK).is_some()
}

/// Starts this program again in the background, and returns once it listens. Its messages go to a
/// file that is named in a message.
///
/// # Errors
/// It did not start. Its messages are printed, and its exit status is returned.
pub fn start(tool: &str, port: u16) -> anyhow::Result<Status> {
    // Several daemons may use free ports, and each one has its own log.
    let name = if port == 0 { format!("new-{}", std::process::id()) } else { port.to_string() };
    let log = folder()?.join(format!("{tool}-{name}.log"));
    let file = open(&log, OpenOptions::new().append(true).create(true))?;
    file.set_len(0)?;
    let mut child = Command::new(env::current_exe().context("cannot find this program")?)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {tool} in the background"))?;
    loop {
        let ended = child.try_wait()?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        if let Some(status) = ended {
            io::stderr().write_all(said.as_bytes())?;
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            return Err(Failure::Exit(code.max(1)).into());
        }
        if said.lines().any(|line| line.starts_with("listening on ")) && said.ends_with('\n') {
            io::stderr().write_all(said.as_bytes())?;
            let place = log.display();
            tell(format_args!("{tool}: runs as process {}; messages in {place}", child.id()));
            return Ok(Status::Done);
        }
        sleep(LOOK_EVERY);
    }
}

/// Ends a child of this process with SIGTERM.
///
/// # Errors
/// The process cannot be signalled.
pub fn terminate(child: &Child) -> anyhow::Result<()> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.context("a process without a number")?;
    kill_process(pid, Signal::TERM).context("cannot end the program that was started")
}

/// The pid file of this process, which exists while the process runs.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl PidFile {
    /// In the background, registers this tool's port for `stop` and `status`; otherwise does
    /// nothing.
    ///
    /// # Errors
    /// Another daemon uses the port, or the folder is not safe.
    pub fn claim_in_background(tool: &str, port: u16) -> anyhow::Result<Option<PidFile>> {
        if is_daemon() { PidFile::claim(tool, port).map(Some) } else { Ok(None) }
    }

    /// Detaches from the terminal, and registers this tool's port for `stop` and `status`.
    ///
    /// # Errors
    /// Another daemon uses the port, or the folder is not safe.
    fn claim(tool: &str, port: u16) -> anyhow::Result<PidFile> {
        // This fails for a group leader, which only a shell can have started.
        let _ = setsid();
        let path = folder()?.join(format!("{tool}-{port}.pid"));
        let mut file = open(&path, OpenOptions::new().read(true).write(true).create(true))?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                bail!("{tool} already runs on port {port}, according to {}", path.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| path.display().to_string());
            }
        }
        let pid = std::process::id();
        file.set_len(0)?;
        writeln!(file, "{pid} {}", started(pid).unwrap_or_default())?;
        Ok(PidFile { path, _file: file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A running daemon.
struct Daemon {
    port: u16,
    pid: Pid,
    file: File,
}

/// Ends the daemon on `port`, or the only daemon, and waits until it has ended.
///
/// # Errors
/// Several run and no port selects one, or the daemon does not end.
pub fn stop(tool: &str, port: Option<u16>) -> anyhow::Result<Status> {
    let Some(daemon) = the_one(tool, port)? else { return none(tool, port) };
    kill_process(daemon.pid, Signal::TERM)
        .with_context(|| format!("cannot signal process {}", daemon.pid.as_raw_nonzero()))?;
    // The daemon finishes requests in progress, for at most its --grace.
    let timeout = Duration::from_secs(600);
    let begun = Instant::now();
    while daemon.file.try_lock_shared().is_err() {
        if begun.elapsed() > timeout {
            return Err(anyhow!("{tool} on port {} did not end", daemon.port));
        }
        sleep(LOOK_EVERY);
    }
    Ok(Status::Done)
}

/// Reports whether a daemon runs on `port`, or whether any runs.
///
/// # Errors
/// Several run and no port selects one.
pub fn status(tool: &str, port: Option<u16>) -> anyhow::Result<Status> {
    let Some(daemon) = the_one(tool, port)? else { return none(tool, port) };
    let (port, pid) = (daemon.port, daemon.pid.as_raw_nonzero());
    writeln!(io::stdout(), "{tool} runs on port {port} as process {pid}")?;
    Ok(Status::Done)
}

fn none(tool: &str, port: Option<u16>) -> anyhow::Result<Status> {
    let place = port.map(|port| format!(" on port {port}")).unwrap_or_default();
    tell(format_args!("{tool}: no server runs in the background{place}"));
    Ok(Status::Partly)
}

fn the_one(tool: &str, port: Option<u16>) -> anyhow::Result<Option<Daemon>> {
    let mut found = running(tool)?;
    if let Some(port) = port {
        found.retain(|daemon| daemon.port == port);
    }
    if found.len() > 1 {
        let ports: Vec<String> = found.iter().map(|daemon| daemon.port.to_string()).collect();
        return Err(Failure::usage(format!(
            "several run, on the ports {}; select one with -p",
            ports.join(", ")
        )));
    }
    Ok(found.pop())
}

fn running(tool: &str) -> anyhow::Result<Vec<Daemon>> {
    let folder = folder()?;
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        let port = name.to_str().and_then(|name| {
            name.strip_prefix(tool)?.strip_prefix('-')?.strip_suffix(".pid")?.parse().ok()
        });
        let Some(port) = port else { continue };
        if let Some((pid, file)) = holder(&folder.join(&name)) {
            found.push(Daemon { port, pid, file });
        }
    }
    found.sort_by_key(|daemon| daemon.port);
    Ok(found)
}

/// The process that holds a pid file, if any.
fn holder(path: &Path) -> Option<(Pid, File)> {
    let mut file = open(path, OpenOptions::new().read(true)).ok()?;
    match file.try_lock_shared() {
        // Not locked: the file was left behind.
        Ok(()) => return None,
        Err(TryLockError::WouldBlock) => (),
        Err(TryLockError::Error(_)) => return None,
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (pid, start) = text.trim_end_matches('\n').split_once(' ')?;
    let number: u32 = pid.parse().ok()?;
    if !start.is_empty() && started(number).as_deref() != Some(start) {
        return None;
    }
    Some((Pid::from_raw(i32::try_from(number).ok()?)?, file))
}

/// The start time of a process, only for comparison (proc_pid_stat(5), field 22); `None` if there
/// is no such process, or no /proc.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain any character.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

/// `$XDG_RUNTIME_DIR/hmt`, or `~/.hmt`.
fn folder() -> anyhow::Result<PathBuf> {
    folder_of(|name| env::var_os(name))
}

fn folder_of(variable: impl Fn(&str) -> Option<OsString>) -> anyhow::Result<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_RUNTIME_DIR")
        .filter(|path| path.is_absolute())
        .map(|folder| folder.join("hmt"))
        .or_else(|| set("HOME").map(|home| home.join(".hmt")))
        .context("neither XDG_RUNTIME_DIR nor HOME is set, so there is no folder for pid files; set one of them")?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let found = fs::symlink_metadata(&folder)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() || found.mode() & 0o022 != 0 {
        bail!(
            "{} must be a folder that only you can write to; run chmod 700 on it",
            folder.display()
        );
    }
    Ok(folder)
}

/// Opens a file in the folder, without following symbolic links.
fn open(path: &Path, options: &mut OpenOptions) -> anyhow::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits()).unwrap_or_default();
    let file = options
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != geteuid().as_raw() {
        bail!("{} belongs to another user; remove it", path.display());
    }
    Ok(file)
}
