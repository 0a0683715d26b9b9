//! Reads the recordings and plans their requests.

use std::io;
use std::thread;

use tokio::sync::mpsc;

use super::plan::{Planned, Planner};
use super::summary::Skip;
use crate::exchange::parse_line;
use crate::stream::{Reader, Record, RecordPosition, StreamError};

/// Maximum number of requests in a batch.
const BATCH: usize = 64;
/// Maximum number of batches in the queue.
const WAITING: usize = 4;

/// Receives the position of each invalid record and the reason. Returns false to end the run.
pub(super) type OnReject = Box<dyn FnMut(RecordPosition<'_>, &str) -> bool + Send>;

/// The result for a record.
pub(super) enum Item {
    Planned(Box<Planned>),
    Skipped(Skip),
}

/// The result of reading.
#[derive(Debug, Default)]
pub(super) struct Fed {
    pub(super) exchanges: u64,
    pub(super) rejected: u64,
    pub(super) notes: Vec<String>,
}

/// Reads all records until `take` returns false. `after_block` is called after each block.
pub(super) fn each(
    reader: &mut Reader,
    planner: &mut Planner,
    reject: &mut OnReject,
    mut take: impl FnMut(Item, bool) -> bool,
) -> Result<Fed, StreamError> {
    let mut fed = Fed::default();
    'blocks: while let Some(block) = reader.next_block()? {
        let mut records = block.records().peekable();
        while let Some((line, record)) = records.next() {
            let is_last = records.peek().is_none();
            let why = match record {
                Record::Line(text) => match parse_line(text) {
                    Ok(exchange) => {
                        fed.exchanges += 1;
                        let position = block.at(line);
                        let item = match planner.plan(&exchange, text, (position.source(), line)) {
                            Ok(planned) => Item::Planned(Box::new(planned)),
                            Err(why) => Item::Skipped(why),
                        };
                        if !take(item, is_last) {
                            break 'blocks;
                        }
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
                Record::TooLong(bytes) => {
                    format!("the line has {bytes} bytes; the limit is 64 MiB")
                }
                Record::Rejected(error) => error.to_string(),
                Record::TornTail(_) => {
                    let position = block.at(line);
                    fed.notes
                        .push(format!("{position}: the last line is incomplete and was ignored"));
                    continue;
                }
            };
            fed.rejected += 1;
            if !reject(block.at(line), &why) {
                break 'blocks;
            }
        }
        drop(records);
        reader.reuse(block);
    }
    fed.notes.extend(reader.take_notes());
    Ok(fed)
}

/// Reads in its own thread.
pub(super) struct Feed {
    pub(super) batches: mpsc::Receiver<Vec<Item>>,
    thread: thread::JoinHandle<(Result<Fed, StreamError>, Planner)>,
}

impl Feed {
    pub(super) fn start(
        mut reader: Reader,
        mut planner: Planner,
        mut reject: OnReject,
    ) -> io::Result<Feed> {
        let (sender, batches) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("feed".to_owned()).spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let fed = each(&mut reader, &mut planner, &mut reject, |item, is_last| {
                batch.push(item);
                // A pipe may be silent for a long time after the end of a block.
                if batch.len() < BATCH && !is_last {
                    return true;
                }
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                sender.blocking_send(full).is_ok()
            });
            if !batch.is_empty() {
                // The receiver may have ended.
                let _ = sender.blocking_send(batch);
            }
            (fed, planner)
        })?;
        Ok(Feed { batches, thread })
    }

    /// True if the thread has ended, or will end at once because there is no receiver.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end.
    pub(super) fn finish(self) -> (Result<Fed, StreamError>, Option<Planner>) {
        drop(self.batches);
        match self.thread.join() {
            Ok((fed, planner)) => (fed, Some(planner)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
