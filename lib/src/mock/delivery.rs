//! How an answer is sent to the client: at once and completely, or late, slowly, truncated or not
//! at all.

mod body;

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use rand::RngCore as _;

use crate::net::Withheld;

use super::answer::Answer;

pub(super) use body::ResponseBody;

/// Bytes of garbage: more than one packet of most networks.
const GARBAGE: usize = 2048;

/// A fault in the delivery of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset.
    Reset,
    /// The connection is closed without a response.
    Empty,
    /// The connection is closed after half of the body.
    Truncate,
    /// Random bytes are sent, and the connection is closed.
    Garbage,
    /// The body is sent at this rate, in bytes a second.
    Slow(NonZeroU64),
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "reset" => Fault::Reset,
            "empty" => Fault::Empty,
            "truncate" => Fault::Truncate,
            "garbage" => Fault::Garbage,
            _ => {
                let rate = text.strip_prefix("slow:").and_then(|rate| rate.parse().ok());
                Fault::Slow(rate.ok_or_else(|| {
                    let known = "reset, empty, truncate, garbage or slow:BYTES_PER_SECOND";
                    format!("{text:?} is not a fault; write {known}")
                })?)
            }
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Reset => f.write_str("reset"),
            Fault::Empty => f.write_str("empty"),
            Fault::Truncate => f.write_str("truncate"),
            Fault::Garbage => f.write_str("garbage"),
            Fault::Slow(rate) => write!(f, "slow:{rate}"),
        }
    }
}

/// How one answer is delivered. By default, at once and completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Time before the response begins.
    pub delay: Duration,
    /// The fault, if any.
    pub fault: Option<Fault>,
}

impl Delivery {
    /// Combines two deliveries: delays add up, and the fault of `self` takes precedence.
    #[must_use]
    pub fn and(self, other: Delivery) -> Delivery {
        Delivery { delay: self.delay + other.delay, fault: self.fault.or(other.fault) }
    }
}

/// The answer as a message. The answer to a HEAD has the length of the body that it lacks.
pub(super) fn to_response(answer: Answer, head: bool) -> Response<ResponseBody> {
    let length = answer.body.len();
    let body = if head { Bytes::new() } else { answer.body };
    let body = match answer.delivery.fault {
        None => ResponseBody::whole(body),
        Some(Fault::Reset) => return Withheld::Reset.response(ResponseBody::default()),
        Some(Fault::Empty) => return Withheld::Close.response(ResponseBody::default()),
        Some(Fault::Garbage) => {
            let mut bytes = vec![0; GARBAGE];
            rand::rng().fill_bytes(&mut bytes);
            // No client may take it for the start of a status line.
            bytes[0] = 0xff;
            return Withheld::Bytes(bytes.into()).response(ResponseBody::default());
        }
        // There is no body to truncate, so the whole response is withheld.
        Some(Fault::Truncate) if body.is_empty() => {
            return Withheld::Close.response(ResponseBody::default());
        }
        Some(Fault::Truncate) => ResponseBody::truncated(&body),
        Some(Fault::Slow(rate)) => ResponseBody::slow(body, rate),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if head && length > 0 {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in ["reset", "empty", "truncate", "garbage", "slow:100"] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        for text in ["", "Reset", "slow", "slow:", "slow:0", "slow:-1", "slow:1.5", "hang"] {
            assert!(text.parse::<Fault>().unwrap_err().contains("reset, empty"), "{text}");
        }
    }
}
