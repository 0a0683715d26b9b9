//! All JSON of a document as one graph, in which places with the same kind of object are united.
//!
//! If one operation has too few observations, another may have many. Uniting the *observations*
//! before any decision makes `required`, `nullable` and enums correct even for sparse traffic. It
//! is sound, because every decision uses all observations. It does not depend on the order, because
//! uniting is a congruence: if two objects are united, so are the values under equal keys.

use std::collections::{BTreeMap, BTreeSet};

use super::intern::{ByName, Interner, Name};
use super::json_kinds::kinds;
use super::likeness::KindCounts;
use super::maps::{MapNames, SplitKeys};
use crate::infer::Limits;
use crate::infer::finalise::words::camel::singular_camel;
use crate::infer::sketch::{Merge as _, add};
use crate::infer::state::{Json, Object};

/// A place for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotId(u32);

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectId(u32);

impl ObjectId {
    /// Numbered consecutively from zero.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The side of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BodySide {
    Request,
    /// A failed request.
    Failed,
    #[default]
    Response,
}

/// The observations at a place, with arrays and objects kept apart.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Without objects and array items.
    pub(crate) scalars: Json,
    /// The items, if there were arrays.
    pub(crate) array: Option<Option<SlotId>>,
    /// The object kinds by tag; objects without a tag have an empty name.
    pub(crate) kinds: ByName<ObjectId>,
    /// The number of objects for each tag.
    pub(crate) tagged: ByName<u64>,
    /// How many arrays there were.
    pub(crate) arrays: u64,
    /// How many objects there were.
    pub(crate) objects: u64,
}

/// The observations of an object kind.
#[derive(Debug, Default)]
pub(crate) struct ObjectKind {
    pub(crate) n: u64,
    /// Each with the number of objects that have it.
    pub(crate) properties: ByName<(u64, SlotId)>,
    /// All values under keys that are data.
    pub(crate) additional: Option<SlotId>,
    /// The number of places in the input that hold it.
    pub(crate) places: u64,
    pub(crate) side: BodySide,
    /// The names of the places, with their numbers.
    pub(crate) votes: ByName<u64>,
    /// The same as singulars.
    pub(crate) nouns: ByName<()>,
}

/// The graph. Ids stay valid when things are united; [`Graph::slot`] and [`Graph::kind`] resolve
/// them.
pub(crate) struct Graph<'l> {
    limits: &'l Limits,
    maps: &'l MapNames,
    pub(crate) names: Interner,
    /// Cached singulars, because they are needed often.
    singulars: BTreeMap<Name, Name>,
    slots: Vec<Slot>,
    slot_of: Vec<u32>,
    kinds: Vec<ObjectKind>,
    kind_of: Vec<u32>,
}

impl<'l> Graph<'l> {
    pub(crate) fn new(limits: &'l Limits, maps: &'l MapNames) -> Self {
        Graph {
            limits,
            maps,
            names: Interner::new(),
            singulars: BTreeMap::new(),
            slots: Vec::new(),
            slot_of: Vec::new(),
            kinds: Vec::new(),
            kind_of: Vec::new(),
        }
    }

    /// The caps that the bodies were folded with.
    pub(crate) fn limits(&self) -> &Limits {
        self.limits
    }

    /// A separate graph for other bodies.
    pub(crate) fn empty(&self) -> Graph<'l> {
        Graph::new(self.limits, self.maps)
    }

    /// Splits the keys of an object outside of the graph into names and data; see
    /// [`MapNames::shape`].
    pub(crate) fn shape<'o>(&self, object: &'o Object, keys: (&str, &str)) -> SplitKeys<'o> {
        self.maps.shape(object, keys, self.limits)
    }

    /// Adds a body. `noun` names its content.
    pub(crate) fn add(&mut self, json: &Json, noun: &str, side: BodySide) -> SlotId {
        self.add_under(json, ("", ""), noun, side)
    }

    /// Adds a node with everything below it. `keys` are its own key and that of its parent.
    fn add_under(&mut self, json: &Json, keys: (&str, &str), noun: &str, side: BodySide) -> SlotId {
        let lengths = json.array.as_ref().map(|array| Box::new(array.without_items()));
        let scalars = Json { array: lengths, ..json.scalars() };
        let array = json
            .array
            .as_ref()
            .map(|array| array.items.as_ref().map(|items| self.add_under(items, keys, noun, side)));
        let (mut kinds, mut tagged) = (ByName::default(), ByName::default());
        for (tags, object) in json.objects() {
            let SplitKeys { properties, additional } = self.maps.shape(object, keys, self.limits);
            let mut kind = ObjectKind { n: object.n, places: 1, side, ..ObjectKind::default() };
            let vote = self.names.of(noun);
            kind.votes.insert(vote, 1);
            kind.nouns.insert(self.singular(vote), ());
            let tags = self.names.of(&tags);
            for (name, property) in properties {
                let below = if is_envelope(name) { noun } else { name };
                let slot = self.add_under(&property.json, (keys.1, name), below, side);
                kind.properties.insert(self.names.of(name), (property.present, slot));
            }
            kind.additional =
                additional.map(|json| self.add_under(&json, (keys.1, ""), noun, side));
            let id = self.kinds.len() as u32;
            self.kinds.push(kind);
            self.kind_of.push(id);
            tagged.insert(tags, object.n);
            kinds.insert(tags, ObjectId(id));
        }
        let id = self.slots.len() as u32;
        let arrays = json.array.as_ref().map_or(0, |array| array.n);
        let objects = json.objects().iter().fold(0u64, |n, (_, object)| n.saturating_add(object.n));
        self.slots.push(Slot { scalars, array, kinds, tagged, arrays, objects });
        self.slot_of.push(id);
        SlotId(id)
    }

    fn singular(&mut self, noun: Name) -> Name {
        if let Some(known) = self.singulars.get(&noun) {
            return *known;
        }
        let singular = singular_camel(self.names.text(noun));
        let singular = self.names.of(&singular);
        self.singulars.insert(noun, singular);
        singular
    }

    /// The properties of a kind, sorted by their names.
    pub(crate) fn properties(&self, kind: &ObjectKind) -> Vec<(&str, u64, SlotId)> {
        let named = kind.properties.iter();
        let mut all: Vec<_> =
            named.map(|(name, (present, slot))| (self.names.text(name), *present, *slot)).collect();
        all.sort_unstable_by_key(|(name, ..)| *name);
        all
    }

    /// A property of a kind.
    pub(crate) fn property(&self, kind: &ObjectKind, name: &str) -> Option<(u64, SlotId)> {
        kind.properties.get(self.names.find(name)?).copied()
    }

    /// The current kinds, each once.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (ObjectId, &ObjectKind)> {
        self.kinds
            .iter()
            .enumerate()
            .filter(|(index, _)| self.kind_of[*index] as usize == *index)
            .map(|(index, kind)| (ObjectId(index as u32), kind))
    }

    /// The current slots, each once.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(index, _)| self.slot_of[*index] as usize == *index)
            .map(|(_, slot)| slot)
    }

    /// Drops the tags in places with only one kind.
    pub(crate) fn forget_tags(&mut self) {
        for index in 0..self.slots.len() {
            let kinds = self.kinds_at(&self.slots[index]);
            if let (Some(only), 1) = (kinds.first(), kinds.len()) {
                let slot = &mut self.slots[index];
                slot.kinds = ByName::of_one(Name::EMPTY, *only);
                slot.tagged = ByName::of_one(Name::EMPTY, slot.objects);
            }
        }
    }

    /// The object kinds at a slot, each once.
    pub(crate) fn kinds_at(&self, slot: &Slot) -> BTreeSet<ObjectId> {
        slot.kinds.values().map(|id| self.same(*id)).collect()
    }

    pub(crate) fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[find(&self.slot_of, id.0) as usize]
    }

    /// The counts at a slot below `n` objects, of which `present` have it.
    pub(crate) fn counts(&self, n: u64, present: u64, slot: SlotId) -> KindCounts {
        let slot = self.slot(slot);
        let scalars = &slot.scalars;
        [
            n.saturating_sub(present),
            scalars.nulls,
            scalars.bools,
            scalars.ints.saturating_add(scalars.floats),
            scalars.text.as_ref().map_or(0, |text| text.n),
            slot.arrays,
            slot.objects,
        ]
    }

    /// The number of all kinds ever created. All ids are less than this number.
    pub(crate) fn size(&self) -> usize {
        self.kinds.len()
    }

    /// The id that all united kinds share.
    pub(crate) fn same(&self, id: ObjectId) -> ObjectId {
        ObjectId(find(&self.kind_of, id.0))
    }

    pub(crate) fn kind(&self, id: ObjectId) -> &ObjectKind {
        &self.kinds[find(&self.kind_of, id.0) as usize]
    }

    /// Unites kinds, and everything under their equal keys.
    pub(crate) fn unite(&mut self, pairs: &[(ObjectId, ObjectId)]) {
        self.work(Work { kinds: pairs.to_vec(), slots: Vec::new() });
    }

    fn work(&mut self, mut work: Work) {
        loop {
            if let Some((a, b)) = work.kinds.pop() {
                self.unite_kinds(a, b, &mut work);
            } else if let Some((a, b)) = work.slots.pop() {
                self.unite_slots(a, b, &mut work);
            } else {
                return;
            }
        }
    }

    /// Decides again which kinds are maps, now that all their observations are united.
    pub(crate) fn settle_maps(&mut self) {
        let mut pairs = Vec::new();
        for index in 0..self.kinds.len() {
            let kind = &self.kinds[index];
            if self.kind_of[index] as usize != index || kind.properties.is_empty() {
                continue;
            }
            let keys = kind.properties.iter().map(|(name, (present, slot))| {
                let slot = self.slot(*slot);
                let kinds = kinds(&slot.scalars, slot.array.is_some(), !slot.kinds.is_empty());
                let items = slot.array.flatten().map(|items| &self.slot(items).kinds);
                let below = [Some(&slot.kinds), items].into_iter().flatten();
                let below = below.flat_map(ByName::values);
                let below = below.flat_map(|object| self.kind(*object).properties.keys());
                let below = below.map(|name| self.names.text(name));
                (self.names.text(name), *present, kinds, below.collect())
            });
            if !self.maps.are_data(kind.n, kind.additional.is_some(), keys) {
                continue;
            }
            let kind = &mut self.kinds[index];
            let (n, mut all) = (kind.n, Vec::new());
            kind.properties.retain(|(present, slot)| {
                let steady = *present == n;
                if !steady {
                    all.push(*slot);
                }
                steady
            });
            all.extend(kind.additional);
            kind.additional = all.first().copied();
            pairs.extend(all.windows(2).map(|two| (two[0], two[1])));
        }
        self.work(Work { kinds: Vec::new(), slots: pairs });
    }

    fn unite_kinds(&mut self, a: ObjectId, b: ObjectId, work: &mut Work) {
        let (a, b) = (find(&self.kind_of, a.0), find(&self.kind_of, b.0));
        if a == b {
            return;
        }
        let (into, from) = (a.min(b), a.max(b));
        self.kind_of[from as usize] = into;
        let from = std::mem::take(&mut self.kinds[from as usize]);
        let kind = &mut self.kinds[into as usize];
        add(&mut kind.n, from.n);
        add(&mut kind.places, from.places);
        kind.votes.absorb(from.votes, add);
        kind.nouns.absorb(from.nouns, |(), ()| {});
        kind.properties.absorb(from.properties, |(mine, other), (present, slot)| {
            add(mine, present);
            work.slots.push((*other, slot));
        });
        match (kind.additional, from.additional) {
            (Some(mine), Some(theirs)) => work.slots.push((mine, theirs)),
            (None, theirs) => kind.additional = theirs,
            (Some(_), None) => {}
        }
        if let Some(additional) = kind.additional {
            // A key can be a name in one kind and data in the other. It then has values on both
            // sides, so all of them become data.
            let n = kind.n;
            kind.properties.retain(|(present, slot)| {
                if *present < n {
                    work.slots.push((additional, *slot));
                }
                *present >= n
            });
        }
    }

    fn unite_slots(&mut self, a: SlotId, b: SlotId, work: &mut Work) {
        let (a, b) = (find(&self.slot_of, a.0), find(&self.slot_of, b.0));
        if a == b {
            return;
        }
        let (into, from) = (a.min(b), a.max(b));
        self.slot_of[from as usize] = into;
        let from = std::mem::take(&mut self.slots[from as usize]);
        let slot = &mut self.slots[into as usize];
        slot.scalars.merge(from.scalars, self.limits);
        add(&mut slot.arrays, from.arrays);
        add(&mut slot.objects, from.objects);
        slot.array = match (slot.array.take(), from.array) {
            (Some(mine), Some(theirs)) => {
                work.slots.extend(mine.zip(theirs));
                Some(mine.or(theirs))
            }
            (mine, theirs) => mine.or(theirs),
        };
        slot.tagged.absorb(from.tagged, add);
        slot.kinds.absorb(from.kinds, |mine, theirs| work.kinds.push((*mine, theirs)));
    }
}

/// Pairs still to be united.
struct Work {
    kinds: Vec<(ObjectId, ObjectId)>,
    slots: Vec<(SlotId, SlotId)>,
}

fn find(parents: &[u32], mut id: u32) -> u32 {
    while parents[id as usize] != id {
        id = parents[id as usize];
    }
    id
}

/// Keys that wrap their content, and name nothing.
fn is_envelope(name: &str) -> bool {
    matches!(
        name,
        "data"
            | "items"
            | "item"
            | "result"
            | "results"
            | "records"
            | "values"
            | "value"
            | "list"
            | "content"
            | "response"
            | "payload"
            | "body"
            | "object"
            | "attributes"
            | "elements"
            | "entries"
            | "rows"
            | "edges"
            | "node"
            | "nodes"
    )
}
