//! Handles brokers that do not answer: the outage is reported once, and a reader with an end gives
//! up after some time.

use std::time::{Duration, Instant};

pub(super) struct Outage {
    name: String,
    /// How long to wait; `None` for no limit.
    patience: Option<Duration>,
    /// The time of the last message or answer.
    alive: Instant,
    told: bool,
}

impl Outage {
    pub(super) fn new(name: String, patience: Option<Duration>) -> Self {
        Outage { name, patience, alive: Instant::now(), told: false }
    }

    /// A message arrived.
    pub(super) fn over(&mut self, notify: &dyn Fn(&str)) {
        self.alive = Instant::now();
        if std::mem::take(&mut self.told) {
            notify(&format!("{}: a broker responds again", self.name));
        }
    }

    /// No message arrived, but nothing is wrong.
    pub(super) fn is_none(&mut self) {
        self.alive = Instant::now();
    }

    /// No broker answers.
    pub(super) fn tell(&mut self, notify: &dyn Fn(&str)) {
        if !std::mem::replace(&mut self.told, true) {
            notify(&format!("{}: no broker responds; waiting for one", self.name));
        }
    }

    /// True after the configured time.
    pub(super) fn is_too_long(&self) -> bool {
        self.patience.is_some_and(|patience| self.alive.elapsed() >= patience)
    }
}
