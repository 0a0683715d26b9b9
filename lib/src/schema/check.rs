//! Checks values against schemas.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::formats::binds_requests;
use super::node::{Content, Node, NodeId, SchemaSet, Types};
use super::number::{canonical, compare, equal, in_range, is_integral, is_multiple};
use crate::spec::escape;

/// Maximum number of references and combinations without going deeper into the value; more is a
/// cycle.
const MAX_HOPS: u32 = 128;
/// Maximum number of schemas that one check evaluates; stops schemas that are built to explode.
const MAX_STEPS: u64 = 20_000_000;
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
const UNDECLARED: &str = "undeclared";

/// The direction of a value: required `readOnly` properties may be absent from requests,
/// `writeOnly` ones from responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From client to server.
    Request,
    /// From server to client.
    Response,
}

/// One violation of a schema by a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer within the value.
    pub pointer: String,
    /// The pointer with `*` for items of lists and members of maps: the same wherever in them the
    /// problem is.
    pub pattern: String,
    /// The problem, as a lower-case fragment: `is not of type integer`.
    pub message: String,
    /// The violated keyword.
    pub fault: Fault,
}

/// A keyword that a value violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer of the schema in its document, or of the operation if the keyword is not one of
    /// schemas.
    pub schema: String,
    /// The keyword. `const` is `enum`, exclusive bounds are `minimum` and `maximum`, `never` is the
    /// schema `false`, `undeclared` means a property that the schema allows but does not declare,
    /// and an empty word means a schema that cannot be checked.
    pub keyword: &'static str,
    /// The rejected value: for `enum` the value, for `type` its type name, for `required` the
    /// absent name; otherwise null.
    pub value: Value,
}

impl SchemaSet {
    /// Checks a value; returns an empty list if it is valid.
    pub fn check(&self, id: NodeId, value: &Value, direction: Direction) -> Vec<Problem> {
        let mut check = Check::new(self, direction, Some(Vec::new()));
        check.value(id, value, &At::Root, 0);
        if self.every_place {
            check.undeclared(&[id], value, &At::Root);
        }
        check.problems.unwrap_or_default()
    }

    /// True if [`SchemaSet::check`] would find nothing; stops at the first problem.
    pub fn accepts(&self, id: NodeId, value: &Value, direction: Direction) -> bool {
        self.accepts_counted(id, value, direction).0
    }

    /// The places where a value matches several branches of a `oneOf`, which is allowed in
    /// requests. Each is a pointer and a message.
    pub fn overlaps(&self, id: NodeId, value: &Value) -> Vec<String> {
        let mut check = Check::new(self, Direction::Request, Some(Vec::new()));
        check.strict_one_of = true;
        check.value(id, value, &At::Root, 0);
        let problems = check.problems.unwrap_or_default().into_iter();
        problems
            .filter(|problem| problem.fault.keyword == "oneOf" && !problem.message.contains("none"))
            .map(|problem| format!("{} {}", problem.pointer, problem.message))
            .collect()
    }

    /// Like [`SchemaSet::accepts`], with the number of evaluated schemas, which is the cost of the
    /// check.
    pub(crate) fn accepts_counted(
        &self,
        id: NodeId,
        value: &Value,
        direction: Direction,
    ) -> (bool, u64) {
        let mut check = Check::new(self, direction, None);
        let valid = check.value(id, value, &At::Root, 0);
        (valid, check.steps + check.side_steps)
    }
}

/// Checks of single texts and numbers that do not report problems.
#[derive(Clone, Copy)]
pub(super) struct Quiet<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
}

impl<'s> Quiet<'s> {
    /// Length, pattern and format of a text.
    pub(super) fn text(self, id: NodeId, text: &str) -> bool {
        let node = self.set.node(id);
        let is_bare = node.min_length.is_none()
            && node.max_length.is_none()
            && node.pattern.is_none()
            && node.format.is_none()
            && node.content.is_none();
        is_bare || self.check().string(node, text, &At::Root)
    }

    /// Range, step and format of a number.
    pub(super) fn number(self, id: NodeId, number: &serde_json::Number) -> bool {
        let node = self.set.node(id);
        let is_bare = node.minimum.is_none()
            && node.maximum.is_none()
            && node.multiple_of.is_none()
            && node.format.is_none();
        is_bare || self.check().number(node, number, &At::Root)
    }

    fn check(self) -> Check<'s> {
        Check::new(self.set, self.direction, None)
    }
}

/// The path to a value, written out only for problems.
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    /// A property that the schema does not name.
    Member(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    fn write(&self, out: &mut String) {
        match self {
            At::Root => {}
            At::Key(parent, key) | At::Member(parent, key) => {
                parent.write(out);
                out.push('/');
                out.push_str(&escape(key));
            }
            At::Index(parent, index) => {
                parent.write(out);
                out.push_str(&format!("/{index}"));
            }
        }
    }

    /// Writes the path as a pattern. If `named`, the name of the last member is kept, because the
    /// problem is about it.
    fn write_pattern(&self, named: bool, out: &mut String) {
        match self {
            At::Root => {}
            At::Member(parent, _) if !named => {
                parent.write_pattern(false, out);
                out.push_str("/*");
            }
            At::Key(parent, key) | At::Member(parent, key) => {
                parent.write_pattern(false, out);
                out.push('/');
                out.push_str(&escape(key));
            }
            At::Index(parent, _) => {
                parent.write_pattern(false, out);
                out.push_str("/*");
            }
        }
    }
}

struct Check<'s> {
    set: &'s SchemaSet,
    direction: Direction,
    /// Schemas evaluated by going deeper into the value.
    steps: u64,
    /// Schemas evaluated for the same value again.
    side_steps: u64,
    /// `None` if only the validity matters.
    problems: Option<Vec<Problem>>,
    /// If all faults are wanted: those already listed, with the values that each keyword rejected.
    noted: HashMap<(String, &'static str), HashSet<String>>,
    /// Requests, too, must match exactly one branch.
    strict_one_of: bool,
    /// Number of trials of branches in progress.
    trials: u32,
    /// Results of trials of objects and arrays, by schema and address of the value, which is
    /// borrowed for the whole check. Without them, the branches of nested combinations would be
    /// tried again on every level, which is exponential in the depth.
    tried: HashMap<(NodeId, usize), bool>,
}

/// The value that a keyword rejects, written out only for problems.
#[derive(Clone, Copy)]
enum Evidence<'v> {
    None,
    Value(&'v Value),
    Name(&'v str),
}

impl<'s> Check<'s> {
    fn new(set: &'s SchemaSet, direction: Direction, problems: Option<Vec<Problem>>) -> Self {
        Check {
            set,
            direction,
            steps: 0,
            side_steps: 0,
            problems,
            noted: HashMap::new(),
            strict_one_of: set.strict_one_of,
            trials: 0,
            tried: HashMap::new(),
        }
    }

    /// Notes a problem. Returns false, because the value is invalid.
    fn problem(
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
    fn done(&self, valid: bool) -> bool {
        !valid && self.problems.is_none()
    }

    /// Whether a schema accepts a value, without noting problems.
    fn fits(&mut self, id: NodeId, value: &Value, hops: u32) -> bool {
        let problems = self.problems.take();
        self.trials += 1;
        let valid = self.value(id, value, &At::Root, hops);
        self.trials -= 1;
        self.problems = problems;
        valid
    }

    fn value(&mut self, id: NodeId, value: &Value, at: &At<'_>, hops: u32) -> bool {
        if self.trials == 0 || hops > MAX_TRIED_HOPS || !(value.is_object() || value.is_array()) {
            return self.judge(id, value, at, hops);
        }
        let key = (id, std::ptr::from_ref(value) as usize);
        if let Some(valid) = self.tried.get(&key) {
            return *valid;
        }
        let valid = self.judge(id, value, at, hops);
        self.tried.insert(key, valid);
        valid
    }

    fn judge(&mut self, id: NodeId, value: &Value, at: &At<'_>, hops: u32) -> bool {
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

    fn enumeration(&mut self, node: &Node, value: &Value, at: &At<'_>) -> bool {
        match &node.enumeration {
            Some(values) if !values.iter().any(|allowed| equal(allowed, value)) => {
                let why = || format!("is not one of {}", shown(values));
                self.problem(at, node, "enum", Evidence::Value(value), why)
            }
            _ => true,
        }
    }

    fn number(&mut self, node: &Node, number: &serde_json::Number, at: &At<'_>) -> bool {
        let mut valid = true;
        if let Some(bound) = &node.minimum {
            let order = compare(number, &bound.value);
            if order.is_lt() || bound.exclusive && order.is_eq() {
                let word = if bound.exclusive { "not above" } else { "below" };
                let why = || format!("is {word} {}", bound.value);
                valid = self.problem(at, node, "minimum", Evidence::None, why);
            }
        }
        if let Some(bound) = &node.maximum {
            let order = compare(number, &bound.value);
            if order.is_gt() || bound.exclusive && order.is_eq() {
                let word = if bound.exclusive { "not below" } else { "above" };
                let why = || format!("is {word} {}", bound.value);
                valid = self.problem(at, node, "maximum", Evidence::None, why);
            }
        }
        if let Some(step) = &node.multiple_of
            && !is_multiple(number, step)
        {
            valid = self.problem(at, node, "multipleOf", Evidence::None, || {
                format!("is not a multiple of {step}")
            });
        }
        if let Some(format) = node.format.as_deref()
            && let Some((low, high)) = crate::format::integer_range(format)
            && is_integral(number)
            && !in_range(number, low, high)
        {
            valid = self.problem(at, node, "format", Evidence::None, || {
                format!("is outside the range of {format}")
            });
        }
        valid
    }

    fn string(&mut self, node: &Node, text: &str, at: &At<'_>) -> bool {
        let mut valid = true;
        if node.min_length.is_some() || node.max_length.is_some() {
            let length = text.chars().count() as u64;
            if let Some(min) = node.min_length.filter(|min| length < *min) {
                valid = self.problem(at, node, "minLength", Evidence::None, || {
                    format!("is shorter than {min}")
                });
            }
            if let Some(max) = node.max_length.filter(|max| length > *max) {
                valid = self.problem(at, node, "maxLength", Evidence::None, || {
                    format!("is longer than {max}")
                });
            }
        }
        if let Some(pattern) = &node.pattern
            && !pattern.accepts(text)
        {
            valid = self.problem(at, node, "pattern", Evidence::None, || {
                format!("does not match {}", pattern.source)
            });
        }
        if let Some(format) = node.format.as_deref().and_then(crate::format::by_name)
            && !(format.detect)(text)
            && (self.direction == Direction::Response
                || !node.format_is_encoding && binds_requests(format.name, text))
        {
            valid = self.problem(at, node, "format", Evidence::None, || {
                format!("is not of format {}", format.name)
            });
        }
        if let Some(content) = &node.content
            && self.direction == Direction::Response
        {
            valid &= self.content(node, content, text, at);
        }
        valid
    }

    /// Checks the value in a text. Its problems are reported for the text.
    fn content(&mut self, node: &Node, content: &Content, text: &str, at: &At<'_>) -> bool {
        let value = match content.value(text) {
            Ok(value) => value,
            Err(why) => {
                return self.problem(at, node, "contentMediaType", Evidence::None, || why);
            }
        };
        let Some(schema) = content.schema else { return true };
        if self.set.accepts(schema, &value, self.direction) {
            return true;
        }
        let (set, direction) = (self.set, self.direction);
        self.problem(at, node, "contentSchema", Evidence::None, || {
            let first = set.check(schema, &value, direction).into_iter().next();
            let first = first.map(|p| format!("{} {}", p.pointer, p.message)).unwrap_or_default();
            format!("contains JSON that its contentSchema does not accept: {}", first.trim_start())
        })
    }

    fn array(&mut self, node: &Node, items: &[Value], at: &At<'_>) -> bool {
        let mut valid = true;
        let length = items.len() as u64;
        if let Some(min) = node.min_items.filter(|min| length < *min) {
            valid = self.problem(at, node, "minItems", Evidence::None, || {
                format!("has fewer than {min} items")
            });
        }
        if let Some(max) = node.max_items.filter(|max| length > *max) {
            valid = self.problem(at, node, "maxItems", Evidence::None, || {
                format!("has more than {max} items")
            });
        }
        if node.unique_items && !all_different(items) {
            valid = self.problem(at, node, "uniqueItems", Evidence::None, || {
                "has duplicate items".to_owned()
            });
        }
        for (index, item) in items.iter().enumerate() {
            if self.done(valid) {
                return false;
            }
            let schema = node.prefix_items.get(index).copied().or(node.items);
            if let Some(schema) = schema {
                valid &= self.value(schema, item, &At::Index(at, index), 0);
            }
        }
        if let Some(contains) = &node.contains {
            let count =
                items.iter().filter(|item| self.fits(contains.schema, item, 0)).count() as u64;
            if count < contains.min || contains.max.is_some_and(|max| count > max) {
                valid = self.problem(at, node, "contains", Evidence::None, || {
                    format!("has {count} items that match contains")
                });
            }
        }
        valid
    }

    fn object(
        &mut self,
        node: &Node,
        map: &Map<String, Value>,
        value: &Value,
        at: &At<'_>,
    ) -> bool {
        let mut valid = true;
        for name in &node.required {
            if !map.contains_key(name) && !self.excused(node, name) {
                let why = || format!("lacks the required property {name:?}");
                valid = self.problem(at, node, "required", Evidence::Name(name), why);
            }
        }
        let length = map.len() as u64;
        if let Some(min) = node.min_properties.filter(|min| length < *min) {
            valid = self.problem(at, node, "minProperties", Evidence::None, || {
                format!("has fewer than {min} properties")
            });
        }
        if let Some(max) = node.max_properties.filter(|max| length > *max) {
            valid = self.problem(at, node, "maxProperties", Evidence::None, || {
                format!("has more than {max} properties")
            });
        }
        for (name, needs) in &node.dependent_required {
            if map.contains_key(name)
                && let Some(missing) = needs.iter().find(|need| !map.contains_key(*need))
            {
                valid = self.problem(at, node, "dependentRequired", Evidence::None, || {
                    format!("has {name:?}, so {missing:?} is required")
                });
            }
        }
        for (name, schema) in &node.dependent_schemas {
            if map.contains_key(name) {
                valid &= self.value(*schema, value, at, 1);
            }
        }
        let declared = Declared::new(&node.properties);
        for (name, child) in map {
            if self.done(valid) {
                return false;
            }
            let mut inner = At::Member(at, name);
            let mut known = false;
            if let Some(schema) = declared.get(name) {
                inner = At::Key(at, name);
                known = true;
                valid &= self.value(schema, child, &inner, 0);
            }
            for (pattern, schema) in &node.pattern_properties {
                if pattern.accepts(name) {
                    known = true;
                    valid &= self.value(*schema, child, &inner, 0);
                }
            }
            if let Some(schema) = node.additional_properties.filter(|_| !known) {
                valid &= self.value(schema, child, &inner, 0);
            }
            if let Some(schema) = node.property_names
                && !self.fits(schema, &Value::String(name.clone()), 0)
            {
                let why = || "is not an allowed name".to_owned();
                valid = self.problem(&inner, node, "propertyNames", Evidence::None, why);
            }
        }
        valid
    }

    /// True if a required property may be absent in this direction.
    fn excused(&self, node: &Node, name: &str) -> bool {
        let Some((_, schema)) = node.properties.iter().find(|(key, _)| key == name) else {
            return false;
        };
        let mut property = self.set.node(*schema);
        for _ in 0..16 {
            let Some(target) = property.reference else { break };
            property = self.set.node(target);
        }
        match self.direction {
            Direction::Request => property.read_only,
            Direction::Response => property.write_only,
        }
    }

    fn combinations(&mut self, node: &Node, value: &Value, at: &At<'_>, hops: u32) -> bool {
        let mut valid = true;
        for branch in &node.all_of {
            valid &= self.value(*branch, value, at, hops + 1);
            if self.done(valid) {
                return false;
            }
        }
        if !node.any_of.is_empty()
            && !node.any_of.iter().any(|branch| self.fits(*branch, value, hops + 1))
        {
            valid = self.no_branch(node, "anyOf", value, at, hops);
        }
        let lenient = self.direction == Direction::Request && !self.strict_one_of;
        if !node.one_of.is_empty()
            && lenient
            && let Some(branch) = named_branch(node, value)
        {
            valid &= self.value(branch, value, at, hops + 1);
        } else if !node.one_of.is_empty() && lenient {
            if !node.one_of.iter().any(|branch| self.fits(*branch, value, hops + 1)) {
                valid = self.no_branch(node, "oneOf", value, at, hops);
            }
        } else if !node.one_of.is_empty() {
            let fitting =
                node.one_of.iter().filter(|branch| self.fits(**branch, value, hops + 1)).count();
            if fitting == 0 {
                valid = self.no_branch(node, "oneOf", value, at, hops);
            } else if fitting > 1 {
                let all = node.one_of.len();
                valid = self.problem(at, node, "oneOf", Evidence::None, || {
                    format!("matches {fitting} of the {all} schemas of oneOf, not exactly one")
                });
            }
        }
        if let Some(not) = node.not
            && self.fits(not, value, hops + 1)
        {
            valid = self.problem(at, node, "not", Evidence::None, || {
                "matches the schema of not".to_owned()
            });
        }
        if let Some((condition, then, otherwise)) = node.if_then_else {
            let branch = if self.fits(condition, value, hops + 1) { then } else { otherwise };
            if let Some(branch) = branch {
                valid &= self.value(branch, value, at, hops + 1);
            }
        }
        valid
    }

    /// False if a schema only accepts other types.
    fn may_take(&self, id: NodeId, value: &Value) -> bool {
        let mut node = self.set.node(id);
        for _ in 0..16 {
            let Some(target) = node.reference else { break };
            node = self.set.node(target);
        }
        // In 3.0, the lone null next to a reference is written as an object.
        let only_null = node.enumeration.as_ref().is_some_and(|values| *values == [Value::Null]);
        !node.never
            && node.types.is_none_or(|types| is_of(value, types))
            && (value.is_null() || !only_null)
    }

    /// Reports that no branch matches, and the problems of the nearest one, which has the fewest.
    fn no_branch(
        &mut self,
        node: &Node,
        word: &'static str,
        value: &Value,
        at: &At<'_>,
        hops: u32,
    ) -> bool {
        let branches = if word == "anyOf" { &node.any_of } else { &node.one_of };
        if (self.set.every_fault || self.set.every_place) && self.problems.is_some() {
            // If only one branch accepts this type, the fault is in that branch.
            let mut may = branches.iter().filter(|branch| self.may_take(**branch, value));
            if let (Some(branch), None) = (may.next(), may.next()) {
                return self.value(*branch, value, at, hops + 1);
            }
        }
        let Some(problems) = self.problems.take() else { return false };
        let mut nearest: Option<Vec<Problem>> = None;
        // Nested combinations would be listed again on every level.
        let shown = hops == 0 && !self.set.every_fault;
        let branches_shown = if shown { &branches[..] } else { &[] };
        for branch in branches_shown.iter().take(16) {
            self.problems = Some(Vec::new());
            let noted = std::mem::take(&mut self.noted);
            self.value(*branch, value, at, hops + 1);
            self.noted = noted;
            let found = self.problems.take().unwrap_or_default();
            if nearest.as_ref().is_none_or(|best| found.len() < best.len()) {
                nearest = Some(found);
            }
        }
        self.problems = Some(problems);
        let near = nearest.and_then(|problems| problems.into_iter().next());
        self.problem(at, node, word, Evidence::None, || {
            let mut text = format!("matches none of the {} schemas of {word}", branches.len());
            if let Some(Problem { pointer, message, .. }) = near {
                text.push_str(&format!(" (nearest: {pointer} {message})"));
            }
            text
        })
    }
}

/// The branch that a discriminator selects by the value of its property.
fn named_branch(node: &Node, value: &Value) -> Option<NodeId> {
    let discriminator = node.discriminator.as_ref()?;
    let name = value.get(&discriminator.property)?.as_str()?;
    discriminator.mapping.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
}

/// Properties by name: a map if a linear search would be quadratic.
enum Declared<'n> {
    Few(&'n [(String, NodeId)]),
    Many(HashMap<&'n str, NodeId>),
}

impl<'n> Declared<'n> {
    fn new(properties: &'n [(String, NodeId)]) -> Self {
        if properties.len() <= 32 {
            Declared::Few(properties)
        } else {
            Declared::Many(properties.iter().map(|(name, id)| (name.as_str(), *id)).collect())
        }
    }

    fn get(&self, name: &str) -> Option<NodeId> {
        match self {
            Declared::Few(list) => list.iter().find(|(key, _)| key == name).map(|(_, id)| *id),
            Declared::Many(map) => map.get(name).copied(),
        }
    }
}

fn is_of(value: &Value, types: Types) -> bool {
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

/// The allowed values, truncated if there are many.
fn shown(values: &[Value]) -> String {
    let mut text: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
    if values.len() > text.len() {
        text.push(format!("… ({} values)", values.len()));
    }
    text.join(", ")
}

fn all_different(items: &[Value]) -> bool {
    if items.len() <= 8 {
        return items.iter().enumerate().all(|(i, a)| !items[..i].iter().any(|b| equal(a, b)));
    }
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().all(|item| {
        let mut text = String::new();
        canonical(item, &mut text);
        seen.insert(text)
    })
}

mod evaluated;
mod undeclared;

#[cfg(test)]
mod tests;
