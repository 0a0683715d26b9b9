//! Runs the examples of a document, as a reader would by pasting them.

use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use crate::harness::{Dir, Program, Received, Reply, Upstream, fixture, on_path};

/// An example.
pub struct Block {
    /// `README.md:12`.
    place: String,
    commands: Vec<String>,
    output: Vec<String>,
}

/// The examples of a document.
pub fn blocks_of(file: &str, text: &str) -> Vec<Block> {
    let roff = !file.ends_with(".md");
    let (mut blocks, mut open) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        let begins = if roff { line.starts_with(".Bd -literal") } else { line == "```sh" };
        let ends = if roff { line == ".Ed" } else { line == "```" };
        if begins {
            let place = format!("{file}:{}", number + 2);
            open = Some(Block { place, commands: Vec::new(), output: Vec::new() });
        } else if ends {
            blocks.extend(open.take().filter(|block: &Block| !block.commands.is_empty()));
        } else if let Some(block) = &mut open {
            let line = if roff { plain(line) } else { line.to_owned() };
            block.add(line);
        }
    }
    blocks
}

/// A literal line of roff, unescaped.
fn plain(line: &str) -> String {
    line.replace("\\&", "").replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
}

impl Block {
    fn add(&mut self, line: String) {
        if let Some(command) = self.commands.last_mut()
            && command.contains("<<'END'")
            && !command.ends_with("\nEND")
        {
            command.push('\n');
            command.push_str(&line);
            return;
        }
        let goes_on =
            self.output.is_empty() && self.commands.last().is_some_and(|c| c.ends_with('\\'));
        if let Some(command) = line.strip_prefix("$ ") {
            self.commands.push(command.to_owned());
        } else if goes_on {
            self.commands.push(line);
        } else {
            self.output.push(line);
        }
    }

    /// Whether the other tools that it needs are installed, as they are in CI.
    pub fn can_run(&self) -> bool {
        let needs = |tool: &str| tool == "bash" || self.commands.iter().any(|c| c.contains(tool));
        let missing: Vec<_> = ["bash", "curl ", "jq ", "parallel "]
            .into_iter()
            .filter(|tool| needs(tool) && on_path(tool.trim()).is_none())
            .collect();
        assert!(missing.is_empty() || std::env::var_os("CI").is_none(), "CI lacks {missing:?}");
        missing.is_empty()
    }

    /// Runs it; returns what went wrong, with the output of the programs.
    pub fn run(&self) -> Result<(), String> {
        let dir = Dir::new();
        for entry in fs::read_dir(fixture("docs")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, dir.join(path.file_name().unwrap().to_str().unwrap())).unwrap();
        }
        let api = Upstream::start(answer_from(&dir.read("recordings.jsonl")));
        let (port, admin) = (free_port(), free_port());
        let real = |text: &str| {
            text.replace("localhost:3000", &api.authority())
                .replace("localhost_3000", &api.authority().replace(':', "_"))
                .replace("localhost:8000", &format!("127.0.0.1:{port}"))
                .replace("localhost:8888", &format!("127.0.0.1:{admin}"))
                .replace("8000", &port.to_string())
                .replace("8888", &admin.to_string())
        };
        let mut script = PRELUDE.to_owned();
        for command in &self.commands {
            let mut command = real(command);
            if !command.contains(" -a ") && !command.contains("--no-admin") {
                command = command.replace("mock -p", &format!("mock -a {admin} -p"));
            }
            script += &format!("{command}\n");
            if command.ends_with('&') && command.contains(&port.to_string()) {
                script += &format!("ready {port}\n");
            }
        }
        let run = Program::of("bash", dir.path()).arg("-c").arg(&script).run();
        let expected = real(&self.output.concat());
        if !run.status.success() {
            return Err(format!("{}: the example failed\n{run}", self.place));
        }
        if !expected.is_empty() && !matches(&run.out().replace('\n', ""), &expected) {
            return Err(format!("{}: expected\n{expected}\nbut there is\n{run}", self.place));
        }
        Ok(())
    }
}

/// Every background job is a process group, as at a prompt; jobs that still run at the end are
/// killed.
const PRELUDE: &str = r#"
set -euo pipefail
set -m
end_jobs() { for job in $(jobs -p); do kill -KILL -- "-$job" 2>/dev/null || true; done; }
trap end_jobs EXIT
ready() {
    for _ in $(seq 600); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && handled; then return; fi
        sleep 0.05
    done
    echo "nothing listens on port $1" >&2
    exit 1
}
# Whether each tool of the last job handles or ignores SIGINT, which an example may send at once.
handled() {
    local stat name key mask group job
    job=$(jobs -p | tail -n 1)
    for stat in /proc/[0-9]*/stat; do
        { read -r _ name _ _ group _ <"$stat"; } 2>/dev/null || continue
        [ "$group" = "$job" ] || continue
        local all=0
        while read -r key mask; do
            case $key in SigIgn: | SigCgt:) all=$((all | 0x$mask)) ;; esac
        done <"${stat%stat}status" || continue
        # A shell is about to become the program.
        case $name in '(hmt'* | '(bash)') [ $((all & 2)) -ne 0 ] || return 1 ;; esac
    done
}
"#;

/// Whether `text` matches `pattern`, in which `...` stands for anything.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = first;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = part;
    }
    rest.is_empty() || (pattern.contains("...") && (last.is_empty() || text.ends_with(last)))
}

/// A free port, from a range that the system does not assign automatically.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 5000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The API of the examples: it returns the recorded responses, or 404.
fn answer_from(recordings: &str) -> impl Fn(&Received) -> Reply + Send + Sync + use<> {
    let lines: Vec<Value> =
        recordings.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    move |received| {
        let asked = lines.iter().find(|line| {
            line["request"]["path"] == *received.target
                && line["request"]["method"] == *received.method.to_lowercase()
                && line["response"]["body"].is_string()
        });
        match asked {
            Some(line) => {
                let response = &line["response"];
                let status =
                    response["statusCode"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap();
                let kind = response["headers"]["content-type"].as_str().unwrap();
                Reply::new(status, &[("Content-Type", kind)], response["body"].as_str().unwrap())
            }
            None => Reply::new(404, &[("Content-Type", "text/plain")], "no such thing"),
        }
    }
}
