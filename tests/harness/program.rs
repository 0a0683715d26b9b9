//! Runs a program of this build, with full details if a test fails.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use super::HANG;

/// The path of an executable of this package.
pub fn exe(name: &str) -> &'static Path {
    Path::new(match name {
        "hmt" => env!("CARGO_BIN_EXE_hmt"),
        "hmt-record" => env!("CARGO_BIN_EXE_hmt-record"),
        "hmt-build" => env!("CARGO_BIN_EXE_hmt-build"),
        "hmt-merge" => env!("CARGO_BIN_EXE_hmt-merge"),
        "hmt-mock" => env!("CARGO_BIN_EXE_hmt-mock"),
        "hmt-replay" => env!("CARGO_BIN_EXE_hmt-replay"),
        _ => panic!("there is no program {name}"),
    })
}

/// The folder of all executables.
pub fn exe_dir() -> &'static Path {
    exe("hmt").parent().unwrap()
}

/// A program about to run.
pub struct Program {
    command: Command,
    stdin: Option<Vec<u8>>,
    pipe: Option<Stdio>,
}

impl Program {
    /// `name` of this build, in `dir`, which is also its home; the user's own settings are hidden.
    pub fn new(name: &str, dir: &Path) -> Self {
        Self::of(exe(name), dir)
    }

    /// Any other program in the same environment, with our programs first on its `PATH`.
    pub fn of(program: impl AsRef<OsStr>, dir: &Path) -> Self {
        let mut command = Command::new(program);
        let mut path = OsString::from(exe_dir());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command
            .current_dir(dir)
            .env("PATH", path)
            .env("HOME", dir)
            .env("XDG_DATA_HOME", dir.join("data"));
        command.env("XDG_RUNTIME_DIR", dir.join("run")).env("NO_COLOR", "1").env("LC_ALL", "C");
        for name in [
            "HMT_LOG",
            "COLUMNS",
            "http_proxy",
            "https_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
        ] {
            command.env_remove(name);
        }
        Program { command, stdin: None, pipe: None }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The content of standard input, which is empty by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Reads the output of another program.
    pub fn stdin_from(mut self, pipe: impl Into<Stdio>) -> Self {
        self.pipe = Some(pipe.into());
        self
    }

    /// Starts it with all three streams piped.
    pub fn spawn(mut self) -> (Child, String) {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let shown = format!("{:?}", words.collect::<Vec<_>>());
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let empty = || if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(self.pipe.take().unwrap_or_else(empty));
        let mut child = self.command.spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
        if let Some(bytes) = self.stdin {
            let mut pipe = child.stdin.take().unwrap();
            // A program may stop reading early, which is not a failure.
            thread::spawn(move || {
                let _ = pipe.write_all(&bytes);
            });
        }
        (child, shown)
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Run {
        let (mut child, command) = self.spawn();
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        let Ok(stdout) = stdout.recv_timeout(HANG) else {
            let _ = child.kill();
            let said = stderr.recv_timeout(HANG).unwrap_or_default();
            panic!("{command} hangs; it said: {}", String::from_utf8_lossy(&said));
        };
        let stderr = stderr.recv_timeout(HANG).unwrap_or_default();
        Run { command, status: child.wait().unwrap(), stdout, stderr }
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// The result of a program. Its `expect_…` methods fail with all details.
pub struct Run {
    pub command: String,
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Run {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit status\n{self}");
        self
    }

    #[track_caller]
    pub fn expect_stdout(self, part: &str) -> Self {
        assert!(self.out().contains(part), "standard output lacks {part:?}\n{self}");
        self
    }

    #[track_caller]
    pub fn expect_stderr(self, part: &str) -> Self {
        assert!(self.err().contains(part), "standard error lacks {part:?}\n{self}");
        self
    }

    /// Standard output must be empty.
    #[track_caller]
    pub fn expect_no_stdout(self) -> Self {
        assert!(self.stdout.is_empty(), "standard output should be empty\n{self}");
        self
    }

    /// Standard error must be empty.
    #[track_caller]
    pub fn expect_quiet(self) -> Self {
        assert!(self.stderr.is_empty(), "standard error should be empty\n{self}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("no JSON: {e}\n{self}"))
    }

    /// Standard output as YAML.
    #[track_caller]
    pub fn yaml(&self) -> serde_json::Value {
        serde_saphyr::from_slice(&self.stdout).unwrap_or_else(|e| panic!("no YAML: {e}\n{self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "== command\n{}\n== {}", self.command, self.status)?;
        write!(f, "== stdout\n{}\n== stderr\n{}", self.out(), self.err())
    }
}

/// Sends a signal by name to a process.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -s {name} {pid}: {status}");
}

/// Searches a command on `PATH`, as the shell does.
pub fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|p| p.is_file())
}
