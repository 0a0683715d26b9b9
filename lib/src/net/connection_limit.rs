//! Limits the number of connections from each client address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::limits::Report;

/// Shortest time between two reports of refused connections.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Counts connections by address.
pub(super) struct ConnectionLimit {
    max: usize,
    counts: Counts,
    report: Report,
    last_report: Option<Instant>,
}

#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A counted connection; dropping it frees its place.
pub(super) struct CountedConnection {
    address: IpAddr,
    counts: Counts,
}

impl ConnectionLimit {
    pub(super) fn new(max: usize, report: Report) -> Self {
        ConnectionLimit { max, counts: Counts::default(), report, last_report: None }
    }

    /// Counts a connection from `address`; `None` when the address has reached its limit.
    pub(super) fn admit(&mut self, address: IpAddr) -> Option<CountedConnection> {
        let address = address.to_canonical();
        {
            let mut counts = self.counts.0.lock();
            let count = counts.entry(address).or_default();
            if *count < self.max || address.is_loopback() {
                *count += 1;
                return Some(CountedConnection { address, counts: self.counts.clone() });
            }
        }
        if self.last_report.is_none_or(|last_report| last_report.elapsed() >= REPORT_INTERVAL) {
            self.last_report = Some(Instant::now());
            (self.report)(&format!(
                "{address} has {} connections, the most that one address can have; further ones are refused",
                self.max
            ));
        }
        None
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_address_has_its_share_and_gets_it_back() {
        let last_report = Arc::new(AtomicUsize::new(0));
        let report = last_report.clone();
        let report = Arc::new(move |_: &str| {
            report.fetch_add(1, Ordering::Relaxed);
        });
        let mut per_address = ConnectionLimit::new(2, report);
        let [one, mapped, other]: [IpAddr; 3] =
            ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap());
        let first = per_address.admit(one);
        let second = per_address.admit(mapped);
        assert!(first.is_some() && second.is_some());
        assert!(per_address.admit(one).is_none() && per_address.admit(mapped).is_none());
        assert_eq!(last_report.load(Ordering::Relaxed), 1, "refusals are reported once");
        assert!(per_address.admit(other).is_some());
        drop(first);
        let third = per_address.admit(one);
        assert!(third.is_some() && per_address.admit(one).is_none());
        drop((second, third));
        assert!(per_address.counts.0.lock().is_empty());
        let loopback: Vec<_> =
            (0..5).map(|_| per_address.admit("127.0.0.1".parse().unwrap())).collect();
        assert!(loopback.iter().all(Option::is_some));
    }
}
