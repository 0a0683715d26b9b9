//! Alternatives of a conjunction: `anyOf`, `oneOf`, `if`, `discriminator`; and the restrictions of
//! `not`.

use serde_json::Value;

use super::compile::Compiler;
use super::conjunction::{Atom, Flat, Key};
use super::contrary::Contrary;
use crate::schema::{Discriminator, Node, NodeId, Types, equal_values};

/// Maximum number of branches of one choice.
const MAX_BRANCHES: usize = 64;

/// The conjunctions to choose from.
pub(super) struct Choice {
    pub(super) keys: Vec<Key>,
    /// True if a value of one conjunction may be invalid for the whole schema.
    pub(super) verify: bool,
}

/// The effect of a denied schema.
enum Denial<'s> {
    /// Nothing remains.
    All,
    /// It has no effect.
    None,
    Types(Types),
    /// A property that must be absent; if `true`, only objects remain.
    Absent(&'s str, bool),
    Several(Vec<Denial<'s>>),
    /// It cannot be satisfied by construction.
    Unknown,
}

impl<'s> Compiler<'s> {
    /// The first open choice of the conjunction.
    pub(super) fn choice(&self, key: &Key, flat: &Flat<'s>) -> Option<Choice> {
        flat.nodes.iter().find_map(|(atom, node)| {
            let open = |choice: u8| atom.made & choice == 0;
            if open(Atom::ANY_OF) && !node.any_of.is_empty() {
                Some(self.branches(key, *atom, node, &node.any_of, Atom::ANY_OF))
            } else if open(Atom::ONE_OF) && !node.one_of.is_empty() {
                Some(self.branches(key, *atom, node, &node.one_of, Atom::ONE_OF))
            } else if open(Atom::CONDITION)
                && let Some((condition, then, otherwise)) = node.if_then_else
                && (then.is_some() || otherwise.is_some())
            {
                Some(self.condition(key, *atom, condition, then, otherwise))
            } else if open(Atom::MAPPING)
                && node.any_of.is_empty()
                && node.one_of.is_empty()
                && let Some(discriminator) = &node.discriminator
            {
                Some(self.subtypes(key, flat, *atom, discriminator))
            } else {
                None
            }
        })
    }

    fn branches(
        &self,
        key: &Key,
        atom: Atom,
        node: &Node,
        branches: &[NodeId],
        made: u8,
    ) -> Choice {
        let limit = if self.many() { 1 } else { MAX_BRANCHES };
        let mut verify = false;
        let keys = branches.iter().take(limit).map(|branch| {
            let mut chosen = key.clone();
            chosen.add(atom.id, made);
            chosen.add(*branch, 0);
            if let Some(discriminator) = &node.discriminator {
                let values = self.mapped_to(discriminator, *branch);
                if !values.is_empty() {
                    chosen.tags.push((discriminator.property.clone(), values));
                }
            }
            if made == Atom::ONE_OF && branches.len() > MAX_BRANCHES {
                verify = true;
            } else if made == Atom::ONE_OF {
                for other in branches {
                    let told_apart = || self.told_apart(node, *branch, *other);
                    if other != branch && !told_apart() && !self.disjoint(*branch, *other) {
                        chosen.denied.push(*other);
                        verify = true;
                    }
                }
            }
            chosen
        });
        Choice { keys: keys.collect(), verify }
    }

    fn condition(
        &self,
        key: &Key,
        atom: Atom,
        condition: NodeId,
        then: Option<NodeId>,
        otherwise: Option<NodeId>,
    ) -> Choice {
        let mut made = key.clone();
        made.add(atom.id, Atom::CONDITION);
        let (mut yes, mut no) = (made.clone(), made);
        yes.add(condition, 0);
        then.iter().for_each(|id| yes.add(*id, 0));
        no.denied.push(condition);
        otherwise.iter().for_each(|id| no.add(*id, 0));
        Choice { keys: vec![yes, no], verify: true }
    }

    /// A discriminator without branches is in a base schema: its value names the subtype.
    fn subtypes(
        &self,
        key: &Key,
        flat: &Flat<'s>,
        atom: Atom,
        discriminator: &Discriminator,
    ) -> Choice {
        let mut made = key.clone();
        made.add(atom.id, Atom::MAPPING);
        let there = |id: NodeId| flat.nodes.iter().any(|(other, _)| other.id == id);
        let tag = |values: Vec<String>| {
            let mut chosen = made.clone();
            chosen.tags.push((discriminator.property.clone(), values));
            chosen
        };
        let targets = discriminator.mapping.iter().map(|(value, id)| (value, self.set.target(*id)));
        let (own, subtypes): (Vec<_>, Vec<_>) = targets.partition(|(_, id)| there(*id));
        let (base, inherited): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(_, id)| *id == atom.id);
        if !inherited.is_empty() {
            let key = tag(inherited.into_iter().map(|(value, _)| value.clone()).collect());
            return Choice { keys: vec![key], verify: false };
        }
        if subtypes.is_empty() || self.many() {
            let names = base.into_iter().map(|(value, _)| value.clone());
            let names: Vec<String> = if discriminator.mapping.is_empty() {
                self.name(key).into_iter().collect()
            } else {
                names.collect()
            };
            return Choice { keys: vec![tag(names)], verify: false };
        }
        let keys = subtypes.into_iter().take(MAX_BRANCHES).map(|(value, id)| {
            let mut chosen = tag(vec![value.clone()]);
            chosen.add(id, 0);
            chosen
        });
        Choice { keys: keys.collect(), verify: false }
    }

    /// The component name of a key.
    fn name(&self, key: &Key) -> Option<String> {
        key.atoms.iter().find_map(|atom| {
            let pointer = &self.node(self.set.target(atom.id)).pointer;
            let name = pointer
                .strip_prefix("/components/schemas/")
                .or(pointer.strip_prefix("/definitions/"))?;
            (!name.contains(['/', '~', '%'])).then(|| name.to_owned())
        })
    }

    fn mapped_to(&self, discriminator: &Discriminator, branch: NodeId) -> Vec<String> {
        let target = self.set.target(branch);
        let mapped = discriminator.mapping.iter().filter(|(_, id)| self.set.target(*id) == target);
        mapped.map(|(value, _)| value.clone()).collect()
    }

    /// True if a discriminator gives two branches different values: readers follow it, so that a
    /// value may match the schemas of both.
    fn told_apart(&self, node: &Node, one: NodeId, other: NodeId) -> bool {
        node.discriminator.as_ref().is_some_and(|discriminator| {
            let (one, other) =
                (self.mapped_to(discriminator, one), self.mapped_to(discriminator, other));
            !one.is_empty() && !other.is_empty() && !one.iter().any(|value| other.contains(value))
        })
    }

    /// True if no value is valid for both: their types differ, or a required property has other
    /// constants.
    fn disjoint(&self, one: NodeId, other: NodeId) -> bool {
        let types = Types(self.set.types(one).0 & self.set.types(other).0);
        if types.0 == 0 {
            return true;
        }
        let (one, other) = (self.flatten(&Key::of([one])), self.flatten(&Key::of([other])));
        if one.contradiction.is_some() || other.contradiction.is_some() {
            return true;
        }
        let constants = |flat: &Flat<'s>| flat.all().find_map(|node| node.enumeration.as_ref());
        if let (Some(a), Some(b)) = (constants(&one), constants(&other)) {
            return !intersect(a, b);
        }
        let only_objects = one.types & other.types == Types::OBJECT.0;
        only_objects
            && one.required.iter().filter(|name| other.required.contains(*name)).any(|name| match (
                self.property_constants(&one, name),
                self.property_constants(&other, name),
            ) {
                (Some(a), Some(b)) => !intersect(a, b),
                _ => false,
            })
    }

    fn property_constants(&self, flat: &Flat<'s>, name: &str) -> Option<&'s Vec<Value>> {
        flat.all().flat_map(|node| &node.properties).filter(|(key, _)| key == name).find_map(
            |(_, id)| {
                self.flatten(&Key::of([*id])).all().find_map(|node| node.enumeration.as_ref())
            },
        )
    }

    /// Removes what a denied schema accepts, as far as this is known in advance.
    pub(super) fn deny(&self, flat: &mut Flat<'s>, id: NodeId) {
        let denial = self.denial(id, 0);
        if matches!(denial, Denial::Unknown) {
            match self.contrary(&flat.all().collect::<Vec<_>>(), &flat.required, id, 0) {
                Some(Contrary::Absent(name)) => flat.absent.push(name),
                Some(Contrary::Present(name)) => flat.required.push(name),
                Some(Contrary::Property(name, denied)) => flat.contrary.push((name, denied)),
                Some(Contrary::Items(denied)) => flat.contrary_items.push(denied),
                None => {}
            }
        }
        apply(flat, denial);
    }

    fn denial(&self, id: NodeId, depth: u32) -> Denial<'s> {
        let node = self.node(self.set.target(id));
        if node.never {
            return Denial::None;
        }
        match (keywords(node), node.types, node.required.as_slice()) {
            (0, _, _) => Denial::All,
            (TYPES, Some(types), _) => Denial::Types(types),
            (REQUIRED, _, [name]) => Denial::Absent(name, true),
            (bits, Some(Types::OBJECT), [name]) if bits == REQUIRED | TYPES => {
                Denial::Absent(name, false)
            }
            (ANY_OF, _, _) if depth < 4 => Denial::Several(
                node.any_of.iter().map(|branch| self.denial(*branch, depth + 1)).collect(),
            ),
            _ => Denial::Unknown,
        }
    }
}

fn apply<'s>(flat: &mut Flat<'s>, denial: Denial<'s>) {
    match denial {
        Denial::All => flat.contradiction = Some("`not` forbids everything"),
        Denial::None => {}
        Denial::Types(types) => {
            let numbers = Types::NUMBER.with(Types::INTEGER).0;
            if types.has(Types::NUMBER) {
                flat.types &= !(types.0 | numbers);
            } else if types.has(Types::INTEGER) && flat.types & Types::NUMBER.0 != 0 {
                // Fractions only; left to the check.
                flat.types &= !(types.0 & !numbers);
                flat.verify = true;
            } else {
                flat.types &= !types.0;
            }
        }
        Denial::Absent(name, objects_only) => {
            flat.absent.push(name);
            if objects_only {
                flat.types &= Types::OBJECT.0;
            }
        }
        Denial::Several(denials) => denials.into_iter().for_each(|denial| apply(flat, denial)),
        Denial::Unknown => flat.verify = true,
    }
}

const TYPES: u8 = 1;
const REQUIRED: u8 = 2;
const ANY_OF: u8 = 4;
const OTHER: u8 = 8;

/// The keywords of a schema.
fn keywords(node: &Node) -> u8 {
    let other = node.enumeration.is_some()
        || node.minimum.is_some()
        || node.maximum.is_some()
        || node.multiple_of.is_some()
        || node.min_length.is_some()
        || node.max_length.is_some()
        || node.pattern.is_some()
        || node.format.is_some()
        || node.content.is_some()
        || node.items.is_some()
        || !node.prefix_items.is_empty()
        || node.min_items.is_some()
        || node.max_items.is_some()
        || node.unique_items
        || node.contains.is_some()
        || !node.properties.is_empty()
        || !node.pattern_properties.is_empty()
        || node.additional_properties.is_some()
        || node.property_names.is_some()
        || node.unevaluated_properties.is_some()
        || node.unevaluated_items.is_some()
        || !node.dependent_required.is_empty()
        || !node.dependent_schemas.is_empty()
        || node.min_properties.is_some()
        || node.max_properties.is_some()
        || !node.all_of.is_empty()
        || !node.one_of.is_empty()
        || node.not.is_some()
        || node.if_then_else.is_some()
        || node.reference.is_some();
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    bit(node.types.is_some(), TYPES)
        | bit(!node.required.is_empty(), REQUIRED)
        | bit(!node.any_of.is_empty(), ANY_OF)
        | bit(other, OTHER)
}

fn intersect(a: &[Value], b: &[Value]) -> bool {
    a.iter().any(|value| b.iter().any(|other| equal_values(value, other)))
}
