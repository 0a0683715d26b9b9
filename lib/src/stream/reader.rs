//! Exchanges from any number of locators, block by block.

#[cfg(feature = "kafka")]
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::Block;
use super::capture::Entries;
use super::captures::{in_archive, in_folder, open_archive};
use super::detect::{SourceKind, detect};
use super::kafka::Topic;
#[cfg(feature = "kafka")]
use super::kafka::{TopicEvent, TopicReader};
use super::lines::Lines;
use super::locator::Locator;
use super::sibling_files::SiblingFiles;
use super::sink::Notify;
use super::unpack::unpack;
use super::zip::{Archive, Member};
use super::{Pace, StreamError};

/// Reads the sources one after another.
pub struct Reader {
    block_size: usize,
    /// Sources that are not opened yet, in reverse order.
    waiting: Vec<Source>,
    current: Option<(Arc<str>, Feed)>,
    notes: Vec<String>,
    watch: TopicWatcher,
    partitions: Vec<PartitionRange>,
    /// Ranges of topics to read again.
    again: Vec<PartitionRange>,
    refuses_partials: bool,
}

/// A range that was read: the cluster, the topic, the partition, its offsets.
pub type PartitionRange = (String, String, i32, Range<u64>);

/// How to stop reading a topic, and who receives messages.
#[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "nobody waits for a topic"))]
struct TopicWatcher {
    stop: Box<dyn Fn() -> bool + Send>,
    notify: Notify,
}

impl Default for TopicWatcher {
    fn default() -> Self {
        TopicWatcher { stop: Box::new(|| false), notify: Arc::new(|_| ()) }
    }
}

enum Source {
    Stdin(Box<dyn Read + Send>),
    File(PathBuf, Option<Range<u64>>),
    /// A file in a zip archive: the name for messages, the archive, and the member.
    Member(Arc<str>, Arc<Archive>, Member),
    FilePart(FilePart),
    /// A topic. When it is read again, the number says how many ranges of each partition are done.
    Topic(Box<Topic>, Option<usize>),
}

/// Some lines of an open file, which may have been renamed since.
pub struct FilePart {
    /// The name for messages.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// The range of bytes, which begins and ends at line boundaries.
    pub bytes: Range<u64>,
    /// The number of the first line, from 1.
    pub first_line: u64,
}

impl FilePart {
    /// How many lines end within a range of a file.
    ///
    /// # Errors
    /// The file cannot be read.
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

/// Splits a source into blocks.
enum Feed {
    Lines(Lines),
    Entries(Entries),
    #[cfg(feature = "kafka")]
    Topic(Box<TopicReader>),
}

impl Reader {
    /// Collects the sources: a folder contributes its captures sorted by name. `stdin` is used for
    /// `-`, which may occur once; blocks have about `block_size` bytes.
    ///
    /// # Errors
    /// A path that does not exist or cannot be listed, a folder without captures, a second `-`.
    pub fn open(
        locators: &[Locator],
        stdin: Option<Box<dyn Read + Send>>,
        block_size: usize,
    ) -> Result<Reader, StreamError> {
        let mut stdin = stdin;
        let mut waiting = Vec::new();
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
                    let captures = in_folder(path)?;
                    if captures.is_empty() {
                        return Err(StreamError::Empty(path.clone()));
                    }
                    waiting.extend(captures.into_iter().map(|path| Source::File(path, None)));
                }
                Locator::Kafka(topic) => waiting.push(Source::Topic(topic.clone(), None)),
            }
        }
        waiting.reverse();
        Ok(Reader::of(waiting, block_size))
    }

    /// The same, but reads only those parts of topics that were read before.
    ///
    /// # Errors
    /// Those of [`Reader::open`]; later, a topic that no longer has all of them.
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
    pub fn of_parts(parts: Vec<FilePart>, block_size: usize) -> Reader {
        Reader::of(parts.into_iter().map(Source::FilePart).rev().collect(), block_size)
    }

    fn of(waiting: Vec<Source>, block_size: usize) -> Reader {
        Reader {
            block_size,
            waiting,
            current: None,
            notes: Vec::new(),
            watch: TopicWatcher::default(),
            partitions: Vec::new(),
            again: Vec::new(),
            refuses_partials: false,
        }
    }

    /// Rejects sources that begin with a partial state, for programs that only read exchanges.
    #[must_use]
    pub fn without_partials(self) -> Reader {
        Reader { refuses_partials: true, ..self }
    }

    /// Sets what ends the reading of an endless topic, and who receives messages, for instance that
    /// no broker answers.
    pub fn watch(&mut self, stop: impl Fn() -> bool + Send + 'static, notify: Notify) {
        self.watch = TopicWatcher { stop: Box::new(stop), notify };
    }

    /// The ranges of topics that were read.
    pub fn partitions(&self) -> &[PartitionRange] {
        &self.partitions
    }

    /// Takes the remarks on the sources read so far, for instance on skipped entries.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The files that are not read yet, in order; `None` for standard input. Topics are left out.
    pub fn files(&self) -> impl Iterator<Item = Option<&Path>> {
        self.waiting.iter().rev().filter_map(|source| match source {
            Source::Stdin(_) => Some(None),
            Source::File(path, _) => Some(Some(path.as_path())),
            Source::FilePart(part) => Some(Some(part.path.as_path())),
            Source::Topic(..) | Source::Member(..) => None,
        })
    }

    /// Limits each file that is not read yet to the range of bytes from `part`, which begins and
    /// ends at line boundaries. Without a range the whole file is read; with an empty one it is
    /// skipped.
    pub fn read_only(&mut self, mut part: impl FnMut(&Path) -> Option<Range<u64>>) {
        for source in &mut self.waiting {
            if let Source::File(path, range) = source {
                *range = part(path);
            }
        }
        self.waiting
            .retain(|source| !matches!(source, Source::File(_, Some(range)) if range.is_empty()));
    }

    /// The next block of complete lines; `None` after the last source.
    ///
    /// # Errors
    /// A source cannot be opened or read. The next call continues with the next source.
    pub fn next_block(&mut self) -> Result<Option<Block>, StreamError> {
        loop {
            let Some((name, feed)) = &mut self.current else {
                match self.waiting.pop() {
                    Some(Source::Topic(topic, done)) => self.current = self.join(&topic, done)?,
                    Some(source) => self.current = self.start(source)?,
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
                Feed::Entries(entries) => entries.next_block(),
            };
            match block {
                Ok(Some(block)) => return Ok(Some(block)),
                Ok(None) => {
                    if let Feed::Entries(entries) = feed {
                        self.notes.extend(entries.notes());
                    }
                    self.current = None;
                }
                Err(cause) => {
                    let source = name.to_string();
                    self.current = None;
                    return Err(StreamError::Read { source_name: source, cause });
                }
            }
        }
    }

    /// Takes back a finished block, so that its buffer is reused.
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
        let TopicWatcher { stop, notify } = &self.watch;
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
    #[expect(clippy::unused_self, reason = "like with Kafka")]
    fn join(
        &mut self,
        topic: &Topic,
        _: Option<usize>,
    ) -> Result<Option<(Arc<str>, Feed)>, StreamError> {
        let why = super::kafka::ABSENT.to_owned();
        Err(StreamError::Kafka { topic: topic.short(), why })
    }

    /// Opens a source. An archive of several files is replaced with these files and returns nothing
    /// itself.
    fn start(&mut self, source: Source) -> Result<Option<(Arc<str>, Feed)>, StreamError> {
        let mut first_line = 1;
        let mut beside = SiblingFiles::Nothing;
        let mut of_lines = false;
        let mut path_of_zip = None;
        let (name, input, pace): (Arc<str>, Box<dyn Read + Send>, _) = match source {
            Source::Topic(..) => unreachable!("topics are joined"),
            Source::Stdin(input) => ("-".into(), input, Pace::Prompt),
            Source::File(path, Some(range)) => {
                let cannot = |error| StreamError::open(&path, error);
                let mut file = File::open(&path).map_err(cannot)?;
                let first_line =
                    1 + FilePart::lines_in(&mut file, 0..range.start).map_err(cannot)?;
                return self.start(Source::FilePart(FilePart {
                    path,
                    file,
                    bytes: range,
                    first_line,
                }));
            }
            Source::FilePart(FilePart { path, mut file, bytes, first_line: first }) => {
                let cannot = |error| StreamError::open(&path, error);
                file.seek(SeekFrom::Start(bytes.start)).map_err(cannot)?;
                first_line = first;
                // Only the start of a file shows its format, and a part that begins later is always
                // lines.
                of_lines = bytes.start > 0;
                let input = file.take(bytes.end.saturating_sub(bytes.start));
                let name = path.display().to_string();
                (name.into(), Box::new(input), Pace::Whole)
            }
            Source::File(path, None) => {
                let file = File::open(&path).map_err(|error| StreamError::open(&path, error))?;
                let is_file = file.metadata().is_ok_and(|found| found.is_file());
                let pace = if is_file { Pace::Whole } else { Pace::Prompt };
                let name = path.display().to_string().into();
                beside = SiblingFiles::of_file(&path);
                path_of_zip = is_file.then_some(path);
                (name, Box::new(file), pace)
            }
            Source::Member(name, archive, member) => {
                let input = archive
                    .open(&member)
                    .map_err(|cause| StreamError::Read { source_name: name.to_string(), cause })?;
                let folder = member.name.rfind('/').map_or("", |at| &member.name[..=at]).to_owned();
                beside = SiblingFiles::Archive(archive, folder);
                (name, input, Pace::Whole)
            }
        };
        let failed = |cause| StreamError::Read { source_name: name.to_string(), cause };
        let source = Arc::clone(&name);
        let input = unpack(input).map_err(failed)?;
        let lines = |input| {
            let lines = Lines::new(Arc::clone(&name), input, self.block_size, pace);
            Feed::Lines(lines.at_line(first_line))
        };
        if of_lines {
            return Ok(Some((source, lines(input))));
        }
        let (found, input) = detect(input).map_err(failed)?;
        Ok(Some(match found {
            SourceKind::Partial if self.refuses_partials => {
                let what = "a partial of hmt-build";
                let advice = "hmt-build and hmt-merge read it";
                return Err(StreamError::Kind { source_name: name.to_string(), what, advice });
            }
            SourceKind::Lines { .. } | SourceKind::Partial => (source, lines(input)),
            SourceKind::Capture(format) => {
                let capture = (format.open)(input, beside);
                let entries = Entries::new(Arc::clone(&name), capture, self.block_size);
                (source, Feed::Entries(entries))
            }
            SourceKind::Zip => {
                let archive = open_archive(path_of_zip.as_deref(), input).map_err(failed)?;
                let archive = Arc::new(archive);
                let found = in_archive(&archive).map_err(failed)?;
                let found: Vec<Source> = found
                    .into_iter()
                    .map(|member| {
                        let name = format!("{name}/{}", member.name).into();
                        Source::Member(name, Arc::clone(&archive), member)
                    })
                    .collect();
                if found.is_empty() {
                    let (what, advice) = ("a zip archive without captures", "name a capture");
                    return Err(StreamError::Kind { source_name: name.to_string(), what, advice });
                }
                self.waiting.extend(found.into_iter().rev());
                return Ok(None);
            }
            SourceKind::UnsupportedKind(wrong) => {
                let (what, advice) = (wrong.what, wrong.advice);
                return Err(StreamError::Kind { source_name: name.to_string(), what, advice });
            }
        }))
    }
}

/// The ranges of a topic's partitions to read again, one of each at a time.
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

/// The next block of a topic; gives back revoked partitions.
#[cfg(feature = "kafka")]
fn next_of_topic(
    topic: &mut TopicReader,
    watch: &TopicWatcher,
) -> Result<Option<Block>, StreamError> {
    loop {
        match topic.next(None, &*watch.stop, &*watch.notify)? {
            TopicEvent::Block(block) => return Ok(Some(block)),
            TopicEvent::Rest => return Ok(None),
            TopicEvent::Assigned(_) => topic.accept(&BTreeMap::new())?,
            TopicEvent::Revoked { .. } => topic.release()?,
        }
    }
}

#[cfg(test)]
mod tests;
