//! What process-level tests share: a fresh folder, the programs of this build, servers that end with the test,
//! a plain HTTP client, and an upstream to record from.
//!
//! ```ignore
//! let dir = Dir::new();
//! dir.write("spec.yaml", SPEC);
//! let mock = Server::start(dir.program("hmt-mock").args(["-p", "0", "-a", "0", "spec.yaml"]));
//! assert_eq!(mock.get("/pets").status, 200);
//! dir.program("hmt-build").stdin(LINES).run().expect_code(0).expect_stdout("openapi: 3.0.3");
//! ```
//!
//! Not here: what one program expects of its input; that stands in the test file of that program.

mod dir;
mod http;
mod program;
mod server;
mod upstream;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use dir::Dir;
pub use http::{Request, Response, exchange_raw};
pub use program::{Program, Run, exe, exe_dir, on_path};
pub use server::Server;
pub use upstream::{Received, Reply, Upstream};

/// A program that says nothing for so long hangs. Nothing waits for this in a test that passes.
pub const HANG: Duration = Duration::from_secs(120);

/// The root of this checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The material for large tests that lies beside the checkout, where there is any: `shared("recordings/pokeapi.jsonl")`.
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
