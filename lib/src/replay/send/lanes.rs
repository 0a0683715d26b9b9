//! Requests that wait for other requests of their lane.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use tokio::sync::OwnedSemaphorePermit;

use super::plan::Planned;

/// The lane of all requests if only one may be in progress.
pub(super) const ONLY: u64 = 0;

/// A request, with its permit in the queue of waiting requests.
type Waiting = (Box<Planned>, OwnedSemaphorePermit);

/// The waiting requests by lane. A lane is in this map while a task works on it.
#[derive(Default)]
pub(super) struct Lanes(RefCell<HashMap<u64, VecDeque<Waiting>>>);

impl Lanes {
    /// Adds a request. `Some` if no task works on its lane; then the caller must.
    pub(super) fn push(
        &self,
        lane: u64,
        planned: Box<Planned>,
        room: OwnedSemaphorePermit,
    ) -> Option<Waiting> {
        let mut lanes = self.0.borrow_mut();
        match lanes.get_mut(&lane) {
            Some(waiting) => {
                waiting.push_back((planned, room));
                None
            }
            None => {
                lanes.insert(lane, VecDeque::new());
                Some((planned, room))
            }
        }
    }

    /// The next request of a lane; without one, the lane is removed.
    pub(super) fn next(&self, lane: u64) -> Option<Waiting> {
        let mut lanes = self.0.borrow_mut();
        let next = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(&lane);
        }
        next
    }
}
