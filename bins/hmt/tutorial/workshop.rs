//! The folder in which the tutorial works, and the programs that it runs there.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context as _, bail};
use hmt_core::cli;
use hmt_core::net::Client;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::api::Api;
use super::http::{self, Answer};
use super::screen::{Screen, wrapped};
use crate::tool::Tool;

/// Everything that the steps share.
pub(super) struct Workshop {
    pub(super) screen: Screen,
    pub(super) api: Api,
    client: Client,
    runtime: Runtime,
    folder: Arc<Mutex<Option<TempDir>>>,
    processes: Arc<Mutex<Vec<u32>>>,
}

/// A server of the tutorial: a recorder or a mock.
pub(super) struct Server {
    pub(super) url: String,
    child: Child,
    stderr: Option<JoinHandle<Vec<String>>>,
    processes: Arc<Mutex<Vec<u32>>>,
}

impl Workshop {
    /// Creates the folder and starts the API. SIGINT and SIGTERM remove the folder and end the
    /// process.
    ///
    /// # Errors
    /// No folder, no port, no signal handler.
    pub(super) fn open(screen: Screen) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let folder = tempfile::Builder::new().prefix("hmt-tutorial-").tempdir()?;
        let folder = Arc::new(Mutex::new(Some(folder)));
        let processes = Arc::<Mutex<Vec<u32>>>::default();
        let (to_remove, to_end) = (Arc::clone(&folder), Arc::clone(&processes));
        let shutdown = {
            let _entered = runtime.enter();
            cli::shutdown().context("cannot handle signals")?
        };
        runtime.spawn(async move {
            shutdown.await;
            for process in to_end.lock().drain(..) {
                let process = i32::try_from(process).ok().and_then(Pid::from_raw);
                let _ = process.map(|process| kill_process(process, Signal::TERM));
            }
            drop(to_remove.lock().take());
            std::process::exit(130);
        });
        let api = Api::start(&runtime)?;
        let client = Client::new(None)?;
        Ok(Workshop { screen, api, client, runtime, folder, processes })
    }

    /// A program with the folder as its working directory and its home.
    fn command(&self, tool: Tool) -> anyhow::Result<Command> {
        let folder = self.folder.lock();
        let folder = folder.as_ref().context("the folder is gone")?.path();
        let mut command = Command::new(tool.find()?);
        command.current_dir(folder).stdin(Stdio::null());
        // No key and no pid file of the user.
        command.env("XDG_DATA_HOME", folder.join(".data"));
        command.env("XDG_RUNTIME_DIR", folder.join(".run"));
        command.env(cli::NEXT, "").env("NO_COLOR", "1");
        Ok(command)
    }

    /// Runs a tool to its end, and returns what it wrote to standard output and standard error.
    ///
    /// # Errors
    /// It cannot be run, or ends with a status other than `status`.
    pub(super) fn run(
        &self,
        tool: Tool,
        args: &[&str],
        status: i32,
    ) -> anyhow::Result<(String, String)> {
        let output = self.command(tool)?.args(args).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        if output.status.code() != Some(status) {
            bail!("{} failed:\n{out}{error}", tool.program());
        }
        Ok((out, error))
    }

    /// Starts a server on a free port, and waits until it listens.
    ///
    /// # Errors
    /// It cannot be run, or ends before it listens.
    pub(super) fn start<A: AsRef<OsStr>>(&self, tool: Tool, args: &[A]) -> anyhow::Result<Server> {
        let mut command = self.command(tool)?;
        command.args(args).args(["-p", "0"]).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        self.processes.lock().push(child.id());
        let stderr = child.stderr.take().context("no standard error")?;
        let mut lines = BufReader::new(stderr);
        let mut seen = Vec::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                let _ = child.wait();
                bail!("{} did not start:\n{}", tool.program(), seen.concat());
            }
            if let Some(url) = line.strip_prefix("listening on ") {
                let url = url.trim().to_owned();
                let processes = Arc::clone(&self.processes);
                let stderr = Some(std::thread::spawn(move || rest(lines)));
                return Ok(Server { url, child, stderr, processes });
            }
            seen.push(line);
        }
    }

    /// Sends a request to a server.
    ///
    /// # Errors
    /// No response.
    pub(super) fn ask(
        &self,
        url: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        self.runtime.block_on(http::send(&self.client, url, method, path, body))
    }

    /// Shows a request as a curl command, sends it, and shows the response.
    ///
    /// # Errors
    /// No response.
    pub(super) fn show(
        &self,
        url: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let method_flag = if method == "GET" { String::new() } else { format!("-X {method} ") };
        let body_flag = match body {
            "" => String::new(),
            // A shell reads the lines of a quoted text as one argument.
            _ => format!(" \\\n    --json '{}'", wrapped(body, 60).join("\n      ")),
        };
        self.screen.command(&format!("curl {method_flag}'{url}{path}'{body_flag}"));
        let answer = self.ask(url, method, path, body)?;
        self.screen.answer(&answer);
        Ok(answer)
    }

    /// Waits for ENTER; requests that the user types before go to the server.
    ///
    /// # Errors
    /// The user left, or there is no response.
    pub(super) fn pause(&self, server: Option<&Server>) -> anyhow::Result<()> {
        while let Some(typed) = self.screen.prompt(server.is_some())? {
            if let Some(server) = server {
                self.show(&server.url, &typed.method, &typed.path, &typed.body)?;
            }
        }
        Ok(())
    }

    /// The text of a file in the folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(&self, name: &str) -> anyhow::Result<String> {
        let folder = self.folder.lock();
        let path = folder.as_ref().context("the folder is gone")?.path().join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// Ends the API and removes the folder, after its recordings and specs are copied to `keep`.
    ///
    /// # Errors
    /// A file that cannot be copied.
    pub(super) fn close(self, keep: Option<&Path>) -> anyhow::Result<()> {
        self.api.stop();
        let folder = self.folder.lock().take();
        if let (Some(folder), Some(keep)) = (&folder, keep) {
            for name in ["logs", "later", "specs"] {
                copy_folder(&folder.path().join(name), &keep.join(name))?;
            }
            self.screen.say(&format!("The recordings and specs are in {}.", keep.display()));
        }
        Ok(())
    }
}

fn rest(mut lines: BufReader<ChildStderr>) -> Vec<String> {
    let mut all = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        all.push(std::mem::take(&mut line));
    }
    all
}

/// Copies the files of a folder, if there is one.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        fs::copy(entry.path(), &target)
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

impl Server {
    /// Ends the server as Ctrl-C does, and returns its messages since it began to listen.
    ///
    /// # Errors
    /// It failed.
    pub(super) fn stop(mut self) -> anyhow::Result<String> {
        cli::daemon::terminate(&self.child)?;
        let status = self.child.wait()?;
        let lines = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        if !status.success() {
            bail!("the server failed:\n{}", lines.concat());
        }
        Ok(lines.concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let id = self.child.id();
        self.processes.lock().retain(|other| *other != id);
    }
}
