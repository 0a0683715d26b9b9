//! Finds contradictions between the sum of some traffic, given as an inferred spec, and a spec that
//! people edit.
//!
//! Partials and states contain no exchanges, so exchanges cannot be checked one by one. But the
//! spec inferred from them, with the observed ranges, accepts everything they have seen: a keyword
//! that follows from it holds for every exchange. One that does not follow counts as contradicted.
//! This is equally sound, but keeps less.
//!
//! Components may refer to one another in cycles. So a schema is assumed to accept the inferred one
//! until that is refuted, and this is repeated until nothing new is refuted.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::Contradictions;
use super::inferred_part::{InferredPart, parts};
use crate::merge::paths::structure;
use crate::merge::root::documents_of_one_version;
use crate::schema::{Direction, Fault};
use crate::spec::{Document, METHODS, Place};

impl Contradictions {
    /// The keywords of a spec that do not follow from the inferred spec with the observed ranges.
    pub fn of_sum(initial: &Document, observed: &Document) -> Contradictions {
        Contradictions::found(initial, observed, false)
    }

    /// The same for paths without operations. Exchanges are checked by operation, so only the sum
    /// shows whether the parameters of such a path hold for operations that return.
    pub fn of_bare_paths(initial: &Document, observed: &Document) -> Contradictions {
        Contradictions::found(initial, observed, true)
    }

    /// True if a path of a document has parameters but no operation.
    pub fn needs_bare_paths(initial: &Document) -> bool {
        let root = Place::root(&initial.root);
        root.get("paths").iter().flat_map(Place::members).any(|(_, item)| {
            is_bare(&item)
                && item.get("parameters").is_some_and(|list| list.items().next().is_some())
        })
    }

    fn found(initial: &Document, observed: &Document, bare_only: bool) -> Contradictions {
        let ([ours, theirs], _) = documents_of_one_version([initial, observed]);
        let (ours, theirs) = (Place::root(&ours), Place::root(&theirs));
        let mut sum = Sum { bare_only, ..Sum::default() };
        loop {
            let known = sum.refuted.len();
            sum.seen.clear();
            sum.document(&ours, &theirs);
            if sum.refuted.len() == known {
                break;
            }
        }
        sum.seen.clear();
        sum.found = Some(Contradictions::default());
        sum.document(&ours, &theirs);
        sum.found.unwrap_or_default()
    }
}

/// The pointers of a schema of the spec and of an inferred one, the type of the values, and whether
/// they are sent.
type Key = (String, String, String, bool);

/// The comparison of both documents.
#[derive(Default)]
pub(super) struct Sum {
    /// Only paths without operations are compared.
    bare_only: bool,
    refuted: HashSet<Key>,
    /// The results of this round.
    seen: HashMap<Key, bool>,
    /// The keywords to widen, noted in the last round, when all results are final.
    found: Option<Contradictions>,
}

impl Sum {
    fn document(&mut self, ours: &Place<'_>, theirs: &Place<'_>) {
        for (template, inferred) in theirs.get("paths").iter().flat_map(Place::members) {
            let paths = ours.get("paths");
            let same = paths.iter().flat_map(Place::members).filter(|(known, _)| {
                *known == template || structure(known, false) == structure(template, false)
            });
            let bare_only = self.bare_only;
            for (known, item) in same.filter(|(_, item)| !bare_only || is_bare(item)) {
                for method in METHODS {
                    let Some(b) = inferred.get(method) else { continue };
                    let Some(a) = item.get(method) else {
                        // The path's own parameters also apply to an added operation.
                        self.parameters([&item, &item], known, [&b, &inferred], template);
                        continue;
                    };
                    self.parameters([&a, &item], known, [&b, &inferred], template);
                    self.body(&a, &b);
                    self.responses(&a, &b);
                }
            }
        }
    }

    /// The parameters of an operation and its path.
    fn parameters(
        &mut self,
        ours: [&Place<'_>; 2],
        template: &str,
        theirs: [&Place<'_>; 2],
        inferred: &str,
    ) {
        let there = listed(theirs);
        for parameter in listed(ours) {
            let (Some(kind), Some(name)) = (parameter.text("in"), parameter.text("name")) else {
                continue;
            };
            // Path parameters are the same if they have the same position.
            let at = names(template).position(|known| known == name);
            let other = at.filter(|_| kind == "path").and_then(|at| names(inferred).nth(at));
            let other = other.unwrap_or(name);
            let found = there.iter().find(|place| {
                let known = place.text("name").unwrap_or_default();
                place.text("in") == Some(kind)
                    && (known == other || kind == "header" && known.eq_ignore_ascii_case(other))
            });
            let always = found.is_some_and(|place| place.flag("required"));
            if parameter.flag("required") && kind != "path" && !always {
                self.refute(&ours[0].pointer, "parameters", json!([kind, name]));
            }
            if let Some(found) = found {
                self.schema_of(&parameter, found, Direction::Request);
            }
        }
    }

    fn body(&mut self, ours: &Place<'_>, theirs: &Place<'_>) {
        let Ok(Some(a)) = ours.follow("requestBody") else { return };
        let b = theirs.follow("requestBody").ok().flatten();
        if a.flag("required") && !b.as_ref().is_some_and(|b| b.flag("required")) {
            self.refute(&ours.pointer, "requestBody", Value::Null);
        }
        if let Some(b) = b {
            self.content(&a, &b, Direction::Request);
        }
    }

    fn responses(&mut self, ours: &Place<'_>, theirs: &Place<'_>) {
        for (status, b) in responses(theirs) {
            for (known, a) in responses(ours) {
                if !known.eq_ignore_ascii_case(status) {
                    continue;
                }
                for (name, header) in a.get("headers").iter().flat_map(Place::members) {
                    let Ok(header) = header.target() else { continue };
                    let there = b.get("headers");
                    let there = there.iter().flat_map(Place::members);
                    let found = there.filter(|(known, _)| known.eq_ignore_ascii_case(name));
                    let found = found.filter_map(|(_, place)| place.target().ok()).next();
                    if header.flag("required")
                        && !found.as_ref().is_some_and(|h| h.flag("required"))
                    {
                        self.refute(&ours.pointer, "headers", json!([known, name]));
                    }
                    if let Some(found) = found {
                        self.schema_of(&header, &found, Direction::Response);
                    }
                }
                self.content(&a, &b, Direction::Response);
            }
        }
    }

    fn content(&mut self, ours: &Place<'_>, theirs: &Place<'_>, direction: Direction) {
        for (media, b) in theirs.get("content").iter().flat_map(Place::members) {
            for (known, a) in ours.get("content").iter().flat_map(Place::members) {
                if known.eq_ignore_ascii_case(media) {
                    self.schema_of(&a, &b, direction);
                }
            }
        }
    }

    fn schema_of(&mut self, ours: &Place<'_>, theirs: &Place<'_>, direction: Direction) {
        for key in ["schema", "x-hmt-item-schema"] {
            // Nothing is known about unreadable bodies.
            let known = theirs.get(key).filter(|schema| !schema.flag("x-hmt-unread"));
            if let (Some(a), Some(b)) = (ours.get(key), known) {
                self.schema(&a, &b, direction);
            }
        }
    }

    /// True if a schema accepts everything that was inferred.
    pub(super) fn schema(
        &mut self,
        ours: &Place<'_>,
        theirs: &Place<'_>,
        direction: Direction,
    ) -> bool {
        let mut valid = true;
        for part in parts(theirs) {
            valid &= self.part(ours, &part, direction);
        }
        valid
    }

    /// True if a schema accepts the values of a type.
    pub(super) fn part(
        &mut self,
        ours: &Place<'_>,
        part: &InferredPart<'_>,
        direction: Direction,
    ) -> bool {
        let Some((ours, key)) = key(ours, part, direction) else { return true };
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        // In a cycle, the schema is assumed to accept the value so far.
        self.seen.insert(key.clone(), !self.refuted.contains(&key));
        let valid = self.implied(&ours, part, direction);
        if !valid {
            self.refuted.insert(key.clone());
        }
        self.seen.insert(key, valid);
        valid
    }

    /// The same, without noting the keywords that do not follow.
    pub(super) fn admits(
        &mut self,
        ours: &Place<'_>,
        part: &InferredPart<'_>,
        direction: Direction,
    ) -> bool {
        if self.found.is_none() {
            return self.part(ours, part, direction);
        }
        key(ours, part, direction).is_none_or(|(_, key)| !self.refuted.contains(&key))
    }

    /// Notes that a keyword does not follow; returns false.
    pub(super) fn refute(&mut self, schema: &str, keyword: &'static str, value: Value) -> bool {
        if let Some(found) = &mut self.found {
            found.add(&Fault { schema: schema.to_owned(), keyword, value });
        }
        false
    }
}

/// True for a path item without operations.
fn is_bare(item: &Place<'_>) -> bool {
    !METHODS.iter().any(|method| item.get(method).is_some())
}

/// The parameters of an operation and its path.
fn listed<'v>(owners: [&Place<'v>; 2]) -> Vec<Place<'v>> {
    let lists = owners.into_iter().filter_map(|owner| owner.get("parameters"));
    lists.flat_map(|list| list.items()).filter_map(|place| place.target().ok()).collect()
}

fn responses<'v>(operation: &Place<'v>) -> Vec<(&'v str, Place<'v>)> {
    let all = operation.get("responses");
    let all = all.iter().flat_map(Place::members);
    all.filter_map(|(status, place)| Some((status, place.target().ok()?))).collect()
}

/// The target of a schema, and the key of the comparison.
fn key<'v>(
    ours: &Place<'v>,
    part: &InferredPart<'_>,
    direction: Direction,
) -> Option<(Place<'v>, Key)> {
    let ours = ours.clone().target().ok()?;
    let kind = part.kind.unwrap_or_default().to_owned();
    let sent = direction == Direction::Request;
    let key = (ours.pointer.clone(), part.place.pointer.clone(), kind, sent);
    Some((ours, key))
}

/// The names in a template.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}
