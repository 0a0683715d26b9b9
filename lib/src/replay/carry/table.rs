//! The values of recorded responses, and the later requests that use them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::name::IdName;
use super::origin::{Given, ValuePlace, origins, text_of};
use super::slot::Slot;
use super::spot::{Draft, Encoding, Spot, spots};
use super::uses::{Use, ValueSource};
use super::value::{Strength, strength};
use crate::exchange::{Pairs, Request, Response, has_pseudonym, is_pseudonym};

/// Half of the maximum number of values.
const MAX_VALUES: usize = 100_000;
/// Half of the maximum size of the responses that are kept for their values, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// Half of the maximum number of values of requests.
const MAX_SENT: usize = 500_000;
/// Maximum number of values of one response.
const MAX_OF_ONE: usize = 4_000;
/// Maximum number of places for one value.
const MAX_PLACES: usize = 4;
/// The length of a pseudonym.
const PSEUDONYM: usize = 26;

/// The place in a response where a value first appeared.
#[derive(Debug)]
struct Origin {
    slot: Arc<Slot>,
    place: ValuePlace,
    strength: Strength,
    id: Option<IdName>,
    name: String,
    secret: bool,
    echoed: bool,
    /// The client connection or session of the exchange.
    lane: Option<u64>,
}

/// The values of secrets by name, as given by the user.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Secrets(pub(in super::super) Vec<(String, Arc<str>)>);

impl Secrets {
    fn get(&self, name: &str) -> Option<&Arc<str>> {
        let bare = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = bare(name);
        let (_, value) = self.0.iter().find(|(own, _)| bare(own) == wanted)?;
        Some(value)
    }
}

/// Remembers values in two generations, so that memory is bounded and values in use stay.
#[derive(Debug)]
pub(in super::super) struct Table {
    young: HashMap<Box<str>, Vec<Origin>>,
    old: HashMap<Box<str>, Vec<Origin>>,
    bytes: usize,
    /// Hashes of values in requests. Such a value does not come from a later response.
    sent: [HashSet<u64>; 2],
    secrets: Secrets,
    /// Secrets without a value, by name.
    pub(in super::super) missing: BTreeMap<String, u64>,
}

impl Table {
    pub(in super::super) fn new(secrets: Secrets) -> Table {
        Table {
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
            sent: Default::default(),
            secrets,
            missing: BTreeMap::new(),
        }
    }

    /// The parts of a request that come from earlier responses or from the user. `redacted` lists
    /// its replaced secrets.
    pub(in super::super) fn uses(
        &mut self,
        draft: &Draft,
        redacted: &[Cow<'_, str>],
        lane: Option<u64>,
    ) -> Vec<Use> {
        let mut uses: Vec<Use> = Vec::new();
        spots(draft, &mut |spot| {
            let found = self.given(&spot, redacted).or_else(|| self.carried(&spot, lane));
            let taken = found.is_some();
            match found {
                Some(used) => uses.push(used),
                None if has_pseudonym(&spot.value) && !spot.kind.word => {
                    let name = match spot.kind.name.as_ref() {
                        "" => "a path segment",
                        name => name,
                    };
                    *self.missing.entry(name.to_owned()).or_default() += 1;
                }
                None => (),
            }
            if !taken {
                self.note_sent(&spot);
            }
            taken
        });
        uses
    }

    /// A secret with a value from the user.
    fn given(&self, spot: &Spot<'_>, redacted: &[Cow<'_, str>]) -> Option<Use> {
        if self.secrets.0.is_empty() || spot.kind.word {
            return None;
        }
        let value = self
            .secrets
            .get(&spot.kind.name)
            .or_else(|| spot.kind.cookie.then(|| self.secrets.get("cookie")).flatten())?;
        let text = spot.value.as_ref();
        let is_listed =
            !spot.kind.listed.is_empty() && redacted.iter().any(|place| *place == spot.kind.listed);
        let at = pseudonym_at(text);
        if at.is_none() && !is_listed {
            return None;
        }
        let mut used = Use {
            carrier: spot.carrier,
            range: spot.range.clone(),
            encoding: spot.encoding,
            old: text.into(),
            source: ValueSource::Given(Arc::clone(value)),
        };
        // A pseudonym within a longer text, for instance after a custom scheme.
        if let Some(at) = at.filter(|_| !is_pseudonym(text)) {
            let quote = usize::from(spot.encoding == Encoding::JsonText);
            let from = spot.range.start + quote + at;
            used.range = from..from + PSEUDONYM;
            if quote > 0 {
                used.encoding = Encoding::JsonInner;
            }
        }
        Some(used)
    }

    /// A value of an earlier response.
    fn carried(&mut self, spot: &Spot<'_>, lane: Option<u64>) -> Option<Use> {
        let value = spot.value.as_ref();
        if value.is_empty() || spot.kind.word && strength(value) != Strength::Strong {
            return None;
        }
        self.promote(value);
        let origins = self.young.get(value)?;
        let mut fitting: Vec<&Origin> = origins.iter().filter(|origin| origin.fits(spot)).collect();
        if fitting.is_empty() {
            return None;
        }
        // Stable: the same client first.
        fitting.sort_by_key(|origin| origin.lane != lane);
        let places = fitting.iter().map(|origin| (Arc::clone(&origin.slot), origin.place.clone()));
        Some(Use {
            carrier: spot.carrier,
            range: spot.range.clone(),
            encoding: spot.encoding,
            old: value.into(),
            source: ValueSource::Answers(places.collect()),
        })
    }

    /// Moves a value of the old generation to the young one.
    fn promote(&mut self, value: &str) {
        if self.old.is_empty() {
            return;
        }
        if let Some((value, origins)) = self.old.remove_entry(value) {
            self.young.entry(value).or_default().extend(origins);
        }
    }

    fn note_sent(&mut self, spot: &Spot<'_>) {
        // A cookie is often set again to the same value.
        if spot.kind.cookie {
            return;
        }
        if self.sent[0].len() >= MAX_SENT {
            self.sent.swap(0, 1);
            self.sent[0].clear();
        }
        let value = spot.value.as_ref();
        if strength(value) == Strength::Strong {
            self.sent[0].insert(hash("", value));
        } else if let Some(id) = &spot.kind.id {
            self.sent[0].insert(hash(&id.entity, value));
        }
    }

    fn was_sent(&self, given: &Given<'_>) -> bool {
        let known = |hash| self.sent.iter().any(|sent| sent.contains(&hash));
        match (given.strength, &given.id) {
            (Strength::Strong, _) => known(hash("", &given.value)),
            (_, Some(id)) => known(hash(&id.entity, &given.value)),
            _ => false,
        }
    }

    /// Adds the values of a recorded response. Returns the slot for the new response; `None` if
    /// there are no values.
    pub(in super::super) fn remember(
        &mut self,
        request: &Request<'_>,
        response: &Response<'_>,
        lane: Option<u64>,
    ) -> Option<Arc<Slot>> {
        let slot = Arc::new(Slot::default());
        let text = text_of(&response.headers, &response.body);
        let mut count = 0_usize;
        self.make_room();
        origins(&response.headers, text.as_deref(), &request.pathname, &mut |given| {
            if count < MAX_OF_ONE && (given.echoed || !self.was_sent(&given)) {
                count += usize::from(self.add(given, &slot, lane));
            }
        });
        if count == 0 {
            return None;
        }
        self.bytes += response.body.as_bytes().len() + header_bytes(&response.headers);
        Some(slot)
    }

    fn make_room(&mut self) {
        if self.young.len() >= MAX_VALUES || self.bytes >= MAX_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }

    /// Returns true if the value was added.
    fn add(&mut self, given: Given<'_>, slot: &Arc<Slot>, lane: Option<u64>) -> bool {
        let origin = Origin {
            slot: Arc::clone(slot),
            place: given.place,
            strength: given.strength,
            id: given.id,
            name: given.name,
            secret: given.secret,
            echoed: given.echoed,
            lane,
        };
        self.promote(&given.value);
        let Some(origins) = self.young.get_mut(given.value.as_ref()) else {
            self.young.insert(given.value.as_ref().into(), vec![origin]);
            return true;
        };
        if origin.secret || origin.echoed {
            // A server may renew a token each time, so the last response is used.
            origins.retain(|known| known.place != origin.place || known.lane != origin.lane);
            origins.insert(0, origin);
            origins.truncate(MAX_PLACES);
            return true;
        }
        // The first response with an id is that of its creation.
        let is_known = origins.iter().any(|known| {
            known.strength == Strength::Strong || known.id == origin.id && known.name == origin.name
        });
        if is_known || origins.len() >= MAX_PLACES {
            return false;
        }
        origins.push(origin);
        true
    }
}

impl Origin {
    /// True if a value of a request has this origin, and is not just equal by chance.
    fn fits(&self, spot: &Spot<'_>) -> bool {
        if self.strength == Strength::Strong {
            return true;
        }
        let kind = &spot.kind;
        let same_name = !self.name.is_empty() && self.name == kind.name.to_lowercase();
        if kind.cookie {
            return same_name && matches!(self.place, ValuePlace::Cookie(_));
        }
        if (self.echoed || spot.value.len() >= 4 && is_mixed(&spot.value)) && same_name {
            return true;
        }
        if self.secret && kind.secret && (same_name || spot.value.len() >= 3) {
            return true;
        }
        let (Some(own), Some(other)) = (&self.id, &kind.id) else { return false };
        // The class is unknown for a path segment, which can be any identifier.
        let same_class =
            own.class == other.class || other.class.is_empty() && own.class != "version";
        let long = spot.value.len() >= 4 && spot.value.bytes().all(|byte| byte.is_ascii_digit());
        same_class && (own.entity == other.entity || long || same_name && own.class != "id")
    }
}

fn is_mixed(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn pseudonym_at(text: &str) -> Option<usize> {
    let starts = text.match_indices("hmt~").map(|(at, _)| at);
    starts.into_iter().find(|at| text.get(*at..at + PSEUDONYM).is_some_and(is_pseudonym))
}

fn header_bytes(headers: &Pairs<'_>) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn hash(entity: &str, value: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(entity.len() as u64, &[entity, value].concat().into_bytes())
}
