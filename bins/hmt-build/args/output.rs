//! Writes specs, partials and states, and the closing line about them.

use std::path::Path;

use anyhow::Context as _;
use hmt_core::build::{BuildOutput, Cause};
use hmt_core::cli::{Destination, Messages, counted, replace_file};
use hmt_core::exchange::file_name_of_host;
use hmt_core::spec::{Format, to_text};
use parking_lot::Mutex;
use serde_json::{Map, Value};

/// The output of the command line.
pub(super) struct Out {
    target: Destination,
    format: Format,
    messages: Messages,
    written: Mutex<Written>,
}

/// The result so far.
#[derive(Debug, Default)]
struct Written {
    files: Vec<String>,
    /// The number of paths in the specs.
    paths: usize,
}

impl Out {
    pub(super) fn new(target: Destination, format: Format, quiet: bool) -> Self {
        let messages = Messages::new("hmt-build", quiet);
        Out { target, format, messages, written: Mutex::default() }
    }

    /// Writes a result, and notes its file. With `--follow`, a file is written repeatedly, and only
    /// the last number of paths counts.
    fn write(
        &self,
        target: &Destination,
        text: &str,
        private: bool,
        paths: usize,
    ) -> Result<(), Cause> {
        target.write(text, private)?;
        let Destination::File(path) = target else { return Ok(()) };
        let file = path.display().to_string();
        let mut written = self.written.lock();
        if written.files.contains(&file) {
            *written = Written::default();
        }
        written.files.push(file);
        written.paths += paths;
        Ok(())
    }
}

impl BuildOutput for Out {
    fn spec(&self, host: Option<&str>, root: &Value) -> Result<(), Cause> {
        // Recordings contain traffic, so a spec with recordings is private.
        let private = root.get("x-hmt-replay").is_some();
        let text = to_text(root, self.format);
        let paths = root.get("paths").and_then(Value::as_object).map_or(0, Map::len);
        match host {
            Some(host) => self.write(&self.target.of_host(&host_file(host)), &text, private, paths),
            None => self.write(&self.target, &text, private, paths),
        }
    }

    fn partial(&self, line: &str) -> Result<(), Cause> {
        self.write(&self.target, &format!("{line}\n"), true, 0)
    }

    fn report(&self, file: Option<&Path>, text: &str) -> Result<(), Cause> {
        let target = match file {
            Some(path) if path.as_os_str() != "-" => Destination::File(path.to_owned()),
            Some(_) => Destination::Stdout,
            None => self.target.clone(),
        };
        Ok(target.write(text, false)?)
    }

    fn finished(&self, exchanges: u64) {
        let written = self.written.lock();
        let exchanges = counted(exchanges, "exchange");
        let paths = counted(written.paths as u64, "path");
        match written.files.as_slice() {
            [] => (),
            [file] if file.ends_with(".partial.json") => {
                self.messages.closing(format_args!("{exchanges}: {file}"));
            }
            [file] => self.messages.closing(format_args!("{exchanges}, {paths}: {file}")),
            files => self.messages.closing(format_args!(
                "{exchanges}, {paths}: {} and {} more",
                files[0],
                files.len() - 1
            )),
        }
    }

    fn compared(&self, summary: &str) {
        self.messages.closing(summary);
    }

    fn state(&self, path: &Path, bytes: &[u8]) -> Result<(), Cause> {
        let cannot = || format!("cannot write the state to {}", path.display());
        Ok(replace_file(path, bytes, true).with_context(cannot)?)
    }
}

/// Empty for exchanges without a host.
fn host_file(host: &str) -> String {
    if host.is_empty() { String::new() } else { file_name_of_host(host) }
}
