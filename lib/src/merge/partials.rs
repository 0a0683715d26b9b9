//! Unites partial states.

use crate::infer::{Builder, Partial, PartialError};

/// Unites partials with the same configuration; `None` if there are none. The order does not
/// matter.
///
/// # Errors
/// The index of the first partial whose configuration differs from that of the first one.
pub fn partials(
    parts: impl IntoIterator<Item = Partial>,
) -> Result<Option<Builder>, (usize, PartialError)> {
    let mut builder: Option<Builder> = None;
    for (index, partial) in parts.into_iter().enumerate() {
        builder
            .get_or_insert_with(|| Builder::new(partial.configuration()))
            .add(partial)
            .map_err(|error| (index, error))?;
    }
    Ok(builder)
}
