//! The index of recordings: from a request to the chain of its answers.

mod find;
mod key;
mod packed_key;
#[cfg(test)]
mod tests;

use packed_key::{KeyHasher, PackedKey};

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use crate::exchange::{Exchange, Request, credential};

use crate::recorded::answer::{RecordedAnswer, Unanswerable};
use crate::recorded::compared::{ComparedRequest, ComparedRequests};
use crate::recorded::lookup::{Lookup, canonical_host};
use crate::recorded::preference::{Preference, PreferenceTable};
use crate::recorded::redacted::{Redacted, has_pseudonym};
use crate::recorded::rule::{BodyRule, HostRule, MatchRule};
use crate::recorded::sequence::{Answers, Chain};
use crate::recorded::store::{SpoolError, Store, Stored};

/// Computes the pseudonym of a secret with the user's key.
type Pseudonym = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Recorded answers by request. It is filled first and shared afterwards: [`Recordings::answer`]
/// takes no lock.
pub struct Recordings {
    rule: MatchRule,
    /// Whether the answers start again after the last one.
    again: bool,
    store: Store,
    answers: Answers,
    recorded: Vec<Recorded>,
    /// The next requests in the lists of hosts that have lists of their own.
    next_of_host: HashMap<u32, [u32; 2]>,
    preferences: PreferenceTable,
    /// The heads of the lists of recorded requests with the same key.
    heads: HashMap<PackedKey, u32, BuildHasherDefault<KeyHasher>>,
    /// Makes keys unpredictable.
    seed: u64,
    /// Requests that hold pseudonyms, by method and path.
    redacted: HashMap<Vec<u8>, Vec<(Redacted, u32)>>,
    pseudonym: Option<Pseudonym>,
    /// Hashes of the recorded methods and paths.
    paths: HashSet<u64, BuildHasherDefault<KeyHasher>>,
    /// The hosts with their numbers.
    hosts: HashMap<String, u32>,
    requests: usize,
    dropped_headers: u64,
    pub(in crate::recorded) nearby: ComparedRequests,
}

/// A recorded request, and the chain of its answers. Requests are the same if they are equal under
/// the rule and in their [`Preference`].
struct Recorded {
    chain: Chain,
    preference: u32,
    /// The number of the host.
    host: u32,
    /// Whether the request had a credential.
    has_credential: bool,
    /// Whether it also answers requests with another body.
    any_body: bool,
    /// The next request with the same key of any host, without and with the body.
    next: [u32; 2],
}

/// Which parts of a request belong to a key, besides method, path, query and matched headers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct View<'h> {
    /// The number and name of a host that has lists of its own.
    host: Option<(u32, &'h str)>,
    body: bool,
}

/// The first hosts have no lists of their own, which saves memory: their requests are found in the
/// lists of all hosts. With many hosts, these lists would become long.
const SHARED_HOSTS: u32 = 16;

/// The end of a list.
const END: u32 = u32::MAX;

/// The result of inserting an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The exchange is used to answer requests.
    Kept,
    /// The exchange has no usable answer.
    LeftOut(Unanswerable),
}

/// How a recorded request may be found, apart from what the rule compares.
pub(in crate::recorded) struct InsertOptions<'s> {
    /// The method, if the format has no name for it.
    pub(in crate::recorded) method: Option<&'s str>,
    /// The locations of replaced secrets, as in `meta.hmt.redacted`.
    pub(in crate::recorded) redacted: &'s [Cow<'s, str>],
    /// Whether it also answers requests with another body.
    pub(in crate::recorded) any_body: bool,
}

impl Recordings {
    /// No recordings yet.
    pub fn new(rule: MatchRule) -> Self {
        Recordings {
            rule,
            again: false,
            store: Store::default(),
            answers: Answers::default(),
            recorded: Vec::new(),
            next_of_host: HashMap::new(),
            preferences: PreferenceTable::default(),
            heads: HashMap::default(),
            seed: rand::random(),
            redacted: HashMap::new(),
            pseudonym: None,
            paths: HashSet::default(),
            hosts: HashMap::new(),
            requests: 0,
            dropped_headers: 0,
            nearby: ComparedRequests::default(),
        }
    }

    /// Lets recorded pseudonyms match only the secrets that they were computed from. Without this,
    /// they match any value.
    pub fn set_pseudonym(&mut self, of: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.pseudonym = Some(Box::new(of));
    }

    /// With `again`, the answers to a request start again after the last one.
    pub fn set_loop(&mut self, again: bool) {
        self.again = again;
    }

    /// Adds an exchange and its line. Its answer follows those of equal requests inserted before.
    ///
    /// # Errors
    /// There is no space for a large recording in a temporary file.
    pub fn insert(&mut self, exchange: &Exchange<'_>, line: &[u8]) -> Result<Inserted, SpoolError> {
        match RecordedAnswer::of_exchange(exchange) {
            Ok((answer, dropped)) => {
                self.dropped_headers += dropped;
                // The complete body of a request that was recorded in part is unknown.
                let truncated = exchange.meta.truncated_request.is_some();
                let any_body = truncated || self.rule.body == BodyRule::Preferred;
                let method = exchange.meta.method.as_deref();
                let source = InsertOptions { method, redacted: &exchange.meta.redacted, any_body };
                self.add(&exchange.request, &source, answer, Some(line))?;
                Ok(Inserted::Kept)
            }
            Err(why) => {
                let reason =
                    exchange.meta.error.as_deref().map_or_else(|| why.to_string(), str::to_owned);
                self.note(&exchange.request, exchange.meta.method.as_deref(), Some(reason));
                Ok(Inserted::LeftOut(why))
            }
        }
    }

    /// Must be called after the last insertion.
    ///
    /// # Errors
    /// There is no space for a large recording in a temporary file.
    pub fn finish(&mut self) -> Result<(), SpoolError> {
        self.store.flush()
    }

    /// True if there is no recorded answer.
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// True if there is a recording for this host.
    pub fn knows_host(&self, host: &str) -> bool {
        self.hosts.contains_key(&canonical_host(host))
    }

    /// True if there is an answer for this method (in lower case if the format has a name for it)
    /// and path.
    pub fn knows_path(&self, method: &str, pathname: &str) -> bool {
        self.paths.contains(&self.path_hash(method, pathname))
    }

    /// The number of distinct answered requests, under the rule and with the host.
    pub fn len(&self) -> usize {
        self.requests
    }

    /// The number of recorded headers that are not sent because no HTTP message can carry them.
    pub fn dropped_headers(&self) -> u64 {
        self.dropped_headers
    }

    /// The parts of a request that are compared.
    pub fn rule(&self) -> &MatchRule {
        &self.rule
    }

    pub(in crate::recorded) fn count_dropped(&mut self, headers: u64) {
        self.dropped_headers += headers;
    }

    /// Adds an answer. Without a `line` to read it from again, it is kept in memory.
    pub(in crate::recorded) fn add(
        &mut self,
        request: &Request<'_>,
        source: &InsertOptions<'_>,
        answer: RecordedAnswer,
        line: Option<&[u8]>,
    ) -> Result<(), SpoolError> {
        let host = canonical_host(&request.host);
        let vary = answer.headers.get_all(http::header::VARY);
        let vary = vary.iter().filter_map(|value| value.to_str().ok());
        let preference = Preference::of(request, vary, &self.rule.ignored);
        let preference = self.preferences.number(preference);
        let has_credential = credential(request).is_some();
        let number = match self.hosts.get(&host) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
                self.hosts.insert(host.clone(), number);
                number
            }
        };
        let named = (number >= SHARED_HOSTS).then_some((number, host.as_str()));
        let (own, any) = (View { host: named, body: true }, View { host: None, body: true });
        let lookup = Lookup { request, method: source.method, host: HostRule::Same };
        let key = self.key(&lookup, own);
        let answer = match line {
            Some(line) => self.store.keep(answer, line)?,
            None => Stored::Ready(Arc::new(answer)),
        };
        let mut is_new = true;
        let same = self.list(key, own, Some(number)).find(|at| {
            is_new = false;
            let known = &self.recorded[*at as usize];
            known.preference == preference && known.has_credential == has_credential
        });
        if let Some(at) = same {
            self.answers.append(&mut self.recorded[at as usize].chain, answer);
            return Ok(());
        }
        self.requests += usize::from(is_new);
        let at = u32::try_from(self.recorded.len()).unwrap_or(END - 1);
        let chain = self.answers.begin(answer);
        let (any_body, next) = (source.any_body, [END; 2]);
        self.recorded.push(Recorded {
            chain,
            preference,
            host: number,
            has_credential,
            any_body,
            next,
        });
        self.link(self.key(&lookup, any), any, at);
        // `find_at` also searches these with an empty body.
        let by_any_body =
            any_body && !request.body.is_empty() && self.rule.body != BodyRule::Ignored;
        if by_any_body {
            let view = View { body: false, ..any };
            self.link(self.key(&lookup, view), view, at);
        }
        if named.is_some() {
            self.link(key, own, at);
            if by_any_body {
                let view = View { body: false, ..own };
                self.link(self.key(&lookup, view), view, at);
            }
        }
        self.paths.insert(self.path_hash(lookup.method(), &request.pathname));
        self.note(request, source.method, None);
        if Redacted::is(request, source.redacted, &self.rule) {
            let bucket = self.bucket(&lookup, has_pseudonym(&request.pathname));
            let redacted = Redacted::of(request, host, source.redacted, &self.rule);
            self.redacted.entry(bucket).or_default().push((redacted, at));
        }
        Ok(())
    }

    /// Keeps the parts of a request that explain a later miss.
    fn note(&mut self, request: &Request<'_>, method: Option<&str>, unanswered: Option<String>) {
        if self.nearby.has_room(unanswered.is_some()) {
            let host = canonical_host(&request.host);
            let lookup = Lookup { request, method, host: HostRule::Same };
            self.nearby.push(ComparedRequest::of(&lookup, &host, &self.rule, unanswered));
        }
    }

    /// Inserts a recorded request at the head of the list of a key.
    fn link(&mut self, key: u64, view: View<'_>, at: u32) {
        let before = self.heads.insert(PackedKey::new(key), at).unwrap_or(END);
        let next = match view.host {
            None => &mut self.recorded[at as usize].next,
            Some(_) => self.next_of_host.entry(at).or_insert([END; 2]),
        };
        next[usize::from(view.body)] = before;
    }

    /// The recorded requests with a key. If the number of a host is given, only those of this host.
    fn list(&self, key: u64, view: View<'_>, host: Option<u32>) -> impl Iterator<Item = u32> {
        let head = self.heads.get(&PackedKey::new(key)).copied();
        let has_lists = view.host.is_some();
        let all = std::iter::successors(head, move |at| {
            let next = match has_lists {
                false => self.recorded[*at as usize].next,
                true => self.next_of_host.get(at).copied().unwrap_or([END; 2]),
            };
            Some(next[usize::from(view.body)]).filter(|next| *next != END)
        });
        all.filter(move |at| host.is_none_or(|host| self.recorded[*at as usize].host == host))
    }

    /// Sorts all answers by time, then by the recorder's numbers; answers with neither keep their
    /// position.
    pub(in crate::recorded) fn sort(&mut self) {
        self.answers.sort(self.recorded.iter_mut().map(|recorded| &mut recorded.chain));
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings")
            .field("rule", &self.rule)
            .field("requests", &self.len())
            .finish_non_exhaustive()
    }
}
