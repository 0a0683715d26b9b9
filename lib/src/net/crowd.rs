//! How many connections each client address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::serve::Report;

/// Refusals are told of as often.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Counts connections by address.
pub(super) struct Crowd {
    most: usize,
    counts: Counts,
    report: Report,
    told: Option<Instant>,
}

#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that counts until this is dropped.
pub(super) struct Place {
    address: IpAddr,
    counts: Counts,
}

impl Crowd {
    pub(super) fn new(most: usize, report: Report) -> Self {
        Crowd { most, counts: Counts::default(), report, told: None }
    }

    /// Counts a connection from `address`; `None` where it already has as many as it may.
    pub(super) fn admit(&mut self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        {
            let mut counts = self.counts.lock();
            let count = counts.entry(address).or_default();
            if *count < self.most || address.is_loopback() {
                *count += 1;
                return Some(Place { address, counts: self.counts.clone() });
            }
        }
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            (self.report)(&format!(
                "{address} has {} connections, and gets no more before it closes some",
                self.most
            ));
        }
        None
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
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
        let told = Arc::new(AtomicUsize::new(0));
        let report = told.clone();
        let report = Arc::new(move |_: &str| {
            report.fetch_add(1, Ordering::Relaxed);
        });
        let mut crowd = Crowd::new(2, report);
        let [one, mapped, other]: [IpAddr; 3] =
            ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap());
        let first = crowd.admit(one);
        let second = crowd.admit(mapped);
        assert!(first.is_some() && second.is_some());
        assert!(crowd.admit(one).is_none() && crowd.admit(mapped).is_none());
        assert_eq!(told.load(Ordering::Relaxed), 1, "not each refusal is told of");
        assert!(crowd.admit(other).is_some());
        drop(first);
        let third = crowd.admit(one);
        assert!(third.is_some() && crowd.admit(one).is_none());
        drop((second, third));
        assert!(crowd.counts.lock().is_empty());
        let loopback: Vec<_> = (0..5).map(|_| crowd.admit("127.0.0.1".parse().unwrap())).collect();
        assert!(loopback.iter().all(Option::is_some));
    }
}
