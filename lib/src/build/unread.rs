//! Bodies that do not match their type: the position of the first one for each path, and the
//! messages about them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::config::Config;
use crate::exchange::{Exchange, Method, Pairs, header, media_type};
use crate::infer::{Notes, Unread, UnreadBodies};
use crate::stream::RecordPosition;

/// Maximum number of paths that are distinguished, and of lines that are written.
const KEPT: usize = 1024;
const NAMED: usize = 20;

/// The message of a path that a body belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    method: Method,
    pathname: String,
    /// `None` for requests.
    status: Option<u16>,
    media: String,
}

/// The position of the first such body for each path.
#[derive(Clone, Debug, Default)]
pub(super) struct UnreadPlaces(BTreeMap<Message, (Arc<str>, u64, String)>);

impl UnreadPlaces {
    /// Adds the bodies of an exchange.
    pub(super) fn add(
        &mut self,
        exchange: &Exchange<'_>,
        unread: Unread,
        place: RecordPosition<'_>,
    ) {
        if unread.request.is_some() {
            self.add_body(exchange, None, &exchange.request.headers, place);
        }
        if let (Some(_), Some(response)) = (unread.response, &exchange.response) {
            self.add_body(exchange, Some(response.status), &response.headers, place);
        }
    }

    fn add_body(
        &mut self,
        exchange: &Exchange<'_>,
        status: Option<u16>,
        headers: &Pairs<'_>,
        place: RecordPosition<'_>,
    ) {
        let request = &exchange.request;
        let media = header(headers, "content-type").and_then(media_type).unwrap_or_default();
        let (method, pathname) = (request.method, request.pathname.to_string());
        let message = Message { method, pathname, status, media: media.into_owned() };
        self.add_place(message, (place.source().clone(), place.number(), place.to_string()));
    }

    /// Adds those of another result.
    #[cfg_attr(
        not(feature = "kafka"),
        expect(dead_code, reason = "only topics are read in rounds")
    )]
    pub(super) fn unite(&mut self, other: UnreadPlaces) {
        for (message, place) in other.0 {
            self.add_place(message, place);
        }
    }

    fn add_place(&mut self, message: Message, found: (Arc<str>, u64, String)) {
        let is_new = !self.0.contains_key(&message);
        if is_new && self.0.len() >= KEPT {
            return;
        }
        let known = self.0.entry(message).or_insert_with(|| found.clone());
        if found < *known {
            *known = found;
        }
    }

    /// The position of the first of some bodies.
    fn first(&self, bodies: &UnreadBodies) -> Option<&str> {
        let is_of = |message: &Message| {
            bodies.is_of(message.method, &message.pathname, message.status, &message.media)
        };
        let found = self.0.iter().filter(|(message, _)| is_of(message));
        found.map(|(_, place)| place).min().map(|(_, _, place)| place.as_str())
    }
}

/// Reports each place of a spec once.
#[derive(Debug, Default)]
pub(super) struct UnreadReporter(HashSet<(Method, String, Option<u16>, String)>);

impl UnreadReporter {
    /// Writes a line for each place that was not reported yet.
    pub(super) fn tell(&mut self, notes: &Notes, places: &UnreadPlaces, config: &Config) {
        let mut more = 0;
        for bodies in &notes.unread {
            let UnreadBodies { method, path, status, media, .. } = bodies;
            if !self.0.insert((*method, path.clone(), *status, media.clone())) {
                continue;
            }
            if self.0.len() > NAMED {
                more += 1;
                continue;
            }
            match places.first(bodies) {
                Some(place) => config.messages().warn(format_args!("{place}: {bodies}")),
                None => config.messages().warn(bodies),
            }
        }
        if more > 0 {
            config
                .messages()
                .warn(format_args!("{more} more operations have bodies that are not JSON"));
        }
        if config.verbose && notes.silent > 0 {
            config.messages().warn(format_args!(
                "{} bodies were recorded incompletely, and do not affect a schema",
                notes.silent
            ));
        }
    }
}
