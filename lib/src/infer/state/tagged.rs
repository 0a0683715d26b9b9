//! The objects at one place, kept apart by their tags.

use super::json::Object;
use super::tag::{KEYS, Tag, Tags};
use super::variants::{Variant, Variants};
use crate::infer::Limits;
use crate::infer::sketch::{Caps, Ends, Key, Merge as _};

impl Object {
    /// All objects: those without a separate summary, if any, and those of each tag or pair of
    /// tags, which are named `key=value`, with a space between pairs.
    pub(crate) fn parts(&self) -> Vec<(String, &Object)> {
        let mut parts = Vec::new();
        self.add_parts("", &mut parts);
        parts
    }

    fn add_parts<'o>(&'o self, name: &str, parts: &mut Vec<(String, &'o Object)>) {
        let apart = self.variants.iter().flat_map(|variants| &variants.apart.0);
        if self.n > 0 {
            parts.push((name.to_owned(), self));
        }
        for variant in apart {
            let tag = format!("{}={}", KEYS[usize::from(variant.key)], variant.value.as_str());
            let name = if name.is_empty() { tag } else { format!("{name} {tag}") };
            variant.object.add_parts(&name, parts);
        }
    }

    /// The summary for objects with these tags.
    pub(super) fn of_tags(&mut self, tags: &Tags<'_>, limits: &Caps<'_>) -> &mut Object {
        let mut object = self;
        for tag in tags.iter().flatten() {
            match object.variant(*tag, limits) {
                Some(at) => {
                    let variants = object.variants.get_or_insert_default();
                    object = variants.apart.0[at].object.as_mut();
                }
                None => return object,
            }
        }
        object
    }

    /// The index of a tag's variant, created while tags are few; otherwise all variants are
    /// dropped.
    fn variant(&mut self, tag: Tag<'_>, limits: &Caps<'_>) -> Option<usize> {
        let variants = self.variants.get_or_insert_default();
        if variants.many != 0 {
            limits.note_fresh();
            return None;
        }
        let ends = Ends::of(tag.value);
        match variants.apart.find(tag, ends) {
            Ok(at) => return Some(at),
            Err(at) if variants.apart.0.len() < limits.variants => {
                limits.note_fresh();
                let value = Key::new(tag.value, ends);
                let variant = Variant { key: tag.key, value, object: Box::default() };
                variants.apart.0.insert(at, variant);
                return Some(at);
            }
            Err(_) => {}
        }
        limits.note_fresh();
        self.bring_together(limits);
        None
    }

    /// Merges all objects into one summary.
    pub(crate) fn bring_together(&mut self, limits: &Limits) {
        let variants = self.variants.get_or_insert_default();
        variants.many = 1;
        for variant in std::mem::take(&mut variants.apart).0 {
            self.merge(*variant.object, limits);
        }
    }

    pub(super) fn merge_variants(&mut self, other: Option<Box<Variants<Object>>>, limits: &Limits) {
        let Some(mut other) = other else { return };
        let variants = self.variants.get_or_insert_default();
        let mut many = variants.many != 0 || other.many != 0;
        for theirs in std::mem::take(&mut other.apart).0 {
            let tag = Tag { key: theirs.key, value: theirs.value.as_str() };
            match variants.apart.find(tag, Ends::of(tag.value)) {
                Ok(at) => variants.apart.0[at].object.merge(*theirs.object, limits),
                Err(at) => variants.apart.0.insert(at, theirs),
            }
        }
        many |= variants.apart.0.len() > limits.variants;
        if many {
            self.bring_together(limits);
        }
    }

    pub(super) fn coarsen_variants(&mut self, limits: &Limits) {
        let Some(variants) = &mut self.variants else { return };
        for variant in &mut variants.apart.0 {
            variant.object.coarsen(limits);
        }
        if variants.apart.0.len() > limits.variants {
            self.bring_together(limits);
        }
    }
}
