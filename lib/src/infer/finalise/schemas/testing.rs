//! Helpers for the tests of several decisions.

use crate::infer::Limits;
use crate::infer::sketch::Caps;
use crate::infer::state::{Json, Tape};

/// The observations at a place with these values.
pub(crate) fn folded<T: AsRef<str>>(values: &[T]) -> Json {
    let (mut json, mut tape, limits) = (Json::default(), Tape::default(), Limits::default());
    for value in values {
        tape.parse(value.as_ref()).expect("is JSON");
        json.fold(&tape, value.as_ref(), 0, 0, &Caps::new(&limits));
    }
    json
}
