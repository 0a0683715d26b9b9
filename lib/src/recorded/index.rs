//! The index of recordings: from a request to the chain of its answers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::io;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::exchange::{Body, Exchange, Request, credential, sorted_path};

use super::answer::{Answer, Unanswerable};
use super::body::{Comparable, content_type, readable};
use super::nearest::{ComparedRequest, ComparedRequests};
use super::preference::{Preference, PreferenceTable};
use super::redacted::{Redacted, has_pseudonym, values};
use super::rule::{BodyRule, HostRule, MatchRule};
use super::sequence::{Answers, Chain};
use super::store::{SpoolError, Store, Stored};

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
    pub(super) nearby: ComparedRequests,
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

/// The keys are already hashes.
#[derive(Default)]
struct KeyHasher(u64);

/// A key with the alignment of `u32`, so that an entry of the index has 12 bytes and not 16.
#[derive(PartialEq, Eq)]
struct PackedKey([u32; 2]);

impl PackedKey {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are kept")]
    fn new(key: u64) -> Self {
        PackedKey([(key >> 32) as u32, key as u32])
    }
}

impl Hash for PackedKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// The result of inserting an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The exchange is used to answer requests.
    Kept,
    /// The exchange has no usable answer.
    LeftOut(Unanswerable),
}

/// A request to find an answer for.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// The request.
    pub request: &'a Request<'a>,
    /// The method as on the wire if the format has no name for it. Then the method in `request` has
    /// no meaning.
    pub method: Option<&'a str>,
    /// Whether the host is compared.
    pub host: HostRule,
}

impl<'a> Lookup<'a> {
    /// A request whose method the format has a name for.
    pub fn new(request: &'a Request<'a>, host: HostRule) -> Self {
        Lookup { request, method: None, host }
    }

    pub(super) fn method(&self) -> &'a str {
        self.method.unwrap_or(self.request.method.as_str())
    }
}

/// How a recorded request may be found, apart from what the rule compares.
pub(super) struct InsertOptions<'s> {
    /// The method, if the format has no name for it.
    pub(super) method: Option<&'s str>,
    /// The locations of replaced secrets, as in `meta.hmt.redacted`.
    pub(super) redacted: &'s [Cow<'s, str>],
    /// Whether it also answers requests with another body.
    pub(super) any_body: bool,
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
        match Answer::of_exchange(exchange) {
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

    pub(super) fn count_dropped(&mut self, headers: u64) {
        self.dropped_headers += headers;
    }

    /// Adds an answer. Without a `line` to read it from again, it is kept in memory.
    pub(super) fn add(
        &mut self,
        request: &Request<'_>,
        source: &InsertOptions<'_>,
        answer: Answer,
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
    pub(super) fn sort(&mut self) {
        self.answers.sort(self.recorded.iter_mut().map(|recorded| &mut recorded.chain));
    }

    /// The next answer to a request; `None` if nothing like it was recorded.
    ///
    /// # Errors
    /// The temporary file of a large recording cannot be read.
    pub fn answer(&self, lookup: &Lookup<'_>) -> io::Result<Option<Arc<Answer>>> {
        let stored = self.answers.take(&self.find(lookup), self.again);
        stored.map(|stored| self.store.read(stored)).transpose()
    }

    /// The next answer to a request, without advancing the sequence.
    ///
    /// # Errors
    /// Those of [`Recordings::answer`].
    pub fn peek(&self, lookup: &Lookup<'_>) -> io::Result<Option<Arc<Answer>>> {
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
    pub(super) fn needs_credential(&self, lookup: &Lookup<'_>) -> bool {
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

    /// The hash of everything that makes requests equal.
    fn key(&self, lookup: &Lookup<'_>, view: View<'_>) -> u64 {
        let View { host, body: with_body } = view;
        let host = host.map(|(_, name)| name);
        let request = lookup.request;
        let mut bytes = Vec::with_capacity(256);
        let rule = &self.rule;
        bytes.push(u8::from(host.is_some()) << 1 | u8::from(with_body));
        if rule.method {
            bytes.extend_from_slice(lookup.method().as_bytes());
        }
        bytes.push(0);
        if rule.path {
            bytes.extend_from_slice(request.pathname.as_bytes());
        }
        if rule.query {
            bytes.push(b'?');
            if rule.ignored.query.is_empty() {
                bytes.extend_from_slice(sorted_path("", &request.query).as_bytes());
            } else {
                let mut query = request.query.clone();
                query.retain(|(name, _)| !rule.ignored.query.iter().any(|ignored| ignored == name));
                bytes.extend_from_slice(sorted_path("", &query).as_bytes());
            }
        }
        bytes.push(0);
        for name in rule.headers.iter().filter(|name| !rule.ignored.headers.contains(name)) {
            for value in values(&request.headers, name) {
                bytes.extend_from_slice(value.as_bytes());
                bytes.push(0);
            }
            bytes.push(0);
        }
        bytes.extend_from_slice(host.unwrap_or_default().as_bytes());
        bytes.push(0);
        if with_body && rule.body != BodyRule::Ignored && !request.body.is_empty() {
            let ignored: Vec<_> = rule.ignored.json.iter().collect();
            let body = readable(request);
            let body = Comparable::of(&body, content_type(request));
            body.write_key(&ignored, &mut bytes);
        }
        XxHash3_64::oneshot_with_seed(self.seed, &bytes)
    }

    fn path_hash(&self, method: &str, pathname: &str) -> u64 {
        let bytes = [method, pathname].join(" ");
        XxHash3_64::oneshot_with_seed(self.seed, bytes.as_bytes())
    }

    /// The key of redacted requests: those with this method and path, or, if the path has a
    /// pseudonym, those with the same number of segments.
    fn bucket(&self, lookup: &Lookup<'_>, path_is_redacted: bool) -> Vec<u8> {
        let pathname = &lookup.request.pathname;
        let mut bucket = Vec::new();
        if self.rule.method {
            bucket.extend_from_slice(lookup.method().as_bytes());
        }
        bucket.push(u8::from(path_is_redacted));
        if self.rule.path && path_is_redacted {
            bucket.extend_from_slice(&pathname.matches('/').count().to_le_bytes());
        } else if self.rule.path {
            bucket.extend_from_slice(pathname.as_bytes());
        }
        bucket
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

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings")
            .field("rule", &self.rule)
            .field("requests", &self.len())
            .finish_non_exhaustive()
    }
}

/// Lower case and without the default port, because clients and recorders differ in writing it.
pub(super) fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")) {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests;
