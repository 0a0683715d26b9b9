//! Objects.

use rand::RngCore;
use serde_json::Value;

use super::compile::Compiler;
use super::conjunction::{Flat, Key};
use super::plan::StepId;
use super::text::TextPlan;
use super::vocabulary::{LATIN, Meaning};
use super::write::Writer;
use super::{property, sample};
use crate::format::{below, pick, push_digits};
use crate::schema::{NodeId, Pattern};

/// Maximum number of generated names besides the declared ones.
const MORE: u64 = 3;
/// Attempts to find a valid new name.
const NAME_TRIES: u32 = 50;
/// Maximum number of generated properties.
const MAX_PROPERTIES: u64 = 10_000;

#[derive(Debug)]
pub(super) struct ObjectPlan {
    /// Required and optional properties, in document order.
    properties: Vec<Property>,
    /// The number of required ones.
    required: u64,
    /// Rules for undeclared names.
    others: Vec<Others>,
    /// Patterns of `patternProperties`, which other names must not match.
    patterns: Vec<Pattern>,
    min: u64,
    max: u64,
    /// True if the object is a map, with generated properties.
    map: bool,
    /// True if a property requires others.
    dependent: bool,
}

#[derive(Debug)]
struct Property {
    name: String,
    /// `"name":`
    key: Box<[u8]>,
    step: StepId,
    required: bool,
    /// Indices of the properties that it requires.
    needs: Vec<usize>,
    /// The value from an example of the object, if the property has no sample of its own.
    sample: Option<Box<[u8]>>,
    /// The sample is used even if the property has its own.
    overrides: bool,
}

/// Properties with the same rule for their names.
#[derive(Debug)]
struct Others {
    names: Names,
    step: StepId,
}

#[derive(Debug)]
enum Names {
    /// Names of `patternProperties`.
    Matching(TextPlan),
    /// Names of `propertyNames`.
    Of(StepId),
    Any,
}

impl ObjectPlan {
    /// `None` if the bounds allow no object.
    pub(super) fn compile(
        compiler: &mut Compiler<'_>,
        key: &Key,
        flat: &mut Flat<'_>,
    ) -> Option<ObjectPlan> {
        let min = flat.all().filter_map(|node| node.min_properties).max().unwrap_or(0);
        let max = flat.all().filter_map(|node| node.max_properties).min().unwrap_or(u64::MAX);
        let mut names: Vec<&str> = Vec::new();
        // `in_order` lacks the schemas of dependencies, so all schemas of `flat` follow.
        let ordered = compiler.in_order(key.atoms.iter().map(|atom| atom.id));
        let nodes = ordered.iter().copied().chain(flat.all());
        let declared = nodes.flat_map(|node| node.properties.iter().map(|(name, _)| name.as_str()));
        let mut seen = std::collections::HashSet::new();
        for name in declared.chain(flat.required.iter().copied()) {
            if seen.insert(name) {
                names.push(name);
            }
        }
        let mut properties = Vec::new();
        for name in names {
            let required = flat.required.contains(&name);
            if flat.absent.contains(&name)
                || !required && !property::allowed_name(compiler, flat, name)
            {
                continue;
            }
            if property::hidden(compiler, flat, name) {
                continue;
            }
            let schemas: Vec<NodeId> =
                flat.all().flat_map(|node| property::schemas_of(node, name)).collect();
            let only = flat
                .tags
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, values)| values.as_slice())
                .next();
            let meaning = Meaning::of_property(name);
            let denied: Vec<NodeId> =
                flat.contrary.iter().filter(|(key, _)| *key == name).map(|(_, id)| *id).collect();
            let required = required || !denied.is_empty();
            let only = only.unwrap_or_default();
            let step = if schemas.is_empty() {
                let only = only.to_vec();
                compiler.intern(Key { meaning, only, denied, ..Key::default() })
            } else {
                compiler.intern_but(&schemas, denied, meaning, only)
            };
            let overriding = sample::overriding(compiler, &schemas).filter(|_| only.is_empty());
            let overrides = overriding.is_some();
            let sample = overriding.or_else(|| sample::of_member(flat, name));
            properties.push(Property {
                name: name.to_owned(),
                key: key_of(name),
                step,
                required,
                needs: Vec::new(),
                sample: sample.map(|value| value.to_string().into_bytes().into()),
                overrides,
            });
        }
        let undeclared = |name: &str, step| Property {
            name: name.to_owned(),
            key: key_of(name),
            step,
            required: true,
            needs: Vec::new(),
            sample: None,
            overrides: false,
        };
        for (name, denied) in &flat.contrary {
            if properties.iter().all(|property| property.name != *name)
                && !flat.absent.contains(name)
            {
                let schemas: Vec<NodeId> =
                    flat.all().filter_map(|node| node.additional_properties).collect();
                let step = compiler.intern_but(&schemas, vec![*denied], None, &[]);
                properties.push(undeclared(name, step));
            }
        }
        // Readers use a discriminator even if it is not declared or not required.
        for (name, values) in &flat.tags {
            if values.is_empty() {
                continue;
            }
            match properties.iter_mut().find(|property| property.name == *name) {
                Some(property) => property.required = true,
                None if !flat.absent.contains(&name.as_str()) && is_open(compiler, flat) => {
                    let only = Key { only: values.clone(), ..Key::default() };
                    properties.push(undeclared(name, compiler.intern(only)));
                }
                None => {}
            }
        }
        let dependent = needs(flat, &mut properties);
        let required = properties.iter().filter(|property| property.required).count() as u64;
        if min > max || required > max || min > MAX_PROPERTIES {
            return None;
        }
        let mut plan = ObjectPlan {
            map: properties.is_empty(),
            properties,
            required,
            others: Vec::new(),
            patterns: property::patterns(flat),
            min,
            max,
            dependent,
        };
        plan.add_others(compiler, flat);
        Some(plan)
    }

    fn add_others(&mut self, compiler: &mut Compiler<'_>, flat: &mut Flat<'_>) {
        let mut known: Vec<&str> = Vec::new();
        let groups: Vec<_> = flat.all().flat_map(|node| &node.pattern_properties).collect();
        for (pattern, _) in &groups {
            if known.contains(&pattern.source.as_str()) {
                continue;
            }
            known.push(&pattern.source);
            let schemas: Vec<NodeId> = groups
                .iter()
                .filter(|(other, _)| other.source == pattern.source)
                .map(|(_, id)| *id)
                .collect();
            let step = compiler.intern_all(&schemas, None, &[]);
            self.others.push(Others { names: Names::Matching(TextPlan::matching(pattern)), step });
        }
        // A name may match several patterns, or one that only a part of the conjunction has.
        flat.verify |= known.len() > 1 || !known.is_empty() && flat.nodes.len() > 1;
        let mut additional: Vec<NodeId> =
            flat.all().filter_map(|node| node.additional_properties).collect();
        // The schemas for properties that no other keyword evaluates. The check decides which
        // properties these are.
        let unevaluated: Vec<NodeId> =
            flat.all().filter_map(|node| node.unevaluated_properties).collect();
        flat.verify |= !unevaluated.is_empty();
        if additional.is_empty() {
            additional = unevaluated;
        }
        if self.others.is_empty()
            && (self.map && !additional.is_empty()
                || self.properties.len() as u64 > 0
                || self.min > 0)
        {
            let step = if additional.is_empty() {
                compiler.intern(Key::default())
            } else {
                compiler.intern_all(&additional, None, &[])
            };
            let names: Vec<NodeId> = flat.all().filter_map(|node| node.property_names).collect();
            let names = if names.is_empty() {
                Names::Any
            } else {
                Names::Of(compiler.intern_all(&names, None, &[]))
            };
            self.others.push(Others { names, step });
        } else if !flat.all().all(|node| node.property_names.is_none()) {
            flat.verify = true;
        }
        self.map &= !self.others.is_empty();
    }

    /// True if random choice may not find enough properties.
    pub(super) fn fallible(&self) -> bool {
        self.min > self.required
    }

    /// Steps of the required properties.
    pub(super) fn needs(&self) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self
            .properties
            .iter()
            .filter(|property| property.required)
            .map(|property| property.step)
            .collect();
        if self.min > self.properties.len() as u64 {
            steps.extend(self.others.iter().take(1).map(|others| others.step));
        }
        steps
    }

    pub(super) fn leads_to(&self) -> Vec<StepId> {
        let names = self.others.iter().filter_map(|others| match &others.names {
            Names::Of(step) => Some(*step),
            Names::Matching(_) | Names::Any => None,
        });
        let properties = self.properties.iter().map(|property| property.step);
        properties.chain(self.others.iter().map(|others| others.step)).chain(names).collect()
    }

    pub(super) fn write<R: RngCore>(
        &self,
        writer: &mut Writer<'_, R>,
        id: StepId,
        out: &mut Vec<u8>,
    ) {
        let component = writer.component(id);
        out.push(b'{');
        let start = out.len();
        let chosen = self.dependent.then(|| self.choose(writer, component));
        // `open`: optional properties not yet visited, counted only if `minProperties` needs them.
        // `required`: required properties not yet visited. `count`: written properties.
        let fills = self.min > self.required;
        let mut open = if fills { self.optional(writer, component) } else { 0 };
        let mut required = self.required;
        let mut count = 0;
        for (at, property) in self.properties.iter().enumerate() {
            let refused = writer.refuses(property.step, component, property.required);
            if property.required {
                required -= 1;
            } else if fills && !refused {
                open -= 1;
            }
            let take = !refused
                && match &chosen {
                    Some(chosen) => chosen[at],
                    None => {
                        property.required
                            || count + required < self.max
                                && (count + required + open < self.min || writer.takes_optional())
                    }
                };
            if take {
                if count > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&property.key);
                match &property.sample {
                    Some(sample)
                        if writer.composes()
                            && (property.overrides || !writer.has_sample(property.step)) =>
                    {
                        out.extend_from_slice(sample);
                    }
                    _ => writer.enter(property.step, component, out),
                }
                count += 1;
            }
        }
        if self.write_others(writer, component, count, start, out) < self.min {
            writer.fail(id);
        }
        out.push(b'}');
    }

    fn optional<R: RngCore>(&self, writer: &Writer<'_, R>, component: u32) -> u64 {
        let open = self.properties.iter().filter(|property| !property.required);
        open.filter(|property| !writer.refuses(property.step, component, false)).count() as u64
    }

    /// Chooses the properties to write if they depend on each other.
    fn choose<R: RngCore>(&self, writer: &mut Writer<'_, R>, component: u32) -> Vec<bool> {
        let mut chosen: Vec<bool> =
            self.properties.iter().map(|property| property.required).collect();
        let mut count = self.required;
        let include = |at: usize, chosen: &mut Vec<bool>, count: &mut u64| {
            let mut trial = chosen.clone();
            let mut open = vec![at];
            while let Some(at) = open.pop() {
                if !std::mem::replace(&mut trial[at], true) || chosen[at] {
                    open.extend(self.properties[at].needs.iter().filter(|need| !trial[**need]));
                }
            }
            let total = trial.iter().filter(|taken| **taken).count() as u64;
            if total <= self.max {
                (*chosen, *count) = (trial, total);
            }
        };
        for at in 0..self.properties.len() {
            if self.properties[at].required {
                include(at, &mut chosen, &mut count);
            }
        }
        for least in [false, true] {
            for at in 0..self.properties.len() {
                let wanted = if least { count < self.min } else { writer.takes_optional() };
                if !chosen[at]
                    && wanted
                    && !writer.refuses(self.properties[at].step, component, false)
                {
                    include(at, &mut chosen, &mut count);
                }
            }
        }
        chosen
    }

    /// Writes undeclared properties; returns the total number then.
    fn write_others<R: RngCore>(
        &self,
        writer: &mut Writer<'_, R>,
        component: u32,
        mut count: u64,
        start: usize,
        out: &mut Vec<u8>,
    ) -> u64 {
        let wanted =
            if self.map && !writer.tight() || self.map_of_patterns() && writer.takes_optional() {
                1 + below(&mut writer.rng, MORE)
            } else {
                0
            };
        let target = self.max.min(self.min.max(count.saturating_add(wanted)));
        let mut used: Vec<String> = Vec::new();
        let mut misses = 0;
        while count < target && misses < NAME_TRIES && !self.others.is_empty() {
            let others = &self.others[below(&mut writer.rng, self.others.len() as u64) as usize];
            if writer.endless(others.step)
                || writer.refuses(others.step, component, count < self.min)
            {
                break;
            }
            let mut name = String::new();
            self.name(writer, others, &mut name);
            let declared = self.properties.iter().any(|property| property.name == name);
            let foreign = !matches!(others.names, Names::Matching(_))
                && self.patterns.iter().any(|p| p.accepts(&name));
            if declared || foreign || used.contains(&name) {
                misses += 1;
                continue;
            }
            if out.len() > start {
                out.push(b',');
            }
            out.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
            out.push(b':');
            writer.enter(others.step, component, out);
            used.push(name);
            count += 1;
        }
        count
    }

    fn map_of_patterns(&self) -> bool {
        self.others.iter().any(|others| matches!(others.names, Names::Matching(_)))
    }

    fn name<R: RngCore>(&self, writer: &mut Writer<'_, R>, others: &Others, out: &mut String) {
        match &others.names {
            Names::Matching(text) => {
                text.write(&mut writer.rng, out);
                // The pattern `^x-` matches `x-`, but this is only one name.
                text.lengthen(out, pick(&mut writer.rng, LATIN));
            }
            Names::Of(step) => {
                let mut text = Vec::new();
                writer.enter_free(*step, &mut text);
                if let Ok(Value::String(name)) = serde_json::from_slice(&text) {
                    *out = name;
                }
            }
            Names::Any => {
                out.push_str(pick(&mut writer.rng, LATIN));
                if self.min > 20 {
                    push_digits(out, below(&mut writer.rng, self.min * 4), 1);
                }
            }
        }
    }
}

/// `"name":`
fn key_of(name: &str) -> Box<[u8]> {
    let mut key = Value::from(name).to_string().into_bytes();
    key.push(b':');
    key.into()
}

/// True if an object may have a text that it does not declare.
fn is_open(compiler: &Compiler<'_>, flat: &Flat<'_>) -> bool {
    let text = Value::from("text");
    flat.all().all(|node| {
        node.unevaluated_properties.is_none()
            && node.additional_properties.is_none_or(|id| compiler.accepts(id, &text))
    })
}

/// Resolves `dependentRequired`; true if it has an effect.
fn needs(flat: &Flat<'_>, properties: &mut Vec<Property>) -> bool {
    let mut dependent = false;
    for (name, needed) in flat.all().flat_map(|node| &node.dependent_required) {
        let place = |properties: &[Property], name: &str| {
            properties.iter().position(|property| property.name == name)
        };
        let Some(at) = place(properties, name) else { continue };
        let needed: Option<Vec<usize>> =
            needed.iter().map(|name| place(properties, name)).collect();
        match needed {
            Some(needed) => {
                dependent = true;
                properties[at].needs.extend(needed);
            }
            // The required property is not declared: omit this one, or leave it to chance.
            None if !properties[at].required => {
                properties.remove(at);
                return needs_again(flat, properties);
            }
            None => {}
        }
    }
    dependent
}

fn needs_again(flat: &Flat<'_>, properties: &mut Vec<Property>) -> bool {
    properties.iter_mut().for_each(|property| property.needs.clear());
    needs(flat, properties)
}
