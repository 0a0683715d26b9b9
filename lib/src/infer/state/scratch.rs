//! What folding needs beside the state, kept from exchange to exchange; it says nothing about them.

use std::collections::HashMap;

use super::tape::Tapes;

/// Room that is used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) tapes: Tapes,
    /// The origin of an exchange.
    pub(crate) origin: String,
    pub(crate) request_headers: Memo,
    pub(crate) response_headers: Memo,
}

/// Remembers what a predicate said of names, as messages have the same few names over and over.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    known: HashMap<Box<str>, bool>,
    /// What was asked last at each place of a message: most are as the one before.
    last: Vec<(Box<str>, bool)>,
}

/// Names beyond this many are made up by somebody.
const MOST: usize = 1024;
/// Messages have hardly more headers than this.
const PLACES: usize = 64;
/// Longer names are not worth the memory.
const LONGEST: usize = 128;

impl Memo {
    /// What `predicate`, a pure function, says of the name, which stands at the given place of its message.
    pub(crate) fn ask(&mut self, name: &str, place: usize, predicate: fn(&str) -> bool) -> bool {
        match self.last.get(place) {
            Some((last, answer)) if last.as_ref() == name => return *answer,
            _ => {}
        }
        if name.len() > LONGEST {
            return predicate(name);
        }
        let answer = match self.known.get(name) {
            Some(answer) => *answer,
            None => {
                let answer = predicate(name);
                if self.known.len() < MOST {
                    self.known.insert(name.into(), answer);
                }
                answer
            }
        };
        let places = self.last.len();
        match self.last.get_mut(place) {
            Some(last) => *last = (name.into(), answer),
            None if place == places && place < PLACES => self.last.push((name.into(), answer)),
            None => {}
        }
        answer
    }
}
