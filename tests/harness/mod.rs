//! Helpers for tests of the executables: a new folder, the programs of this build, servers that end
//! with the test, a plain HTTP client, and an upstream to record from.

mod browser;
mod dir;
mod http;
mod program;
mod server;
mod upstream;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use browser::Browser;
pub use dir::Dir;
pub use http::{Request, Response, exchange_raw};
pub use program::{Program, Run, exe, exe_dir, on_path};
pub use server::Server;
pub use upstream::{Received, Reply, Upstream};

/// Timeout for a program without output. Passing tests do not wait for it.
pub const HANG: Duration = Duration::from_secs(120);

/// The root of this checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reports that a test is skipped because a program is missing. In CI, this is an error.
#[allow(clippy::print_stderr)]
pub fn skipped(program: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI lacks {program}");
    eprintln!("skipped: needs {program}");
}

/// Material for large tests next to the checkout, if present: `shared("recordings/pokeapi.jsonl")`.
/// Tests that need it return early on `None`.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = root().parent()?.join("shared");
    let found = folder.join(name);
    if found.exists() {
        return Some(found);
    }
    assert!(!folder.is_dir(), "{} is there, but has no {name}", folder.display());
    None
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}
