//! Schema and seed to JSON text, compiled once per schema.
