//! Why a build failed.

use std::error::Error;
use std::fmt::Display;

/// What happened below.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why nothing, or not all, was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Options and inputs that do not go together.
    #[error("{0}")]
    Usage(String),
    /// The reasons were reported one by one: records that `strict` does not take, exchanges that do not conform.
    #[error("failed")]
    Reported,
    /// Something that failed by itself.
    #[error("{0}")]
    Failed(String),
    /// Something that failed because of something else.
    #[error("{what}")]
    Because {
        /// What failed.
        what: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// What failed says all there is to say.
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

/// Turns an error of another module into one of a build.
pub(super) trait ResultExt<T> {
    /// Says what failed because of it.
    fn because<W: Display>(self, what: impl FnOnce() -> W) -> Result<T, BuildError>;

    /// As it is.
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
