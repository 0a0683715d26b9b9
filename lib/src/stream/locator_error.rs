//! Why a text is not a locator.

/// A text that is not a valid locator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// An empty text.
    #[error(
        "the name is empty; write a file, a folder, kafka://BROKER/TOPIC, or - for standard input or output"
    )]
    Empty,
    /// A URL with a scheme other than Kafka's.
    #[error("{0}: this URL is not supported; name a file, a folder, kafka://BROKER/TOPIC or -")]
    Scheme(String),
    /// A file name whose format cannot be written.
    #[error("{0}: {1}")]
    Sink(String, &'static str),
    /// Kafka without broker or topic, or with an invalid parameter.
    #[error("{url}: {why}")]
    Kafka {
        /// The URL, without possible secrets.
        url: String,
        /// The problem.
        why: String,
    },
}
