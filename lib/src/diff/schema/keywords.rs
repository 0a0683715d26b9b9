//! Changes of enumerations, bounds, patterns and defaults.

use serde_json::{Number, Value};

use super::words::{kebab, shown};
use crate::diff::Walk;
use crate::diff::change::Impact::{Breaking, Compatible, Unknown};
use crate::diff::flat::Flat;
use crate::diff::scope::Scope;
use crate::schema::{compare_numbers, equal_values};

impl Walk {
    pub(super) fn values(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        match (old.word("const"), new.word("const")) {
            (None, Some(value)) => {
                let verdict = scope.verdict(Breaking, Compatible);
                let text = scope.tell(format!("is always {value} now"));
                self.add(verdict, scope.rule("const-added"), &new.pointer_of("const"), text);
            }
            (Some(value), None) => {
                let verdict = scope.verdict(Compatible, Breaking);
                let text = scope.tell(format!("is not always {value} any more"));
                self.add(verdict, scope.rule("const-removed"), &new.pointer, text);
            }
            (Some(was), Some(is)) if !equal_values(was, is) => {
                let text = scope.tell(format!("is {is}, not {was}"));
                self.add(Breaking, scope.rule("const-changed"), &new.pointer_of("const"), text);
            }
            _ => {}
        }
        let list = |flat: &Flat<'_>| flat.word("enum").and_then(Value::as_array).cloned();
        let pointer = new.pointer_of("enum");
        match (list(old), list(new)) {
            (None, Some(values)) => {
                let verdict = scope.verdict(Breaking, Compatible);
                let text = scope.tell(format!("may only be {} now", shown(&values)));
                self.add(verdict, scope.rule("became-enum"), &pointer, text);
            }
            (Some(_), None) => {
                let verdict = scope.verdict(Compatible, Unknown);
                let text = scope.tell("may be any value now");
                self.add(verdict, scope.rule("enum-value-added"), &pointer, text);
            }
            (Some(old), Some(new)) => {
                let lacks = |all: &[Value], value: &Value| {
                    !value.is_null() && !all.iter().any(|known| equal_values(known, value))
                };
                for value in old.iter().filter(|value| lacks(&new, value)) {
                    let verdict = scope.verdict(Breaking, Compatible);
                    let text = scope.tell(format!("may not be {value} any more"));
                    self.add(verdict, scope.rule("enum-value-removed"), &pointer, text);
                }
                for value in new.iter().filter(|value| lacks(&old, value)) {
                    let verdict = scope.verdict(Compatible, Unknown);
                    let text = scope.tell(format!("may also be {value} now"));
                    self.add(verdict, scope.rule("enum-value-added"), &pointer, text);
                }
            }
            (None, None) => {}
        }
    }

    pub(super) fn bounds(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        for (word, name, is_upper) in [
            ("maximum", "max", true),
            ("exclusiveMaximum", "exclusive-max", true),
            ("maxLength", "max-length", true),
            ("maxItems", "max-items", true),
            ("maxProperties", "max-properties", true),
            ("minimum", "min", false),
            ("exclusiveMinimum", "exclusive-min", false),
            ("minLength", "min-length", false),
            ("minItems", "min-items", false),
            ("minProperties", "min-properties", false),
        ] {
            let number = |flat: &Flat<'_>| -> Option<Number> {
                match flat.word(word) {
                    Some(Value::Number(number)) => Some(number.clone()),
                    _ => None,
                }
            };
            // A length is at least 0 in any case.
            let zero =
                |number: &Number| !is_upper && word != "minimum" && number.as_u64() == Some(0);
            let number = |flat| number(flat).filter(|n| word == "exclusiveMinimum" || !zero(n));
            let (what, text, verdict) = match (number(old), number(new)) {
                (None, None) => continue,
                (None, Some(is)) => {
                    ("set", format!("{word} is {is} now"), scope.verdict(Unknown, Compatible))
                }
                (Some(was), None) => (
                    "unset",
                    format!("{word} is not {was} any more"),
                    scope.verdict(Compatible, Breaking),
                ),
                (Some(was), Some(is)) => {
                    let order = compare_numbers(&is, &was);
                    if order.is_eq() {
                        continue;
                    }
                    let narrower = order.is_lt() == is_upper;
                    let what = if order.is_lt() { "decreased" } else { "increased" };
                    let verdict = if narrower {
                        scope.verdict(Breaking, Compatible)
                    } else {
                        scope.verdict(Compatible, Breaking)
                    };
                    (what, format!("{word} became {is}, from {was}"), verdict)
                }
            };
            let rule = scope.rule(&format!("{name}-{what}"));
            self.add(verdict, rule, &new.pointer_of(word), scope.tell(text));
        }
        for word in ["multipleOf", "uniqueItems"] {
            let word_of =
                |flat: &Flat<'_>| flat.word(word).filter(|v| **v != Value::Bool(false)).cloned();
            let (verdict, what) = match (word_of(old), word_of(new)) {
                (None, Some(_)) => (scope.verdict(Breaking, Compatible), "set"),
                (Some(_), None) => (scope.verdict(Compatible, Breaking), "unset"),
                (Some(was), Some(is)) if !equal_values(&was, &is) => (Unknown, "changed"),
                _ => continue,
            };
            let rule = scope.rule(&format!("{}-{what}", kebab(word)));
            let text = scope.tell(format!("{word} was {what}"));
            self.add(verdict, rule, &new.pointer_of(word), text);
        }
    }

    pub(super) fn pattern(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        let text =
            |flat: &Flat<'_>| flat.word("pattern").and_then(Value::as_str).map(str::to_owned);
        let (verdict, what, text) = match (text(old), text(new)) {
            (None, Some(is)) => {
                let verdict = scope.verdict(Breaking, Compatible);
                (verdict, "pattern-added", format!("must match {is} now"))
            }
            (Some(was), None) => {
                (Compatible, "pattern-removed", format!("need not match {was} any more"))
            }
            (Some(was), Some(is)) if was != is => {
                let verdict = scope.verdict(Unknown, Compatible);
                (verdict, "pattern-changed", format!("must match {is}, not {was}"))
            }
            _ => return,
        };
        self.add(verdict, scope.rule(what), &new.pointer_of("pattern"), scope.tell(text));
    }

    pub(super) fn default(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        // If a client omits a parameter, the server uses the default.
        let is_parameter = scope.part == "parameter" && scope.way.is_empty();
        let verdict = if is_parameter { Breaking } else { Compatible };
        let (what, text) = match (old.word("default"), new.word("default")) {
            (None, Some(is)) => ("default-value-added", format!("has the default {is} now")),
            (Some(was), None) => {
                ("default-value-removed", format!("no longer has the default {was}"))
            }
            (Some(was), Some(is)) if !equal_values(was, is) => {
                ("default-value-changed", format!("has the default {is}, not {was}"))
            }
            _ => return,
        };
        self.add(verdict, scope.rule(what), &new.pointer_of("default"), scope.tell(text));
    }
}
