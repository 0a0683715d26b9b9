//! The modules that scripts import, in a private folder that exists during the run.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The modules, by their path in the folder.
const FILES: &[(&str, &str)] = &[
    ("python/run.py", include_str!("../../../../scripts/callbacks/python/run.py")),
    (
        "python/hmt/__init__.py",
        include_str!("../../../../scripts/callbacks/python/hmt/__init__.py"),
    ),
    (
        "python/hmt/callbacks.py",
        include_str!("../../../../scripts/callbacks/python/hmt/callbacks.py"),
    ),
    (
        "python/hmt/types_of_http.py",
        include_str!("../../../../scripts/callbacks/python/hmt/types_of_http.py"),
    ),
    ("node/run.js", include_str!("../../../../scripts/callbacks/node/run.js")),
    ("node/hmt/index.js", include_str!("../../../../scripts/callbacks/node/hmt/index.js")),
];

/// Modules of the earlier Python version, whose scripts import `callback` from them.
const OLD_MODULES: [&str; 5] = [
    "hmt/serve/mock/callbacks.py",
    "hmt/server/server/callbacks.py",
    "hmt_server/server/callbacks.py",
    "meeshkan/serve/mock/callbacks.py",
    "meeshkan/server/server/callbacks.py",
];

/// The folder. It is removed with this value.
#[derive(Debug)]
pub(super) struct Helpers(TempDir);

impl Helpers {
    /// Writes the modules into a new folder with mode 0700.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written.
    pub(super) fn write() -> io::Result<Helpers> {
        let private = fs::Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix("hmt-callbacks-").permissions(private).tempdir()?;
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
            fs::write(path, text)
        };
        for (name, text) in FILES {
            put(name, text)?;
        }
        for name in OLD_MODULES {
            let name = Path::new("python").join(name);
            put(&name.to_string_lossy(), "from hmt.callbacks import *  # noqa: F401,F403\n")?;
            for package in
                name.ancestors().skip(1).filter(|package| package.components().count() > 1)
            {
                let init = package.join("__init__.py");
                if !folder.path().join(&init).exists() {
                    put(&init.to_string_lossy(), "")?;
                }
            }
        }
        Ok(Helpers(folder))
    }

    /// The program that runs a Python script.
    pub(super) fn python_runner(&self) -> PathBuf {
        self.0.path().join("python/run.py")
    }

    /// For `PYTHONPATH`.
    pub(super) fn python_path(&self) -> PathBuf {
        self.0.path().join("python")
    }

    /// The module that is loaded before a script of Node.
    pub(super) fn node_preload(&self) -> PathBuf {
        self.0.path().join("node/run.js")
    }

    /// For `NODE_PATH`.
    pub(super) fn node_path(&self) -> PathBuf {
        self.0.path().join("node")
    }
}
