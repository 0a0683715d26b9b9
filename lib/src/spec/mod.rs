//! OpenAPI documents as ordered trees: load, references, save.
