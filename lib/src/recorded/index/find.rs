//! Finds the answers to a request.

use std::io;
use std::sync::Arc;

use super::{Recordings, SHARED_HOSTS, View};
use crate::exchange::{Body, Request, credential};
use crate::recorded::answer::RecordedAnswer;
use crate::recorded::lookup::{Lookup, canonical_host};
use crate::recorded::rule::{BodyRule, HostRule};
use crate::recorded::sequence::Chain;

impl Recordings {
    /// The next answer to a request; `None` if nothing like it was recorded.
    ///
    /// # Errors
    /// The temporary file of a large recording cannot be read.
    pub fn answer(&self, lookup: &Lookup<'_>) -> io::Result<Option<Arc<RecordedAnswer>>> {
        let stored = self.answers.take(&self.find(lookup), self.again);
        stored.map(|stored| self.store.read(stored)).transpose()
    }

    /// The next answer to a request, without advancing the sequence.
    ///
    /// # Errors
    /// Those of [`Recordings::answer`].
    pub fn peek(&self, lookup: &Lookup<'_>) -> io::Result<Option<Arc<RecordedAnswer>>> {
        let stored = self.answers.peek(&self.find(lookup));
        stored.map(|stored| self.store.read(stored)).transpose()
    }

    /// The best matching chains.
    fn find(&self, lookup: &Lookup<'_>) -> Vec<&Chain> {
        if self.is_empty() {
            return Vec::new();
        }
        if !self.rule.host || lookup.host == HostRule::Any {
            return self.find_at(lookup, None);
        }
        let found = self.find_at(lookup, Some(&canonical_host(&lookup.request.host)));
        // Recordings without a host match any host.
        if found.is_empty() { self.find_at(lookup, Some("")) } else { found }
    }

    fn find_at(&self, lookup: &Lookup<'_>, host: Option<&str>) -> Vec<&Chain> {
        for body in [true, false] {
            if !body && self.rule.body == BodyRule::Ignored {
                continue;
            }
            let mut same: Vec<u32> = Vec::new();
            let number = host.map(|host| self.hosts.get(host).copied());
            // Nothing was recorded from an unknown host.
            if number != Some(None) {
                let number = number.flatten();
                let named = number.filter(|number| *number >= SHARED_HOSTS).zip(host);
                let view = View { host: named, body };
                same.extend(self.list(self.key(lookup, view), view, number));
                if !body {
                    let request = Request { body: Body::default(), ..lookup.request.clone() };
                    let empty = Lookup { request: &request, ..*lookup };
                    let view = View { body: true, ..view };
                    let bodiless = self.list(self.key(&empty, view), view, number);
                    same.extend(bodiless.filter(|at| self.recorded[*at as usize].any_body));
                }
            }
            let chains = self.choose(lookup.request, same);
            if !chains.is_empty() {
                return chains;
            }
            let chains = self.choose(lookup.request, self.find_redacted(lookup, host, body));
            if !chains.is_empty() {
                return chains;
            }
        }
        Vec::new()
    }

    /// Selects, from equal recorded requests, those that may answer this one and resemble it most.
    fn choose(&self, request: &Request<'_>, mut same: Vec<u32>) -> Vec<&Chain> {
        let recorded = |at: &u32| &self.recorded[*at as usize];
        if !self.rule.ignored.credentials
            && same.iter().any(|at| recorded(at).has_credential)
            && credential(request).is_none()
        {
            same.retain(|at| !recorded(at).has_credential);
        }
        let first = same.first().map(|at| recorded(at).preference);
        if same.iter().all(|at| Some(recorded(at).preference) == first) {
            return same.iter().map(|at| &recorded(at).chain).collect();
        }
        let check = |secret: &str, pseudonym: &str| self.is_pseudonym_of(secret, pseudonym);
        let fit = |at: &u32| {
            let preference = self.preferences.get(recorded(at).preference);
            preference.map_or(0, |own| own.fit(request, &self.rule.ignored, &check))
        };
        let fits: Vec<u8> = same.iter().map(fit).collect();
        let best = fits.iter().copied().max();
        let all = same.iter().zip(fits);
        all.filter(|(_, fit)| Some(*fit) == best).map(|(at, _)| &recorded(at).chain).collect()
    }

    /// True if an equal request was answered, but only with a credential, which this one lacks.
    pub(in crate::recorded) fn needs_credential(&self, lookup: &Lookup<'_>) -> bool {
        let request = lookup.request;
        if self.rule.ignored.credentials || credential(request).is_some() {
            return false;
        }
        let with_any = Request {
            headers: [request.headers.clone(), vec![("authorization".into(), "?".into())]].concat(),
            ..request.clone()
        };
        let with_any = Lookup { request: &with_any, ..*lookup };
        self.find(lookup).is_empty() && !self.find(&with_any).is_empty()
    }

    fn is_pseudonym_of(&self, secret: &str, pseudonym: &str) -> bool {
        self.pseudonym.as_ref().is_none_or(|of| of(secret) == pseudonym)
    }

    /// The recorded requests that are equal except for secrets.
    fn find_redacted(&self, lookup: &Lookup<'_>, host: Option<&str>, with_body: bool) -> Vec<u32> {
        if self.redacted.is_empty() {
            return Vec::new();
        }
        let check = |secret: &str, pseudonym: &str| self.is_pseudonym_of(secret, pseudonym);
        let compares_body = with_body && self.rule.body != BodyRule::Ignored;
        [false, true]
            .into_iter()
            .filter_map(|path| self.redacted.get(&self.bucket(lookup, path)))
            .flatten()
            .filter(|(redacted, _)| {
                redacted.matches(lookup.request, &self.rule, host, compares_body, &check)
            })
            .map(|(_, at)| *at)
            .filter(|at| with_body || self.recorded[*at as usize].any_body)
            .collect()
    }
}
