//! How an answer is delivered, and the faults in its delivery.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

/// A fault in the delivery of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFault {
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

impl FromStr for DeliveryFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "reset" => DeliveryFault::Reset,
            "empty" => DeliveryFault::Empty,
            "truncate" => DeliveryFault::Truncate,
            "garbage" => DeliveryFault::Garbage,
            _ => {
                let rate = text.strip_prefix("slow:").and_then(|rate| rate.parse().ok());
                DeliveryFault::Slow(rate.ok_or_else(|| {
                    let known = "reset, empty, truncate, garbage or slow:BYTES_PER_SECOND";
                    format!("{text:?} is not a fault; write {known}")
                })?)
            }
        })
    }
}

impl fmt::Display for DeliveryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeliveryFault::Reset => f.write_str("reset"),
            DeliveryFault::Empty => f.write_str("empty"),
            DeliveryFault::Truncate => f.write_str("truncate"),
            DeliveryFault::Garbage => f.write_str("garbage"),
            DeliveryFault::Slow(rate) => write!(f, "slow:{rate}"),
        }
    }
}

/// How one answer is delivered. By default, at once and completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Time before the response begins.
    pub delay: Duration,
    /// The fault, if any.
    pub fault: Option<DeliveryFault>,
}

impl Delivery {
    /// Combines two deliveries: delays add up, and the fault of `self` takes precedence.
    #[must_use]
    pub fn and(self, other: Delivery) -> Delivery {
        Delivery { delay: self.delay + other.delay, fault: self.fault.or(other.fault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        for text in ["reset", "empty", "truncate", "garbage", "slow:100"] {
            assert_eq!(text.parse::<DeliveryFault>().unwrap().to_string(), text);
        }
        for text in ["", "Reset", "slow", "slow:", "slow:0", "slow:-1", "slow:1.5", "hang"] {
            assert!(text.parse::<DeliveryFault>().unwrap_err().contains("reset, empty"), "{text}");
        }
    }
}
