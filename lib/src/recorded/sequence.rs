//! Sequences of answers: each once, then the last one repeatedly or all from the start.

use std::sync::atomic::{AtomicU32, Ordering};

use super::store::Stored;

/// The end of a chain.
const END: u32 = u32::MAX;

/// The recorded answers. The answers to one request form a chain.
#[derive(Debug, Default)]
pub(super) struct Answers {
    all: Vec<ChainLink>,
}

#[derive(Debug)]
struct ChainLink {
    answer: Stored,
    /// The position among all answers. If there are several chains, the one whose next answer has
    /// the lowest position comes first.
    place: u32,
    next: u32,
}

/// The chain of answers to one request. It is advanced without a lock.
#[derive(Debug)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    next: AtomicU32,
}

impl Answers {
    /// Adds an answer as the first one of a new chain.
    pub(super) fn begin(&mut self, answer: Stored) -> Chain {
        let at = self.push(answer);
        Chain { first: at, last: at, next: AtomicU32::new(at) }
    }

    /// Adds an answer to a chain.
    pub(super) fn append(&mut self, chain: &mut Chain, answer: Stored) {
        let at = self.push(answer);
        self.all[chain.last as usize].next = at;
        chain.last = at;
    }

    fn push(&mut self, answer: Stored) -> u32 {
        // Four billion answers do not fit into memory.
        let at = u32::try_from(self.all.len()).unwrap_or(END - 1);
        self.all.push(ChainLink { answer, place: at, next: END });
        at
    }

    /// Sorts all answers by time, then by the recorder's numbers; those with neither stay in front,
    /// in their order.
    pub(super) fn sort<'c>(&mut self, chains: impl Iterator<Item = &'c mut Chain>) {
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        order.sort_by_key(|at| match &self.all[*at].answer {
            Stored::Ready(answer) => (answer.at, answer.seq),
            Stored::Line { .. } => (None, None),
        });
        for (place, at) in order.into_iter().enumerate() {
            self.all[at].place = u32::try_from(place).unwrap_or(END);
        }
        for chain in chains {
            let mut links: Vec<u32> = Vec::new();
            let mut at = chain.first;
            while at != END {
                links.push(at);
                at = self.all[at as usize].next;
            }
            links.sort_by_key(|at| self.all[*at as usize].place);
            for pair in links.windows(2) {
                self.all[pair[0] as usize].next = pair[1];
            }
            if let (Some(first), Some(last)) = (links.first(), links.last()) {
                self.all[*last as usize].next = END;
                *chain = Chain { first: *first, last: *last, next: AtomicU32::new(*first) };
            }
        }
    }

    /// The next answer of several chains taken together. After the last answer, it is repeated.
    /// With `again`, the answers start again. `None` if there is no chain.
    pub(super) fn take(&self, chains: &[&Chain], again: bool) -> Option<&Stored> {
        loop {
            let waiting = chains
                .iter()
                .map(|chain| (chain, chain.next.load(Ordering::Relaxed)))
                .filter(|(_, next)| *next != END)
                .min_by_key(|(_, next)| self.all[*next as usize].place);
            let Some((chain, next)) = waiting else {
                if !again || chains.is_empty() {
                    return self.last(chains);
                }
                for chain in chains {
                    // Another request may have restarted the chain already.
                    let _ = chain.next.compare_exchange(
                        END,
                        chain.first,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                }
                continue;
            };
            let link = &self.all[next as usize];
            let taken =
                chain.next.compare_exchange(next, link.next, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() {
                return Some(&link.answer);
            }
        }
    }

    /// The answer that [`Answers::take`] would return, without taking it.
    pub(super) fn peek(&self, chains: &[&Chain]) -> Option<&Stored> {
        let next = chains.iter().map(|chain| chain.next.load(Ordering::Relaxed));
        let next = next.filter(|next| *next != END).min_by_key(|at| self.all[*at as usize].place);
        match next {
            Some(next) => Some(&self.all[next as usize].answer),
            None => self.last(chains),
        }
    }

    fn last(&self, chains: &[&Chain]) -> Option<&Stored> {
        let links = chains.iter().map(|chain| &self.all[chain.last as usize]);
        Some(&links.max_by_key(|link| link.place)?.answer)
    }
}
