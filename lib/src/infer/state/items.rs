//! Bodies that are a sequence of values: NDJSON, JSON text sequences, event streams.

use super::json::Json;
use super::tape::Tape;
use crate::exchange::Sequence;
use crate::infer::sketch::Caps;

/// Calls `each` with every value of a body, on a tape with its text. Event data that is not JSON is
/// a string. Returns false if a value of another sequence is not JSON, before any call of `each`.
pub(super) fn read(sequence: Sequence, body: &str, mut each: impl FnMut(&Tape, &str)) -> bool {
    let texts = sequence.texts(body);
    let mut tapes = Vec::with_capacity(texts.len());
    for text in &texts {
        let mut tape = Tape::default();
        if tape.parse(text).is_err() {
            if sequence != Sequence::Events {
                return false;
            }
            tape = Tape::default();
            tape.write_string(text);
        }
        tapes.push(tape);
    }
    for (tape, text) in tapes.iter().zip(&texts) {
        each(tape, text);
    }
    true
}

/// Folds the values of a body; false if it is not such a sequence.
pub(super) fn fold(items: &mut Json, sequence: Sequence, body: &str, limits: &Caps<'_>) -> bool {
    read(sequence, body, |tape, text| {
        items.fold(tape, text, 0, 0, limits);
    })
}
