//! Changes of properties.

use std::collections::BTreeSet;

use crate::diff::Walk;
use crate::diff::change::Impact::{Breaking, Compatible, Unknown};
use crate::diff::flat::{Flat, Rest};
use crate::diff::scope::{Scope, Sender};

impl Walk {
    pub(super) fn properties(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
        let names = old.properties.iter().chain(&new.properties).map(|(name, _)| *name);
        let names: BTreeSet<&str> = names.collect();
        for name in names {
            let inner = scope.below(name);
            let before = old.property(name).map(|place| (place, Flat::of(place)));
            let after = new.property(name).map(|place| (place, Flat::of(place)));
            // Properties that only the other side sends are not part of this message.
            let hidden = |flat: &Flat<'_>| match scope.side {
                Sender::Request => flat.read_only,
                Sender::Response => flat.write_only,
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

    pub(super) fn removed(&mut self, was: &Flat<'_>, required: bool, hidden: bool, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let (verdict, rule) = match scope.side {
            Sender::Request => (Unknown, scope.rule("removed")),
            Sender::Response if hidden => {
                (Compatible, format!("response-{word}-write-only-property-removed"))
            }
            Sender::Response if required => {
                (Breaking, "response-required-property-removed".to_owned())
            }
            Sender::Response => (Unknown, "response-optional-property-removed".to_owned()),
        };
        let verdict = if hidden { Compatible } else { verdict };
        self.add(verdict, rule, &was.pointer, scope.tell("was removed"));
    }

    pub(super) fn appeared(&mut self, is: &Flat<'_>, required: bool, hidden: bool, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let default = if is.word("default").is_some() { "-with-default" } else { "" };
        let (verdict, rule) = match scope.side {
            Sender::Request if required && !hidden => {
                (Breaking, format!("new-required-request-property{default}"))
            }
            Sender::Request => (Compatible, "new-optional-request-property".to_owned()),
            Sender::Response => (Compatible, format!("response-{word}-property-added")),
        };
        self.add(verdict, rule, &is.pointer, scope.tell(format!("was added, {word}")));
    }

    pub(super) fn hidden(&mut self, now: bool, required: bool, is: &Flat<'_>, scope: &Scope) {
        let word = if required { "required" } else { "optional" };
        let not = if now { "" } else { "not-" };
        let kind = if scope.side == Sender::Request { "read-only" } else { "write-only" };
        // Clients may break if they must now send a property, or no longer receive it.
        let verdict = match (scope.side, now, required) {
            (Sender::Request, false, true) | (Sender::Response, true, true) => Unknown,
            _ => Compatible,
        };
        let rule = format!("{}-{word}-property-became-{not}{kind}", scope.word());
        let text = format!("became {}{kind}", if now { "" } else { "not " });
        self.add(verdict, rule, &is.pointer, scope.tell(text));
    }

    pub(super) fn requirement(&mut self, was: bool, is: bool, new: &Flat<'_>, scope: &Scope) {
        if was == is {
            return;
        }
        let default = if new.word("default").is_some() && is { "-with-default" } else { "" };
        let (verdict, what, text) = match (scope.side, is) {
            (Sender::Request, true) => (Breaking, format!("became-required{default}"), "required"),
            (Sender::Request, false) => (Compatible, "became-optional".to_owned(), "optional"),
            (Sender::Response, true) => (Compatible, "became-required".to_owned(), "required"),
            (Sender::Response, false) => (Breaking, "became-optional".to_owned(), "optional"),
        };
        let text = scope.tell(format!("became {text}"));
        self.add(verdict, scope.rule(&what), &new.pointer, text);
    }

    pub(super) fn rest(&mut self, old: &Flat<'_>, new: &Flat<'_>, scope: &Scope) {
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
}
