//! The tasks of a server. They end when the server ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, ready};

use parking_lot::Mutex;
use tokio::task::JoinSet;

/// A set of tasks that each of its tasks can add to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().spawn(task);
    }

    /// Removes finished tasks; otherwise the set would grow with every connection.
    pub(super) fn reap(&self) {
        let mut tasks = self.0.lock();
        while tasks.try_join_next().is_some() {}
    }

    /// Waits until all tasks have ended.
    pub(super) async fn ended(&self) {
        poll_fn(|cx| {
            let mut tasks = self.0.lock();
            while ready!(tasks.poll_join_next(cx)).is_some() {}
            Poll::Ready(())
        })
        .await;
    }

    /// Aborts all tasks, and waits until everything they owned is dropped. Returns their number.
    pub(super) async fn abort(&self) -> usize {
        let mut aborted = 0;
        loop {
            // A task may have spawned another one before it ended.
            let mut tasks = std::mem::take(&mut *self.0.lock());
            if tasks.is_empty() {
                return aborted;
            }
            aborted += tasks.len();
            tasks.shutdown().await;
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}
