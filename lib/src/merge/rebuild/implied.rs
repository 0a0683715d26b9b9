//! Decides which keywords of a schema follow from the inferred schema.

use serde_json::{Map, Value, json};

use super::extend::HARD;
use super::inferred::bare;
use super::inferred_part::{InferredPart, kinds};
use super::sum::Sum;
use crate::schema::{
    Direction, MAX_ENUM, compare_numbers, equal_values, number_format_follows, text_format_follows,
};
use crate::spec::Place;

fn takes_kind(schema: &Value, kind: &str) -> bool {
    kinds(schema)
        .is_none_or(|kinds| kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number"))
}

/// True if a branch accepts no value of a part: it has another type, or other tag values.
fn excludes(branch: &Place<'_>, part: &InferredPart<'_>) -> bool {
    let Ok(branch) = branch.clone().target() else { return false };
    let Some(kind) = part.kind else { return false };
    if !takes_kind(branch.value, kind) {
        return true;
    }
    let values = |place: &Place<'_>, name: &str| -> Option<Vec<Value>> {
        let property = place.get("properties")?.follow(name).ok()??;
        property.value.get("enum")?.as_array().cloned()
    };
    let named = part.place.get("properties");
    named.iter().flat_map(Place::members).filter(|(name, _)| part.always_has(name)).any(
        |(name, _)| match (values(&branch, name), values(&part.place, name)) {
            (Some(a), Some(b)) => !a.iter().any(|x| b.iter().any(|y| equal_values(x, y))),
            _ => false,
        },
    )
}

impl Sum {
    /// True if all keywords of a schema follow from a part; notes those that do not.
    pub(super) fn implied(
        &mut self,
        ours: &Place<'_>,
        part: &InferredPart<'_>,
        direction: Direction,
    ) -> bool {
        let at = &*ours.pointer;
        let map = match ours.value {
            Value::Object(map) => map,
            Value::Bool(false) => return self.refute(at, "never", Value::Null),
            _ => return true,
        };
        let Some(kind) = part.kind else {
            let open = bare(ours.value).as_object().is_none_or(Map::is_empty);
            return open || self.refute(at, "", Value::Null);
        };
        if HARD.iter().any(|word| map.contains_key(*word)) {
            return bare(ours.value) == bare(part.place.value) || self.refute(at, "", Value::Null);
        }
        if !takes_kind(ours.value, kind) {
            return self.refute(at, "type", kind.into());
        }
        let mut valid = self.enumeration(ours, part);
        valid &= match kind {
            "integer" | "number" => self.number(ours, part),
            "string" => self.string(ours, part),
            "array" => self.array(ours, part, direction),
            "object" => self.object(ours, part, direction),
            _ => true,
        };
        for branch in ours.get("allOf").iter().flat_map(Place::items) {
            valid &= self.part(&branch, part, direction);
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(branches) = ours.get(word) {
                valid &= self.branches(
                    ours,
                    word,
                    &branches.items().collect::<Vec<_>>(),
                    part,
                    direction,
                );
            }
        }
        valid
    }

    fn enumeration(&mut self, ours: &Place<'_>, part: &InferredPart<'_>) -> bool {
        let only = ours.value.get("const").map(std::slice::from_ref);
        let Some(allowed) =
            ours.value.get("enum").and_then(Value::as_array).map(Vec::as_slice).or(only)
        else {
            return true;
        };
        // An open set has more values than an enumeration may have.
        let seen =
            part.values().unwrap_or_else(|| (0..=MAX_ENUM).map(|n| json!({"": n})).collect());
        let new = seen
            .into_iter()
            .filter(|value| !allowed.iter().any(|known| equal_values(known, value)));
        new.fold(true, |_, value| self.refute(&ours.pointer, "enum", value))
    }

    /// Checks a limit against the observed maximum or minimum.
    fn limit(
        &mut self,
        ours: &Place<'_>,
        part: &InferredPart<'_>,
        word: &'static str,
        is_least: bool,
    ) -> bool {
        let Some(Value::Number(limit)) = ours.value.get(word) else { return true };
        let follows = match part.word(word) {
            Some(Value::Number(seen)) => {
                let order = compare_numbers(limit, seen);
                if is_least { order.is_le() } else { order.is_ge() }
            }
            _ => is_least && limit.as_u64() == Some(0) && word != "minimum",
        };
        follows || self.refute(&ours.pointer, word, Value::Null)
    }

    /// Checks a keyword that only follows from an equal one.
    fn same(&mut self, ours: &Place<'_>, part: &InferredPart<'_>, word: &'static str) -> bool {
        let wanted = ours.value.get(word).filter(|value| **value != json!(false));
        wanted.is_none_or(|value| part.word(word) == Some(value))
            || self.refute(&ours.pointer, word, Value::Null)
    }

    fn format(&mut self, ours: &Place<'_>, part: &InferredPart<'_>) -> bool {
        let Some(format) = ours.text("format") else { return true };
        let seen = part.place.text("format");
        let follows = if part.kind == Some("string") {
            text_format_follows(format, seen)
        } else {
            number_format_follows(format, seen)
        };
        follows || self.refute(&ours.pointer, "format", Value::Null)
    }

    fn number(&mut self, ours: &Place<'_>, part: &InferredPart<'_>) -> bool {
        let mut valid = self.limit(ours, part, "minimum", true);
        valid &= self.limit(ours, part, "maximum", false);
        // The observed value may equal the limit.
        for (word, strict) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            let open = ours.value.get(strict).is_some_and(|value| *value != json!(false));
            if open && part.word(strict) != ours.value.get(strict) {
                valid = self.refute(&ours.pointer, word, Value::Null);
            }
        }
        valid &= self.same(ours, part, "multipleOf");
        self.format(ours, part) && valid
    }

    fn string(&mut self, ours: &Place<'_>, part: &InferredPart<'_>) -> bool {
        let mut valid = self.limit(ours, part, "minLength", true);
        valid &= self.limit(ours, part, "maxLength", false);
        valid &= self.same(ours, part, "pattern");
        self.format(ours, part) && valid
    }

    fn array(&mut self, ours: &Place<'_>, part: &InferredPart<'_>, direction: Direction) -> bool {
        let mut valid = self.limit(ours, part, "minItems", true);
        valid &= self.limit(ours, part, "maxItems", false);
        valid &= self.same(ours, part, "uniqueItems");
        if let (Some(a), Some(b)) = (ours.get("items"), part.place.get("items"))
            && part.word("maxItems") != Some(&json!(0))
        {
            valid &= self.schema(&a, &b, direction);
        }
        valid
    }

    fn object(&mut self, ours: &Place<'_>, part: &InferredPart<'_>, direction: Direction) -> bool {
        let mut valid = true;
        let properties = ours.get("properties");
        let own = |name: &str| properties.as_ref().and_then(|all| all.get(name));
        let excused = |name: &str| {
            let word = if direction == Direction::Request { "readOnly" } else { "writeOnly" };
            own(name).and_then(|place| place.target().ok()).is_some_and(|place| place.flag(word))
        };
        let required = ours.value.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !part.always_has(name) && !excused(name) {
                valid = self.refute(&ours.pointer, "required", name.into());
            }
        }
        for word in ["minProperties", "maxProperties", "dependentRequired"] {
            valid &= self.same(ours, part, word);
        }
        let rest = ours.get("additionalProperties");
        let theirs = part.place.get("properties");
        for (name, found) in theirs.iter().flat_map(Place::members) {
            if let Some(place) = own(name).or_else(|| rest.clone()) {
                valid &= self.schema(&place, &found, direction);
            }
        }
        // Maps may have any name.
        if let Some(found) =
            part.place.get("additionalProperties").filter(|place| *place.value != json!(false))
        {
            let unlisted = |name: &str| theirs.as_ref().is_none_or(|all| all.get(name).is_none());
            let listed = properties.iter().flat_map(Place::members);
            for place in
                listed.filter(|(name, _)| unlisted(name)).map(|(_, place)| place).chain(rest)
            {
                valid &= self.schema(&place, &found, direction);
            }
        }
        valid
    }

    fn branches(
        &mut self,
        ours: &Place<'_>,
        word: &'static str,
        all: &[Place<'_>],
        part: &InferredPart<'_>,
        direction: Direction,
    ) -> bool {
        let may: Vec<&Place<'_>> = all.iter().filter(|branch| !excludes(branch, part)).collect();
        match may.as_slice() {
            // If only one branch accepts this type, the fault is in that branch.
            [one] => self.part(one, part, direction),
            several => {
                let taken = several.iter().any(|branch| self.admits(branch, part, direction));
                taken && word == "anyOf" || self.refute(&ours.pointer, word, Value::Null)
            }
        }
    }
}
