//! A folder with one log for each host: `{host}-recordings.jsonl`.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file_sink::create_private_folder;
use super::rotate::{RotatedLog, Rotation};
use super::sink::{Sink, SinkError};
use crate::exchange::file_name_of_host;

/// Maximum number of open logs; the least recently used one is closed first.
const MAX_OPEN: usize = 1_000;
/// Maximum number of hosts with their own log; further ones share [`OVERFLOW`], because a client
/// can invent hosts.
const MAX_FILES: usize = 10_000;
const OVERFLOW: &str = "overflow-recordings.jsonl";
/// For exchanges without a host. No host has this name, because `_` only stands for the `:` before
/// a port.
const NO_HOST: &str = "no_host-recordings.jsonl";

/// The sink for a folder.
pub struct LogDir {
    folder: PathBuf,
    rotation: Rotation,
    open: BTreeMap<String, OpenLog>,
    /// True if written lines must be on disk.
    durable: bool,
    /// The files written so far.
    files: HashSet<String>,
    max_files: usize,
    /// Counts writes, to find the least recently used log.
    clock: u64,
    overflowed: u64,
}

struct OpenLog {
    log: RotatedLog,
    used: u64,
}

impl LogDir {
    /// Opens a folder; it is created, private to its owner, if missing.
    ///
    /// # Errors
    /// The folder cannot be created, or the path is not a folder.
    pub fn open(folder: &Path, rotation: Rotation) -> Result<Self, SinkError> {
        create_private_folder(folder)
            .map_err(|cause| SinkError::Open { path: folder.to_owned(), cause })?;
        Ok(LogDir {
            folder: folder.to_owned(),
            rotation,
            open: BTreeMap::new(),
            durable: false,
            files: HashSet::new(),
            max_files: MAX_FILES,
            clock: 0,
            overflowed: 0,
        })
    }

    /// The number of exchanges in the shared log.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    fn log(&mut self, host: &str) -> Result<&mut OpenLog, SinkError> {
        let mut name = if host.is_empty() {
            NO_HOST.to_owned()
        } else {
            format!("{}-recordings.jsonl", file_name_of_host(host))
        };
        if !self.files.contains(&name) && self.files.len() >= self.max_files {
            self.overflowed += 1;
            OVERFLOW.clone_into(&mut name);
        }
        if !self.open.contains_key(&name) {
            if self.open.len() >= MAX_OPEN {
                let oldest = self.open.iter().min_by_key(|(_, open)| open.used);
                let oldest = oldest.map(|(name, _)| name.clone());
                if let Some(mut old) = oldest.and_then(|oldest| self.open.remove(&oldest))
                    && self.durable
                {
                    old.log.sync()?;
                }
            }
            let path = self.folder.join(&name);
            refuse_links(&path).map_err(|cause| SinkError::Open { path: path.clone(), cause })?;
            let log = RotatedLog::open(&path, self.rotation)?;
            self.files.insert(name.clone());
            self.open.insert(name.clone(), OpenLog { log, used: 0 });
        }
        let open = self.open.get_mut(&name).expect("it exists or has just been created");
        self.clock += 1;
        open.used = self.clock;
        Ok(open)
    }
}

/// A log must be a plain file: a planted symbolic link must not redirect the writer.
fn refuse_links(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Sink for LogDir {
    fn write(&mut self, host: &str, line: &[u8]) -> Result<(), SinkError> {
        self.log(host)?.log.write(host, line)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.durable = true;
        self.open.values_mut().try_for_each(|open| open.log.sync())
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(folder: &Path, name: &str) -> usize {
        fs::read_to_string(folder.join(name)).unwrap().lines().count()
    }

    #[test]
    fn one_log_for_each_host() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("deep/logs");
        let mut sink = LogDir::open(&logs, Rotation::default()).unwrap();
        for host in ["a.example", "B.example:80", "../../x", "", "a.example"] {
            sink.write(host, b"{}\n").unwrap();
        }
        let mut names: Vec<String> = fs::read_dir(&logs)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "%2E.%2F..%2Fx-recordings.jsonl",
                "a.example-recordings.jsonl",
                "b.example_80-recordings.jsonl",
                "no_host-recordings.jsonl",
            ]
        );
        assert_eq!(lines(&logs, "a.example-recordings.jsonl"), 2);
    }

    #[test]
    fn invented_hosts_exhaust_neither_descriptors_nor_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = LogDir::open(folder.path(), Rotation::default()).unwrap();
        sink.max_files = 1_200;
        for round in 0..2 {
            for number in 0..1_300 {
                sink.write(&format!("h{number}"), b"{}\n").unwrap();
            }
            assert!(sink.open.len() <= MAX_OPEN, "round {round}");
        }
        assert_eq!(sink.overflowed(), 200);
        assert_eq!(lines(folder.path(), OVERFLOW), 200);
        assert_eq!(lines(folder.path(), "h0-recordings.jsonl"), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1_201);
    }

    #[cfg(unix)]
    #[test]
    fn planted_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        let logs = folder.path().join("logs");
        let mut sink = LogDir::open(&logs, Rotation::default()).unwrap();
        std::os::unix::fs::symlink(&victim, logs.join("h-recordings.jsonl")).unwrap();
        let error = sink.write("h", b"{}\n").unwrap_err();
        assert!(error.to_string().contains("h-recordings.jsonl"));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
