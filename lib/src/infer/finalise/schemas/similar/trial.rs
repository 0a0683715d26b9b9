//! Tests whether two kinds are the same: the evidence, and the consequences for everything below
//! them.

use std::collections::BTreeSet;

use super::features::Features;
use crate::infer::finalise::schemas::graph::{Graph, ObjectId, ObjectKind, Slot, SlotId};
use crate::infer::finalise::schemas::intern::Name;
use crate::infer::finalise::schemas::json_kinds::{NULL, kinds};
use crate::infer::finalise::schemas::likeness::{BIT, Bits, PROOF, difference, log2};

/// The maximum evidence against, as a share of the evidence for it: half between places with the
/// same name, a fifth between others.
const DOUBTS: [i64; 2] = [5, 2];

/// The maximum evidence against in one key; beyond it, no other key helps. The logarithm of the
/// number of keys is added, because every key is one chance of an error.
const VETO: Bits = 10 * BIT;

/// Additional evidence that is allowed against two things below kinds that are the same for other
/// reasons.
const TOLERANCE: Bits = 20 * BIT;

/// True if the keys occur so rarely that the objects are of several kinds. The kinds are then
/// decided for each place.
fn is_mixture(kind: &ObjectKind) -> bool {
    let keys = kind.properties.len() as u64;
    let present = kind.properties.values().fold(0_u64, |all, (n, _)| all.saturating_add(*n));
    kind.n >= 3
        && keys >= 6
        && present.saturating_mul(10) < kind.n.saturating_mul(keys).saturating_mul(4)
}

/// The evidence for and against.
struct Evidence {
    shared: Bits,
    against: Bits,
}

/// The assumption that two kinds are the same, with all consequences.
pub(super) struct Trial<'t, 'l> {
    pub(super) graph: &'t Graph<'l>,
    pub(super) features: &'t Features,
    /// Pairs that are the same if the assumption holds.
    pub(super) assumed: BTreeSet<(ObjectId, ObjectId)>,
}

impl Trial<'_, '_> {
    /// The evidence that two kinds are the same, if it is sufficient.
    pub(super) fn proof(&self, a: &ObjectKind, b: &ObjectKind) -> Option<Bits> {
        if a.additional.is_some() != b.additional.is_some() || is_mixture(a) || is_mixture(b) {
            return None;
        }
        let Evidence { shared, against } = self.evidence(a, b)?;
        // A single object fits a mixture of kinds better than any other kind, but it must not be
        // added to a mixture for this reason.
        let doubts = DOUBTS[usize::from(self.features.noun(a, b) > 0)];
        (shared - against >= PROOF && against * doubts <= shared).then_some(shared - against)
    }

    /// The evidence for and against two kinds being the same; `None` if one key rules it out.
    fn evidence(&self, a: &ObjectKind, b: &ObjectKind) -> Option<Evidence> {
        let veto = VETO + log2((a.properties.len() + b.properties.len()) as u64);
        let mut evidence = Evidence { shared: self.features.noun(a, b), against: 0 };
        for (key, mine, theirs) in a.properties.beside(&b.properties) {
            let counts = |kind: &ObjectKind, property: Option<&(u64, SlotId)>| match property {
                Some((present, slot)) => self.graph.counts(kind.n, *present, *slot),
                None => [kind.n, 0, 0, 0, 0, 0, 0],
            };
            let mut against = difference(&counts(a, mine), &counts(b, theirs));
            if let (Some((_, mine)), Some((_, theirs))) = (mine, theirs) {
                evidence.shared += self.features.key(a.side, key);
                against += self.tag(key, *mine, *theirs) + self.below_differ(*mine, *theirs);
            }
            if against > veto {
                return None;
            }
            evidence.against += against;
        }
        Some(evidence)
    }

    /// The evidence of a tag with different values in both.
    fn tag(&self, key: Name, a: SlotId, b: SlotId) -> Bits {
        if !self.features.tags.contains(&key) {
            return 0;
        }
        let single = |slot| {
            let text = self.graph.slot(slot).scalars.text.as_ref()?;
            let counts = text.values.exact()?;
            (counts.len() == 1).then(|| counts.iter().next())?
        };
        match (single(a), single(b)) {
            (Some((value, n)), Some((other, m))) if value != other => difference(&[n, 0], &[0, m]),
            _ => 0,
        }
    }

    /// The evidence against two places being the same, because their objects state different kinds,
    /// or different shares of them.
    fn below_differ(&self, a: SlotId, b: SlotId) -> Bits {
        let (a, b) = (self.graph.slot(a), self.graph.slot(b));
        let items = match (a.array.flatten(), b.array.flatten()) {
            (Some(mine), Some(theirs)) => self.below_differ(mine, theirs),
            _ => 0,
        };
        items + self.kinds_differ(a, b)
    }

    fn kinds_differ(&self, a: &Slot, b: &Slot) -> Bits {
        // The most frequent case: both have one kind, with the same name.
        if a.kinds.len() <= 1 && b.kinds.len() <= 1 && a.kinds.keys().eq(b.kinds.keys()) {
            return 0;
        }
        let count = |n: Option<&u64>| n.copied().unwrap_or_default();
        let (mine, theirs): (Vec<u64>, Vec<u64>) = a
            .tagged
            .beside(&b.tagged)
            .map(|(_, mine, theirs)| (count(mine), count(theirs)))
            .unzip();
        difference(&mine, &theirs)
    }

    /// True if the values under common keys can be the same as well.
    pub(super) fn below(&mut self, a: &ObjectKind, b: &ObjectKind) -> bool {
        let properties = a.properties.beside(&b.properties).filter_map(|(_, mine, theirs)| {
            let ((_, mine), (_, theirs)) = (mine?, theirs?);
            Some((*mine, *theirs))
        });
        let pairs: Vec<(SlotId, SlotId)> =
            properties.chain(a.additional.zip(b.additional)).collect();
        pairs.into_iter().all(|(mine, theirs)| self.slots_agree(mine, theirs))
    }

    fn slots_agree(&mut self, a: SlotId, b: SlotId) -> bool {
        let (a, b) = (self.graph.slot(a), self.graph.slot(b));
        self.kinds_agree(a, b)
            && match (a.array.flatten(), b.array.flatten()) {
                (Some(mine), Some(theirs)) => self.slots_agree(mine, theirs),
                _ => true,
            }
    }

    /// True if the objects of two places can be at one place: equal tags must be the same kind. A
    /// few different tags may belong to a union.
    fn kinds_agree(&mut self, a: &Slot, b: &Slot) -> bool {
        if self.kinds_differ(a, b) > VETO {
            return false;
        }
        let mut common = false;
        for (_, mine, theirs) in a.kinds.beside(&b.kinds) {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                common = true;
                if !self.agree(*mine, *theirs) {
                    return false;
                }
            }
        }
        let untagged = |slot: &Slot| slot.kinds.get(Name::EMPTY).is_some();
        if common || a.kinds.is_empty() || b.kinds.is_empty() || !(untagged(a) || untagged(b)) {
            return true;
        }
        let (mine, theirs) = (self.graph.kinds_at(a), self.graph.kinds_at(b));
        let before = self.assumed.clone();
        let pairs = mine.iter().flat_map(|x| theirs.iter().map(|y| (*x, *y)));
        pairs.into_iter().any(|(x, y)| {
            // Consequences of a wrong assumption are dropped.
            self.assumed.clone_from(&before);
            self.agree(x, y)
        })
    }

    /// True if two kinds can be the same. Other evidence already suggests that they are.
    fn agree(&mut self, a: ObjectId, b: ObjectId) -> bool {
        let (a, b) = (self.graph.same(a), self.graph.same(b));
        if a == b || !self.assumed.insert((a.min(b), a.max(b))) {
            return true;
        }
        let (x, y) = (self.graph.kind(a), self.graph.kind(b));
        match (Self::may_be_map(x), Self::may_be_map(y)) {
            (true, true) => {
                let (mine, theirs) = (self.value_types(x), self.value_types(y));
                (mine == 0 || theirs == 0 || mine & theirs != 0) && self.below(x, y)
            }
            _ if x.additional.is_some() != y.additional.is_some() => false,
            _ => {
                self.evidence(x, y).is_some_and(|found| found.against <= found.shared + TOLERANCE)
                    && self.below(x, y)
            }
        }
    }

    /// The types of all values except null, as bits.
    fn value_types(&self, kind: &ObjectKind) -> u32 {
        let slots = kind.properties.values().map(|(_, slot)| *slot).chain(kind.additional);
        slots.fold(0, |all, slot| {
            let slot = self.graph.slot(slot);
            all | kinds(&slot.scalars, slot.array.is_some(), !slot.kinds.is_empty()) & !NULL
        })
    }

    /// True for maps, and for objects without keys.
    fn may_be_map(kind: &ObjectKind) -> bool {
        kind.additional.is_some() || kind.properties.is_empty()
    }
}
