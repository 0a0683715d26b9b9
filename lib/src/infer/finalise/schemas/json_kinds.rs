//! The JSON types at a place, as bits.

use crate::infer::state::Json;

/// The bit for null.
pub(crate) const NULL: u32 = 1;

/// The bits for booleans, numbers, texts.
pub(crate) const SCALARS: u32 = 2 | NUMBER | TEXT;

/// The bit for numbers.
pub(crate) const NUMBER: u32 = 4;

/// The bit for texts.
pub(crate) const TEXT: u32 = 8;

/// The observed JSON types, as bits.
pub(crate) fn kinds(scalars: &Json, array: bool, object: bool) -> u32 {
    (if scalars.nulls > 0 { NULL } else { 0 })
        | (if scalars.bools > 0 { 2 } else { 0 })
        | (if scalars.ints > 0 || scalars.floats > 0 { NUMBER } else { 0 })
        | (if scalars.text.is_some() { TEXT } else { 0 })
        | (if array { 16 } else { 0 })
        | (if object { 32 } else { 0 })
}
