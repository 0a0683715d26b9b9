//! Checks numbers and texts.

use serde_json::{Number, Value};

use super::place::At;
use super::problem::Direction;
use super::walk::{Check, Evidence};
use crate::schema::formats::binds_requests;
use crate::schema::node::{Content, Node};
use crate::schema::number::{compare, equal, in_range, is_integral, is_multiple};

impl Check<'_> {
    pub(super) fn enumeration(&mut self, node: &Node, value: &Value, at: &At<'_>) -> bool {
        match &node.enumeration {
            Some(values) if !values.iter().any(|allowed| equal(allowed, value)) => {
                let why = || format!("is not one of {}", shown(values));
                self.problem(at, node, "enum", Evidence::Value(value), why)
            }
            _ => true,
        }
    }

    pub(super) fn number(&mut self, node: &Node, number: &Number, at: &At<'_>) -> bool {
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

    pub(super) fn string(&mut self, node: &Node, text: &str, at: &At<'_>) -> bool {
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
}

/// The allowed values, truncated if there are many.
fn shown(values: &[Value]) -> String {
    let mut text: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
    if values.len() > text.len() {
        text.push(format!("… ({} values)", values.len()));
    }
    text.join(", ")
}
