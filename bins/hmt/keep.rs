//! `hmt record --mode`: keeps a spec of each host current while its exchanges are recorded.
//!
//! The recorder is one process. The builder is another one, started repeatedly, which reads the
//! recorder's logs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hmt_core::cli::{self, Failure, Messages, Status};

use crate::defaults;
use crate::tool::Tool;

/// Interval of checks for new exchanges.
const EVERY: Duration = Duration::from_secs(5);

/// Interval of checks whether the recorder has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

const MODES: [&str; 3] = ["gen", "replay", "mixed"];

/// Removes `--mode MODE` from the arguments of `hmt record`.
pub(crate) fn mode(args: &mut Vec<OsString>) -> anyhow::Result<Option<String>> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let Some(at) = args[..end].iter().position(|arg| {
        arg == "--mode" || arg.to_str().is_some_and(|arg| arg.starts_with("--mode="))
    }) else {
        return Ok(None);
    };
    let flag = args.remove(at).to_string_lossy().into_owned();
    let value = match flag.split_once('=') {
        Some((_, value)) => value.to_owned(),
        None if at < args.len() => args.remove(at).to_string_lossy().into_owned(),
        None => String::new(),
    };
    let value = value.to_ascii_lowercase();
    if MODES.contains(&value.as_str()) {
        return Ok(Some(value));
    }
    Err(Failure::usage(format!("--mode must be one of {}, not {value:?}", MODES.join(", "))))
}

/// Records, and builds `specs/{host}_{mode}.json` until the recorder has ended and everything is
/// built.
pub(crate) fn run(mode: &str, args: Vec<OsString>) -> anyhow::Result<Status> {
    let args = defaults::apply(Tool::Record, args)?;
    let Some(logs) = defaults::log_folder(&args) else {
        return Err(Failure::usage(
            "--mode builds a spec of each host while the recorder runs in the foreground; it can be used with -l DIR, but not with other outputs, -d, stop, status or import",
        ));
    };
    fs::create_dir_all(defaults::SPECS)
        .with_context(|| format!("cannot create the folder {}", defaults::SPECS))?;
    // Ctrl-C also reaches the recorder, which ends; this program ends after it.
    cli::ignore_first_sigint().context("cannot handle signals")?;
    let stop = cli::stop_on_sigterm().context("cannot handle signals")?;
    let mut keeper = Keeper::new(mode, &logs)?;
    let mut recorder = Tool::Record.spawn(&args)?;
    let (mut looked, mut told) = (Instant::now(), false);
    loop {
        if let Some(status) = recorder.try_wait()? {
            keeper.build()?;
            return ended(status);
        }
        if stop.is_set() && !told {
            told = true;
            cli::daemon::terminate(&recorder)?;
        }
        if looked.elapsed() >= EVERY {
            keeper.build_beside(&mut recorder)?;
            looked = Instant::now();
        }
        sleep(LOOK_EVERY);
    }
}

fn ended(status: ExitStatus) -> anyhow::Result<Status> {
    match status.code().map(u8::try_from) {
        Some(Ok(0)) => Ok(Status::Done),
        Some(Ok(code)) => Err(Failure::Exit(code).into()),
        _ => Err(Failure::Exit(1).into()),
    }
}

/// The logs in a folder, and which part of them is built.
struct Keeper {
    mode: String,
    logs: PathBuf,
    /// The size of each host's logs at the last build, in bytes.
    built: BTreeMap<String, u64>,
    /// Hosts whose spec contains exchanges that no longer exist; builds continue from a copy of it.
    earlier: BTreeMap<String, PathBuf>,
    copies: tempfile::TempDir,
    messages: Messages,
}

impl Keeper {
    fn new(mode: &str, logs: &Path) -> anyhow::Result<Keeper> {
        let copies = tempfile::tempdir().context("cannot create a temporary folder")?;
        let mut keeper = Keeper {
            mode: mode.to_owned(),
            logs: logs.to_owned(),
            built: BTreeMap::new(),
            earlier: BTreeMap::new(),
            copies,
            messages: Messages::new("hmt", false),
        };
        keeper.remember_earlier()?;
        Ok(keeper)
    }

    /// Copies the existing specs whose exchanges are missing.
    fn remember_earlier(&mut self) -> anyhow::Result<()> {
        let recorded: BTreeSet<String> = self.hosts().into_keys().collect();
        let end = format!("_{}.json", self.mode);
        let Ok(entries) = fs::read_dir(defaults::SPECS) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(host) = name.strip_suffix(&end) else { continue };
            if !recorded.contains(host) {
                let copy = self.copies.path().join(name);
                fs::copy(&path, &copy).with_context(|| path.display().to_string())?;
                self.earlier.insert(host.to_owned(), copy);
            }
        }
        Ok(())
    }

    /// The hosts with exchanges, their logs, and the total size of those.
    fn hosts(&self) -> BTreeMap<String, (Vec<PathBuf>, u64)> {
        let mut hosts = BTreeMap::<String, (Vec<PathBuf>, u64)>::new();
        for entry in fs::read_dir(&self.logs).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Rotated logs have a time in their names.
            let Some((host, rest)) = name.rsplit_once("-recordings.") else { continue };
            let length = entry.metadata().map_or(0, |found| found.len());
            if rest.ends_with("jsonl") && length > 0 {
                let (paths, total) = hosts.entry(host.to_owned()).or_default();
                paths.push(entry.path());
                *total += length;
            }
        }
        hosts
    }

    /// Builds while the recorder runs; gives up when the recorder ends.
    fn build_beside(&mut self, recorder: &mut Child) -> anyhow::Result<()> {
        if recorder.try_wait()?.is_none() { self.build() } else { Ok(()) }
    }

    fn build(&mut self) -> anyhow::Result<()> {
        for (host, (mut paths, length)) in self.hosts() {
            if self.built.get(&host) == Some(&length) {
                continue;
            }
            paths.sort();
            let out = Path::new(defaults::SPECS).join(format!("{host}_{}.json", self.mode));
            let mut args: Vec<OsString> = vec!["-q".into(), "-m".into(), self.mode.as_str().into()];
            if let Some(earlier) = self.earlier.get(&host) {
                args.extend(["-a".into(), earlier.into()]);
            }
            args.extend(["-o".into(), out.into()]);
            args.extend(paths.into_iter().map(OsString::from));
            let status = Tool::Build.spawn(&args)?.wait()?;
            // 3: some lines were no exchanges, which the builder has reported.
            if !matches!(status.code(), Some(0 | 3)) {
                self.messages.error(format_args!("the spec of {host} could not be built"));
            }
            self.built.insert(host, length);
        }
        Ok(())
    }
}
