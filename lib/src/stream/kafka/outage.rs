//! Brokers that do not answer: they are waited for, that is told once, and who reads to an end gives up some time.

use std::time::{Duration, Instant};

pub(super) struct Outage {
    name: String,
    /// How long they are waited for; for ever where there is none.
    patience: Option<Duration>,
    /// When something came last, or somebody answered.
    alive: Instant,
    told: bool,
}

impl Outage {
    pub(super) fn new(name: String, patience: Option<Duration>) -> Self {
        Outage { name, patience, alive: Instant::now(), told: false }
    }

    /// Something came.
    pub(super) fn over(&mut self, notify: &dyn Fn(&str)) {
        self.alive = Instant::now();
        if std::mem::take(&mut self.told) {
            notify(&format!("{}: a broker answers again", self.name));
        }
    }

    /// Nothing came, but nothing is wrong.
    pub(super) fn is_none(&mut self) {
        self.alive = Instant::now();
    }

    /// None answers.
    pub(super) fn tell(&mut self, notify: &dyn Fn(&str)) {
        if !std::mem::replace(&mut self.told, true) {
            notify(&format!("{}: no broker answers; waiting for it", self.name));
        }
    }

    /// True once they were waited for as long as was asked.
    pub(super) fn is_too_long(&self) -> bool {
        self.patience.is_some_and(|patience| self.alive.elapsed() >= patience)
    }
}
