//! Loads the specs again.

use super::catalogue::Catalogue;
use crate::spec::Document;

/// The error of a mock without a [`Loader`].
pub(super) const NO_LOADER: &str = "this mock cannot load its specs again";

/// Loads and compiles the specs on the command line.
pub trait Loader: Send + Sync {
    /// Loads the specs again.
    ///
    /// # Errors
    /// Why they cannot be served.
    fn load(&self) -> Result<Catalogue, String>;

    /// The documents of the specs.
    ///
    /// # Errors
    /// Why they cannot be loaded.
    fn documents(&self) -> Result<Vec<Document>, String>;

    /// Compiles other documents in the same way.
    ///
    /// # Errors
    /// Why they cannot be served.
    fn compile(&self, documents: Vec<Document>) -> Result<Catalogue, String>;
}
