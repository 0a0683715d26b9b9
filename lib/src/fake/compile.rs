//! Compiles schemas to steps. A step is a conjunction of schemas: `allOf` and references only
//! extend it.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::array::ArrayPlan;
use super::conjunction::{ALL_TYPES, Flat, Key};
use super::number::NumberPlan;
use super::object::ObjectPlan;
use super::plan::{Alternative, Kind, Shared, Step, StepId};
use super::text::TextPlan;
use super::vocabulary::Meaning;
use super::{graph, probe, sample, subset};
use crate::schema::{Direction, Node, NodeId, SchemaSet, Types, equal_values};

/// Beyond this number of steps, only the first branch of each choice is compiled.
const MANY_STEPS: usize = 20_000;
/// Beyond this number of steps, nothing more is compiled.
const MAX_STEPS: usize = 100_000;
/// Maximum number of values of an `enum` that are considered.
const MAX_CONSTANTS: usize = 1_000;

pub(super) struct Compiler<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
    steps: Vec<Step>,
    known: HashMap<Key, StepId>,
    queue: Vec<(StepId, Key)>,
}

/// Compiles schemas; their own steps come first, in order.
pub(super) fn compile(set: &SchemaSet, roots: &[NodeId], direction: Direction) -> Shared {
    let mut compiler =
        Compiler { set, direction, steps: Vec::new(), known: HashMap::new(), queue: Vec::new() };
    for root in roots {
        // Each root has its own step, even if an equal one exists.
        let id = StepId(compiler.steps.len() as u32);
        compiler.steps.push(Step::default());
        let key = Key::of([*root]);
        compiler.known.insert(key.clone(), id);
        compiler.queue.push((id, key));
    }
    while let Some((id, key)) = compiler.queue.pop() {
        let step = compiler.step(&key);
        compiler.steps[id.0 as usize] = step;
    }
    let atoms = compiler.known.keys().flat_map(|key| key.atoms.iter().map(|atom| atom.id));
    let nodes: BTreeSet<NodeId> = atoms.map(|id| compiler.set.target(id)).collect();
    let faults = sample::faults(&compiler, nodes.into_iter());
    let mut steps = compiler.steps;
    if steps.len() >= MAX_STEPS
        && let Some(first) = steps.first_mut()
    {
        first.warnings.push("too many combinations of schemas; some are ignored".to_owned());
    }
    let (mut schemas, mut known) = (SchemaSet::default(), HashMap::new());
    for step in &mut steps {
        subset::copy(set, direction, &mut schemas, &mut known, &mut step.verify);
    }
    graph::measure(&mut steps);
    let mut shared = Shared { steps, direction, schemas, faults };
    probe::settle(&mut shared);
    shared
}

impl<'s> Compiler<'s> {
    pub(super) fn node(&self, id: NodeId) -> &'s Node {
        self.set.node(id)
    }

    pub(super) fn accepts(&self, id: NodeId, value: &Value) -> bool {
        self.set.accepts(id, value, self.direction)
    }

    /// The first problem of a value.
    pub(super) fn problem(&self, id: NodeId, value: &Value) -> Option<String> {
        if self.accepts(id, value) {
            return None;
        }
        let problem = self.set.check(id, value, self.direction).into_iter().next()?;
        Some(format!("{} {}", problem.pointer, problem.message).trim_start().to_owned())
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

    /// The step of a conjunction of plain schemas; `meaning` is kept if it can have an effect.
    pub(super) fn intern_all(
        &mut self,
        schemas: &[NodeId],
        meaning: Option<Meaning>,
        only: &[String],
    ) -> StepId {
        self.intern_but(schemas, Vec::new(), meaning, only)
    }

    /// Like [`Compiler::intern_all`], for values that violate the schemas of `denied`.
    pub(super) fn intern_but(
        &mut self,
        schemas: &[NodeId],
        denied: Vec<NodeId>,
        meaning: Option<Meaning>,
        only: &[String],
    ) -> StepId {
        let mut key = Key::of(schemas.iter().copied());
        key.only = only.to_vec();
        key.denied = denied;
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
                        Some("no value of its enum matches the rest of the schema");
                } else {
                    step.alternatives = constants;
                }
                flat.verify = false;
            } else if let Some(choice) = self.choice(key, &flat) {
                // A single branch passes on its `verify`.
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
                step.alternatives = self.by_type(key, &mut flat);
            }
        }
        let sample = sample::of(self, key, &flat);
        step.sample = sample.map(|value| value.to_string().into_bytes().into_boxed_slice());
        step.contradiction = flat.contradiction;
        step.warnings = std::mem::take(&mut flat.warnings);
        if flat.verify && !key.verified {
            step.verify = key.atoms.iter().map(|atom| atom.id).collect();
        }
        step
    }

    fn is_null(&self, key: &Key) -> bool {
        key.atoms.iter().any(|atom| {
            let node = self.node(self.set.target(atom.id));
            node.types == Some(Types::NULL)
                || node.enumeration.as_ref().is_some_and(|values| values.iter().all(Value::is_null))
        })
    }

    /// The texts of an `enum`, if there is one, restricted to those that the other schemas accept.
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

    /// An alternative for each remaining type.
    fn by_type(&mut self, key: &Key, flat: &mut Flat<'s>) -> Vec<Alternative> {
        let types = Types(if flat.types == ALL_TYPES { implied(flat) } else { flat.types });
        let mut found = Vec::new();
        if types.has(Types::OBJECT) {
            let object = ObjectPlan::compile(self, key, flat);
            found.extend(object.map(|object| Alternative::new(Kind::Object(object))));
        }
        if types.has(Types::ARRAY) {
            let array = ArrayPlan::compile(self, flat);
            found.extend(array.map(|array| Alternative::new(Kind::Array(array))));
        }
        if types.has(Types::STRING) {
            let text = self.content(flat).or_else(|| TextPlan::compile(flat).map(Kind::Text));
            found.extend(text.map(Alternative::new));
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
            // Rare, so that a mock usually shows realistic data.
            found.push(Alternative { weight: 1, ..null });
        }
        if flat.types == ALL_TYPES {
            found.extend(reserves(flat, types));
        }
        if found.is_empty() {
            flat.contradiction.get_or_insert("its limits allow no value");
        }
        found
    }
}

impl Compiler<'_> {
    /// Texts that contain JSON.
    fn content(&mut self, flat: &mut Flat<'_>) -> Option<Kind> {
        let contents: Vec<_> = flat.all().filter_map(|node| node.content.as_deref()).collect();
        let base64 = contents.first()?.base64;
        let schemas: Vec<NodeId> = contents.iter().filter_map(|content| content.schema).collect();
        let bounded = flat.all().any(|node| {
            let format = node.format.as_deref().is_some_and(|format| format != "byte");
            let length = node.min_length.is_some() || node.max_length.is_some();
            length || node.pattern.is_some() || format
        });
        flat.verify |= bounded || contents.iter().any(|content| content.base64 != base64);
        if schemas.is_empty() {
            let text: &[u8] = if base64 { b"\"e30=\"" } else { b"\"{}\"" };
            return Some(Kind::Constants(vec![text.into()]));
        }
        Some(Kind::Content(self.intern_all(&schemas, None, &[]), base64))
    }
}

/// Scalars of types that a schema without `type` does not constrain.
fn reserves(flat: &mut Flat<'_>, spoken_of: Types) -> Vec<Alternative> {
    let mut kinds = Vec::new();
    let constants =
        |texts: &[&str]| Kind::Constants(texts.iter().map(|text| text.as_bytes().into()).collect());
    if !spoken_of.has(Types::STRING) {
        kinds.extend(TextPlan::compile(flat).map(Kind::Text));
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

/// The types that the keywords imply if `type` is absent; a text if they imply none.
fn implied(flat: &Flat<'_>) -> u8 {
    let mut types = 0;
    for node in flat.all() {
        let object = !node.properties.is_empty()
            || !node.required.is_empty()
            || !node.pattern_properties.is_empty()
            || node.additional_properties.is_some()
            || node.property_names.is_some()
            || node.unevaluated_properties.is_some()
            || node.min_properties.is_some()
            || node.max_properties.is_some();
        let array = node.items.is_some()
            || !node.prefix_items.is_empty()
            || node.contains.is_some()
            || node.unevaluated_items.is_some()
            || node.min_items.is_some()
            || node.max_items.is_some()
            || node.unique_items;
        let number = node.minimum.is_some() || node.maximum.is_some() || node.multiple_of.is_some();
        let text = node.pattern.is_some()
            || node.min_length.is_some()
            || node.max_length.is_some()
            || node.content.is_some();
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
