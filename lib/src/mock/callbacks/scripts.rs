//! The programs in the folder of callbacks.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::helpers::Helpers;

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Python,
    Node,
    /// As an executable.
    Program,
}

/// A file of the folder that is a program.
#[derive(Clone, Debug)]
pub(super) struct Script {
    path: PathBuf,
    kind: Kind,
}

/// The environment variables that programs get: locations, and the encoding of text. Others may be
/// secrets.
const VARIABLES: [&str; 23] = [
    "CONDA_PREFIX",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NVM_DIR",
    "PATH",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "PYTHONHOME",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
];

/// Variables with these prefixes are passed too.
const PREFIXES: [&str; 3] = ["HMT_CALLBACK_", "LC_", "XDG_"];

impl Script {
    /// The programs in a folder, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn all_in(folder: &Path) -> io::Result<Vec<Script>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Ok(metadata) = path.metadata() else { continue };
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if hidden || !metadata.is_file() {
                continue;
            }
            let kind = match path.extension().and_then(|extension| extension.to_str()) {
                Some("py") => Kind::Python,
                Some("js" | "mjs" | "cjs") => Kind::Node,
                _ if metadata.permissions().mode() & 0o111 != 0 => Kind::Program,
                _ => continue,
            };
            found.push(Script { path, kind });
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// The name of the file.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The command that runs it, with pipes, in a process group of its own.
    pub(super) fn command(&self, helpers: &Helpers) -> Command {
        // A relative path without a slash would be searched on PATH.
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut command = match self.kind {
            Kind::Python => {
                let mut command = Command::new("python3");
                command.arg(helpers.python_runner()).arg(path);
                command
            }
            Kind::Node => {
                let mut command = Command::new("node");
                command.arg("--require").arg(helpers.node_preload()).arg(path);
                command
            }
            Kind::Program => Command::new(path),
        };
        command.env_clear();
        for (name, value) in std::env::vars_os() {
            let known = name.to_str().is_some_and(|name| {
                VARIABLES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            });
            if known {
                command.env(name, value);
            }
        }
        command
            .env("PYTHONPATH", before(helpers.python_path(), "PYTHONPATH"))
            .env("NODE_PATH", before(helpers.node_path(), "NODE_PATH"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Why it cannot be started, and what to do.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        let interpreter = match self.kind {
            Kind::Python => "python3",
            Kind::Node => "node",
            Kind::Program if error.kind() == io::ErrorKind::NotFound => {
                return "cannot be run: the interpreter that its first line names does not exist"
                    .to_owned();
            }
            // ENOEXEC
            Kind::Program if error.raw_os_error() == Some(8) => {
                return "cannot be run: begin it with a line that names its interpreter, such as #!/bin/sh"
                    .to_owned();
            }
            Kind::Program => return format!("cannot be run: {error}"),
        };
        if error.kind() == io::ErrorKind::NotFound {
            format!("{interpreter} is not on PATH; install it, or remove the file from the folder")
        } else {
            format!("cannot run {interpreter}: {error}")
        }
    }

    /// True if a file without callbacks may be a module that others import.
    pub(super) fn can_be_module(&self) -> bool {
        self.kind != Kind::Program
    }
}

/// A list of folders that begins with `first`, followed by the folders in the variable.
fn before(first: PathBuf, variable: &str) -> OsString {
    let mut list = first.into_os_string();
    if let Some(rest) = std::env::var_os(variable).filter(|rest| !rest.is_empty()) {
        list.push(":");
        list.push(rest);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_are_run() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for (name, mode) in [
            ("b.py", 0o644),
            ("a.sh", 0o755),
            ("c.js", 0o644),
            (".hidden.py", 0o755),
            ("notes.txt", 0o644),
            ("data.json", 0o600),
        ] {
            put(name, mode);
        }
        fs::create_dir(folder.path().join("__pycache__")).unwrap();
        fs::create_dir(folder.path().join("lib.py")).unwrap();
        let all = Script::all_in(folder.path()).unwrap();
        let names: Vec<String> = all.iter().map(Script::name).collect();
        assert_eq!(names, ["a.sh", "b.py", "c.js"]);
    }
}
