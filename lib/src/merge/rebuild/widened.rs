//! An edited location that was widened.

use std::fmt;

/// An edited location that traffic contradicts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Widened {
    /// JSON pointer.
    pub at: String,
    /// The keyword.
    pub keyword: String,
    /// The previous value, as JSON.
    pub was: String,
}

impl fmt::Display for Widened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {} was widened, because the traffic contradicts it",
            self.at, self.keyword, self.was
        )
    }
}
