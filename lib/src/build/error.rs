//! Why a build failed.

use std::error::Error;
use std::fmt::Display;

/// The cause of an error.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why nothing, or not everything, was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Options and inputs that cannot be combined.
    #[error("{0}")]
    Usage(String),
    /// The reasons have already been reported: rejected records with `strict`, or exchanges that do
    /// not conform.
    #[error("failed")]
    Reported,
    /// A failure without a cause.
    #[error("{0}")]
    Failed(String),
    /// A failure with a cause.
    #[error("{what}")]
    Because {
        /// What failed.
        what: String,
        /// The cause.
        #[source]
        cause: Cause,
    },
    /// An error that needs no context.
    #[error(transparent)]
    Other(Cause),
}

impl BuildError {
    pub(super) fn all_rejected(count: u64) -> Self {
        BuildError::Failed(format!("all {count} records were rejected, so nothing was written"))
    }

    /// The error and its causes in one line.
    #[cfg_attr(not(feature = "kafka"), allow(dead_code))]
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

/// Converts errors of other modules to build errors.
pub(super) trait ResultExt<T> {
    /// Adds what failed because of the error.
    fn because<W: Display>(self, what: impl FnOnce() -> W) -> Result<T, BuildError>;

    /// Without context.
    fn whole(self) -> Result<T, BuildError>;
}

impl<T, E: Into<Cause>> ResultExt<T> for Result<T, E> {
    fn because<W: Display>(self, what: impl FnOnce() -> W) -> Result<T, BuildError> {
        self.map_err(|cause| BuildError::Because { what: what().to_string(), cause: cause.into() })
    }

    fn whole(self) -> Result<T, BuildError> {
        self.map_err(|cause| BuildError::Other(cause.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes() {
        let cause = std::io::Error::other("the disk is full");
        let error = Err::<(), _>(cause).because(|| "cannot write the state").unwrap_err();
        assert_eq!(error.in_full(), "cannot write the state: the disk is full");
        let error = Err::<(), _>(std::io::Error::other("torn")).whole().unwrap_err();
        assert_eq!(error.in_full(), "torn");
    }
}
