//! Conjunctions of schemas, which `allOf` and references extend.

use std::collections::{HashMap, HashSet};

use super::compile::Compiler;
use super::vocabulary::Meaning;
use crate::schema::{Node, NodeId, Types};

pub(super) const ALL_TYPES: u8 = 0x7f;

/// A schema in a conjunction, with the choices that are already made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Atom {
    pub(super) id: NodeId,
    pub(super) made: u8,
}

impl Atom {
    pub(super) const ANY_OF: u8 = 1;
    pub(super) const ONE_OF: u8 = 2;
    pub(super) const CONDITION: u8 = 4;
    pub(super) const MAPPING: u8 = 8;
}

/// The identity of a step. Equal keys share one step, which ends cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Sorted, without duplicates.
    pub(super) atoms: Vec<Atom>,
    /// Schemas that must not be valid.
    pub(super) denied: Vec<NodeId>,
    /// The allowed texts of the value, if the schema restricts them through a discriminator.
    pub(super) only: Vec<String>,
    /// The same, for properties of the value.
    pub(super) tags: Vec<(String, Vec<String>)>,
    /// True if an enclosing step verifies the same value.
    pub(super) verified: bool,
    /// The meaning of the property's name.
    pub(super) meaning: Option<Meaning>,
}

impl Key {
    pub(super) fn of(schemas: impl IntoIterator<Item = NodeId>) -> Key {
        let mut key = Key::default();
        schemas.into_iter().for_each(|id| key.add(id, 0));
        key
    }

    /// Adds a schema, or further choices to an existing one.
    pub(super) fn add(&mut self, id: NodeId, made: u8) {
        match self.atoms.binary_search_by_key(&id, |atom| atom.id) {
            Ok(at) => self.atoms[at].made |= made,
            Err(at) => self.atoms.insert(at, Atom { id, made }),
        }
    }
}

/// A conjunction with references and `allOf` resolved.
#[derive(Default)]
pub(super) struct Flat<'s> {
    /// Later parts of an `allOf` come first, because they override what earlier ones say.
    pub(super) nodes: Vec<(Atom, &'s Node)>,
    /// The remaining bits of [`Types`].
    pub(super) types: u8,
    pub(super) required: Vec<&'s str>,
    /// Properties that must be absent.
    pub(super) absent: Vec<&'s str>,
    pub(super) tags: Vec<(String, Vec<String>)>,
    pub(super) meaning: Option<Meaning>,
    pub(super) contradiction: Option<&'static str>,
    /// True if construction does not guarantee validity.
    pub(super) verify: bool,
    pub(super) warnings: Vec<String>,
    /// Properties that must be present, each with the schema that its value must violate.
    pub(super) contrary: Vec<(&'s str, NodeId)>,
    /// Schemas that items must violate.
    pub(super) contrary_items: Vec<NodeId>,
}

impl<'s> Flat<'s> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'s Node> + '_ {
        self.nodes.iter().map(|(_, node)| *node)
    }
}

impl<'s> Compiler<'s> {
    /// The schemas of a conjunction in the order of the document, with references and `allOf`
    /// resolved.
    pub(super) fn in_order(
        &self,
        schemas: impl DoubleEndedIterator<Item = NodeId>,
    ) -> Vec<&'s Node> {
        let (mut seen, mut nodes) = (HashSet::new(), Vec::new());
        let mut open: Vec<NodeId> = schemas.rev().collect();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.node(id);
            match node.reference {
                Some(target) => open.push(target),
                None => {
                    nodes.push(node);
                    open.extend(node.all_of.iter().rev());
                }
            }
        }
        nodes
    }

    pub(super) fn flatten(&self, key: &Key) -> Flat<'s> {
        let mut flat = Flat {
            types: ALL_TYPES,
            tags: key.tags.clone(),
            meaning: key.meaning,
            ..Flat::default()
        };
        let mut seen: HashMap<NodeId, usize> = HashMap::new();
        let mut open: Vec<Atom> = key.atoms.clone();
        loop {
            while let Some(atom) = open.pop() {
                if let Some(at) = seen.get(&atom.id) {
                    flat.nodes[*at].0.made |= atom.made;
                    continue;
                }
                let node = self.node(atom.id);
                seen.insert(atom.id, flat.nodes.len());
                flat.nodes.push((atom, node));
                let parts = node
                    .reference
                    .iter()
                    .chain(node.all_of.iter().filter(|_| node.reference.is_none()));
                open.extend(parts.map(|id| Atom { id: *id, made: 0 }));
            }
            // The schemas of dependencies on required properties apply to the whole value.
            let required: HashSet<&str> =
                flat.all().flat_map(|node| &node.required).map(String::as_str).collect();
            let dependent = flat.all().flat_map(|node| &node.dependent_schemas);
            let found = dependent
                .filter(|(name, id)| required.contains(name.as_str()) && !seen.contains_key(id));
            open.extend(found.map(|(_, id)| Atom { id: *id, made: 0 }));
            if open.is_empty() {
                break;
            }
        }
        // A reference is replaced with its target.
        flat.nodes.retain(|(_, node)| node.reference.is_none());
        if flat.nodes.is_empty() && !key.atoms.is_empty() {
            flat.contradiction = Some("it refers to itself");
        }
        self.summarise(key, &mut flat);
        flat
    }

    fn summarise(&self, key: &Key, flat: &mut Flat<'s>) {
        for (_, node) in &flat.nodes {
            if node.never {
                let closed = ["additionalProperties", "unevaluatedProperties"];
                let closes = closed.iter().any(|keyword| node.pointer.ends_with(keyword));
                flat.contradiction = Some(match closes {
                    true => "a part of the same object allows no additional properties",
                    false => "the schema `false` accepts nothing",
                });
            }
            if let Some(types) = node.types {
                flat.types &=
                    if types.has(Types::NUMBER) { types.0 | Types::INTEGER.0 } else { types.0 };
            }
            for name in &node.required {
                if !flat.required.contains(&name.as_str()) {
                    flat.required.push(name);
                }
            }
        }
        let conditional =
            flat.all().flat_map(|node| &node.dependent_schemas).map(|(name, _)| name.as_str());
        let conditional: Vec<&str> =
            conditional.filter(|name| !flat.required.contains(name)).collect();
        flat.absent.extend(conditional);
        let denied: Vec<NodeId> =
            flat.all().filter_map(|node| node.not).chain(key.denied.iter().copied()).collect();
        for id in denied {
            self.deny(flat, id);
        }
        if flat.types == 0 {
            flat.contradiction.get_or_insert("its parts have no type in common");
        }
        if flat.required.iter().any(|name| flat.absent.contains(name)) {
            flat.contradiction.get_or_insert("a property is required and forbidden");
        }
    }
}
