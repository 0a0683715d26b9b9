//! Rotates logs: a log that is large or old enough is renamed, so that the current log always has
//! the same name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;
use time::macros::format_description;

use super::file_sink::FileSink;
use super::har_sink::HarSink;
use super::locator::{Packing, SinkContent, by_name};
use super::packed_sink::PackedSink;
use super::sink::{Sink, SinkError};

/// When a log is rotated; never by default. An empty log stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Before a line that would make the file longer than this many bytes (compressed, if it is).
    pub size: Option<u64>,
    /// Before the first line after this time.
    pub every: Option<Duration>,
}

/// A log of one file, plain or compressed by its name.
pub(super) struct RotatedLog {
    path: PathBuf,
    packing: Packing,
    rotation: Rotation,
    /// `None` if the next log could not be opened.
    sink: Option<Box<dyn Sink>>,
    since: Instant,
}

impl RotatedLog {
    pub(super) fn open(path: &Path, rotation: Rotation) -> Result<Self, SinkError> {
        let (_, packing) = by_name(path);
        let sink = Some(open(path, packing)?);
        Ok(RotatedLog { path: path.to_owned(), packing, rotation, sink, since: Instant::now() })
    }

    fn sink(&mut self) -> Result<&mut dyn Sink, SinkError> {
        if self.sink.is_none() {
            self.sink = Some(open(&self.path, self.packing)?);
            self.since = Instant::now();
        }
        match &mut self.sink {
            Some(sink) => Ok(sink.as_mut()),
            None => unreachable!("it has just been opened"),
        }
    }

    fn is_due(&self, line: usize) -> bool {
        if self.rotation == Rotation::default() {
            return false;
        }
        let Ok(found) = fs::metadata(&self.path) else { return false };
        let old = self.rotation.every.is_some_and(|every| self.since.elapsed() >= every);
        let full = self.rotation.size.is_some_and(|size| found.len() + line as u64 > size);
        found.is_file() && found.len() > 0 && (old || full)
    }

    fn make_room(&mut self) -> Result<(), SinkError> {
        if let Some(sink) = self.sink.take() {
            sink.close()?;
        }
        put_aside(&self.path)
            .map_err(|cause| SinkError::Write { name: self.path.display().to_string(), cause })?;
        self.sink().map(|_| ())
    }
}

impl Sink for RotatedLog {
    fn write(&mut self, host: &str, line: &[u8]) -> Result<(), SinkError> {
        if self.is_due(line.len()) {
            self.make_room()?;
        }
        self.sink()?.write(host, line)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.sink.as_mut().map_or(Ok(()), |sink| sink.flush())
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.sink.as_mut().map_or(Ok(()), |sink| sink.sync())
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        self.sink.map_or(Ok(()), |sink| sink.close())
    }
}

fn open(path: &Path, packing: Packing) -> Result<Box<dyn Sink>, SinkError> {
    let is_har = by_name(path).0 == Some(SinkContent::Har);
    Ok(match packing {
        Packing::Plain if is_har => Box::new(HarSink::open(path)?),
        Packing::Plain => Box::new(FileSink::open(path)?),
        packing => Box::new(PackedSink::open(path, packing)?),
    })
}

/// Renames `api.jsonl.gz` to `api.20261125T213500.123456Z.jsonl.gz`, never over an existing file.
/// Names then sort by time, with the current one last.
fn put_aside(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The extension is one of a few known ones, and the name before it may contain dots.
    let lower = name.to_ascii_lowercase();
    let packed = [".gz", ".zst"].into_iter().find(|end| lower.ends_with(end)).map_or(0, str::len);
    let stem = name[..name.len() - packed].rfind('.').filter(|at| *at > 0);
    let stem = stem.unwrap_or(name.len() - packed);
    let format =
        format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:6]Z");
    loop {
        let now = OffsetDateTime::from(SystemTime::now());
        let time = now.format(format).map_err(io::Error::other)?;
        let aside = path.with_file_name(format!("{}.{time}{}", &name[..stem], &name[stem..]));
        match rename_to_free_name(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::thread::sleep(Duration::from_micros(10));
            }
            outcome => return outcome,
        }
    }
}

/// Renames a file unless the new name is taken; in one step if the system supports it, because a
/// file with both names would be read twice.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not supported by some file systems and old kernels.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => (),
            outcome => return outcome.map_err(io::Error::from),
        }
    }
    // Unlike a rename, a link never replaces an existing file.
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from).inspect_err(|_| drop(fs::remove_file(to))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        Err(_) => fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn large_logs_make_room_and_nothing_is_lost() {
        for name in ["a.b.jsonl", "a.b.jsonl.gz"] {
            let folder = tempfile::tempdir().unwrap();
            let rotation = Rotation { size: Some(100), every: None };
            let mut log = Box::new(RotatedLog::open(&folder.path().join(name), rotation).unwrap());
            for number in 0..40 {
                let line = format!("{{\"number\":{number}}}\n");
                log.write("h", line.as_bytes()).unwrap();
                log.flush().unwrap();
            }
            log.close().unwrap();
            let names = names(folder.path());
            assert!(names.len() > 3, "{names:?}");
            assert_eq!(names.last().unwrap(), name, "the current one sorts last");
            let mut all = String::new();
            for name in &names {
                let path = folder.path().join(name);
                assert!(name.starts_with("a.b.") && name.contains(".jsonl"), "{name}");
                let file = Box::new(fs::File::open(path).unwrap());
                io::Read::read_to_string(
                    &mut super::super::unpack::unpack(file).unwrap(),
                    &mut all,
                )
                .unwrap();
            }
            let expected: String = (0..40).map(|n| format!("{{\"number\":{n}}}\n")).collect();
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn old_logs_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let rotation = Rotation { size: None, every: Some(Duration::ZERO) };
        let mut log = RotatedLog::open(&path, rotation).unwrap();
        for _ in 0..3 {
            log.write("h", b"{}\n").unwrap();
        }
        assert_eq!(names(folder.path()).len(), 3);
        assert_eq!(fs::read(&path).unwrap(), b"{}\n");
    }
}
