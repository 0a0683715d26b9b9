//! `hmt record --mode`: keeps a spec of each host current while its exchanges are recorded.
//!
//! The recorder is one process. The builder is another process, which is started repeatedly and
//! reads the recorder's logs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Arg, Command};
use hmt_core::cli::{self, Failure, Messages, Status};

use crate::defaults;
use crate::tool::Tool;
use crate::words;

/// Interval of checks for new exchanges.
const EVERY: Duration = Duration::from_secs(5);

/// How often to check whether the recorder has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The share of time that builds may take: with large recordings, the interval grows.
const BUILD_SHARE: u32 = 10;

const MODES: [&str; 3] = ["gen", "replay", "mixed"];

/// The options of `hmt record` in addition to those of `hmt-record`.
pub(crate) fn options(command: Command) -> Command {
    command
        .arg(
            Arg::new("mode")
                .short('m')
                .long("mode")
                .value_name("MODE")
                .value_parser(MODES)
                .help("Also keep a spec of each host current: gen, replay or mixed"),
        )
        .arg(
            Arg::new("specs_dir")
                .short('s')
                .long("specs-dir")
                .value_name("DIR")
                .value_hint(clap::ValueHint::DirPath)
                .help("The folder of these specs [default: specs]"),
        )
}

/// Runs `hmt record`.
///
/// # Errors
/// Wrong usage, or a program or folder that cannot be run or created.
pub(crate) fn record(mut args: Vec<OsString>) -> anyhow::Result<Status> {
    let command = options(Tool::Record.command());
    let mode = words::take(&command, &mut args, "mode");
    let specs = words::take(&command, &mut args, "specs_dir");
    let specs = PathBuf::from(specs.unwrap_or_else(|| defaults::SPECS.into()));
    if specs.as_os_str().is_empty() {
        return Err(Failure::usage("--specs-dir requires a folder"));
    }
    let Some(mode) = mode else { return defaults::record(args, &specs)?.run() };
    let mode = mode.to_string_lossy().to_ascii_lowercase();
    if !MODES.contains(&mode.as_str()) {
        return Err(Failure::usage(format!(
            "--mode must be one of {}, not {mode:?}",
            MODES.join(", ")
        )));
    }
    run(&mode, specs, args)
}

/// Records, and builds `{specs}/{host}_{mode}.json` until the recorder has ended and everything is
/// built.
fn run(mode: &str, specs: PathBuf, args: Vec<OsString>) -> anyhow::Result<Status> {
    let args = defaults::record(args, &specs)?.args;
    let Some(logs) = defaults::log_folder(&args) else {
        return Err(Failure::usage(
            "--mode builds a spec of each host while the recorder runs in the foreground; it can be used with -l DIR, but not with other outputs, -d, stop, status or import",
        ));
    };
    fs::create_dir_all(&specs)
        .with_context(|| format!("cannot create the folder {}", specs.display()))?;
    // Ctrl-C also reaches the recorder, which ends; this program ends after it.
    cli::ignore_first_sigint().context("cannot handle signals")?;
    let stop = cli::stop_on_sigterm().context("cannot handle signals")?;
    let mut keeper = Keeper::new(mode, &logs, specs)?;
    let mut recorder = Tool::Record.spawn(&args, None)?;
    let (mut built, mut pause, mut told) = (Instant::now(), EVERY, false);
    loop {
        if let Some(status) = recorder.try_wait()? {
            keeper.finish()?;
            return ended(status);
        }
        if stop.is_set() && !told {
            told = true;
            cli::daemon::terminate(&recorder)?;
        }
        if built.elapsed() >= pause {
            let start = Instant::now();
            keeper.build_beside(&mut recorder)?;
            built = Instant::now();
            pause = EVERY.max((built - start) * BUILD_SHARE);
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

/// The logs in a folder, and the part of them that is already in a spec.
struct Keeper {
    mode: String,
    specs: PathBuf,
    logs: PathBuf,
    /// The size of each host's logs at the last build, in bytes.
    built: BTreeMap<String, u64>,
    /// Hosts whose spec contains exchanges that no longer exist; builds continue from a copy of it.
    earlier: BTreeMap<String, PathBuf>,
    copies: tempfile::TempDir,
    messages: Messages,
}

impl Keeper {
    fn new(mode: &str, logs: &Path, specs: PathBuf) -> anyhow::Result<Keeper> {
        let copies = tempfile::tempdir().context("cannot create a temporary folder")?;
        let mut keeper = Keeper {
            mode: mode.to_owned(),
            specs,
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
        let Ok(entries) = fs::read_dir(&self.specs) else { return Ok(()) };
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

    /// The hosts with exchanges, their logs, and the total size of the logs.
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
        for (host, (paths, length)) in self.hosts() {
            if self.built.get(&host) != Some(&length) {
                self.build_host(&host, paths, None)?;
                self.built.insert(host, length);
            }
        }
        Ok(())
    }

    /// Builds the rest, and prints the closing line.
    fn finish(&mut self) -> anyhow::Result<()> {
        let next = match self.specs.to_str() {
            Some(defaults::SPECS) | None => "hmt mock".to_owned(),
            Some(specs) => format!("hmt mock {specs}"),
        };
        let mut hosts = self.hosts();
        if hosts.len() == 1
            && let Some((host, (paths, _))) = hosts.pop_first()
        {
            // Its closing line and its warnings are those of the whole run.
            return self.build_host(&host, paths, Some(&next));
        }
        self.build()?;
        let made = cli::counted(hosts.len() as u64, "spec");
        self.messages.plain(format_args!("{made}: {}. Next: {next}", self.specs.display()));
        Ok(())
    }

    fn build_host(
        &self,
        host: &str,
        mut paths: Vec<PathBuf>,
        next: Option<&str>,
    ) -> anyhow::Result<()> {
        paths.sort();
        let out = self.specs.join(format!("{host}_{}.json", self.mode));
        let mut args: Vec<OsString> = vec!["-m".into(), self.mode.as_str().into()];
        if next.is_none() {
            args.push("-q".into());
        }
        if let Some(earlier) = self.earlier.get(host) {
            args.extend(["-a".into(), earlier.into()]);
        }
        args.extend(["-o".into(), out.into()]);
        args.extend(paths.into_iter().map(OsString::from));
        let status = Tool::Build.spawn(&args, next)?.wait()?;
        // 3: some lines were no exchanges, which the builder has reported.
        if !matches!(status.code(), Some(0 | 3)) {
            self.messages.error(format_args!("the spec of {host} could not be built"));
        }
        Ok(())
    }
}
