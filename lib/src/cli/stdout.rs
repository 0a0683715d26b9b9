//! Standard output as a place for records.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::oneshot;

/// Standard output without a buffer, so that what is written is there.
///
/// # Errors
/// It cannot be duplicated.
pub fn stdout_unbuffered() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Ends when nobody reads standard output any more, so that a server need not wait for its next record to
/// notice. Never ends for files.
pub async fn stdout_closed() {
    let (closed, wait) = oneshot::channel();
    // The thread lasts as long as the reader, or this process.
    thread::spawn(move || {
        let stdout = io::stdout();
        // Without any event to wait for, only the loss of the other end is told.
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
