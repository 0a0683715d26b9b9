//! Mistakes that tests switch on, to see that the tests of the laws notice them. Elsewhere all of this is a constant `false`.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Caps keep the keys that came first.
    #[cfg(test)]
    Arrival,
    /// What an evicted key knew of itself goes into the rest.
    Undemoted,
    /// The valve looks at what the state holds now.
    Size,
    /// The valve does not see what joins a rest.
    RestUnseen,
    /// The tags that came first stay apart when there are too many.
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

    /// Runs `what` with a mistake in place.
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

    /// Forgets which keys arrived: another process begins.
    pub(crate) fn restart() {
        ARRIVED.take();
    }

    /// The number under which a key arrived, where that decides.
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
