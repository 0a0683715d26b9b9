//! Standard output as a sink for records.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::oneshot;

/// Unbuffered standard output, so that every write takes effect immediately.
///
/// # Errors
/// It cannot be duplicated.
pub fn stdout_unbuffered() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Resolves when nobody reads standard output any more, so that a server notices before its next
/// record. Never resolves for files.
pub async fn stdout_closed() {
    let (closed, wait) = oneshot::channel();
    // The thread lasts as long as the reader, or this process.
    thread::spawn(move || {
        let stdout = io::stdout();
        // If no events are requested, only the loss of the other end is reported.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut watched, None) {
                Ok(0) | Err(rustix::io::Errno::INTR) => (),
                Ok(_) => {
                    let _ = closed.send(());
                    return;
                }
                Err(_) => return,
            }
        }
    });
    if wait.await.is_err() {
        // It cannot be watched.
        std::future::pending::<()>().await;
    }
}
