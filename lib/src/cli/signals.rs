//! SIGTERM and SIGINT: the first asks a program to finish, the second ends it immediately.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use tokio::signal::unix::{SignalKind, signal};

/// For servers: a future that resolves with the first SIGTERM or SIGINT. After that, a second one
/// ends the process immediately with 143 or 130, whatever it is doing.
///
/// The handlers are installed immediately, not at the first poll. Must be called within a tokio
/// runtime.
///
/// # Errors
/// The handlers could not be installed.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let signal = shutdown_signal()?;
    Ok(async move {
        signal.await;
    })
}

/// The same; the future resolves to the exit status of a program that the signal ends early: 143 or
/// 130.
///
/// # Errors
/// The handlers could not be installed.
pub fn shutdown_signal() -> io::Result<impl Future<Output = u8> + Send + 'static> {
    let asked = Arc::new(AtomicBool::new(false));
    for number in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(number, 128 + number, asked.clone())?;
    }
    for number in [SIGTERM, SIGINT] {
        flag::register(number, asked.clone())?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => 143,
            _ = interrupt.recv() => 130,
        }
    })
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail with an error that can be reported.
/// Without a handler, SIGXFSZ ends the process.
pub(super) fn report_large_files() {
    // Without the handler, the process ends as before.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// For filters that read standard input: a signal often goes to the whole pipeline, and ends the
/// program that feeds this one. This one continues to the end of its input. A second signal ends it
/// with 143 or 130.
///
/// # Errors
/// The handlers could not be installed.
pub fn ignore_first_signal() -> io::Result<()> {
    stop_on(&[SIGTERM, SIGINT]).map(|_| ())
}

/// The same for Ctrl-C only, for programs that stop on SIGTERM.
///
/// # Errors
/// The handler could not be installed.
pub fn ignore_first_sigint() -> io::Result<()> {
    stop_on(&[SIGINT]).map(|_| ())
}

/// For runs over files, which write their output at the end: SIGTERM ends the program immediately
/// with 143.
///
/// SIGINT keeps its effect. Shells make programs in the background ignore SIGINT, and a handler
/// would undo that.
///
/// # Errors
/// The handler could not be installed.
pub fn end_on_sigterm() -> io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGTERM, 128 + SIGTERM, always)?;
    Ok(())
}

/// For filters that can stop between two units of work: a flag that the first SIGTERM sets. A
/// second one ends the program with 143.
///
/// # Errors
/// The handler could not be installed.
pub fn stop_on_sigterm() -> io::Result<StopFlag> {
    stop_on(&[SIGTERM])
}

/// The same for SIGINT too, for programs without input from a pipeline. The second signal ends the
/// program with 143 or 130.
///
/// # Errors
/// The handlers could not be installed.
pub fn stop_on_signals() -> io::Result<StopFlag> {
    stop_on(&[SIGTERM, SIGINT])
}

fn stop_on(signals: &[i32]) -> io::Result<StopFlag> {
    let asked = Arc::new(AtomicBool::new(false));
    // In this order: the first signal finds the flag unset, and sets it.
    for number in signals {
        flag::register_conditional_shutdown(*number, 128 + number, asked.clone())?;
    }
    for number in signals {
        flag::register(*number, asked.clone())?;
    }
    Ok(StopFlag(asked))
}

/// Whether a program was asked to stop.
#[derive(Clone, Debug)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// True once it was asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
