//! One small file per string format: `detect` and `generate` together, one table.
//!
//! Builder, validator and faker all read [`FORMATS`], so a format that is detected in traffic is the format
//! that is checked and generated.

use rand::RngCore;

/// A string format.
pub struct StringFormat {
    /// The name in `format:`.
    pub name: &'static str,
    /// True where the whole text is of the format. The builder infers with the predicate that the validator checks by.
    pub detect: fn(&str) -> bool,
    /// A random text of the format.
    pub generate: fn(&mut dyn RngCore) -> String,
    /// True where the builder may infer it (others are only checked and generated).
    pub inferred: bool,
}

/// All formats; where several fit, the first inferred one is written into a spec.
pub const FORMATS: &[StringFormat] = &[];

/// The format of a name.
pub fn by_name(name: &str) -> Option<&'static StringFormat> {
    FORMATS.iter().find(|format| format.name == name)
}
