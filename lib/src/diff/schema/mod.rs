//! Changes of schemas. A narrower schema breaks requests, a wider schema breaks responses.

mod keywords;
mod properties;
mod words;

use serde_json::Value;

use super::Walk;
use super::change::Impact::{Breaking, Compatible, Unknown};
use super::flat::{Flat, OPAQUE};
use super::scope::{Scope, Sender};
use crate::spec::Place;
use words::{covers, format_covers, kebab, named, title};

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
            (true, _, Sender::Request) => (Compatible, "type-generalized"),
            (true, _, Sender::Response) => (Breaking, "type-generalized"),
            (_, true, Sender::Response) => (Compatible, "type-specialized"),
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
