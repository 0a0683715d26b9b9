//! The options of `send`.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::exchange::Exchange;
use crate::net::{Target, Trust};

/// How recorded requests are sent.
pub struct SendOptions {
    /// The server; its path is put before that of each request.
    pub target: Target,
    /// When requests are sent.
    pub speed: Speed,
    /// The number of requests that may wait for their responses.
    pub concurrency: usize,
    /// Send at most this many.
    pub count: Option<u64>,
    /// Whether to send POST, PUT, PATCH, DELETE, and methods that are not known to be safe.
    pub unsafe_methods: bool,
    /// Timeout for connecting, and for pauses while waiting for a response.
    pub timeout: Duration,
    /// Changes of each request.
    pub changes: Vec<RequestChange>,
    /// Values of replaced secrets, by name.
    pub secrets: Vec<SecretValue>,
    /// The authorities of https targets.
    pub trust: Trust,
    /// Time for requests in progress after the shutdown.
    pub grace: Duration,
    /// Whether each safe request is sent twice, to learn rules.
    pub twice: bool,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As soon as possible.
    Max,
    /// At the recorded times, this many times as fast.
    Recorded(f64),
    /// This many per second.
    Rate(f64),
}

/// A change of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestChange {
    /// Sets a header; `None` removes it.
    Header(HeaderName, Option<HeaderValue>),
    /// Sets a query parameter.
    Query(String, String),
}

/// The value of a replaced secret.
#[derive(Clone)]
pub struct SecretValue {
    /// The name of the header, cookie, parameter, field or property.
    pub name: String,
    /// The secret.
    pub value: Arc<str>,
}

/// The progress so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendProgress {
    /// Requests with a response.
    pub sent: u64,
    /// Requests without a response.
    pub failed: u64,
    /// Requests that were not sent.
    pub skipped: u64,
    /// Exchanges with differences, if responses are compared.
    pub differences: Option<u64>,
}

/// Receives the events of a run, in the thread that sends.
pub trait Observer: Send {
    /// A problem, for the user.
    fn report(&mut self, kind: &'static str, text: &str);
    /// The progress, after each response.
    fn progress(&mut self, progress: &SendProgress);
}

/// A recorded exchange and its new response.
pub(in super::super) struct Comparison<'c> {
    /// The line of the recorded exchange.
    pub(in super::super) line: &'c [u8],
    /// The new exchange, with its secrets replaced as in the output.
    pub(in super::super) new: &'c Exchange<'c>,
    /// The source of the recorded exchange, and the number of its line.
    pub(in super::super) place: (&'c Arc<str>, u64),
    /// Recorded values, with the values that were sent instead.
    pub(in super::super) replaced: &'c [(Box<str>, String)],
}

/// An option that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongOption {
    /// An invalid value of `--speed`.
    #[error("{0:?} is not a speed; write 1x, 10x, 0.5x or max")]
    Speed(String),
    /// An invalid value of `--set-header`.
    #[error("{0:?} is not a header; write NAME:VALUE, or NAME: to remove it")]
    Header(String),
    /// An invalid value of `--set-query`.
    #[error("{0:?} is not a query parameter; write NAME=VALUE")]
    Query(String),
}

impl FromStr for Speed {
    type Err = WrongOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        let factor = text.strip_suffix('x').and_then(|factor| factor.parse::<f64>().ok());
        match factor.filter(|factor| factor.is_finite() && *factor > 0.0) {
            Some(factor) => Ok(Speed::Recorded(factor)),
            None => Err(WrongOption::Speed(text.to_owned())),
        }
    }
}

impl RequestChange {
    /// `NAME:VALUE`; without a value, the header is removed.
    ///
    /// # Errors
    /// The name or the value is invalid.
    pub fn header(text: &str) -> Result<RequestChange, WrongOption> {
        let wrong = || WrongOption::Header(text.to_owned());
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
        let value = match value.trim() {
            "" => None,
            value => Some(HeaderValue::from_str(value).map_err(|_| wrong())?),
        };
        Ok(RequestChange::Header(name, value))
    }

    /// `NAME=VALUE`.
    ///
    /// # Errors
    /// There is no name.
    pub fn query(text: &str) -> Result<RequestChange, WrongOption> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(RequestChange::Query(name.to_owned(), value.to_owned()))
            }
            _ => Err(WrongOption::Query(text.to_owned())),
        }
    }
}
