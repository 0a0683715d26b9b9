//! Imports existing captures: reads them, removes secrets, and writes records.

use super::recorded_body::undo_encoding;
use crate::exchange::{Exchange, Redactor, parse_line, write_line};
use crate::stream::{
    Block, MAX_LINE, Reader, Record, RecordPosition, Sink, SinkError, StreamError,
};

/// Receives what could not be imported.
pub trait ImportDiagnostics {
    /// Called for a record that is not a valid exchange. `false` ends the import.
    fn rejected(&mut self, place: RecordPosition<'_>, why: &str) -> bool;
    /// Called with a warning for the user.
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

/// Reads `reader` to its end and writes every exchange to all `sinks`; returns their number. The
/// sinks are closed in any case.
///
/// # Errors
/// A source or a sink failed. Everything written until then is kept.
pub fn import(
    reader: &mut Reader,
    mut sinks: Vec<Box<dyn Sink>>,
    redactor: Option<&Redactor>,
    complaints: &mut dyn ImportDiagnostics,
) -> Result<u64, ImportError> {
    let mut written = 0;
    for sink in &sinks {
        if let Some((delivery_deadline, idle_limit)) = sink.delivery_deadline() {
            delivery_deadline.ends_after(idle_limit);
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
    // Close every sink, even if another one fails to close.
    let closed = sinks.into_iter().map(|sink| sink.close()).fold(Ok(()), Result::and);
    closed?;
    Ok(written)
}

/// Decodes bodies that still have their Content-Encoding, so that secrets in them can be found.
/// Bodies that cannot be decoded are left out.
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

/// Returns `false` to end the import.
fn import_block(
    block: &Block,
    sinks: &mut [Box<dyn Sink>],
    redactor: Option<&Redactor>,
    complaints: &mut dyn ImportDiagnostics,
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
                        .warn(&format!("{place}: the last line is incomplete and was ignored"));
                    continue;
                }
            },
            Record::TooLong(bytes) => {
                Err(format!("a line of {bytes} bytes; the limit is {MAX_LINE}"))
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
