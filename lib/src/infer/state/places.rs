//! The places that an exchange touches, whose number bounds the state.
//!
//! A place is a prefix of a path, an operation, a status, a parameter, a media type or a property,
//! named by the whole path to it; segments and keys that are values are replaced with their class.
//! The number of distinct places in all exchanges decides how far the caps are lowered
//! ([`Limits::lowered`](crate::infer::Limits::lowered)). That number is a function of the multiset
//! of exchanges, and grows with it. The size of the state does not: it shrinks when something is
//! evicted, so a limit on the size would make the result depend on the order.
//!
//! Exchanges that touch only existing places need not be counted: all their places are in the
//! state, and the exchange that created each one was counted.

use super::body::{BodyContent, content};
use super::class::{Class, class_of};
use super::considered::{is_not_found, is_unanswered};
use super::form;
use super::graphql;
use super::headers::{is_request_plumbing, is_response_plumbing};
use super::items;
use super::operation::{Extent, has_body};
use super::parts;
use super::tag::Tag;
use super::tape::{Tape, Tapes, Token};
use super::trie::{decode_segment, identifier, split_path};
use super::xml;
use crate::exchange::{self, Exchange, Pairs, origin};
use crate::infer::Limits;
use crate::infer::sketch::below;

/// Calls `see` with the hash of each place of an exchange. `limits` are those of the configuration,
/// not lowered ones; `tapes` may have the exchange's bodies.
pub(crate) fn places(
    exchange: &Exchange<'_>,
    tapes: &mut Tapes,
    limits: &Limits,
    see: &mut dyn FnMut(u64),
) {
    let (request, meta) = (&exchange.request, &exchange.meta);
    let response = exchange.response.as_ref();
    if is_unanswered(exchange) {
        return;
    }
    let not_found = response.is_some_and(|response| is_not_found(response.status));
    let mut at = below(u64::from(not_found), &origin(request));
    see(at);
    for segment in split_path(&request.pathname).0 {
        at = below_segment(at, segment);
        see(at);
    }
    let operation = below(at, request.method.as_str());
    see(operation);
    let asked = match response {
        None => "unanswered",
        Some(response) if response.status < 400 => "ok",
        Some(_) => "failed",
    };
    let asked = below(operation, asked);
    names(below(asked, "query"), &request.query, |_| false, limits, see);
    names(below(asked, "headers"), &request.headers, is_request_plumbing, limits, see);
    let cut = meta.incomplete.is_some();
    let extent = Extent::of(meta.truncated_request, cut);
    body(asked, &request.headers, &request.body, extent, &mut tapes.asked, limits, see);

    let Some(response) = response else { return };
    let mut digits = [0; 5];
    let answered = below(operation, decimal(response.status, &mut digits));
    see(answered);
    names(below(answered, "headers"), &response.headers, is_response_plumbing, limits, see);
    let extent = Extent::of(meta.truncated_response, cut);
    body(answered, &response.headers, &response.body, extent, &mut tapes.answered, limits, see);
    if response.status < 400 {
        let at = below(operation, "graphql");
        graphql::each(exchange, tapes, |key, variables, data| {
            let at = one_of(NAMES, at, key);
            see(at);
            for (name, place) in [("variables", variables), ("data", data)] {
                if let Some(graphql::TapeValue { tape, text, at: token }) = place {
                    Walk { tape, text, limits, see: &mut *see }.value(below(at, name), token, 0);
                }
            }
        });
    }
}

fn decimal(status: u16, digits: &mut [u8; 5]) -> &str {
    let mut left = status;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    std::str::from_utf8(digits).unwrap_or_default()
}

/// Distinguishes segments as [`super::TrieNode::walk`] does.
fn below_segment(at: u64, raw: &str) -> u64 {
    let decoded = decode_segment(raw);
    match identifier(&decoded) {
        Some((class @ Class::Keyed, key)) => one_of(NAMES, of_class(at, class), &key),
        Some((class, key)) => below(of_class(at, class), &key),
        None => one_of(NAMES, of_class(at, class_of(&decoded)), raw),
    }
}

fn names(
    at: u64,
    pairs: &Pairs<'_>,
    plumbing: fn(&str) -> bool,
    limits: &Limits,
    see: &mut dyn FnMut(u64),
) {
    for (name, _) in pairs.iter().take(limits.pairs) {
        if !plumbing(name) {
            see(one_of(NAMES, at, name));
        }
    }
}

fn body(
    at: u64,
    headers: &Pairs<'_>,
    body: &exchange::Body<'_>,
    extent: Extent,
    tape: &mut Tape,
    limits: &Limits,
    see: &mut dyn FnMut(u64),
) {
    if !has_body(headers, body, extent) {
        return;
    }
    let whole = extent == Extent::Whole;
    let content_type = exchange::header(headers, "content-type");
    let Some((media, content)) = content(content_type, body, whole, tape, limits.body_bytes) else {
        return;
    };
    let at = below(below(at, "body"), &media);
    see(at);
    match content {
        BodyContent::Json => {
            Walk { tape, text: tape.text(body), limits, see }.value(at, 0, 0);
        }
        BodyContent::Form => {
            if let Some(text) = exchange::body_text(body, content_type)
                && let Some(tape) = form::tape_of(&exchange::parse_query(&text))
            {
                Walk { tape: &tape, text: "", limits, see }.value(at, 0, 0);
            }
        }
        BodyContent::Parts => {
            let parts = parts::read(body.as_bytes(), content_type.unwrap_or_default());
            for part in parts.iter().flatten().take(limits.pairs) {
                let at = one_of(NAMES, at, &part.name);
                see(at);
                if let parts::PartContent::Json(tape, text) = &part.content {
                    Walk { tape, text, limits, see }.value(at, 0, 0);
                }
            }
        }
        BodyContent::Sequence(sequence) => {
            if let Some(text) = exchange::body_text(body, content_type) {
                items::read(sequence, &text, |tape, text| {
                    Walk { tape, text, limits, see: &mut *see }.value(at, 0, 0);
                });
            }
        }
        BodyContent::Xml => {
            let text = exchange::body_text(body, content_type);
            if let Some(read) = text.and_then(|text| xml::read(&text)) {
                Walk { tape: &read.tape, text: "", limits, see }.value(at, 0, 0);
            }
        }
        BodyContent::Text | BodyContent::Binary | BodyContent::Unread(_) | BodyContent::Silent => {}
    }
}

/// A walk over a body on the tape, like [`super::Json::fold`].
struct Walk<'w> {
    tape: &'w Tape,
    text: &'w str,
    limits: &'w Limits,
    see: &'w mut dyn FnMut(u64),
}

impl Walk<'_> {
    /// The value at `token` for the place `at`; returns the index after it.
    fn value(&mut self, at: u64, token: usize, depth: u32) -> usize {
        let (end, is_object) = match self.tape.token(token) {
            Token::Array { end } => (end as usize, false),
            Token::Object { end } => (end as usize, true),
            _ => return token + 1,
        };
        let mut next = token + 1;
        let mut inner = below(at, if is_object { "{}" } else { "[]" });
        if is_object && depth < self.limits.depth {
            inner = Tag::place(&Tag::of(self.tape, self.text, next..end, self.limits), inner);
        }
        let object = inner;
        while next < end && depth < self.limits.depth {
            if is_object {
                let Token::Text(span) = self.tape.token(next) else { break };
                inner = below_key(object, self.tape.str(span, self.text));
                (self.see)(inner);
                next += 1;
            }
            next = self.value(inner, next, depth + 1);
        }
        end
    }
}

/// Maximum number of places for the names below one place, about as many as the state keeps apart.
/// If each name were a place, user names in paths would lower the caps, although the state does not
/// grow with them.
const NAMES: u64 = 256;

/// The same for keys of one class that are values. If they were one place, nested ones could fill
/// the state unnoticed.
const VALUES: u64 = 8;

/// The place for names of one class, distinct from those of other classes.
fn of_class(at: u64, class: Class) -> u64 {
    at.wrapping_add((class as u64) << 32)
}

/// One of `many` places below another, determined by the text.
fn one_of(many: u64, at: u64, text: &str) -> u64 {
    below(at.wrapping_add(1 + below(0, text) % many), "")
}

fn below_key(at: u64, key: &str) -> u64 {
    let class = class_of(key);
    if class.is_id() { one_of(VALUES, of_class(at, class), key) } else { one_of(NAMES, at, key) }
}
