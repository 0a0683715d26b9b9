//! A value with its location, for readers that follow references.

use serde_json::Value;

use super::refs::{join_pointer, locate};

/// Maximum length of a chain of references; more is a cycle.
const MAX_HOPS: usize = 64;

/// A value of a document and its JSON pointer.
#[derive(Clone, Debug)]
pub struct Place<'v> {
    root: &'v Value,
    /// The value.
    pub value: &'v Value,
    /// Its pointer in the document.
    pub pointer: String,
}

/// An unresolved reference.
#[derive(Debug, thiserror::Error)]
#[error("{pointer}: $ref {reference:?} {why}")]
pub struct PlaceError {
    /// The location of the reference.
    pub pointer: String,
    /// Its text.
    pub reference: String,
    /// The problem.
    pub why: &'static str,
}

impl<'v> Place<'v> {
    /// The document itself.
    pub fn root(root: &'v Value) -> Self {
        Place { root, value: root, pointer: String::new() }
    }

    /// The value of a key, without following references.
    pub fn get(&self, key: &str) -> Option<Place<'v>> {
        let value = self.value.get(key)?;
        Some(Place { root: self.root, value, pointer: join_pointer(&self.pointer, key) })
    }

    /// The value of a key, with references followed.
    ///
    /// # Errors
    /// A reference is unresolved or cyclic.
    pub fn follow(&self, key: &str) -> Result<Option<Place<'v>>, PlaceError> {
        self.get(key).map(Place::target).transpose()
    }

    /// The target of the references that begin here; the value itself if it is not a reference.
    ///
    /// # Errors
    /// A reference is unresolved or cyclic.
    pub fn target(self) -> Result<Place<'v>, PlaceError> {
        let mut place = self;
        for _ in 0..MAX_HOPS {
            let Some(Value::String(reference)) = place.value.get("$ref") else {
                return Ok(place);
            };
            match locate(place.root, reference) {
                Some((pointer, value)) => place = Place { root: place.root, value, pointer },
                None => return Err(place.wrong(reference, "does not exist in this document")),
            }
        }
        let reference = place.value.get("$ref").and_then(Value::as_str).unwrap_or_default();
        Err(place.wrong(reference, "is circular"))
    }

    fn wrong(&self, reference: &str, why: &'static str) -> PlaceError {
        PlaceError { pointer: self.pointer.clone(), reference: reference.to_owned(), why }
    }

    /// The keys and values of an object's members; none for other values.
    pub fn members(&self) -> impl Iterator<Item = (&'v str, Place<'v>)> + use<'v> {
        let (root, pointer) = (self.root, self.pointer.clone());
        self.value.as_object().into_iter().flatten().map(move |(key, value)| {
            (key.as_str(), Place { root, value, pointer: join_pointer(&pointer, key) })
        })
    }

    /// The items of an array; none for other values.
    pub fn items(&self) -> impl Iterator<Item = Place<'v>> + use<'v> {
        let (root, pointer) = (self.root, self.pointer.clone());
        self.value.as_array().into_iter().flatten().enumerate().map(move |(index, value)| Place {
            root,
            value,
            pointer: format!("{pointer}/{index}"),
        })
    }

    /// The text value of a key.
    pub fn text(&self, key: &str) -> Option<&'v str> {
        self.value.get(key)?.as_str()
    }

    /// The boolean value of a key; false if it is absent or not a boolean.
    pub fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The document.
    pub fn document(&self) -> &'v Value {
        self.root
    }
}
