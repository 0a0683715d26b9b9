//! Writes specs, partials and states.

use std::path::Path;

use anyhow::Context as _;
use hmt_core::build::{Cause, Output};
use hmt_core::cli::{Target, replace_file};
use hmt_core::exchange::file_name_of_host;
use hmt_core::spec::{Format, to_text};
use serde_json::Value;

/// The output of the command line.
pub(super) struct Out {
    pub(super) target: Target,
    pub(super) format: Format,
}

impl Output for Out {
    fn spec(&self, host: Option<&str>, root: &Value) -> Result<(), Cause> {
        // Recordings contain traffic, so a spec with recordings is private.
        let private = root.get("x-hmt-replay").is_some();
        let text = to_text(root, self.format);
        match host {
            Some(host) => self.target.of_host(&host_file(host)).write(&text, private)?,
            None => self.target.write(&text, private)?,
        }
        Ok(())
    }

    fn partial(&self, line: &str) -> Result<(), Cause> {
        Ok(self.target.write(&format!("{line}\n"), true)?)
    }

    fn report(&self, file: Option<&Path>, text: &str) -> Result<(), Cause> {
        let target = match file {
            Some(path) if path.as_os_str() != "-" => Target::File(path.to_owned()),
            Some(_) => Target::Stdout,
            None => self.target.clone(),
        };
        Ok(target.write(text, false)?)
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
