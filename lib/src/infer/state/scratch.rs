//! The buffers for folding, reused between exchanges; not part of the state.

use std::collections::HashMap;

use super::tape::Tapes;

/// Reusable buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) tapes: Tapes,
    /// The origin of an exchange.
    pub(crate) origin: String,
    pub(crate) request_headers: Memo,
    pub(crate) response_headers: Memo,
}

/// Caches a predicate on names, because messages have the same few names.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    known: HashMap<Box<str>, bool>,
    /// The last result for each position in a message, because most messages resemble the previous
    /// one.
    last: Vec<(Box<str>, bool)>,
}

/// Names beyond this number are invented.
const MOST: usize = 1024;
/// Messages rarely have more headers than this.
const PLACES: usize = 64;
/// Longer names are not worth caching.
const LONGEST: usize = 128;

impl Memo {
    /// The result of `predicate`, a pure function, for the name at a position in its message.
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
