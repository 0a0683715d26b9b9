//! Unites partial states.

use std::cmp::Reverse;

use crate::infer::{Builder, Overlap, Partial, PartialError, Provenance};

/// A partial and its location.
#[derive(Debug)]
pub struct NamedPartial {
    /// `FILE:LINE`
    pub name: String,
    /// The partial.
    pub partial: Partial,
    /// The length of its line in bytes.
    pub bytes: usize,
}

/// Drops a claim of a member of a consumer group if other members have read the claimed records
/// again. This happens if a member ended, or lost its partition, before its commit succeeded.
/// Returns the names of the dropped claims, each with the records that are in another partial too.
pub fn settle_claims(partials: &mut Vec<NamedPartial>) -> Vec<(String, Overlap)> {
    let mut claims: Vec<NamedPartial> =
        partials.extract_if(.., |named| named.partial.claim().is_some()).collect();
    let mut read = Provenance::default();
    partials.iter().for_each(|named| read.unite(named.partial.inputs()));
    // If only claims overlap, they are equivalent, and the longest one has the most records. Their
    // order does not matter.
    claims.sort_by_cached_key(|NamedPartial { partial, .. }| {
        (Reverse(partial.inputs().length()), partial.inputs().clone())
    });
    let mut dropped = Vec::new();
    for claim in claims {
        if let Some(overlap) = read.overlap(claim.partial.inputs()) {
            dropped.push((claim.name, overlap));
        } else {
            read.unite(claim.partial.inputs());
            partials.push(claim);
        }
    }
    dropped
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::{Mode, StateConfig};

    fn named(name: &str, records: std::ops::Range<u64>, claim: Option<&str>) -> NamedPartial {
        let mut builder = Builder::new(StateConfig::new(Mode::Gen));
        builder.set_inputs(Provenance::of_partition("c", "t", 0, records));
        let line = builder.to_partition(claim, None, None);
        let partial = Partial::parse(line.as_bytes()).expect("what was written is read");
        NamedPartial { name: name.to_owned(), partial, bytes: line.len() }
    }

    #[test]
    fn claims_count_only_if_nobody_else_has_the_records() {
        let mut partials = vec![
            named("again", 0..4, Some("run")),
            named("sure", 2..6, None),
            named("short", 6..8, Some("run")),
            named("long", 6..9, Some("run")),
        ];
        let dropped = settle_claims(&mut partials);
        let names: Vec<&str> = partials.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["sure", "long"]);
        let dropped: Vec<&str> = dropped.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(dropped, ["again", "short"]);
    }
}
