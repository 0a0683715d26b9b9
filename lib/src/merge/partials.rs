//! Partials, united to one state.

use crate::infer::{Builder, Partial, PartialError};

/// Unites partials of one configuration; `None` where there are none. The order does not matter.
///
/// # Errors
/// With the index of the partial that was made under another configuration than the first.
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
