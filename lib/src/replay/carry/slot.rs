//! The new response of an exchange, for the requests that need values from it.

use std::sync::OnceLock;

use tokio::sync::Notify;

use super::origin::Answered;

/// A place for the new response. It is filled once, even if there is no response.
#[derive(Debug, Default)]
pub(in super::super) struct Slot {
    answer: OnceLock<Option<Answered>>,
    filled: Notify,
}

impl Slot {
    /// Fills it; `None` if there is no response.
    pub(in super::super) fn fill(&self, answer: Option<Answered>) {
        // Only the first call has an effect.
        let _ = self.answer.set(answer);
        self.filled.notify_waiters();
    }

    /// Waits for the response.
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
