//! Schemas: compile, check (validate) and join (least upper bound).
//!
//! [`SchemaSet`] holds the compiled schemas of a document for checking and for generating data.
//! [`join`] works on schemas as written, because its result is written again. This module does not
//! know what a schema is used for (bodies, parameters), except the direction of values.

mod check;
mod compile;
mod dialect;
mod formats;
mod join;
mod keywords;
mod lookup;
mod node;
mod number;
mod pattern;
mod shape;
mod stream;
mod value;
mod write;

pub use check::{Direction, Fault, Problem};
pub use compile::SchemaError;
pub use dialect::Dialect;
pub(crate) use formats::{number_format_follows, text_format_follows};
pub(crate) use join::MAX_ENUM;
pub use join::{covers, join, may_meet, unite_keys};
pub use node::{
    Bound, Contains, Content, Discriminator, Node, NodeId, Pattern, SchemaSet, Types, Xml,
};
pub(crate) use number::decimal;
pub use number::{compare as compare_numbers, equal as equal_values, is_integral};
pub use shape::is_unread;
pub use stream::Streamed;
