//! Timestamps in lines: RFC 3339 in UTC with microseconds, so that they sort as text.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

/// The time as `2026-01-31T23:59:59.123456Z`.
pub fn timestamp(time: SystemTime) -> String {
    let since = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).map(|seconds| (seconds, since.subsec_micros())),
        Err(before) => {
            let before = before.duration();
            let up = u32::from(before.subsec_nanos() > 0);
            let micros = (up * 1_000_000 - before.subsec_nanos().div_ceil(1000)) % 1_000_000;
            i64::try_from(before.as_secs() + u64::from(up)).map(|seconds| (-seconds, micros))
        }
    };
    let Ok((seconds, micros)) = since else { return written(OffsetDateTime::UNIX_EPOCH, 0) };
    let (known, text) = SECOND.get();
    if known == Some(seconds) {
        let mut text = text;
        digits(&mut text[20..26], micros);
        return String::from_utf8_lossy(&text).into_owned();
    }
    let Ok(utc) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return written(OffsetDateTime::UNIX_EPOCH, 0);
    };
    let text = written(utc, micros);
    // Out-of-range times are formatted below.
    if let Ok(text) = text.as_bytes().try_into()
        && (0..=9999).contains(&utc.year())
    {
        SECOND.set((Some(seconds), text));
    }
    text
}

thread_local! {
    /// The last second that was formatted, because most times are close to now.
    static SECOND: Cell<(Option<i64>, [u8; 27])> = const { Cell::new((None, [0; 27])) };
}

/// Any RFC 3339 time in the format of lines; `None` for other text.
pub(crate) fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if is_canonical(text.as_bytes()) {
        return Some(Cow::Borrowed(text));
    }
    let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    Some(Cow::Owned(format(time)))
}

/// The time `ms` milliseconds after `start`, in the format of lines.
pub(crate) fn later(start: Option<&str>, ms: Option<f64>) -> Option<String> {
    let start = OffsetDateTime::parse(start?, &Rfc3339).ok()?;
    let span = Duration::checked_seconds_f64(ms.unwrap_or_default() / 1000.0)?;
    Some(format(start.checked_add(span)?))
}

fn format(time: OffsetDateTime) -> String {
    let utc = time.checked_to_offset(UtcOffset::UTC);
    let utc = utc.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    written(utc, utc.microsecond())
}

/// By hand, because each exchange has two times: a format description takes ten times as long.
fn written(utc: OffsetDateTime, micros: u32) -> String {
    let mut text = *b"1970-01-01T00:00:00.000000Z";
    // Years beyond 9999 are not possible in RFC 3339 and can only come from a wrong clock.
    if (0..=9999).contains(&utc.year()) {
        let (date, time) = (utc.date(), utc.time());
        let (year, month, day) = date.to_calendar_date();
        digits(&mut text[..4], year.unsigned_abs());
        digits(&mut text[5..7], u8::from(month).into());
        digits(&mut text[8..10], day.into());
        digits(&mut text[11..13], time.hour().into());
        digits(&mut text[14..16], time.minute().into());
        digits(&mut text[17..19], time.second().into());
        digits(&mut text[20..26], micros);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Fills the places with the last digits of a number.
fn digits(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// True for the format of lines with digits in range; the parser checks the days of months.
fn is_canonical(text: &[u8]) -> bool {
    text.len() == 27
        && text.iter().zip(b"0000-00-00T00:00:00.000000Z").fold(true, |all, (byte, shape)| {
            all & if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape }
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
        let late = SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(1_798_675_199_098_765);
        assert_eq!(timestamp(late), "2026-12-30T23:59:59.098765Z");
        let later = late + std::time::Duration::from_micros(1);
        assert_eq!(timestamp(later), "2026-12-30T23:59:59.098766Z");
        let later = late + std::time::Duration::from_secs(1);
        assert_eq!(timestamp(later), "2026-12-31T00:00:00.098765Z");
        let early = SystemTime::UNIX_EPOCH - std::time::Duration::from_nanos(1_500_000_100);
        assert_eq!(timestamp(early), "1969-12-31T23:59:58.499999Z");
        let early = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(timestamp(early), "1969-12-31T23:59:59.000000Z");
        let early = SystemTime::UNIX_EPOCH - std::time::Duration::from_nanos(1);
        assert_eq!(timestamp(early), "1969-12-31T23:59:59.999999Z");
        let beyond = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(400_000_000_000);
        assert_eq!(timestamp(beyond), "1970-01-01T00:00:00.000000Z");
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
