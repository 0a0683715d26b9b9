//! The walk over a value and its schemas, and the problems found.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::place::At;
use super::problem::{Direction, Fault, Problem};
use crate::schema::node::{Node, NodeId, SchemaSet, Types};
use crate::schema::number::is_integral;

/// Maximum number of references and combinations without going deeper into the value; more is a
/// cycle.
pub(super) const MAX_HOPS: u32 = 128;
/// Maximum number of schemas that one check evaluates; stops schemas that are built to explode.
pub(super) const MAX_STEPS: u64 = 20_000_000;
/// Maximum steps into combinations and references for each step into the value.
const MAX_HOPS_PER_STEP: u64 = 512;
/// Number of steps into combinations and references that are always allowed.
const FREE_HOPS: u64 = 100_000;
/// Up to this number of steps into combinations, the result of a trial is kept. Beyond it, the
/// trial may end because of [`MAX_HOPS`], so its result is not valid for other checks.
const MAX_TRIED_HOPS: u32 = 32;
/// Maximum number of problems listed for one value.
const MAX_PROBLEMS: usize = 64;
/// Maximum number of problems listed for one value if the problems of each place are requested.
const MAX_NOTED: usize = 4096;

/// The keyword for properties that a schema allows but does not declare.
pub(super) const UNDECLARED: &str = "undeclared";

/// A check of one value.
pub(super) struct Check<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
    /// Schemas evaluated by going deeper into the value.
    pub(super) steps: u64,
    /// Schemas evaluated for the same value again.
    pub(super) side_steps: u64,
    /// `None` if only the validity matters.
    pub(super) problems: Option<Vec<Problem>>,
    /// If all faults are wanted: those already listed, with the values that each keyword rejected.
    pub(super) noted: HashMap<(String, &'static str), HashSet<String>>,
    /// Requests, too, must match exactly one branch.
    pub(super) strict_one_of: bool,
    /// The `oneOf`s being checked, each with its value. The flag is true if a branch led back to
    /// the same `oneOf`.
    pub(super) unions: Vec<(Union, bool)>,
    /// The first of these that a schema was accepted without.
    pub(super) omitted: usize,
    /// Number of trials of branches in progress.
    trials: u32,
    /// Results of trials of objects and arrays, by schema and address of the value, which is
    /// borrowed for the whole check. Without them, the branches of nested combinations would be
    /// tried again on every level, which is exponential in the depth. No client chooses the keys,
    /// so the hasher is a fast one: with the default one, checks of unions spent half of their time
    /// in it.
    tried: FxHashMap<(NodeId, usize), bool>,
}

/// A schema with `oneOf`, and a value.
pub(super) type Union = (*const Node, *const Value);

/// The value that a keyword rejects, written out only for problems.
#[derive(Clone, Copy)]
pub(super) enum Evidence<'v> {
    None,
    Value(&'v Value),
    Name(&'v str),
}

impl<'s> Check<'s> {
    pub(super) fn new(
        set: &'s SchemaSet,
        direction: Direction,
        problems: Option<Vec<Problem>>,
    ) -> Self {
        Check {
            set,
            direction,
            steps: 0,
            side_steps: 0,
            problems,
            noted: HashMap::new(),
            strict_one_of: set.strict_one_of,
            unions: Vec::new(),
            omitted: usize::MAX,
            trials: 0,
            tried: FxHashMap::default(),
        }
    }

    /// Notes a problem. Returns false, because the value is invalid.
    pub(super) fn problem(
        &mut self,
        at: &At<'_>,
        node: &Node,
        keyword: &'static str,
        evidence: Evidence<'_>,
        message: impl FnOnce() -> String,
    ) -> bool {
        let Some(problems) = &mut self.problems else { return false };
        let all = self.set.every_fault || self.set.every_place;
        let limit = match (self.set.every_place, self.set.every_fault) {
            (true, _) => MAX_NOTED,
            (false, true) => usize::MAX,
            (false, false) => MAX_PROBLEMS,
        };
        if problems.len() >= limit {
            return false;
        }
        let mut pattern = String::new();
        at.write_pattern(matches!(keyword, "never" | UNDECLARED), &mut pattern);
        let value = match evidence {
            Evidence::None => Value::Null,
            Evidence::Value(value) => value.clone(),
            Evidence::Name(name) => name.into(),
        };
        if all {
            let mut place = node.pointer.clone();
            if self.set.every_place {
                place.push_str(&pattern);
            }
            let known = self.noted.entry((place, keyword)).or_default();
            // More values than an enumeration may have add nothing; types and names are few.
            let full = keyword == "enum" && known.len() >= MAX_PROBLEMS;
            // Several wrong values at one place are one problem.
            let same = self.set.every_place && keyword != "required" && !known.is_empty();
            if full || same || !known.insert(value.to_string()) {
                return false;
            }
        }
        let mut pointer = String::new();
        at.write(&mut pointer);
        let fault = Fault { schema: node.pointer.clone(), keyword, value };
        problems.push(Problem { pointer, pattern, message: message(), fault });
        false
    }

    /// True if the rest of the check cannot change the result.
    pub(super) fn done(&self, valid: bool) -> bool {
        !valid && self.problems.is_none()
    }

    /// Whether a schema accepts a value, without noting problems.
    pub(super) fn fits(&mut self, id: NodeId, value: &Value, hops: u32) -> bool {
        let problems = self.problems.take();
        self.trials += 1;
        let valid = self.value(id, value, &At::Root, hops);
        self.trials -= 1;
        self.problems = problems;
        valid
    }

    pub(super) fn value(&mut self, id: NodeId, value: &Value, at: &At<'_>, hops: u32) -> bool {
        if self.trials == 0 || hops > MAX_TRIED_HOPS || !(value.is_object() || value.is_array()) {
            return self.judge(id, value, at, hops);
        }
        // What is decided at once is not worth a note, and a reference leads to what has one.
        let node = self.set.node(id);
        if node.reference.is_some() || node.types.is_some_and(|types| !is_of(value, types)) {
            return self.judge(id, value, at, hops);
        }
        let key = (id, std::ptr::from_ref(value) as usize);
        if let Some(valid) = self.tried.get(&key) {
            return *valid;
        }
        let before = std::mem::replace(&mut self.omitted, usize::MAX);
        let valid = self.judge(id, value, at, hops);
        // The result is kept unless it holds only within a union whose check has not ended.
        if self.omitted >= self.unions.len() {
            self.tried.insert(key, valid);
        }
        self.omitted = self.omitted.min(before);
        valid
    }

    pub(super) fn judge(&mut self, id: NodeId, value: &Value, at: &At<'_>, hops: u32) -> bool {
        if hops == 0 {
            self.steps += 1;
        } else {
            self.side_steps += 1;
        }
        let set = self.set;
        let node = set.node(id);
        if hops > MAX_HOPS {
            let why = || "cannot be checked: its schema refers to itself".to_owned();
            return self.problem(at, node, "", Evidence::None, why);
        }
        if self.steps > MAX_STEPS || self.side_steps > FREE_HOPS + MAX_HOPS_PER_STEP * self.steps {
            let why = || "cannot be checked: its schema is too complex".to_owned();
            return self.problem(at, node, "", Evidence::None, why);
        }
        if let Some(target) = node.reference {
            return self.value(target, value, at, hops + 1);
        }
        if node.never {
            return self.problem(at, node, "never", Evidence::None, || "is not allowed".to_owned());
        }
        if let Some(types) = node.types
            && !is_of(value, types)
        {
            // Further keywords would only repeat that the type is wrong.
            let found = Evidence::Name(type_name(value));
            let why = || format!("is not of type {}", names(types));
            return self.problem(at, node, "type", found, why);
        }
        let mut valid = self.enumeration(node, value, at);
        valid &= match value {
            Value::Number(number) => self.number(node, number, at),
            Value::String(text) => self.string(node, text, at),
            Value::Array(items) => self.array(node, items, at),
            Value::Object(map) => self.object(node, map, value, at),
            Value::Null | Value::Bool(_) => true,
        };
        if self.done(valid) {
            return false;
        }
        valid &= self.combinations(node, value, at, hops);
        if self.done(valid) {
            return false;
        }
        self.unevaluated(node, value, at, hops) && valid
    }
}

pub(super) fn is_of(value: &Value, types: Types) -> bool {
    match value {
        Value::Null => types.has(Types::NULL),
        Value::Bool(_) => types.has(Types::BOOLEAN),
        Value::Number(number) => {
            types.has(Types::NUMBER) || types.has(Types::INTEGER) && is_integral(number)
        }
        Value::String(_) => types.has(Types::STRING),
        Value::Array(_) => types.has(Types::ARRAY),
        Value::Object(_) => types.has(Types::OBJECT),
    }
}

/// The narrowest type of a value.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_integral(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn names(types: Types) -> String {
    let all = [
        (Types::BOOLEAN, "boolean"),
        (Types::INTEGER, "integer"),
        (Types::NUMBER, "number"),
        (Types::STRING, "string"),
        (Types::ARRAY, "array"),
        (Types::OBJECT, "object"),
        (Types::NULL, "null"),
    ];
    let names: Vec<&str> =
        all.into_iter().filter(|(bit, _)| types.has(*bit)).map(|(_, name)| name).collect();
    names.join(" or ")
}
