//! Changes of schemas. A narrower schema breaks requests, a wider schema breaks responses.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::flat::{Flat, OPAQUE, Rest};
use super::{Verdict, Walk};
use crate::schema::{compare_numbers, equal_values};
use crate::spec::Place;
use Verdict::{Breaking, Compatible, Unknown};

/// The sender of the values of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// The part of a message that a schema describes.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) side: Side,
    /// The word in the names of rules: `body`, `parameter`, `header`.
    pub(super) part: &'static str,
    /// The name in messages: `the request body`.
    pub(super) name: String,
    /// The path to the value in this part: `/items/*/id`.
    pub(super) way: String,
}

impl Scope {
    fn rule(&self, what: &str) -> String {
        let part = match (self.part, self.way.is_empty()) {
            (part, true) => part,
            ("body", false) => "property",
            ("parameter", false) => "parameter-property",
            (part, false) => part,
        };
        format!("{}-{part}-{what}", self.word())
    }

    fn word(&self) -> &'static str {
        match self.side {
            Side::Request => "request",
            Side::Response => "response",
        }
    }

    fn below(&self, key: &str) -> Scope {
        Scope { way: format!("{}/{key}", self.way), ..self.clone() }
    }

    fn tell(&self, what: impl std::fmt::Display) -> String {
        let gap = if self.way.is_empty() { "" } else { " " };
        format!("{}{gap}{}: {what}", self.name, self.way)
    }

    /// The verdict on a change that removes or adds values.
    fn verdict(&self, request: Verdict, response: Verdict) -> Verdict {
        if self.side == Side::Request { request } else { response }
    }
}

impl Walk {
    /// Compares two schemas of the same thing.
    pub(super) fn schema(&mut self, old: &Place<'_>, new: &Place<'_>, scope: &Scope) {
        let (old, new) = (Flat::of(old), Flat::of(new));
        if !self.compared.insert((old.pointer.clone(), new.pointer.clone())) {
            return;
        }
        if !self.types(&old, &new, scope) {
            // No other keywords can be compared.
            return;
        }
        self.nullable(&old, &new, scope);
        self.values(&old, &new, scope);
        self.bounds(&old, &new, scope);
        self.pattern(&old, &new, scope);
        self.default(&old, &new, scope);
        self.properties(&old, &new, scope);
        self.rest(&old, &new, scope);
        match (&old.items, &new.items) {
            (Some(old), Some(new)) => self.schema(old, new, &scope.below("*")),
            (None, Some(items)) if !items.value.as_object().is_some_and(|map| map.is_empty()) => {
                let verdict = scope.verdict(Unknown, Compatible);
                let rule = scope.rule("items-set");
                self.add(verdict, rule, &items.pointer, scope.tell("items have a schema now"));
            }
            (Some(_), None) => {
                let verdict = scope.verdict(Compatible, Unknown);
                let rule = scope.rule("items-unset");
                self.add(verdict, rule, &new.pointer, scope.tell("items have no schema any more"));
            }
            _ => {}
        }
        self.branches(&old.any_of, &new.any_of, "any-of", &new.pointer, scope);
        self.branches(&old.one_of, &new.one_of, "one-of", &new.pointer, scope);
        if old.discriminator != new.discriminator {
            let what = match (old.discriminator, new.discriminator) {
                (None, _) => "discriminator-added",
                (_, None) => "discriminator-removed",
                _ => "discriminator-property-name-changed",
            };
            let text = scope.tell("the discriminator has changed");
            self.add(Compatible, scope.rule(what), &new.pointer, text);
        }
        for word in OPAQUE {
            if old.opaque.get(word) != new.opaque.get(word) {
                let rule = scope.rule(&format!("{}-changed", kebab(word)));
                self.add(Unknown, rule, &new.pointer, scope.tell(format!("{word} has changed")));
            }
        }
    }

    /// False if the two have no type in common.
    fn types(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) -> bool {
        let format =
            |flat: &Flat<'_>| flat.word("format").and_then(Value::as_str).map(str::to_owned);
        let (old_format, new_format) = (format(old), format(new));
        let wider = covers(new.types.as_ref(), old.types.as_ref())
            && format_covers(new_format.as_deref(), old_format.as_deref());
        let narrower = covers(old.types.as_ref(), new.types.as_ref())
            && format_covers(old_format.as_deref(), new_format.as_deref());
        if wider && narrower {
            return true;
        }
        let text = format!("{} became {}", named(old), named(new));
        let (verdict, what) = match (wider, narrower, scope.side) {
            (true, _, Side::Request) => (Compatible, "type-generalized"),
            (true, _, Side::Response) => (Breaking, "type-generalized"),
            (_, true, Side::Response) => (Compatible, "type-specialized"),
            _ => (Breaking, "type-changed"),
        };
        let at = if old.types == new.types { "format" } else { "type" };
        let pointer = match new.words.contains_key(at) {
            true => new.pointer_of(at),
            false => new.pointer.clone(),
        };
        self.add(verdict, scope.rule(what), &pointer, scope.tell(text));
        wider || narrower || old.types == new.types
    }

    fn nullable(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        if old.types.is_none() || new.types.is_none() || old.nullable == new.nullable {
            return;
        }
        let (verdict, what, text) = if new.nullable {
            (scope.verdict(Compatible, Breaking), "became-nullable", "may be null now")
        } else {
            (scope.verdict(Breaking, Compatible), "became-not-nullable", "may not be null any more")
        };
        self.add(verdict, scope.rule(what), &new.pointer, scope.tell(text));
    }

    fn values(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
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

    fn bounds(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
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

    fn pattern(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
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

    fn default(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
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

    fn properties(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        let names = old.properties.iter().chain(&new.properties).map(|(name, _)| *name);
        let names: BTreeSet<&str> = names.collect();
        for name in names {
            let inner = scope.below(name);
            let before = old.property(name).map(|place| (place, Flat::of(place)));
            let after = new.property(name).map(|place| (place, Flat::of(place)));
            // Properties that only the other side sends are not part of this message.
            let hidden = |flat: &Flat<'_>| match scope.side {
                Side::Request => flat.read_only,
                Side::Response => flat.write_only,
            };
            let (was_required, is_required) =
                (old.required.contains(name), new.required.contains(name));
            match (before, after) {
                (Some((_, was)), None) => self.removed(&was, was_required, hidden(&was), &inner),
                (None, Some((_, is))) => self.appeared(&is, is_required, hidden(&is), &inner),
                (Some((before, was)), Some((after, is))) => {
                    if hidden(&was) && hidden(&is) {
                        continue;
                    }
                    if hidden(&was) != hidden(&is) {
                        self.hidden(hidden(&is), is_required, &is, &inner);
                        continue;
                    }
                    self.requirement(was_required, is_required, &is, &inner);
                    if !was.deprecated && is.deprecated {
                        let rule = format!("{}-property-deprecated", scope.word());
                        self.add(Compatible, rule, &is.pointer, inner.tell("is deprecated now"));
                    }
                    self.schema(before, after, &inner);
                }
                (None, None) => {}
            }
        }
    }

    fn removed(&mut self, was: &Flat<'_>, required: bool, hidden: bool, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let (verdict, rule) = match scope.side {
            Side::Request => (Unknown, scope.rule("removed")),
            Side::Response if hidden => {
                (Compatible, format!("response-{word}-write-only-property-removed"))
            }
            Side::Response if required => {
                (Breaking, "response-required-property-removed".to_owned())
            }
            Side::Response => (Unknown, "response-optional-property-removed".to_owned()),
        };
        let verdict = if hidden { Compatible } else { verdict };
        self.add(verdict, rule, &was.pointer, scope.tell("was removed"));
    }

    fn appeared(&mut self, is: &Flat<'_>, required: bool, hidden: bool, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let default = if is.word("default").is_some() { "-with-default" } else { "" };
        let (verdict, rule) = match scope.side {
            Side::Request if required && !hidden => {
                (Breaking, format!("new-required-request-property{default}"))
            }
            Side::Request => (Compatible, "new-optional-request-property".to_owned()),
            Side::Response => (Compatible, format!("response-{word}-property-added")),
        };
        self.add(verdict, rule, &is.pointer, scope.tell(format!("was added, {word}")));
    }

    fn hidden(&mut self, now: bool, required: bool, is: &Flat<'_>, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let not = if now { "" } else { "not-" };
        let kind = if scope.side == Side::Request { "read-only" } else { "write-only" };
        // Clients may break if they must now send a property, or no longer receive it.
        let verdict = match (scope.side, now, required) {
            (Side::Request, false, true) | (Side::Response, true, true) => Unknown,
            _ => Compatible,
        };
        let rule = format!("{}-{word}-property-became-{not}{kind}", scope.word());
        let text = format!("became {}{kind}", if now { "" } else { "not " });
        self.add(verdict, rule, &is.pointer, scope.tell(text));
    }

    fn requirement(&mut self, was: bool, is: bool, new: &Flat<'_>, scope: &Scope) {
        if was == is {
            return;
        }
        let default = if new.word("default").is_some() && is { "-with-default" } else { "" };
        let (verdict, what, text) = match (scope.side, is) {
            (Side::Request, true) => (Breaking, format!("became-required{default}"), "required"),
            (Side::Request, false) => (Compatible, "became-optional".to_owned(), "optional"),
            (Side::Response, true) => (Compatible, "became-required".to_owned(), "required"),
            (Side::Response, false) => (Breaking, "became-optional".to_owned(), "optional"),
        };
        let text = scope.tell(format!("became {text}"));
        self.add(verdict, scope.rule(&what), &new.pointer, text);
    }

    fn rest(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        let pointer = format!("{}/additionalProperties", new.pointer);
        let (verdict, what, text) = match (&old.rest, &new.rest) {
            (Rest::Never, Rest::Never) | (Rest::Any, Rest::Any) => return,
            (Rest::Schema(old), Rest::Schema(new)) => {
                return self.schema(old, new, &scope.below("*"));
            }
            (_, Rest::Never) => (
                scope.verdict(Breaking, Compatible),
                "additional-properties-forbidden",
                "no other properties are allowed any more",
            ),
            (Rest::Never, _) => {
                (Compatible, "additional-properties-allowed", "other properties are allowed now")
            }
            (Rest::Any, Rest::Schema(_)) => (
                scope.verdict(Breaking, Compatible),
                "additional-properties-restricted",
                "other properties have a schema now",
            ),
            (Rest::Schema(_), Rest::Any) => (
                scope.verdict(Compatible, Unknown),
                "additional-properties-unrestricted",
                "other properties have no schema any more",
            ),
        };
        self.add(verdict, scope.rule(what), &pointer, scope.tell(text));
    }

    /// Compares the branches of `anyOf` or `oneOf`. Branches with the same reference or schema are
    /// compared with each other, then the others in order.
    fn branches(
        &mut self,
        old: &[Place<'_>],
        new: &[Place<'_>],
        word: &str,
        pointer: &str,
        scope: &Scope,
    ) {
        let mut old: Vec<&Place<'_>> = old.iter().collect();
        let mut added: Vec<&Place<'_>> = Vec::new();
        for branch in new {
            let same = |other: &&Place<'_>| {
                let key = |place: &Place<'_>| place.text("$ref").map(str::to_owned);
                match (key(branch), key(other)) {
                    (Some(a), Some(b)) => a == b,
                    (None, None) => branch.value == other.value,
                    _ => false,
                }
            };
            match old.iter().position(same) {
                Some(at) => {
                    let other = old.remove(at);
                    self.schema(other, branch, scope);
                }
                None => added.push(branch),
            }
        }
        if old.len() == added.len() {
            for (old, new) in old.into_iter().zip(added) {
                self.schema(old, new, scope);
            }
            return;
        }
        // oasdiff does not report a new branch of anyOf in a response.
        let response = if word == "one-of" { Breaking } else { Compatible };
        for branch in added {
            let verdict = scope.verdict(Compatible, response);
            let text = scope.tell(format!("may also be {}", title(branch)));
            self.add(verdict, scope.rule(&format!("{word}-added")), &branch.pointer, text);
        }
        for branch in old {
            let verdict = scope.verdict(Breaking, Compatible);
            let text = scope.tell(format!("may not be {} any more", title(branch)));
            self.add(verdict, scope.rule(&format!("{word}-removed")), pointer, text);
        }
    }
}

/// The name of a branch.
fn title(branch: &Place<'_>) -> String {
    let name = branch.text("$ref").and_then(|reference| reference.rsplit('/').next());
    name.or(branch.text("title")).map_or_else(|| named(&Flat::of(branch)), str::to_owned)
}

/// True if a set of types contains another set; `None` stands for all types.
fn covers(wide: Option<&BTreeSet<&str>>, narrow: Option<&BTreeSet<&str>>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow
            .iter()
            .all(|name| wide.contains(name) || *name == "integer" && wide.contains("number")),
    }
}

/// True if all values of a format also have another format.
fn format_covers(wide: Option<&str>, narrow: Option<&str>) -> bool {
    wide.is_none()
        || wide == narrow
        || matches!(
            (wide, narrow),
            (Some("int64"), Some("int32")) | (Some("double"), Some("float"))
        )
}

fn named(flat: &Flat<'_>) -> String {
    let types = match &flat.types {
        None => "any type".to_owned(),
        Some(types) if types.is_empty() => "nothing".to_owned(),
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    };
    match flat.word("format").and_then(Value::as_str) {
        Some(format) => format!("{types} ({format})"),
        None => types,
    }
}

fn shown(values: &[Value]) -> String {
    let mut all: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
    if values.len() > all.len() {
        all.push("…".to_owned());
    }
    all.join(", ")
}

/// `patternProperties` as `pattern-properties`.
fn kebab(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
