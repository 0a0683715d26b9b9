//! Chooses the form of a body in its line: text or base64, whole or truncated, within the limits of
//! readers.

use super::escape::escaped_len;
use super::model::{Body, Exchange, Side};

/// If the JSON string of a text takes more than this many times its bytes, the text is written as
/// base64, which takes 4/3 of the bytes.
pub(super) const MAX_GROWTH: usize = 2;

/// Space for the members that are added when bodies change their form: two base64 bodies, and
/// `truncated` with two sizes.
const MEMBERS: usize = 256;

/// The form of one body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BodyForm {
    /// Base64, even if it is text.
    pub(super) base64: bool,
    /// The number of bytes that are written; `None` for all.
    pub(super) kept: Option<usize>,
}

impl BodyForm {
    pub(super) const BASE64: BodyForm = BodyForm { base64: true, kept: None };

    pub(super) fn kept(self, bytes: &[u8]) -> &[u8] {
        &bytes[..self.kept.unwrap_or(bytes.len()).min(bytes.len())]
    }

    /// The full size for `truncated`; `known` is the size recorded before.
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
pub(super) struct BodyForms {
    pub(super) request: BodyForm,
    pub(super) response: BodyForm,
}

impl BodyForms {
    pub(super) fn set(&mut self, side: Side, form: BodyForm) {
        match side {
            Side::Client => self.request = form,
            Side::Upstream => self.response = form,
        }
    }
}

/// Finds forms for a line of at most `limit` bytes. The line has `length` bytes with `forms`. Each
/// body gets its shorter form; if that is not enough, the longer body is truncated first.
pub(super) fn shorten(
    exchange: &Exchange<'_>,
    forms: &BodyForms,
    length: usize,
    limit: usize,
) -> BodyForms {
    const EMPTY: &Body<'static> = &Body::Empty;
    let request = Candidate::new(&exchange.request.body, forms.request);
    let response = exchange.response.as_ref().map_or(EMPTY, |response| &response.body);
    let response = Candidate::new(response, forms.response);
    let others = length - request.written - response.written;
    let room = limit.saturating_sub(others + MEMBERS);
    let (less, more) = (request.least.min(response.least), request.least.max(response.least));
    // The shorter body is kept whole if it takes at most half of the space.
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
    BodyForms { request: request.within(for_request), response: response.within(for_response) }
}

/// A body, and its size in each form, without quotes.
struct Candidate<'b> {
    body: &'b Body<'b>,
    written: usize,
    least: usize,
    base64: bool,
}

impl<'b> Candidate<'b> {
    fn new(body: &'b Body<'b>, form: BodyForm) -> Self {
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
    fn within(&self, room: usize) -> BodyForm {
        let bytes = self.body.as_bytes();
        let kept = if self.least <= room {
            bytes.len()
        } else if self.base64 {
            room / 4 * 3
        } else {
            text_within(bytes, room)
        };
        BodyForm { base64: self.base64, kept: Some(kept) }
    }
}

/// How many bytes of a valid text take at most `room` bytes as a JSON string; ends at a whole
/// character.
fn text_within(text: &[u8], room: usize) -> usize {
    /// Number of bytes counted at a time.
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
    // Continuation bytes do not begin a character (RFC 3629 section 3).
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

    fn sizes(forms: &BodyForms) -> (usize, bool, usize, bool) {
        let (request, response) = (forms.request, forms.response);
        (request.kept.unwrap(), request.base64, response.kept.unwrap(), response.base64)
    }

    #[test]
    fn the_longer_body_is_truncated_first() {
        let exchange = exchange(&"a".repeat(100), vec![0xff; 3_000]);
        let length = 500 + 100 + 4_000;
        let short = |limit| sizes(&shorten(&exchange, &BodyForms::default(), length, limit));
        assert_eq!(short(10_000), (100, false, 3_000, true));
        // 500 of others, 256 of members, 100 of the request: 1,000 remain.
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
