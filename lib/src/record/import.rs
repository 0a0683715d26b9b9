//! Captures that are there already: read, freed of secrets, written as records.

use super::content::undo_encoding;
use crate::exchange::{Exchange, Redactor, parse_line, write_line};
use crate::stream::{At, Block, MAX_LINE, Reader, Record, Sink, SinkError, StreamError};

/// Told of what is not taken over.
pub trait Complaints {
    /// A record that is no exchange. False ends the import.
    fn rejected(&mut self, place: At<'_>, why: &str) -> bool;
    /// Something that the user should know.
    fn warn(&mut self, text: &str);
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A source could not be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A sink could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Reads `reader` to its end and writes every exchange to all `sinks`; gives their number. The sinks are
/// closed, too, where nothing fails.
///
/// # Errors
/// A source or a sink failed; what was written until then is there.
pub fn import(
    reader: &mut Reader,
    mut sinks: Vec<Box<dyn Sink>>,
    redactor: Option<&Redactor>,
    complaints: &mut dyn Complaints,
) -> Result<u64, ImportError> {
    let mut written = 0;
    for sink in &sinks {
        if let Some((patience, silence)) = sink.patience() {
            patience.ends_after(silence);
        }
    }
    while let Some(block) = reader.next_block()? {
        if !import_block(&block, &mut sinks, redactor, complaints, &mut written)? {
            break;
        }
    }
    for note in reader.take_notes() {
        complaints.warn(&note);
    }
    // Each is closed, also where another could not be.
    let closed = sinks.into_iter().map(|sink| sink.close()).fold(Ok(()), Result::and);
    closed?;
    Ok(written)
}

/// Decodes the bodies that still have their Content-Encoding, so that the secrets in them can be seen, or leaves them
/// out.
fn undo_encodings(exchange: &mut Exchange<'_>) {
    let meta = &mut exchange.meta;
    let cut = |truncated: Option<u64>| truncated.is_some() || meta.incomplete.is_some();
    let (cut_request, cut_response) = (cut(meta.truncated_request), cut(meta.truncated_response));
    let request = &mut exchange.request;
    if let Some(size) = undo_encoding(&mut request.body, &request.headers, cut_request) {
        meta.truncated_request.get_or_insert(size);
    }
    let Some(response) = &mut exchange.response else { return };
    if let Some(size) = undo_encoding(&mut response.body, &response.headers, cut_response) {
        meta.truncated_response.get_or_insert(size);
    }
}

/// False where the import is to end.
fn import_block(
    block: &Block,
    sinks: &mut [Box<dyn Sink>],
    redactor: Option<&Redactor>,
    complaints: &mut dyn Complaints,
    written: &mut u64,
) -> Result<bool, SinkError> {
    let mut out = Vec::new();
    for (number, record) in block.records() {
        let parsed = match record {
            Record::Line(line) => parse_line(line).map_err(|error| error.to_string()),
            Record::TornTail(line) => match parse_line(line) {
                Ok(exchange) => Ok(exchange),
                Err(_) => {
                    let place = block.at(number);
                    complaints
                        .warn(&format!("{place}: the last line is incomplete and was left out"));
                    continue;
                }
            },
            Record::TooLong(bytes) => {
                Err(format!("a line of {bytes} bytes; at most {MAX_LINE} are read"))
            }
            Record::Rejected(error) => Err(error.to_string()),
        };
        let mut exchange = match parsed {
            Ok(exchange) => exchange,
            Err(why) if complaints.rejected(block.at(number), &why) => continue,
            Err(_) => return Ok(false),
        };
        if let Some(redactor) = redactor {
            undo_encodings(&mut exchange);
            redactor.apply(&mut exchange);
        }
        out.clear();
        write_line(&exchange, &mut out);
        for sink in &mut *sinks {
            sink.write(&exchange.request.host, &out)?;
        }
        *written += 1;
    }
    Ok(true)
}
