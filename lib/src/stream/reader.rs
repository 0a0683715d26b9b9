//! Exchanges from any number of locators, block by block.

#[cfg(feature = "kafka")]
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Block;
use super::har::Har;
use super::kafka::Topic;
#[cfg(feature = "kafka")]
use super::kafka::{Step, TopicReader};
use super::lines::Lines;
use super::locator::{Content, Locator, by_name};
use super::sink::Notify;
use super::unpack::unpack;
use super::{Pace, StreamError};

/// Reads the sources one after the other.
pub struct Reader {
    block_size: usize,
    /// Sources still to be opened, the next one last.
    waiting: Vec<Source>,
    current: Option<(Arc<str>, Feed)>,
    notes: Vec<String>,
    watch: Watch,
    partitions: Vec<PartitionRange>,
    /// What of topics is to be read again.
    again: Vec<PartitionRange>,
}

/// What was read of a partition: the cluster, the topic, the partition, its offsets.
pub type PartitionRange = (String, String, i32, Range<u64>);

/// Who waits for a topic.
#[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "nobody waits for a topic"))]
struct Watch {
    stop: Box<dyn Fn() -> bool + Send>,
    notify: Notify,
}

impl Default for Watch {
    fn default() -> Self {
        Watch { stop: Box::new(|| false), notify: Arc::new(|_| ()) }
    }
}

enum Source {
    Stdin(Box<dyn Read + Send>),
    File(PathBuf, Option<Range<u64>>),
    Part(Part),
    /// Where it is read again: so many ranges of each partition are done.
    Topic(Box<Topic>, Option<usize>),
}

/// Some lines of a file that is open at its start; it may have another name by now.
pub struct Part {
    /// Its name, for messages.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// Which bytes, beginning and ending where lines do.
    pub bytes: Range<u64>,
    /// The number of the first of the lines, from 1.
    pub first_line: u64,
}

impl Part {
    /// How many lines end within some bytes of a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lines_in(file: &mut File, bytes: Range<u64>) -> io::Result<u64> {
        file.seek(SeekFrom::Start(bytes.start))?;
        let mut part = file.by_ref().take(bytes.end.saturating_sub(bytes.start));
        let mut buffer = vec![0; 64 << 10];
        let mut count = 0;
        loop {
            match part.read(&mut buffer)? {
                0 => return Ok(count),
                got => count += memchr::memchr_iter(b'\n', &buffer[..got]).count() as u64,
            }
        }
    }
}

/// What cuts a source into blocks.
enum Feed {
    Lines(Lines),
    Har(Har),
    #[cfg(feature = "kafka")]
    Topic(Box<TopicReader>),
}

impl Reader {
    /// Finds the sources: a folder gives its captures in the order of their names. `stdin` stands for `-`,
    /// which may come once; blocks hold about `block_size` bytes.
    ///
    /// # Errors
    /// A path that does not exist or cannot be listed, a second `-`.
    pub fn open(
        locators: &[Locator],
        stdin: Option<Box<dyn Read + Send>>,
        block_size: usize,
    ) -> Result<Reader, StreamError> {
        let mut stdin = stdin;
        let mut waiting = Vec::new();
        let mut notes = Vec::new();
        for locator in locators {
            match locator {
                Locator::Stdio => {
                    let input = stdin.take().ok_or(StreamError::StdinTwice)?;
                    waiting.push(Source::Stdin(input));
                }
                Locator::File(path) => {
                    fs::metadata(path).map_err(|error| StreamError::open(path, error))?;
                    waiting.push(Source::File(path.clone(), None));
                }
                Locator::Dir(path) => {
                    let captures = captures(path)?;
                    if captures.is_empty() {
                        notes.push(format!(
                            "{}: no capture in this folder (.jsonl, .ndjson, .har, also with .gz or .zst)",
                            path.display()
                        ));
                    }
                    waiting.extend(captures.into_iter().map(|path| Source::File(path, None)));
                }
                Locator::Kafka(topic) => waiting.push(Source::Topic(topic.clone(), None)),
            }
        }
        waiting.reverse();
        Ok(Reader { notes, ..Reader::of(waiting, block_size) })
    }

    /// The same, but of topics only what was read of them before, and all of that.
    ///
    /// # Errors
    /// As of [`Reader::open`]; later, that a topic has not all of it any more.
    pub fn open_again(
        locators: &[Locator],
        stdin: Option<Box<dyn Read + Send>>,
        block_size: usize,
        read: &[PartitionRange],
    ) -> Result<Reader, StreamError> {
        let mut reader = Reader::open(locators, stdin, block_size)?;
        reader.again = read.to_vec();
        for source in &mut reader.waiting {
            if let Source::Topic(_, done) = source {
                *done = Some(0);
            }
        }
        Ok(reader)
    }

    /// Reads parts of open files.
    pub fn of_parts(parts: Vec<Part>, block_size: usize) -> Reader {
        Reader::of(parts.into_iter().map(Source::Part).rev().collect(), block_size)
    }

    fn of(waiting: Vec<Source>, block_size: usize) -> Reader {
        Reader {
            block_size,
            waiting,
            current: None,
            notes: Vec::new(),
            watch: Watch::default(),
            partitions: Vec::new(),
            again: Vec::new(),
        }
    }

    /// Says what ends the reading of a topic that has no end, and who is told what happens meanwhile: that no broker answers.
    pub fn watch(&mut self, stop: impl Fn() -> bool + Send + 'static, notify: Notify) {
        self.watch = Watch { stop: Box::new(stop), notify };
    }

    /// What was read of topics.
    pub fn partitions(&self) -> &[PartitionRange] {
        &self.partitions
    }

    /// What the user should know about the sources: folders without captures.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The files that are still to be read, in order; `None` for standard input. Topics are none.
    pub fn files(&self) -> impl Iterator<Item = Option<&Path>> {
        self.waiting.iter().rev().filter_map(|source| match source {
            Source::Stdin(_) => Some(None),
            Source::File(path, _) => Some(Some(path.as_path())),
            Source::Part(part) => Some(Some(part.path.as_path())),
            Source::Topic(..) => None,
        })
    }

    /// Reads of each of the files that are still to be read only the bytes that `part` tells, which begin and end where lines
    /// do; all where it tells nothing, and the file not at all where there are none.
    pub fn read_only(&mut self, mut part: impl FnMut(&Path) -> Option<Range<u64>>) {
        for source in &mut self.waiting {
            if let Source::File(path, range) = source {
                *range = part(path);
            }
        }
        self.waiting
            .retain(|source| !matches!(source, Source::File(_, Some(range)) if range.is_empty()));
    }

    /// The next block of whole lines; `None` after the last source.
    ///
    /// # Errors
    /// A source that cannot be opened or read. A call after an error goes on with the next source.
    pub fn next_block(&mut self) -> Result<Option<Block>, StreamError> {
        loop {
            let Some((name, feed)) = &mut self.current else {
                match self.waiting.pop() {
                    Some(Source::Topic(topic, done)) => self.current = self.join(&topic, done)?,
                    Some(source) => self.current = Some(self.start(source)?),
                    None => return Ok(None),
                }
                continue;
            };
            let block = match feed {
                #[cfg(feature = "kafka")]
                Feed::Topic(topic) => {
                    let block = next_of_topic(topic, &self.watch);
                    if !matches!(block, Ok(Some(_))) {
                        let (cluster, name) = (topic.cluster(), topic.topic().name());
                        let read = topic.read().into_iter();
                        self.partitions.extend(read.map(|(partition, range)| {
                            (cluster.to_owned(), name.to_owned(), partition, range)
                        }));
                        self.current = None;
                    }
                    match block {
                        Ok(None) => continue,
                        block => return block,
                    }
                }
                Feed::Lines(lines) => lines.next_block(),
                Feed::Har(har) => har.next_block(),
            };
            match block {
                Ok(Some(block)) => return Ok(Some(block)),
                Ok(None) => self.current = None,
                Err(cause) => {
                    let source = name.to_string();
                    self.current = None;
                    return Err(StreamError::Read { source_name: source, cause });
                }
            }
        }
    }

    /// Takes back a block that is done with, so that its room serves another.
    pub fn reuse(&mut self, block: Block) {
        if let Some((_, Feed::Lines(lines))) = &mut self.current {
            lines.reuse(block.bytes);
        }
    }

    #[cfg(feature = "kafka")]
    fn join(
        &mut self,
        topic: &Topic,
        done: Option<usize>,
    ) -> Result<Option<(Arc<str>, Feed)>, StreamError> {
        let Watch { stop, notify } = &self.watch;
        let name = topic.short().into();
        let reader = match done {
            None => TopicReader::open(topic, self.block_size, stop, &**notify)?,
            Some(done) => {
                let next =
                    |cluster: &str, name: &str| next_ranges(&self.again, cluster, name, done);
                let reader =
                    TopicReader::open_again(topic, self.block_size, next, stop, &**notify)?;
                if reader.is_some() {
                    self.waiting.push(Source::Topic(Box::new(topic.clone()), Some(done + 1)));
                }
                reader
            }
        };
        Ok(reader.map(|reader| (name, Feed::Topic(Box::new(reader)))))
    }

    #[cfg(not(feature = "kafka"))]
    #[expect(clippy::unused_self, reason = "as with Kafka")]
    fn join(
        &mut self,
        topic: &Topic,
        _: Option<usize>,
    ) -> Result<Option<(Arc<str>, Feed)>, StreamError> {
        let why = super::kafka::ABSENT.to_owned();
        Err(StreamError::Kafka { topic: topic.short(), why })
    }

    fn start(&self, source: Source) -> Result<(Arc<str>, Feed), StreamError> {
        let mut first_line = 1;
        let (name, input, content, pace): (Arc<str>, Box<dyn Read + Send>, _, _) = match source {
            Source::Topic(..) => unreachable!("topics are joined"),
            Source::Stdin(input) => ("-".into(), input, Content::Lines, Pace::Prompt),
            Source::File(path, Some(range)) => {
                let cannot = |error| StreamError::open(&path, error);
                let mut file = File::open(&path).map_err(cannot)?;
                let first_line = 1 + Part::lines_in(&mut file, 0..range.start).map_err(cannot)?;
                return self.start(Source::Part(Part { path, file, bytes: range, first_line }));
            }
            Source::Part(Part { path, mut file, bytes, first_line: first }) => {
                let cannot = |error| StreamError::open(&path, error);
                file.seek(SeekFrom::Start(bytes.start)).map_err(cannot)?;
                first_line = first;
                let input = file.take(bytes.end.saturating_sub(bytes.start));
                let name = path.display().to_string();
                (name.into(), Box::new(input), Content::Lines, Pace::Whole)
            }
            Source::File(path, None) => {
                let file = File::open(&path).map_err(|error| StreamError::open(&path, error))?;
                let is_file = file.metadata().is_ok_and(|found| found.is_file());
                let pace = if is_file { Pace::Whole } else { Pace::Prompt };
                let content = by_name(&path).0.unwrap_or(Content::Lines);
                (path.display().to_string().into(), Box::new(file), content, pace)
            }
        };
        let input = unpack(input)
            .map_err(|cause| StreamError::Read { source_name: name.to_string(), cause })?;
        let source = Arc::clone(&name);
        let feed = match content {
            Content::Lines => {
                Feed::Lines(Lines::new(source, input, self.block_size, pace).at_line(first_line))
            }
            Content::Har => Feed::Har(Har::new(source, input, self.block_size)),
        };
        Ok((name, feed))
    }
}

/// What of a topic's partitions is read again, one range of each at a time.
#[cfg(feature = "kafka")]
fn next_ranges(
    again: &[PartitionRange],
    cluster: &str,
    topic: &str,
    done: usize,
) -> BTreeMap<i32, Range<u64>> {
    let mut all: BTreeMap<i32, Vec<Range<u64>>> = BTreeMap::new();
    let own = again.iter().filter(|(of, name, ..)| of == cluster && name == topic);
    for (.., partition, range) in own.filter(|(.., range)| !range.is_empty()) {
        all.entry(*partition).or_default().push(range.clone());
    }
    let next = all.into_iter();
    next.filter_map(|(partition, ranges)| Some((partition, ranges.get(done)?.clone()))).collect()
}

/// The next block of a topic; partitions that others are to have are given back.
#[cfg(feature = "kafka")]
fn next_of_topic(topic: &mut TopicReader, watch: &Watch) -> Result<Option<Block>, StreamError> {
    loop {
        match topic.next(None, &*watch.stop, &*watch.notify)? {
            Step::Block(block) => return Ok(Some(block)),
            Step::Rest => return Ok(None),
            Step::Assigned(_) => topic.accept(&BTreeMap::new())?,
            Step::Revoked { .. } => topic.release()?,
        }
    }
}

/// The captures of a folder in the order of their names; other files are not ours to read.
fn captures(folder: &Path) -> Result<Vec<PathBuf>, StreamError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if by_name(&path).0.is_some() && fs::metadata(&path)?.is_file() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    };
    list().map_err(|error| StreamError::open(folder, error))
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
