//! Which form a body has in its line: text or base64, whole or truncated, so that readers accept the line.

use super::escape::escaped_len;
use super::model::{Body, Exchange, Side};

/// A text whose JSON text takes more than so many times its bytes is written in base64, which takes 4/3.
pub(super) const MAX_GROWTH: usize = 2;

/// Room for the members that a line gets when its bodies change their forms: two names of base64 bodies and
/// `truncated` with two sizes.
const MEMBERS: usize = 256;

/// The form of one body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Base64, although it may be a text.
    pub(super) base64: bool,
    /// How many of its bytes are written; all of them where this is `None`.
    pub(super) kept: Option<usize>,
}

impl Form {
    pub(super) const BASE64: Form = Form { base64: true, kept: None };

    pub(super) fn kept(self, bytes: &[u8]) -> &[u8] {
        &bytes[..self.kept.unwrap_or(bytes.len()).min(bytes.len())]
    }

    /// What `truncated` says of a body: `known` is what it said before.
    pub(super) fn full_size(self, body: &Body<'_>, known: Option<u64>) -> Option<u64> {
        let length = body.as_bytes().len();
        if self.kept.is_some_and(|kept| kept < length) {
            known.or(Some(length as u64))
        } else {
            known
        }
    }
}

/// The forms of both bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forms {
    pub(super) request: Form,
    pub(super) response: Form,
}

impl Forms {
    pub(super) fn set(&mut self, side: Side, form: Form) {
        match side {
            Side::Client => self.request = form,
            Side::Upstream => self.response = form,
        }
    }
}

/// Forms with which the line, which has `length` bytes with `forms`, has at most `limit`. Each body gets its
/// shorter form; if that is not enough, the longer body is truncated first.
pub(super) fn shorten(
    exchange: &Exchange<'_>,
    forms: &Forms,
    length: usize,
    limit: usize,
) -> Forms {
    const EMPTY: &Body<'static> = &Body::Empty;
    let request = Candidate::new(&exchange.request.body, forms.request);
    let response = exchange.response.as_ref().map_or(EMPTY, |response| &response.body);
    let response = Candidate::new(response, forms.response);
    let others = length - request.written - response.written;
    let room = limit.saturating_sub(others + MEMBERS);
    let (less, more) = (request.least.min(response.least), request.least.max(response.least));
    // All of the shorter body where it takes no more than half of the room.
    let half = room / 2;
    let (for_less, for_more) = match less <= half {
        true => (less, room - less),
        false if less + more <= room => (less, more),
        false => (half, half),
    };
    let (for_request, for_response) = match request.least <= response.least {
        true => (for_less, for_more),
        false => (for_more, for_less),
    };
    Forms { request: request.within(for_request), response: response.within(for_response) }
}

/// A body, and what it takes in each form, without quotes.
struct Candidate<'b> {
    body: &'b Body<'b>,
    written: usize,
    least: usize,
    base64: bool,
}

impl<'b> Candidate<'b> {
    fn new(body: &'b Body<'b>, form: Form) -> Self {
        let bytes = body.as_bytes();
        let packed = bytes.len().div_ceil(3) * 4;
        let (text, base64) = match body {
            Body::Empty => (0, false),
            Body::Binary(_) => (packed, true),
            Body::Text(_) => {
                let text = escaped_len(bytes);
                (text, text > packed)
            }
        };
        let written = if form.base64 { packed } else { text };
        Candidate { body, written, least: if base64 { packed } else { text }, base64 }
    }

    /// The form that takes at most `room` bytes.
    fn within(&self, room: usize) -> Form {
        let bytes = self.body.as_bytes();
        let kept = if self.least <= room {
            bytes.len()
        } else if self.base64 {
            room / 4 * 3
        } else {
            text_within(bytes, room)
        };
        Form { base64: self.base64, kept: Some(kept) }
    }
}

/// How many bytes of a valid text take at most `room` as JSON text; it ends with a character.
fn text_within(text: &[u8], room: usize) -> usize {
    /// Counted at a time.
    const PIECE: usize = 4096;
    let (mut kept, mut taken) = (0, 0);
    for piece in text.chunks(PIECE) {
        let more = escaped_len(piece);
        if taken + more > room {
            for byte in piece {
                taken += escaped_len(&[*byte]);
                if taken > room {
                    break;
                }
                kept += 1;
            }
            break;
        }
        taken += more;
        kept += piece.len();
    }
    // A byte that continues a character does not begin one (RFC 3629 section 3).
    while kept > 0 && kept < text.len() && text[kept] & 0xc0 == 0x80 {
        kept -= 1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::model::{Request, Response};
    use super::*;

    fn exchange(request: &str, response: Vec<u8>) -> Exchange<'static> {
        Exchange {
            request: Request { body: Body::from_bytes(request.into()), ..Request::default() },
            response: Some(Response {
                status: 200,
                body: Body::from_bytes(response),
                ..Response::default()
            }),
            ..Exchange::default()
        }
    }

    fn sizes(forms: &Forms) -> (usize, bool, usize, bool) {
        let (request, response) = (forms.request, forms.response);
        (request.kept.unwrap(), request.base64, response.kept.unwrap(), response.base64)
    }

    #[test]
    fn the_longer_body_is_truncated_first() {
        let exchange = exchange(&"a".repeat(100), vec![0xff; 3_000]);
        let length = 500 + 100 + 4_000;
        let short = |limit| sizes(&shorten(&exchange, &Forms::default(), length, limit));
        assert_eq!(short(10_000), (100, false, 3_000, true));
        // 500 of others, 256 of members, 100 of the request: 1,000 are left.
        assert_eq!(short(1_856), (100, false, 750, true));
        assert_eq!(short(756 + 100), (50, false, 36, true));
        assert_eq!(short(0), (0, false, 0, true));
    }

    #[test]
    fn texts_end_with_a_character() {
        for (text, room, kept) in [
            ("abc", 3, 3),
            ("abc", 2, 2),
            ("a\"c", 2, 1),
            ("a\"c", 3, 2),
            ("aü", 2, 1),
            ("aü", 3, 3),
            ("漢字", 5, 3),
            ("\u{1}", 5, 0),
        ] {
            assert_eq!(text_within(text.as_bytes(), room), kept, "{text:?} {room}");
        }
        let long = "é\n".repeat(10_000);
        for room in [0, 1, 4_095, 4_096, 4_097, 20_001, 40_000] {
            let kept = text_within(long.as_bytes(), room);
            assert!(long.is_char_boundary(kept), "{room}");
            let taken = escaped_len(&long.as_bytes()[..kept]);
            assert!(taken <= room && (taken + 2 > room || kept == long.len()), "{room}: {taken}");
        }
    }
}
