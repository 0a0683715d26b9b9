//! Notes on bodies that do not match their media type, for messages.

use crate::exchange::Method;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{ObservedBody, ObservedOperation};
use crate::infer::{Notes, UnreadBodies};

/// Notes what an operation's bodies do not describe.
pub(crate) fn note(method: Method, path: &str, operation: &ObservedOperation, notes: &mut Notes) {
    let asked = if operation.ok.n > 0 { &operation.ok } else { &operation.failed };
    let answered = operation.responses.iter();
    let answered = answered.map(|(status, answered)| (Some(*status), &answered.bodies));
    for (status, bodies) in [(None, &asked.bodies)].into_iter().chain(answered) {
        note_bodies(bodies, &mut |media, body| {
            notes.silent = notes.silent.saturating_add(body.silent);
            if !body.unread.is_empty() {
                notes.unread.push(UnreadBodies {
                    method,
                    path: path.to_owned(),
                    status,
                    media: media.to_owned(),
                    bodies: body.telling(),
                    unread: body.unread.iter().map(|(why, n)| (*why, *n)).collect(),
                    is_described: body.is_described(),
                });
            }
        });
    }
}

fn note_bodies(bodies: &CappedMap<ObservedBody>, see: &mut dyn FnMut(&str, &ObservedBody)) {
    for (media, body) in bodies.sorted() {
        see(media, body);
    }
    if let Some(rest) = bodies.rest() {
        see("*/*", rest);
    }
}
