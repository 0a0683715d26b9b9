//! Times as lines hold them: RFC 3339 in UTC with microseconds, so that they sort as text.

use std::borrow::Cow;
use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

/// The time as `2026-01-31T23:59:59.123456Z`.
pub fn timestamp(time: SystemTime) -> String {
    format(OffsetDateTime::from(time))
}

/// Any RFC 3339 time in that form; `None` for what is none.
pub(crate) fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if is_canonical(text.as_bytes()) {
        return Some(Cow::Borrowed(text));
    }
    let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    Some(Cow::Owned(format(time)))
}

/// The time `ms` milliseconds after `start`, in our form.
pub(crate) fn later(start: Option<&str>, ms: Option<f64>) -> Option<String> {
    let start = OffsetDateTime::parse(start?, &Rfc3339).ok()?;
    let span = Duration::checked_seconds_f64(ms.unwrap_or_default() / 1000.0)?;
    Some(format(start.checked_add(span)?))
}

fn format(time: OffsetDateTime) -> String {
    let shape =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    // Years beyond 9999, which RFC 3339 has not, can only come from a broken clock.
    time.checked_to_offset(UtcOffset::UTC)
        .and_then(|utc| utc.format(shape).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00.000000Z".to_owned())
}

/// Our own form with digits in range; a day that a month has not is left to the parser.
fn is_canonical(text: &[u8]) -> bool {
    text.len() == 27
        && text.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            10 => *byte == b'T',
            13 | 16 => *byte == b':',
            19 => *byte == b'.',
            26 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
        && within(&text[5..7], b"01", b"12")
        && within(&text[8..10], b"01", b"28")
        && &text[11..13] <= b"23".as_slice()
        && &text[14..16] <= b"59".as_slice()
        && &text[17..19] <= b"59".as_slice()
}

fn within(digits: &[u8], least: &[u8], most: &[u8]) -> bool {
    least <= digits && digits <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_brought_to_one_form() {
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
        for (text, form) in [
            ("2018-11-13T20:20:39+00:00", Some("2018-11-13T20:20:39.000000Z")),
            ("2018-11-13T22:20:39.5+02:00", Some("2018-11-13T20:20:39.500000Z")),
            ("2018-11-13T20:20:39.123456Z", Some("2018-11-13T20:20:39.123456Z")),
            ("2018-02-30T20:20:39.123456Z", None),
            ("2018-01-31T20:20:39.123456Z", Some("2018-01-31T20:20:39.123456Z")),
            ("2018-01-31", None),
            ("yesterday", None),
        ] {
            assert_eq!(canonical(text).as_deref(), form, "{text}");
        }
    }
}
