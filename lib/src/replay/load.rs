//! Loads exchanges from sources into an index of recordings.

use crate::exchange::parse_line;
use crate::recorded::{Inserted, MatchRule, Recordings, SpoolError, Unanswerable};
use crate::stream::{Reader, Record, RecordPosition, StreamError};

/// The result of loading.
#[derive(Debug)]
pub struct LoadedRecordings {
    /// The recordings.
    pub recordings: Recordings,
    /// Exchanges that can be answered.
    pub exchanges: u64,
    /// Exchanges without a response that can be sent again.
    pub left_out: u64,
    /// Why the first of them was left out.
    pub why: Option<Unanswerable>,
    /// Remarks on the sources: a truncated last line, skipped files.
    pub notes: Vec<String>,
    /// Records that are not valid exchanges.
    pub rejected: u64,
}

impl LoadedRecordings {
    /// Remarks for the user, one per line.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = self.notes.clone();
        if let Some(why) = self.why {
            remarks.push(format!(
                "{} exchanges ignored; the reason for the first one: {why}",
                self.left_out
            ));
        }
        let dropped = self.recordings.dropped_headers();
        if dropped > 0 {
            remarks.push(format!("{dropped} recorded headers cannot be sent and are ignored"));
        }
        let requests = self.recordings.len();
        remarks.push(format!("{} responses to {requests} different requests", self.exchanges));
        remarks
    }
}

/// Recordings cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingsLoadError {
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// A temporary file cannot be written.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Reads all exchanges. `reject` is called with the position of each invalid record and the reason.
///
/// # Errors
/// A source that cannot be read, or no space for a large recording.
pub fn load(
    mut reader: Reader,
    rule: MatchRule,
    mut reject: impl FnMut(RecordPosition<'_>, &str),
) -> Result<LoadedRecordings, RecordingsLoadError> {
    let mut loaded = LoadedRecordings {
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
                    let why = format!("the line has {bytes} bytes; the limit is 64 MiB");
                    reject(block.at(line), &why);
                }
                Record::Rejected(error) => {
                    loaded.rejected += 1;
                    reject(block.at(line), &error.to_string());
                }
                Record::TornTail(_) => loaded.notes.push(format!(
                    "{}: the last line is incomplete and was ignored",
                    block.at(line)
                )),
            }
        }
        reader.reuse(block);
    }
    loaded.recordings.finish()?;
    loaded.notes.extend(reader.take_notes());
    Ok(loaded)
}
