//! The inputs, which may be read twice.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::sync::Arc;

use crate::stream::{Locator, PartitionRange, Reader};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::fold::BLOCK;

/// The inputs; standard input is spooled if it is read twice.
pub(super) struct Inputs {
    locators: Vec<Locator>,
    /// Opens standard input.
    stdin: fn() -> Box<dyn Read + Send>,
    spool: Option<File>,
}

impl Inputs {
    /// Prepares the input.
    ///
    /// # Errors
    /// Standard input cannot be spooled.
    pub(super) fn prepare(config: &Config) -> Result<Inputs, BuildError> {
        let mut spool = None;
        if config.verify && config.reads_stdin() {
            // An unlinked temporary file with mode 0600, which disappears with the process.
            let mut file = tempfile::tempfile()
                .because(|| "cannot create a temporary file for standard input")?;
            io::copy(&mut config.stdin(), &mut file)
                .because(|| "cannot copy standard input to a temporary file")?;
            spool = Some(file);
        }
        Ok(Inputs { locators: config.inputs.clone(), stdin: config.environment.stdin, spool })
    }

    /// Reads everything; topics until they end or a signal requests a stop.
    ///
    /// # Errors
    /// A source does not exist.
    pub(super) fn open(&self, config: &Config) -> Result<Reader, BuildError> {
        let mut reader =
            Reader::open(&self.locators, Some(self.stdin().whole()?), BLOCK).whole()?;
        if let Some(topic) = config.topic() {
            if !topic.ends() {
                config.messages().warn(format_args!(
                    "reading {} until SIGTERM or Ctrl-C; with until=end, up to its current end",
                    topic.short()
                ));
            }
            let (stop, messages) = (config.stop().clone(), config.messages().clone());
            reader.watch(move || stop.is_set(), Arc::new(move |text: &str| messages.warn(text)));
        }
        Ok(reader)
    }

    /// Reads everything again; for topics, these offsets.
    ///
    /// # Errors
    /// A source no longer exists.
    pub(super) fn again(&self, read: &[PartitionRange]) -> Result<Reader, BuildError> {
        Reader::open_again(&self.locators, Some(self.stdin().whole()?), BLOCK, read).whole()
    }

    fn stdin(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.spool {
            Some(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Box::new(file)
            }
            None => (self.stdin)(),
        })
    }
}
