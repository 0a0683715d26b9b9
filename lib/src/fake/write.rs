//! Writes JSON from a plan and random bits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use serde_json::Value;

use super::plan::{Alternative, ENDLESS, Kind, Shared, Step, StepId};
use crate::format::below;

/// How often a schema may be nested in itself before only required parts are written.
const MAX_RECURSION: u32 = 3;
/// Number of values after which only required parts are written.
const MAX_VALUES: u64 = 600;
/// Depth after which only required parts are written; readers give up at 128.
const MAX_DEPTH: u32 = 60;
/// Depth after which nothing more is written.
const LAST_DEPTH: u32 = 120;
/// Attempts at one value that must be checked.
const TRIES: u32 = 120;
/// Maximum number of values written for one whole value, including dropped ones. A small schema can
/// require 2^40 values.
const MAX_WORK: u64 = 1_000_000;
/// Maximum size of one whole value in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Maximum number of checks for one whole value.
pub(super) const MAX_CHECKS: u32 = 2_000;
/// Maximum number of schemas that the checks of one whole value evaluate.
const MAX_EFFORT: u64 = 200_000;
/// Attempts at a composed value with each alternative. More would differ in little, because samples
/// are constant.
const COMPOSED_TRIES: u32 = 2;
/// Number of attempts at a value if a valid one is already known.
const SURE_TRIES: u32 = 30;

/// Which optional properties are written, and which values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All properties, with the samples of their schemas and the first alternatives.
    Composed,
    /// Most.
    Usual,
    All,
    None,
    /// Half of them, and numbers from the whole range.
    Half,
    /// Half of them, and scalars unless the schema requires an object or array.
    Reserve,
}

pub(super) struct Writer<'p, R> {
    shared: &'p Shared,
    pub(super) rng: R,
    mode: Mode,
    depth: u32,
    recursion: u32,
    values: u64,
    /// Like `values`, but never reset.
    work: u64,
    /// The value was given up as too large.
    exhausted: bool,
    /// The remaining checks.
    checks: u32,
    /// Number of schemas that checks may still evaluate.
    effort: u64,
    scratch: String,
    /// Steps without a valid value.
    failed: Vec<StepId>,
}

/// The counters at some point, to restore them when a value is dropped.
pub(super) struct Checkpoint {
    values: u64,
    failed: usize,
}

/// The result of writing a value.
pub(super) struct Attempt {
    /// Steps without a valid value.
    pub(super) failed: Vec<StepId>,
    /// The value was given up as too large.
    pub(super) exhausted: bool,
}

impl<'p, R: RngCore> Writer<'p, R> {
    pub(super) fn new(shared: &'p Shared, rng: R, checks: u32, mode: Mode) -> Self {
        let scratch = String::new();
        Writer {
            failed: Vec::new(),
            shared,
            rng,
            mode,
            depth: 0,
            recursion: 0,
            values: 0,
            work: 0,
            exhausted: false,
            checks,
            effort: MAX_EFFORT,
            scratch,
        }
    }

    pub(super) fn write_root(mut self, root: StepId, out: &mut Vec<u8>) -> Attempt {
        let start = out.len();
        self.step(root, out);
        if self.exhausted {
            out.truncate(start);
            out.extend_from_slice(b"null");
            self.fail(root);
        }
        Attempt { failed: self.failed, exhausted: self.exhausted }
    }

    fn of(&self, id: StepId) -> &'p Step {
        self.shared.step(id)
    }

    pub(super) fn component(&self, id: StepId) -> u32 {
        self.of(id).component
    }

    /// Notes that a value is invalid.
    pub(super) fn fail(&mut self, id: StepId) {
        self.failed.push(id);
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { values: self.values, failed: self.failed.len() }
    }

    pub(super) fn restore(&mut self, checkpoint: &Checkpoint) {
        self.values = checkpoint.values;
        self.failed.truncate(checkpoint.failed);
    }

    /// True if the value is given up.
    pub(super) fn exhausted(&self) -> bool {
        self.exhausted
    }

    /// True if samples and first alternatives are written.
    pub(super) fn composes(&self) -> bool {
        self.mode == Mode::Composed
    }

    /// True if a step has its own sample.
    pub(super) fn has_sample(&self, step: StepId) -> bool {
        self.of(step).sample.is_some()
    }

    /// Stops writing samples if values must differ but samples cannot. Returns the argument for
    /// [`Writer::resume`].
    pub(super) fn vary(&mut self) -> Mode {
        let varied = if self.composes() { Mode::All } else { self.mode };
        std::mem::replace(&mut self.mode, varied)
    }

    pub(super) fn resume(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// True if only required parts are written.
    pub(super) fn tight(&self) -> bool {
        self.mode == Mode::None
            || self.recursion > MAX_RECURSION
            || self.values > MAX_VALUES
            || self.depth > MAX_DEPTH
    }

    /// True if a step has no finite value.
    pub(super) fn endless(&self, step: StepId) -> bool {
        self.of(step).height == ENDLESS
    }

    /// True if a value must not or cannot be written.
    pub(super) fn refuses(&self, step: StepId, component: u32, required: bool) -> bool {
        let step = self.of(step);
        if required {
            // An endless step is followed a little and then omitted; no valid value is lost.
            return step.height == ENDLESS && self.tight();
        }
        step.height == ENDLESS
            || self.tight()
            || step.component == component && self.recursion >= MAX_RECURSION
    }

    pub(super) fn takes_optional(&mut self) -> bool {
        let bits = below(&mut self.rng, 8);
        match self.mode {
            _ if self.tight() => false,
            Mode::Usual => bits < 7,
            Mode::All | Mode::Composed => true,
            Mode::None => false,
            Mode::Half | Mode::Reserve => bits < 4,
        }
    }

    /// The constants from which a step chooses, if it has only constants.
    pub(super) fn constants(
        &self,
        step: StepId,
    ) -> impl Iterator<Item = &'p Box<[u8]>> + use<'p, R> {
        self.of(step).alternatives.iter().flat_map(|alternative| match &alternative.kind {
            Kind::Constants(texts) => texts.as_slice(),
            _ => &[],
        })
    }

    /// Writes a value within a value of `component`.
    pub(super) fn enter(&mut self, step: StepId, component: u32, out: &mut Vec<u8>) {
        let again = u32::from(self.of(step).component == component);
        self.recursion += again;
        self.step(step, out);
        self.recursion -= again;
    }

    /// Writes an independent value.
    pub(super) fn enter_free(&mut self, step: StepId, out: &mut Vec<u8>) {
        self.step(step, out);
    }

    fn step(&mut self, id: StepId, out: &mut Vec<u8>) {
        let step = self.of(id);
        self.work += 1;
        self.exhausted |= self.work > MAX_WORK || out.len() > MAX_BYTES;
        if self.exhausted || self.depth >= LAST_DEPTH {
            out.extend_from_slice(b"null");
            return;
        }
        self.depth += 1;
        self.values += 1;
        if let (Mode::Composed, Some(sample)) = (self.mode, &step.sample) {
            out.extend_from_slice(sample);
        } else if step.verify.is_empty() {
            self.any(id, step, 0, out);
        } else {
            self.verified(id, step, out);
        }
        self.depth -= 1;
    }

    /// Writes until the schemas accept the value.
    fn verified(&mut self, id: StepId, step: &'p Step, out: &mut Vec<u8>) {
        const MODES: [Mode; 6] =
            [Mode::Usual, Mode::Half, Mode::Usual, Mode::All, Mode::None, Mode::Reserve];
        /// The same if a composed value is invalid: all properties first.
        const AFTER_COMPOSED: [Mode; 6] =
            [Mode::All, Mode::Usual, Mode::Half, Mode::None, Mode::Usual, Mode::Reserve];
        let (start, mode, checkpoint) = (out.len(), self.mode, self.checkpoint());
        if step.hopeless || step.height == ENDLESS {
            self.any(id, step, 0, out);
            self.fail(id);
            return;
        }
        // A composed value takes the first alternative of which one is valid.
        let alternatives = shown(step).count().max(1) as u32;
        let composed = if mode == Mode::Composed { COMPOSED_TRIES * alternatives } else { 0 };
        let tries = composed + if step.sure.is_some() { SURE_TRIES } else { TRIES };
        for attempt in 0..tries {
            out.truncate(start);
            self.restore(&checkpoint);
            if mode == Mode::Usual {
                self.mode = MODES[attempt as usize % MODES.len()];
            } else if mode == Mode::Composed && attempt >= composed {
                self.mode = AFTER_COMPOSED[(attempt - composed) as usize % MODES.len()];
            }
            self.any(id, step, (attempt % alternatives) as usize, out);
            let valid = self.failed.len() == checkpoint.failed && self.check(step, &out[start..]);
            if valid || self.exhausted {
                break;
            }
            if attempt + 1 == tries || self.checks == 0 || self.effort == 0 {
                // A failure within a discarded value does not count.
                self.failed.truncate(checkpoint.failed);
                match &step.sure {
                    Some(sure) => {
                        out.truncate(start);
                        out.extend_from_slice(sure);
                    }
                    None => self.fail(id),
                }
                break;
            }
        }
        self.mode = mode;
    }

    /// True if all schemas of a step accept a JSON text.
    fn check(&mut self, step: &Step, json: &[u8]) -> bool {
        self.checks = self.checks.saturating_sub(1);
        let Ok(value) = serde_json::from_slice::<Value>(json) else { return false };
        step.verify.iter().all(|id| {
            let schemas = &self.shared.schemas;
            let (valid, cost) = schemas.accepts_counted(*id, &value, self.shared.direction);
            self.effort = self.effort.saturating_sub(cost);
            valid
        })
    }

    /// Writes a value; `nth` counts the attempts at it.
    fn any(&mut self, id: StepId, step: &'p Step, nth: usize, out: &mut Vec<u8>) {
        let Some(alternative) = self.choose(step, nth) else {
            out.extend_from_slice(b"null");
            return;
        };
        match &alternative.kind {
            Kind::Constants(texts) => match texts.first() {
                Some(first) if self.composes() => out.extend_from_slice(first),
                _ => {
                    out.extend_from_slice(
                        &texts[below(&mut self.rng, texts.len() as u64) as usize],
                    );
                }
            },
            Kind::Number(number) => number.write(self.mode == Mode::Half, &mut self.rng, out),
            Kind::Text(text) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                text.write(&mut self.rng, &mut scratch);
                push_json(&scratch, out);
                self.scratch = scratch;
            }
            Kind::Content(inner, base64) => {
                let mut value = Vec::new();
                self.step(*inner, &mut value);
                let text = match base64 {
                    true => STANDARD.encode(&value),
                    false => String::from_utf8_lossy(&value).into_owned(),
                };
                push_json(&text, out);
            }
            Kind::Array(array) => array.write(self, id, out),
            Kind::Object(object) => object.write(self, id, out),
            Kind::Branch(branch) => self.step(*branch, out),
        }
    }

    /// Chooses an alternative by weight; if only required parts are written, the flattest one.
    fn choose(&mut self, step: &'p Step, nth: usize) -> Option<&'p Alternative> {
        if let [only] = step.alternatives.as_slice() {
            return Some(only);
        }
        let flattest = step.alternatives.iter().min_by_key(|alternative| alternative.height)?;
        let deep =
            self.recursion >= MAX_RECURSION || self.values > MAX_VALUES || self.depth > MAX_DEPTH;
        if deep || flattest.height == ENDLESS {
            return Some(flattest);
        }
        if self.composes() {
            return shown(step).nth(nth).or(Some(flattest));
        }
        let reserve = |alternative: &Alternative| u64::from(alternative.weight == 0);
        if self.mode == Mode::Reserve
            && let Some(reserve) = self.by_weight(step, reserve)
        {
            return Some(reserve);
        }
        self.by_weight(step, |alternative| match alternative.height {
            ENDLESS => 0,
            _ => alternative.weight.max(1),
        })
    }

    fn by_weight(
        &mut self,
        step: &'p Step,
        weight: impl Fn(&Alternative) -> u64,
    ) -> Option<&'p Alternative> {
        let total = step.alternatives.iter().map(&weight).sum();
        let mut rest = below(&mut self.rng, total);
        step.alternatives.iter().find(|alternative| {
            let weight = weight(alternative);
            let taken = rest < weight;
            rest = rest.saturating_sub(weight);
            taken
        })
    }
}

/// The alternatives for composed values. Null, and types that the schema does not mention, are not
/// realistic data.
fn shown(step: &Step) -> impl Iterator<Item = &Alternative> {
    step.alternatives
        .iter()
        .filter(|alternative| alternative.weight > 1 && alternative.height != ENDLESS)
}

/// Appends a text as a JSON string.
fn push_json(text: &str, out: &mut Vec<u8>) {
    // A loop without early exit lets the compiler use vector instructions.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'));
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
}
