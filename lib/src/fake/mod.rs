//! Generates JSON from a schema and a seed. Each schema is compiled once.
//!
//! A [`Plan`] is a schema prepared for writing: references are followed, `allOf` is merged, and
//! alternatives and endless recursion are found. Nothing is resolved while it writes, and JSON goes
//! straight into the buffer. The same seed gives the same text on every machine.
//!
//! The law: **generated values are valid for their schema**. If combinations (`oneOf` with
//! overlapping branches, `not`, `if`) make this impossible by construction, the part is generated,
//! checked with [`crate::schema`], and generated again. [`Plan::warnings`] names the schemas
//! without a valid value.
//!
//! A value is generated ([`Plan::generate`]), or composed ([`Plan::compose`]) from the examples,
//! constants and defaults of its parts. Composed values are valid too, except for examples that
//! violate their own schema.

mod array;
mod choice;
mod compile;
mod conjunction;
mod contrary;
mod graph;
mod lookahead;
mod number;
mod object;
mod pattern;
mod plan;
mod probe;
mod property;
mod sample;
mod subset;
mod text;
mod vocabulary;
mod write;

pub use plan::{Plan, plain_text};

#[cfg(test)]
mod tests;
