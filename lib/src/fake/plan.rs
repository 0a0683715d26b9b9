//! The compiled form of a schema.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;

use super::array::ArrayPlan;
use super::number::NumberPlan;
use super::object::ObjectPlan;
use super::text::TextPlan;
use super::write::{Attempt, MAX_CHECKS, Mode, Writer};
use super::{compile, graph, probe};
use crate::schema::{Direction, NodeId, SchemaSet};

/// The height of a step without a finite value.
pub(super) const ENDLESS: u32 = u32::MAX;

/// Maximum number of checks for a value if none was ever valid.
const HOPELESS_CHECKS: u32 = 10;

/// Index of a [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StepId(pub(super) u32);

/// A schema that is ready for writing values.
#[derive(Debug)]
pub struct Plan {
    pub(super) shared: Arc<Shared>,
    pub(super) root: StepId,
    warnings: Vec<String>,
    /// A valid value, if random choice may not find one.
    sure: Option<Vec<u8>>,
    /// Maximum number of checks for one value.
    checks: u32,
    /// Every value is too long to be written.
    too_large: bool,
}

/// The shared part of several plans, because schemas of a document refer to each other.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) steps: Vec<Step>,
    pub(super) direction: Direction,
    /// The schemas that verify steps, and no others.
    pub(super) schemas: SchemaSet,
    /// Examples that violate their schemas.
    pub(super) faults: Vec<String>,
}

impl Shared {
    pub(super) fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }
}

/// One conjunction of schemas.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Empty if no value is valid.
    pub(super) alternatives: Vec<Alternative>,
    /// Schemas that check a written value; empty if it is valid by construction.
    pub(super) verify: Vec<NodeId>,
    /// The value in a composed value, as JSON text.
    pub(super) sample: Option<Box<[u8]>>,
    /// A valid value of a verified step, used if random choice finds none.
    pub(super) sure: Option<Box<[u8]>>,
    /// True if no valid value of a verified step was found.
    pub(super) hopeless: bool,
    /// Levels of the flattest value, or [`ENDLESS`].
    pub(super) height: u32,
    /// Steps with the same component refer to each other.
    pub(super) component: u32,
    /// JSON pointer of the schema, for warnings.
    pub(super) pointer: String,
    /// Why there is no alternative.
    pub(super) contradiction: Option<&'static str>,
    /// Violations that were found.
    pub(super) warnings: Vec<String>,
}

impl Step {
    /// True if random choice may not find a valid value.
    fn fallible(&self) -> bool {
        let kinds = || self.alternatives.iter().map(|alternative| &alternative.kind);
        !self.verify.is_empty()
            || kinds().any(|kind| match kind {
                Kind::Array(array) => array.fallible(),
                Kind::Object(object) => object.fallible(),
                Kind::Constants(_)
                | Kind::Number(_)
                | Kind::Text(_)
                | Kind::Content(..)
                | Kind::Branch(_) => false,
            })
    }
}

/// One way to write a value.
#[derive(Debug)]
pub(super) struct Alternative {
    pub(super) kind: Kind,
    /// The relative frequency; 0 if it is only used when no other one is valid.
    pub(super) weight: u64,
    pub(super) height: u32,
}

impl Alternative {
    pub(super) fn new(kind: Kind) -> Self {
        Alternative { kind, weight: 15, height: ENDLESS }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    /// JSON texts, one of which is written.
    Constants(Vec<Box<[u8]>>),
    Number(NumberPlan),
    Text(TextPlan),
    /// JSON as a text, in base64 if `true`.
    Content(StepId, bool),
    Array(ArrayPlan),
    Object(ObjectPlan),
    Branch(StepId),
}

impl Plan {
    /// Compiles a schema of the set. Responses omit `writeOnly` properties, and requests `readOnly`
    /// ones.
    ///
    /// No schema is refused: if nothing satisfies it, the plan does its best, with a warning.
    pub fn compile(set: &SchemaSet, schema: NodeId, direction: Direction) -> Plan {
        Plan::new(Arc::new(compile::compile(set, &[schema], direction)), StepId(0))
    }

    /// Compiles several schemas, each as [`Plan::compile`] does, in order. Their common parts are
    /// compiled once.
    pub fn compile_all(set: &SchemaSet, schemas: &[NodeId], direction: Direction) -> Vec<Plan> {
        let shared = Arc::new(compile::compile(set, schemas, direction));
        (0..schemas.len() as u32).map(|root| Plan::new(Arc::clone(&shared), StepId(root))).collect()
    }

    fn new(shared: Arc<Shared>, root: StepId) -> Plan {
        let mut plan = Plan {
            warnings: Vec::new(),
            shared,
            root,
            sure: None,
            checks: MAX_CHECKS,
            too_large: false,
        };
        if plan.shared.step(root).height == ENDLESS {
            plan.warnings = graph::culprits(&plan.shared.steps, root);
        }
        if !plan.shared.steps.iter().any(|step| step.fallible() || !step.warnings.is_empty()) {
            return plan;
        }
        let reached = graph::reached(&plan.shared.steps, root);
        let steps = || reached.iter().map(|id| plan.shared.step(*id));
        let mut warnings: BTreeSet<String> =
            steps().flat_map(|step| step.warnings.iter().cloned()).collect();
        if plan.warnings.is_empty() {
            // Steps without a valid value are omitted, although responses should contain them.
            warnings.extend(steps().filter(|step| step.hopeless).map(probe::warning));
        }
        let fallible = steps().any(Step::fallible);
        plan.warnings.extend(warnings);
        if fallible {
            plan.probe();
        }
        plan
    }

    /// Keeps a known valid value, or warns if random choice finds none.
    fn probe(&mut self) {
        const PROBES: u64 = 8;
        const GIVEN_UP: u32 = 3;
        let mut given_up = 0;
        let mut failures = BTreeSet::new();
        for seed in 0..PROBES {
            let mut out = Vec::new();
            let Attempt { failed, exhausted } =
                self.attempt(&mut Xoshiro256PlusPlus::seed_from_u64(seed), &mut out);
            given_up += u32::from(exhausted);
            if given_up == GIVEN_UP {
                // Other seeds, and every request, would take as long.
                self.too_large = true;
                let at = &self.shared.step(self.root).pointer;
                self.warnings.push(format!(
                    "{at}: its values are too large to be generated; null is used instead"
                ));
                return;
            }
            if failed.is_empty() {
                self.sure = Some(out);
                return;
            }
            failures.extend(failed.into_iter().map(|id| probe::warning(self.shared.step(id))));
        }
        // If this many attempts failed, further ones are not worth the time of every request.
        self.checks = HOPELESS_CHECKS;
        if self.warnings.is_empty() {
            self.warnings.extend(failures);
        }
    }

    /// Writes a value; returns the steps without a valid one.
    fn attempt(&self, rng: &mut Xoshiro256PlusPlus, out: &mut Vec<u8>) -> Attempt {
        Writer::new(&self.shared, rng, self.checks, Mode::Usual).write_root(self.root, out)
    }

    /// Appends a value of the schema as JSON text. Each part is its example, or else its constant,
    /// its default, the first value of its enum, or generated data. All optional properties are
    /// present, as deep as recursion allows.
    pub fn compose(&self, seed: u64, out: &mut Vec<u8>) {
        if !self.too_large {
            let start = out.len();
            let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let writer = Writer::new(&self.shared, rng, self.checks, Mode::Composed);
            if writer.write_root(self.root, out).failed.is_empty() {
                return;
            }
            out.truncate(start);
        }
        self.generate(seed, out);
    }

    /// Appends a value of the schema as JSON text.
    pub fn generate(&self, seed: u64, out: &mut Vec<u8>) {
        const ATTEMPTS: u32 = 4;
        if self.too_large {
            out.extend_from_slice(b"null");
            return;
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let start = out.len();
        for _ in 0..ATTEMPTS {
            out.truncate(start);
            if self.attempt(&mut rng, out).failed.is_empty() {
                return;
            }
            // Without a valid value, the last attempt is kept.
            let Some(sure) = &self.sure else { return };
            out.truncate(start);
            out.extend_from_slice(sure);
        }
    }

    /// Examples that violate the schemas that were compiled together, each with its JSON pointer.
    pub fn example_faults(&self) -> &[String] {
        &self.shared.faults
    }

    /// Schemas without a valid value, each with its JSON pointer: `/components/schemas/A: …`.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A value as plain text, for headers and text bodies: a string without quotes, anything else as
/// JSON.
pub fn plain_text(json: &[u8]) -> String {
    if json.first() == Some(&b'"')
        && let Ok(Value::String(text)) = serde_json::from_slice(json)
    {
        return text;
    }
    String::from_utf8_lossy(json).into_owned()
}
