//! Splits a byte stream into blocks of complete lines, with bounded memory.

use std::io::{self, Read};
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::exchange::LineError;

use super::block::{Block, BlockKind};
use super::unpack::CutOff;
use super::{MAX_LINE, Pace};

/// Read size for a source that is read promptly: the capacity of a Linux pipe.
const PIPE: usize = 64 << 10;

/// Maximum number of buffers kept for reuse.
const SPARE: usize = 16;

/// Lines of one source.
pub(super) struct Lines {
    source: Arc<str>,
    input: Box<dyn Read + Send>,
    block_size: usize,
    pace: Pace,
    /// The beginning of a line whose end has not been read yet.
    rest: Vec<u8>,
    /// Buffers of earlier blocks. New memory costs more than the reads into it.
    spare: Vec<Vec<u8>>,
    next_line: u64,
    /// A block that follows the one just returned.
    held: Option<Block>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The compressed data ended after a flush, as when its writer was killed.
    BrokenOff,
    /// It ended anywhere else: lines may be missing.
    CutOff,
    Ended,
}

impl Lines {
    pub(super) fn new(
        source: Arc<str>,
        input: Box<dyn Read + Send>,
        block_size: usize,
        pace: Pace,
    ) -> Self {
        Lines {
            source,
            input,
            block_size: block_size.clamp(1, MAX_LINE),
            pace,
            rest: Vec::new(),
            spare: Vec::new(),
            next_line: 1,
            held: None,
            state: State::Reading,
        }
    }

    /// Starts numbering at this line.
    pub(super) fn at_line(mut self, first: u64) -> Self {
        self.next_line = first;
        self
    }

    /// Takes back the buffer of a finished block, for reuse.
    pub(super) fn reuse(&mut self, mut bytes: Vec<u8>) {
        // The buffer of a single huge line is freed.
        if self.spare.len() < SPARE && bytes.capacity() <= 2 * self.block_size {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// The next block; `None` at the end of the source.
    pub(super) fn next_block(&mut self) -> io::Result<Option<Block>> {
        if let Some(block) = self.held.take() {
            return Ok(Some(block));
        }
        if self.state == State::Ended {
            return Ok(None);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.append(&mut self.rest);
        let mut searched = bytes.len();
        loop {
            let full = bytes.len() >= self.block_size;
            // A line longer than a block is read in growing steps.
            let room = if full { bytes.len() } else { self.block_size - bytes.len() };
            let room = room.min(MAX_LINE + 1 - bytes.len());
            if self.fill(&mut bytes, room)? == 0 {
                return Ok(self.last_block(bytes));
            }
            let enough = self.pace == Pace::Prompt || bytes.len() >= self.block_size;
            match memchr::memrchr(b'\n', &bytes[searched..]) {
                Some(end) if enough => {
                    let cut = searched + end + 1;
                    self.rest.extend_from_slice(&bytes[cut..]);
                    bytes.truncate(cut);
                    return Ok(Some(self.block(bytes, BlockKind::Lines)));
                }
                Some(_) => {}
                None if bytes.len() > MAX_LINE => return self.pass_over(bytes).map(Some),
                None => searched = bytes.len(),
            }
        }
    }

    /// Reads `room` more bytes, or what is available at once from a prompt source; 0 at the end.
    fn fill(&mut self, bytes: &mut Vec<u8>, room: usize) -> io::Result<usize> {
        if self.state != State::Reading {
            return Ok(0);
        }
        let before = bytes.len();
        let outcome = match self.pace {
            Pace::Whole => {
                bytes.reserve(room);
                self.input.by_ref().take(room as u64).read_to_end(bytes).map(|_| ())
            }
            Pace::Prompt => self.fill_once(bytes, room.min(PIPE)),
        };
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let is_cut = error.get_ref().is_some_and(|cause| cause.is::<CutOff>());
                self.state = if is_cut { State::CutOff } else { State::BrokenOff };
            }
            outcome => outcome?,
        }
        Ok(bytes.len() - before)
    }

    fn fill_once(&mut self, bytes: &mut Vec<u8>, room: usize) -> io::Result<()> {
        let before = bytes.len();
        bytes.resize(before + room, 0);
        loop {
            match self.input.read(&mut bytes[before..]) {
                Ok(got) => {
                    bytes.truncate(before + got);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    bytes.truncate(before);
                    return Err(error);
                }
            }
        }
    }

    /// The rest at the end of the input; its last line may lack a newline.
    fn last_block(&mut self, bytes: Vec<u8>) -> Option<Block> {
        let broken_off = self.state == State::BrokenOff;
        let tail = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        let is_torn = is_torn(&bytes[tail..]);
        // In zstd the end of a flush is not marked, but it is the end of a line.
        if self.state == State::CutOff || broken_off && is_torn {
            self.state = State::Ended;
            return Some(self.cut(bytes, tail, is_torn));
        }
        self.state = State::Ended;
        if is_torn {
            return Some(self.block(bytes, BlockKind::Torn));
        }
        if broken_off {
            let ends_whole = tail == bytes.len();
            let torn = Block {
                source: Arc::clone(&self.source),
                first_line: self.next_line
                    + memchr::memchr_iter(b'\n', &bytes).count() as u64
                    + u64::from(!ends_whole),
                bytes: Vec::new(),
                kind: BlockKind::Torn,
            };
            if bytes.is_empty() {
                return Some(torn);
            }
            self.held = Some(torn);
        }
        (!bytes.is_empty()).then(|| self.block(bytes, BlockKind::Lines))
    }

    /// The rest of compressed data that is cut off: its complete lines, and a rejected record for
    /// the lost ones.
    fn cut(&mut self, mut bytes: Vec<u8>, tail: usize, is_torn: bool) -> Block {
        if is_torn {
            bytes.truncate(tail);
        }
        let lines = (!bytes.is_empty()).then(|| {
            let ends_whole = bytes.ends_with(b"\n");
            let block = self.block(bytes, BlockKind::Lines);
            self.next_line += u64::from(!ends_whole);
            block
        });
        let why = "the compressed file is cut off here, and the records after this are lost";
        let cut = BlockKind::Rejected(LineError::new(why, 0));
        let cut = self.block(Vec::new(), cut);
        match lines {
            Some(lines) => {
                self.held = Some(cut);
                lines
            }
            None => cut,
        }
    }

    /// Skips a line that is too long to hold, counting its bytes.
    fn pass_over(&mut self, mut bytes: Vec<u8>) -> io::Result<Block> {
        let mut size = bytes.len() as u64;
        loop {
            bytes.clear();
            if self.fill(&mut bytes, PIPE)? == 0 {
                self.state = State::Ended;
                break;
            }
            if let Some(end) = memchr::memchr(b'\n', &bytes) {
                size += end as u64;
                self.rest = bytes[end + 1..].to_vec();
                break;
            }
            size += bytes.len() as u64;
        }
        let first_line = self.next_line;
        self.next_line += 1;
        let source = Arc::clone(&self.source);
        Ok(Block { source, first_line, bytes: Vec::new(), kind: BlockKind::TooLong(size) })
    }

    fn block(&mut self, bytes: Vec<u8>, kind: BlockKind) -> Block {
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Block { source: Arc::clone(&self.source), first_line, bytes, kind }
    }
}

/// True for a last line without newline that ends within its JSON. A complete one counts as a line,
/// and an invalid one is rejected like any other.
fn is_torn(tail: &[u8]) -> bool {
    let tail = tail.trim_ascii();
    !tail.is_empty()
        && serde_json::from_slice::<IgnoredAny>(tail).is_err_and(|error| error.is_eof())
}
