//! Schema and seed to JSON text, compiled once per schema.
//!
//! A [`Plan`] is a schema made ready for writing: references followed, `allOf` merged, alternatives listed,
//! endless ones found. Nothing is resolved while it writes, and JSON goes straight into the buffer. The same
//! seed gives the same text, on every machine.
//!
//! The law: **what is generated validates against its schema**. Where combinations (`oneOf` of branches that
//! overlap, `not`, `if`) make that more than construction can promise, the part concerned is generated,
//! checked with [`crate::schema`], and generated again. [`Plan::warnings`] names the schemas for which no
//! valid value was found.
//!
//! A value is generated ([`Plan::generate`]), or composed ([`Plan::compose`]) of the examples, constants and defaults that
//! stand beside its parts. The law holds for composed values too, but for examples that contradict their own schema.

mod array;
mod choice;
mod compile;
mod conjunction;
mod graph;
mod lookahead;
mod number;
mod object;
mod pattern;
mod plan;
mod property;
mod sample;
mod subset;
mod text;
mod vocabulary;
mod write;

pub use plan::{Plan, plain_text};

#[cfg(test)]
mod tests;
