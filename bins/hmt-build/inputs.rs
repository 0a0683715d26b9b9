//! Where the exchanges come from.

use std::io;

use hmt_core::stream::{Locator, Reader};

use super::args::Config;

/// The input.
pub(crate) struct Inputs {
    locators: Vec<Locator>,
}

/// Prepares the input.
///
/// # Errors
/// None yet.
pub(crate) fn inputs(config: &Config) -> anyhow::Result<Inputs> {
    Ok(Inputs { locators: config.inputs.clone() })
}

impl Inputs {
    /// Reads all of it from the start.
    ///
    /// # Errors
    /// A source that is not there.
    pub(crate) fn reader(&self, block: usize) -> anyhow::Result<Reader> {
        Ok(Reader::open(&self.locators, Some(Box::new(io::stdin())), block)?)
    }
}
