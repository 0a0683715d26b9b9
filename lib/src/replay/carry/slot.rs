//! The new response of an exchange, for the requests that need values of it.

use std::sync::OnceLock;

use tokio::sync::Notify;

use super::origin::Answered;

/// A place for the new response. It is filled once, also if there is no response.
#[derive(Debug, Default)]
pub(in super::super) struct Slot {
    answer: OnceLock<Option<Answered>>,
    filled: Notify,
}

impl Slot {
    /// Fills it; `None` if there is no response.
    pub(in super::super) fn fill(&self, answer: Option<Answered>) {
        // The first one counts.
        let _ = self.answer.set(answer);
        self.filled.notify_waiters();
    }

    /// The response, once it is there.
    pub(in super::super) async fn wait(&self) -> Option<&Answered> {
        loop {
            let filled = self.filled.notified();
            if let Some(answer) = self.answer.get() {
                return answer.as_ref();
            }
            filled.await;
        }
    }
}
