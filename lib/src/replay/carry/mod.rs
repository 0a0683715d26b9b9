//! Carries values over: if a value of a recorded response was used in a later request, it is
//! replaced by the value at the same place of the new response.
//!
//! [`Table`] sees the recorded exchanges in order. For each request it finds the values that came
//! from earlier responses ([`Use`]), without knowing the new responses yet. [`Slot`] holds the new
//! response that such a value waits for, and [`apply`] writes the new values into the request.
//!
//! * [`value`]: which values are distinctive enough to be followed.
//! * [`name`]: which names mark an identifier, and what it identifies.
//! * [`walk`]: the scalars of a JSON text, with their positions.
//! * [`origin`]: the values of a response and their places; [`spot`]: those of a request.

mod apply;
mod name;
mod origin;
mod slot;
mod spot;
mod table;
mod value;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use apply::{Applied, apply};
pub(super) use name::{IdName, entity_of_path, id_name, is_wrapper, singular};
pub(super) use origin::{Answered, Place};
pub(super) use slot::Slot;
pub(super) use spot::{Carrier, Draft, Encoding};
pub(super) use table::{Secrets, Table};
pub(super) use value::{Strength, strength};

use std::sync::Arc;

/// A part of a request that is replaced.
#[derive(Debug)]
pub(super) struct Use {
    /// The text that holds the part.
    pub(super) carrier: Carrier,
    /// The part in it, in bytes.
    pub(super) range: std::ops::Range<usize>,
    /// How the new value is written there.
    pub(super) encoding: Encoding,
    /// The recorded value.
    pub(super) old: Box<str>,
    /// Where the new value comes from.
    pub(super) source: Source,
}

/// Where a new value comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// Places in earlier responses; the first one with a value is used.
    Answers(Vec<(Arc<Slot>, Place)>),
    /// The user.
    Given(Arc<str>),
}
