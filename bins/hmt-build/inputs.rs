//! What is read, once or twice.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::sync::Arc;

use anyhow::Context as _;
use hmt_core::cli;
use hmt_core::stream::{Locator, PartitionRange, Reader};

use super::args::Config;
use super::fold::BLOCK;

/// The input; standard input spooled where it is read twice.
pub(crate) struct Inputs {
    locators: Vec<Locator>,
    spool: Option<File>,
}

impl Inputs {
    /// Prepares the input.
    ///
    /// # Errors
    /// Standard input cannot be spooled.
    pub(crate) fn prepare(config: &Config) -> anyhow::Result<Inputs> {
        if config.reads_stdin() {
            cli::ignore_first_sigint()?;
        }
        let mut spool = None;
        if config.verify && config.reads_stdin() {
            // An unnamed temporary file of mode 0600, gone with the process.
            let mut file =
                tempfile::tempfile().context("cannot make a temporary file for standard input")?;
            io::copy(&mut io::stdin().lock(), &mut file)
                .context("cannot keep standard input in a temporary file")?;
            spool = Some(file);
        }
        Ok(Inputs { locators: config.inputs.clone(), spool })
    }

    /// Reads all of it; topics until they end or a signal asks to stop.
    ///
    /// # Errors
    /// A source that is not there.
    pub(crate) fn open(&self, config: &Config) -> anyhow::Result<Reader> {
        let mut reader = Reader::open(&self.locators, Some(self.stdin()?), BLOCK)?;
        if let Some(topic) = config.topic() {
            if !topic.ends() {
                config.messages.warn(format_args!(
                    "{} is read until SIGTERM or Ctrl-C; with until=end, up to where it ends now",
                    topic.short()
                ));
            }
            let (stop, messages) = (cli::stop_on_signals()?, config.messages.clone());
            reader.watch(move || stop.is_set(), Arc::new(move |text: &str| messages.warn(text)));
        }
        for note in reader.notes() {
            config.messages.warn(note);
        }
        Ok(reader)
    }

    /// Reads all of it again: of topics, these offsets.
    ///
    /// # Errors
    /// A source that is not there any more.
    pub(crate) fn again(&self, read: &[PartitionRange]) -> anyhow::Result<Reader> {
        Ok(Reader::open_again(&self.locators, Some(self.stdin()?), BLOCK, read)?)
    }

    fn stdin(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.spool {
            Some(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Box::new(file)
            }
            None => Box::new(io::stdin()),
        })
    }
}
