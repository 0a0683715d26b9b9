//! Schemas to steps. A step is a conjunction of schemas: `allOf` and references only make it larger.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::array::ArrayPlan;
use super::number::NumberPlan;
use super::object::ObjectPlan;
use super::plan::{Alternative, Kind, Plan, Step, StepId};
use super::subset;
use super::text::TextPlan;
use super::vocabulary::Meaning;
use crate::schema::{Direction, Node, NodeId, SchemaSet, Types, equal_values};

/// Beyond so many steps, only the first branch of each choice is followed.
const MANY_STEPS: usize = 5_000;
/// Beyond so many, nothing is.
const MAX_STEPS: usize = 100_000;
/// Values of an `enum` that are looked at.
const MAX_CONSTANTS: usize = 1_000;

const ALL_TYPES: u8 = 0x7f;

/// A schema of a conjunction, and which of its choices are made.
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

/// What a step is of; equal keys are one step, which is what ends cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Sorted, each schema once.
    pub(super) atoms: Vec<Atom>,
    /// Schemas that must not be valid.
    pub(super) denied: Vec<NodeId>,
    /// Texts of which the value must be one, if the schema has any of them: the discriminator's.
    pub(super) only: Vec<String>,
    /// The same, for properties of the value.
    pub(super) tags: Vec<(String, Vec<String>)>,
    /// True where an enclosing step of the same value verifies it.
    pub(super) verified: bool,
    /// What the name of the property says.
    pub(super) meaning: Option<Meaning>,
}

impl Key {
    pub(super) fn of(schemas: impl IntoIterator<Item = NodeId>) -> Key {
        let mut key = Key::default();
        schemas.into_iter().for_each(|id| key.add(id, 0));
        key
    }

    /// Adds a schema, or to a schema that is there the choices made.
    pub(super) fn add(&mut self, id: NodeId, made: u8) {
        match self.atoms.binary_search_by_key(&id, |atom| atom.id) {
            Ok(at) => self.atoms[at].made |= made,
            Err(at) => self.atoms.insert(at, Atom { id, made }),
        }
    }
}

/// A conjunction with references and `allOf` followed.
#[derive(Default)]
pub(super) struct Flat<'s> {
    pub(super) nodes: Vec<(Atom, &'s Node)>,
    /// Bits of [`Types`] that are left.
    pub(super) types: u8,
    pub(super) required: Vec<&'s str>,
    /// Properties that must not be there.
    pub(super) absent: Vec<&'s str>,
    pub(super) tags: Vec<(String, Vec<String>)>,
    pub(super) meaning: Option<Meaning>,
    pub(super) contradiction: Option<&'static str>,
    /// True where construction does not make the value valid.
    pub(super) verify: bool,
}

impl<'s> Flat<'s> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'s Node> + '_ {
        self.nodes.iter().map(|(_, node)| *node)
    }
}

pub(super) struct Compiler<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
    steps: Vec<Step>,
    known: HashMap<Key, StepId>,
    queue: Vec<(StepId, Key)>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn compile(set: &SchemaSet, schema: NodeId, direction: Direction) -> Plan {
    let mut compiler = Compiler {
        set,
        direction,
        steps: Vec::new(),
        known: HashMap::new(),
        queue: Vec::new(),
        warnings: Vec::new(),
    };
    let root = compiler.intern(Key::of([schema]));
    while let Some((id, key)) = compiler.queue.pop() {
        let step = compiler.step(&key);
        compiler.steps[id.0 as usize] = step;
    }
    let Compiler { mut steps, mut warnings, .. } = compiler;
    if steps.len() >= MAX_STEPS {
        warnings.push(format!(
            "{}: too many combinations; some are not followed",
            set.node(schema).pointer
        ));
    }
    let (mut schemas, mut known) = (SchemaSet::default(), HashMap::new());
    for step in &mut steps {
        subset::copy(set, &mut schemas, &mut known, &mut step.verify);
    }
    Plan { steps, root, direction, schemas, warnings, sure: None }
}

impl<'s> Compiler<'s> {
    pub(super) fn node(&self, id: NodeId) -> &'s Node {
        self.set.node(id)
    }

    /// The schema at the end of a chain of references.
    pub(super) fn resolve(&self, mut id: NodeId) -> NodeId {
        for _ in 0..64 {
            match self.node(id).reference {
                Some(target) => id = target,
                None => break,
            }
        }
        id
    }

    pub(super) fn many(&self) -> bool {
        self.steps.len() > MANY_STEPS
    }

    /// The step of a key, which may be compiled later.
    pub(super) fn intern(&mut self, key: Key) -> StepId {
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        if self.steps.len() >= MAX_STEPS {
            return StepId(MAX_STEPS as u32 - 1);
        }
        let id = StepId(self.steps.len() as u32);
        self.steps.push(Step::default());
        self.known.insert(key.clone(), id);
        self.queue.push((id, key));
        id
    }

    /// The step of a conjunction of plain schemas; `meaning` is kept where it can matter.
    pub(super) fn intern_all(
        &mut self,
        schemas: &[NodeId],
        meaning: Option<Meaning>,
        only: &[String],
    ) -> StepId {
        let mut key = Key::of(schemas.iter().copied());
        key.only = only.to_vec();
        let types =
            key.atoms.iter().fold(ALL_TYPES, |types, atom| types & self.set.types(atom.id).0);
        let scalar =
            types & (Types::STRING.0 | Types::NUMBER.0 | Types::INTEGER.0 | Types::ARRAY.0) != 0;
        key.meaning = meaning.filter(|_| scalar);
        self.intern(key)
    }

    fn step(&mut self, key: &Key) -> Step {
        let mut flat = self.flatten(key);
        let pointer = key.atoms.first().map_or("", |atom| &self.node(atom.id).pointer).to_owned();
        let mut step = Step { pointer, ..Step::default() };
        if flat.contradiction.is_none() {
            if let Some(constants) = self.constants(key, &flat) {
                if constants.is_empty() {
                    flat.contradiction =
                        Some("no value of its enum satisfies the rest of the schema");
                } else {
                    step.alternatives = constants;
                }
                flat.verify = false;
            } else if let Some(choice) = self.choice(key, &flat) {
                // One branch takes its part of `verify` along.
                flat.verify |= choice.verify;
                step.alternatives = choice
                    .keys
                    .into_iter()
                    .map(|mut branch| {
                        branch.verified = key.verified || flat.verify;
                        let mut alternative =
                            Alternative::new(Kind::Branch(self.intern(branch.clone())));
                        if self.is_null(&branch) {
                            alternative.weight = 1;
                        }
                        alternative
                    })
                    .collect();
            } else {
                step.alternatives = self.by_type(&mut flat);
            }
        }
        step.contradiction = flat.contradiction;
        if flat.verify && !key.verified {
            step.verify = key.atoms.iter().map(|atom| atom.id).collect();
        }
        step
    }

    fn is_null(&self, key: &Key) -> bool {
        key.atoms.iter().any(|atom| {
            let node = self.node(self.resolve(atom.id));
            node.types == Some(Types::NULL)
                || node.enumeration.as_ref().is_some_and(|values| values.iter().all(Value::is_null))
        })
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
            // Schemas of properties that must be there hold for the whole value.
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
        // A reference is nothing but its target.
        flat.nodes.retain(|(_, node)| node.reference.is_none());
        if flat.nodes.is_empty() && !key.atoms.is_empty() {
            flat.contradiction = Some("it is a reference to itself");
        }
        self.summarise(key, &mut flat);
        flat
    }

    fn summarise(&self, key: &Key, flat: &mut Flat<'s>) {
        for (_, node) in &flat.nodes {
            if node.never {
                flat.contradiction = Some("the schema `false` accepts nothing");
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
            flat.contradiction.get_or_insert("no type is left that all of its parts accept");
        }
        if flat.required.iter().any(|name| flat.absent.contains(name)) {
            flat.contradiction.get_or_insert("a property is required and forbidden");
        }
    }

    /// The texts of an `enum`, if there is one, and of them only what all the rest accepts.
    fn constants(&self, key: &Key, flat: &Flat<'s>) -> Option<Vec<Alternative>> {
        let lists: Vec<&Vec<Value>> =
            flat.all().filter_map(|node| node.enumeration.as_ref()).collect();
        let accepted = |value: &&Value| {
            key.atoms.iter().all(|atom| self.set.accepts(atom.id, value, self.direction))
                && !key.denied.iter().any(|id| self.set.accepts(*id, value, self.direction))
        };
        let tags: Vec<Value> = key.only.iter().map(|text| Value::String(text.clone())).collect();
        let tags: Vec<&Value> = tags.iter().filter(accepted).collect();
        let values: Vec<&Value> = match lists.first() {
            _ if !tags.is_empty() => tags,
            Some(first) => first.iter().take(MAX_CONSTANTS).filter(accepted).collect(),
            None => return None,
        };
        let mut texts: Vec<&Value> = Vec::new();
        for value in values {
            if !texts.iter().any(|known| equal_values(known, value)) {
                texts.push(value);
            }
        }
        let (nulls, others): (Vec<&Value>, Vec<&Value>) =
            texts.into_iter().partition(|value| value.is_null());
        let alternative = |values: Vec<&Value>, weight| {
            let texts =
                values.iter().map(|value| value.to_string().into_bytes().into_boxed_slice());
            Alternative { weight, ..Alternative::new(Kind::Constants(texts.collect())) }
        };
        let mut found = Vec::new();
        if !others.is_empty() {
            found.push(alternative(others, 15));
        }
        if !nulls.is_empty() {
            found.push(alternative(nulls, 1));
        }
        Some(found)
    }

    /// An alternative for each type that is left.
    fn by_type(&mut self, flat: &mut Flat<'s>) -> Vec<Alternative> {
        let types = Types(if flat.types == ALL_TYPES { implied(flat) } else { flat.types });
        let mut found = Vec::new();
        if types.has(Types::OBJECT) {
            let object = ObjectPlan::compile(self, flat);
            found.extend(object.map(|object| Alternative::new(Kind::Object(object))));
        }
        if types.has(Types::ARRAY) {
            let array = ArrayPlan::compile(self, flat);
            found.extend(array.map(|array| Alternative::new(Kind::Array(array))));
        }
        if types.has(Types::STRING) {
            let text = TextPlan::compile(flat, &mut self.warnings);
            found.extend(text.map(|text| Alternative::new(Kind::Text(text))));
        }
        if types.has(Types::NUMBER) || types.has(Types::INTEGER) {
            let number = NumberPlan::compile(flat, !types.has(Types::NUMBER));
            found.extend(number.map(|number| Alternative::new(Kind::Number(number))));
        }
        if types.has(Types::BOOLEAN) {
            let texts = ["true", "false"].map(|text| text.as_bytes().into());
            found.push(Alternative::new(Kind::Constants(texts.to_vec())));
        }
        if types.has(Types::NULL) {
            let null = Alternative::new(Kind::Constants(vec![(*b"null").into()]));
            // Rare, so that a mock mostly shows what the data look like.
            found.push(Alternative { weight: 1, ..null });
        }
        if flat.types == ALL_TYPES {
            found.extend(reserves(flat, types));
        }
        if found.is_empty() {
            flat.contradiction.get_or_insert("its bounds leave no value");
        }
        found
    }
}

/// Scalars of types that a schema without `type` does not speak of, and so accepts as they are.
fn reserves(flat: &Flat<'_>, spoken_of: Types) -> Vec<Alternative> {
    let mut kinds = Vec::new();
    let constants =
        |texts: &[&str]| Kind::Constants(texts.iter().map(|text| text.as_bytes().into()).collect());
    if !spoken_of.has(Types::STRING) {
        kinds.extend(TextPlan::compile(flat, &mut Vec::new()).map(Kind::Text));
    }
    if !spoken_of.has(Types::NUMBER) && !spoken_of.has(Types::INTEGER) {
        kinds.extend(NumberPlan::compile(flat, false).map(Kind::Number));
    }
    if !spoken_of.has(Types::BOOLEAN) {
        kinds.push(constants(&["true", "false"]));
    }
    if !spoken_of.has(Types::NULL) {
        kinds.push(constants(&["null"]));
    }
    let reserve = |kind| Alternative { weight: 0, ..Alternative::new(kind) };
    kinds.into_iter().map(reserve).collect()
}

/// The types that the keywords speak of, where `type` is absent; a text where they speak of none.
fn implied(flat: &Flat<'_>) -> u8 {
    let mut types = 0;
    for node in flat.all() {
        let object = !node.properties.is_empty()
            || !node.required.is_empty()
            || !node.pattern_properties.is_empty()
            || node.additional_properties.is_some()
            || node.property_names.is_some()
            || node.min_properties.is_some()
            || node.max_properties.is_some();
        let array = node.items.is_some()
            || !node.prefix_items.is_empty()
            || node.contains.is_some()
            || node.min_items.is_some()
            || node.max_items.is_some()
            || node.unique_items;
        let number = node.minimum.is_some() || node.maximum.is_some() || node.multiple_of.is_some();
        let text = node.pattern.is_some() || node.min_length.is_some() || node.max_length.is_some();
        let format = match node.format.as_deref() {
            Some("float" | "double") => Types::NUMBER.0,
            Some(format) if crate::format::integer_range(format).is_some() => Types::INTEGER.0,
            Some(_) => Types::STRING.0,
            None => 0,
        };
        let bit = |set: bool, types: Types| if set { types.0 } else { 0 };
        types |= bit(object, Types::OBJECT)
            | bit(array, Types::ARRAY)
            | bit(number, Types::NUMBER)
            | bit(text, Types::STRING)
            | format;
    }
    if types == 0 { Types::STRING.0 } else { types }
}
