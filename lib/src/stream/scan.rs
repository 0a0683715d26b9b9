//! Finds the elements of an array in a JSON file, holding only one of them in memory: of
//! `log.entries` in a HAR, or of an array that is the whole file.
//!
//! Such a file is a single JSON value and may be gigabytes long. Brackets and quotes alone
//! determine where its entries begin and end; the JSON parser reads their content.

use std::io::{self, Read};

use super::MAX_LINE;

const BUFFER: usize = 64 << 10;

pub(super) struct Scan {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    place: usize,
    array: Array,
    phase: Phase,
    /// True once a byte of the input was read.
    begun: bool,
}

/// Which array is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Array {
    /// The one under `log.entries`.
    LogEntries,
    /// The outermost one.
    Whole,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Before,
    Entries,
    Behind,
}

/// The next part of the array.
pub(super) enum Scanned {
    /// The text of an element.
    Entry(Vec<u8>),
    /// An element of this many bytes, not held in memory.
    TooLong(u64),
    /// The file ends within the array.
    Torn,
    /// The array has ended.
    End,
}

impl Scan {
    pub(super) fn new(input: Box<dyn Read + Send>, array: Array) -> Self {
        Scan { input, buffer: Vec::new(), place: 0, array, phase: Phase::Before, begun: false }
    }

    pub(super) fn next_entry(&mut self) -> io::Result<Scanned> {
        if self.phase == Phase::Before && !self.find_entries()? {
            return Ok(if self.begun { Scanned::Torn } else { Scanned::End });
        }
        if self.phase == Phase::Behind {
            return Ok(Scanned::End);
        }
        loop {
            match self.next_byte()? {
                None => return Ok(Scanned::Torn),
                Some(b']') => {
                    self.phase = Phase::Behind;
                    return Ok(if self.is_complete()? { Scanned::End } else { Scanned::Torn });
                }
                Some(b',') => {}
                Some(byte) if byte.is_ascii_whitespace() => {}
                Some(byte) => return self.element(byte),
            }
        }
    }

    /// Reads the rest after the array; false if the file ends before the enclosing objects do.
    fn is_complete(&mut self) -> io::Result<bool> {
        let mut depth: u64 = match self.array {
            Array::LogEntries => 2,
            Array::Whole => 0,
        };
        while depth > 0 {
            match self.next_byte()? {
                None => return Ok(false),
                Some(b'"') => self.string(&mut Vec::new())?,
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
            }
        }
        Ok(true)
    }

    /// Moves to the first element; false if the file is empty, or ends before.
    fn find_entries(&mut self) -> io::Result<bool> {
        let mut depth = 0_u64;
        let mut in_log = false;
        let mut last_string = Vec::new();
        let mut key = Vec::new();
        while let Some(byte) = self.next_byte()? {
            match byte {
                b'"' => self.string(&mut last_string)?,
                b':' => key = std::mem::take(&mut last_string),
                b'{' | b'[' => {
                    depth += 1;
                    if byte == b'[' && depth == 1 && self.array == Array::Whole {
                        self.phase = Phase::Entries;
                        return Ok(true);
                    }
                    if byte == b'[' && depth == 3 && in_log && key == b"entries" {
                        self.phase = Phase::Entries;
                        return Ok(true);
                    }
                    if byte == b'{' && depth == 2 {
                        in_log = key == b"log";
                    }
                    key.clear();
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "this HTTP archive (HAR) has no list of entries (log.entries); export the session again, with its requests",
                        ));
                    }
                }
                b',' => key.clear(),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Reads a string up to its closing quote; keeps at most as many bytes as a key may have.
    fn string(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        const KEY: usize = 16;
        text.clear();
        while let Some(byte) = self.next_byte()? {
            match byte {
                b'"' => break,
                b'\\' => {
                    self.next_byte()?;
                    text.push(b'\\');
                }
                byte if text.len() < KEY => text.push(byte),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads an element that begins with `first`.
    fn element(&mut self, first: u8) -> io::Result<Scanned> {
        let mut text = vec![first];
        let mut size = 1_u64;
        let mut depth = u64::from(matches!(first, b'{' | b'['));
        let mut quoted = first == b'"';
        let mut escaped = false;
        loop {
            if self.place == self.buffer.len() && !self.refill()? {
                return Ok(Scanned::Torn);
            }
            let rest = &self.buffer[self.place..];
            let mut used = 0;
            let mut whole = false;
            while used < rest.len() {
                let byte = rest[used];
                if quoted {
                    if escaped {
                        escaped = false;
                        used += 1;
                    } else {
                        match memchr::memchr2(b'"', b'\\', &rest[used..]) {
                            Some(ahead) => {
                                used += ahead + 1;
                                escaped = rest[used - 1] == b'\\';
                                quoted = escaped;
                            }
                            None => used = rest.len(),
                        }
                    }
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' => depth += 1,
                    // A scalar, which is never an entry, ends where the array continues.
                    b',' | b']' if depth == 0 => {
                        whole = true;
                        break;
                    }
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            used += 1;
                            whole = true;
                            break;
                        }
                    }
                    _ => {}
                }
                used += 1;
            }
            size += used as u64;
            if size <= MAX_LINE as u64 {
                text.extend_from_slice(&rest[..used]);
            } else {
                text = Vec::new();
            }
            self.place += used;
            if whole {
                return Ok(if size <= MAX_LINE as u64 {
                    Scanned::Entry(text)
                } else {
                    Scanned::TooLong(size)
                });
            }
        }
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        if self.place == self.buffer.len() && !self.refill()? {
            return Ok(None);
        }
        self.place += 1;
        Ok(Some(self.buffer[self.place - 1]))
    }

    /// Reads more; false at the end. Truncated compressed data counts as the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.place = 0;
        self.buffer.resize(BUFFER, 0);
        let got = loop {
            match self.input.read(&mut self.buffer) {
                Ok(got) => break got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break 0,
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        };
        self.buffer.truncate(got);
        self.begun |= got > 0;
        Ok(got > 0)
    }
}
