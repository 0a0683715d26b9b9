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
mod uses;
mod value;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use apply::{Applied, apply};
pub(super) use name::{IdName, entity_of_path, id_name, is_wrapper, singular};
pub(super) use origin::Answered;
pub(super) use slot::Slot;
pub(super) use spot::Draft;
pub(super) use table::{Secrets, Table};
pub(super) use uses::{Use, ValueSource};
pub(super) use value::{Strength, strength};
