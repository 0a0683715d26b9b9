//! Exchanges from sources into an index of recordings.

use crate::exchange::parse_line;
use crate::recorded::{Inserted, MatchRule, Recordings, SpoolError, Unanswerable};
use crate::stream::{At, Reader, Record, StreamError};

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The recordings.
    pub recordings: Recordings,
    /// Exchanges that will be answered.
    pub exchanges: u64,
    /// Exchanges without an answer that could be sent again.
    pub left_out: u64,
    /// Why the first of them was left out.
    pub why: Option<Unanswerable>,
    /// What else is worth telling of the sources: a torn last line, files passed over.
    pub notes: Vec<String>,
    /// Records that are no exchanges.
    pub rejected: u64,
}

/// Recordings cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// There is no room for them.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Reads all exchanges. `reject` is told the place and the reason of each record that is none.
///
/// # Errors
/// A source that cannot be read, or no room for a large recording.
pub fn load(
    mut reader: Reader,
    rule: MatchRule,
    mut reject: impl FnMut(At<'_>, &str),
) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded {
        recordings: Recordings::new(rule),
        exchanges: 0,
        left_out: 0,
        why: None,
        notes: Vec::new(),
        rejected: 0,
    };
    while let Some(block) = reader.next_block()? {
        for (line, record) in block.records() {
            match record {
                Record::Line(text) => match parse_line(text) {
                    Ok(exchange) => match loaded.recordings.insert(&exchange, text)? {
                        Inserted::Kept => loaded.exchanges += 1,
                        Inserted::LeftOut(why) => {
                            loaded.left_out += 1;
                            loaded.why.get_or_insert(why);
                        }
                    },
                    Err(error) => {
                        loaded.rejected += 1;
                        reject(block.at(line), &error.to_string());
                    }
                },
                Record::TooLong(bytes) => {
                    loaded.rejected += 1;
                    let why = format!("the line is too long: {bytes} bytes, 64 MiB at most");
                    reject(block.at(line), &why);
                }
                Record::Rejected(error) => {
                    loaded.rejected += 1;
                    reject(block.at(line), &error.to_string());
                }
                Record::TornTail(_) => loaded
                    .notes
                    .push(format!("{}: the last line is incomplete and left out", block.at(line))),
            }
        }
        reader.reuse(block);
    }
    loaded.recordings.finish()?;
    loaded.notes.extend(reader.take_notes());
    Ok(loaded)
}
