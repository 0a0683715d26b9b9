//! A server that runs for the duration of a test.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::program::signal;
use super::{HANG, Program, Request, Response, Run};

/// A started server, killed when dropped. Its ready lines on standard error contain its addresses.
pub struct Server {
    child: Child,
    command: String,
    stdout: Arc<Collected>,
    stderr: Arc<Collected>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts `hmt-mock`, `hmt-record` or `hmt-replay serve` (give it port 0) and waits until it
    /// listens.
    #[track_caller]
    pub fn start(program: Program) -> Self {
        let server = Self::spawn(program);
        server.wait_stderr("listening on ");
        let mocks = server.command.contains("hmt-mock\"");
        if mocks && !server.command.contains("--no-admin") {
            server.wait_stderr("admin on ");
        }
        server
    }

    /// `server | filter`, as a shell connects them; waits until the server listens.
    #[track_caller]
    pub fn pipe(server: Program, filter: Program) -> (Self, Self) {
        let (mut child, command) = server.spawn();
        let pipe = child.stdout.take().unwrap();
        let server = Self::watch(child, command);
        let filter = Self::spawn(filter.stdin_from(pipe));
        server.wait_stderr("listening on ");
        (server, filter)
    }

    /// Starts it without waiting for a ready line.
    pub fn spawn(program: Program) -> Self {
        let (child, command) = program.spawn();
        Self::watch(child, command)
    }

    fn watch(mut child: Child, command: String) -> Self {
        let (stdout, stderr) = (Arc::<Collected>::default(), Arc::<Collected>::default());
        let mut readers = vec![stderr.clone().fill(child.stderr.take().unwrap())];
        readers.extend(child.stdout.take().map(|pipe| stdout.clone().fill(pipe)));
        Server { child, command, stdout, stderr, readers }
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    #[track_caller]
    pub fn url(&self) -> String {
        self.after("listening on ")
    }

    /// `http://127.0.0.1:PORT/admin`.
    #[track_caller]
    pub fn admin_url(&self) -> String {
        self.after("admin on ")
    }

    #[track_caller]
    pub fn port(&self) -> u16 {
        self.url().rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// GET of a path (which begins with `/`) of this server.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Any request to this server: `server.request("POST", "/x").header("accept",
    /// "*/*").body("…").send()`.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.url()))
    }

    /// Any request to the admin port; `path` comes after `/admin`.
    #[track_caller]
    pub fn admin(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.admin_url()))
    }

    /// Its standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Its standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until standard output has this many complete lines, and returns them all.
    #[track_caller]
    pub fn wait_lines(&self, count: usize) -> Vec<String> {
        self.wait(&self.stdout, "lines", |text| text.matches('\n').count() >= count);
        self.stdout().lines().map(str::to_owned).collect()
    }

    /// Waits until standard error contains this text.
    #[track_caller]
    pub fn wait_stderr(&self, part: &str) {
        self.wait(&self.stderr, part, |text| {
            text.find(part).is_some_and(|at| text[at..].contains('\n'))
        });
    }

    /// Sends SIGTERM, then waits until the program has ended.
    #[track_caller]
    pub fn stop(self) -> Run {
        self.signal("TERM");
        self.end()
    }

    /// Waits until the program handles SIGINT, shortly after its start.
    #[track_caller]
    pub fn wait_handles_sigint(&self) {
        let (status, start) = (format!("/proc/{}/status", self.pid()), Instant::now());
        loop {
            let text = std::fs::read_to_string(&status).unwrap();
            let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
            // Signals are counted from 1.
            if mask & (1 << (2 - 1)) != 0 {
                return;
            }
            assert!(start.elapsed() < HANG, "does not handle SIGINT\n{}", self.story());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal: `TERM`, `INT`, `HUP`, `KILL`.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Run {
        let status = self.wait_status();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let (stdout, stderr) = (self.stdout.bytes(), self.stderr.bytes());
        Run { command: self.command.clone(), status, stdout, stderr }
    }

    #[track_caller]
    fn wait_status(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < HANG, "does not end\n{}", self.story());
            // There is no portable way to wait for a child with a timeout; the timeout only guards
            // against a hang.
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn after(&self, prefix: &str) -> String {
        let text = self.stderr();
        let Some((_, rest)) = text.split_once(prefix) else {
            panic!("no ready line {prefix:?}\n{}", self.story());
        };
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn wait(&self, stream: &Collected, what: &str, enough: impl Fn(&str) -> bool) {
        if !stream.wait(enough) {
            panic!("waited in vain for {what:?}\n{}", self.story());
        }
    }

    fn story(&self) -> String {
        let (out, err) = (self.stdout(), self.stderr());
        format!("== command\n{}\n== stdout\n{out}\n== stderr\n{err}", self.command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output that a thread has read from a stream.
#[derive(Default)]
struct Collected {
    /// The bytes, and whether the stream has ended.
    state: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Collected {
    fn fill(self: Arc<Self>, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                let read = reader.read_until(b'\n', &mut line).unwrap_or(0);
                let mut state = self.state.lock().unwrap();
                state.0.extend_from_slice(&line);
                state.1 = read == 0;
                self.changed.notify_all();
                if read == 0 {
                    return;
                }
            }
        })
    }

    /// Whether `enough` became true before the stream ended.
    fn wait(&self, enough: impl Fn(&str) -> bool) -> bool {
        let state = self.state.lock().unwrap();
        let holds = |bytes: &[u8]| enough(&String::from_utf8_lossy(bytes));
        let (state, _) = self
            .changed
            .wait_timeout_while(state, HANG, |(bytes, ended)| !*ended && !holds(bytes))
            .unwrap();
        holds(&state.0)
    }

    fn bytes(&self) -> Vec<u8> {
        self.state.lock().unwrap().0.clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}
