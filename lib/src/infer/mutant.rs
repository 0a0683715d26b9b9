//! Mistakes that tests switch on, to check that the tests of the laws detect them. Otherwise this
//! is a constant `false`.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Caps keep the keys that arrived first.
    #[cfg(test)]
    Arrival,
    /// The details of an evicted key are added to the rest.
    Undemoted,
    /// The caps depend on the current size of the state.
    Size,
    /// Places that join a rest are not counted.
    RestUnseen,
    /// The tags that arrived first stay apart if there are too many.
    FirstTags,
}

#[cfg(not(test))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switched::{is, rank, restart, with};

#[cfg(test)]
mod switched {
    use std::cell::{Cell, RefCell};

    use super::Mutant;

    thread_local! {
        static NOW: Cell<Option<Mutant>> = const { Cell::new(None) };
        static ARRIVED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// Runs `what` with a mistake switched on.
    pub(crate) fn with<T>(mutant: Mutant, what: impl FnOnce() -> T) -> T {
        NOW.set(Some(mutant));
        let result = what();
        NOW.set(None);
        result
    }

    /// True while `mutant` is switched on.
    pub(crate) fn is(mutant: Mutant) -> bool {
        NOW.get() == Some(mutant)
    }

    /// Forgets which keys arrived, as in a new process.
    pub(crate) fn restart() {
        ARRIVED.take();
    }

    /// The arrival number of a key, if it decides.
    pub(crate) fn rank(key: &str) -> Option<u64> {
        is(Mutant::Arrival).then(|| {
            ARRIVED.with_borrow_mut(|arrived| {
                let known = arrived.iter().position(|other| other == key);
                known.unwrap_or_else(|| {
                    arrived.push(key.to_owned());
                    arrived.len() - 1
                }) as u64
            })
        })
    }
}
