//! Interned names and maps keyed by them, because names are compared for every pair of kinds that
//! may be united.

use std::collections::HashMap;

/// A name of [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(u32);

impl Name {
    /// The empty text.
    pub(crate) const EMPTY: Name = Name(0);

    /// Numbered consecutively from zero.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Texts, each with its number.
#[derive(Debug)]
pub(crate) struct Interner {
    known: HashMap<Box<str>, Name>,
    texts: Vec<Box<str>>,
}

impl Interner {
    pub(crate) fn new() -> Self {
        let mut names = Interner { known: HashMap::new(), texts: Vec::new() };
        names.of("");
        names
    }

    /// The number of a text, which is added if missing.
    pub(crate) fn of(&mut self, text: &str) -> Name {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let name = Name(self.texts.len() as u32);
        self.texts.push(text.into());
        self.known.insert(text.into(), name);
        name
    }

    /// The number of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<Name> {
        self.known.get(text).copied()
    }

    pub(crate) fn text(&self, name: Name) -> &str {
        &self.texts[name.index()]
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// A small map, sorted by the numbers of names.
#[derive(Clone, Debug)]
pub(crate) struct ByName<V>(Vec<(Name, V)>);

impl<V> Default for ByName<V> {
    fn default() -> Self {
        ByName(Vec::new())
    }
}

impl<V> ByName<V> {
    pub(crate) fn of_one(name: Name, value: V) -> Self {
        ByName(vec![(name, value)])
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, &V)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Name> {
        self.0.iter().map(|(name, _)| *name)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn get(&self, name: Name) -> Option<&V> {
        let at = self.0.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn insert(&mut self, name: Name, value: V) {
        match self.0.binary_search_by_key(&name, |(name, _)| *name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.0.retain(|(_, value)| keep(value));
    }

    /// Adds another map; `unite` merges two values.
    pub(crate) fn absorb(&mut self, other: ByName<V>, mut unite: impl FnMut(&mut V, V)) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        for (name, theirs) in other.0 {
            match self.0.binary_search_by_key(&name, |(name, _)| *name) {
                Ok(at) => unite(&mut self.0[at].1, theirs),
                Err(at) => self.0.insert(at, (name, theirs)),
            }
        }
    }

    /// All names of two maps in order, each with its values in both.
    pub(crate) fn beside<'m>(
        &'m self,
        other: &'m ByName<V>,
    ) -> impl Iterator<Item = (Name, Option<&'m V>, Option<&'m V>)> {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        std::iter::from_fn(move || {
            let name = match (left.peek(), right.peek()) {
                (Some((mine, _)), Some((theirs, _))) => *mine.min(theirs),
                (Some((one, _)), None) | (None, Some((one, _))) => *one,
                (None, None) => return None,
            };
            let mine = left.next_if(|(one, _)| *one == name);
            let theirs = right.next_if(|(one, _)| *one == name);
            Some((name, mine.map(|(_, value)| value), theirs.map(|(_, value)| value)))
        })
    }

    /// The names that two maps have in common.
    pub(crate) fn common<'m>(&'m self, other: &'m ByName<V>) -> impl Iterator<Item = Name> {
        self.beside(other)
            .filter(|(_, mine, theirs)| mine.is_some() && theirs.is_some())
            .map(|(name, ..)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_side_by_side() {
        let mut names = Interner::new();
        assert_eq!((names.of(""), names.text(Name::EMPTY)), (Name::EMPTY, ""));
        let [a, b, c] = ["a", "b", "c"].map(|text| names.of(text));
        assert_eq!((names.of("b"), names.find("x"), names.len()), (b, None, 4));
        let (mut one, mut other) = (ByName::default(), ByName::default());
        one.insert(c, 3);
        one.insert(a, 1);
        other.insert(b, 20);
        other.insert(c, 30);
        let beside: Vec<_> = one.beside(&other).collect();
        assert_eq!(beside, [(a, Some(&1), None), (b, None, Some(&20)), (c, Some(&3), Some(&30))]);
        assert_eq!(one.common(&other).collect::<Vec<_>>(), [c]);
        one.absorb(other, |mine, theirs| *mine += theirs);
        assert_eq!(one.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 20, 33]);
    }
}
