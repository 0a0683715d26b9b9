//! The headers of deprecated operations: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::conform::Operation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Keywords for the times, because OpenAPI only has `deprecated`.
const SINCE: [&str; 3] = ["x-deprecated-since", "x-deprecated-at", "x-deprecation-date"];
const UNTIL: [&str; 3] = ["x-sunset", "x-sunset-date", "x-sunset-at"];

/// The headers of an operation. The header requires a date: a deprecated operation without one gets
/// `@0`.
pub(super) fn headers(operation: &Operation) -> Vec<(HeaderName, HeaderValue)> {
    let time = |keys: [&str; 3]| keys.iter().find_map(|key| moment(operation.raw.get(*key)?));
    let mut headers = Vec::new();
    let since = time(SINCE);
    if operation.raw.get("deprecated") == Some(&Value::Bool(true)) || since.is_some() {
        let seconds = since.map_or(0, OffsetDateTime::unix_timestamp);
        if let Ok(value) = HeaderValue::from_str(&format!("@{seconds}")) {
            headers.push((DEPRECATION, value));
        }
    }
    // An HTTP-date (RFC 9110, section 5.6.7) always says GMT.
    let http_date = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    if let Some(until) = time(UNTIL)
        && let Ok(text) = until.to_offset(time::UtcOffset::UTC).format(http_date)
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        headers.push((SUNSET, value));
    }
    headers
}

/// A date, an RFC 3339 time, an HTTP-date, or seconds since 1970.
fn moment(value: &Value) -> Option<OffsetDateTime> {
    if let Some(seconds) = value.as_i64() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    let text = value.as_str()?.trim();
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822))
        .ok()
        .or_else(|| {
            let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
            Some(date.midnight().assume_utc())
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_in_their_spellings() {
        let expected = 1_688_169_599;
        for written in [
            json!("2023-06-30T23:59:59Z"),
            json!("2023-07-01T01:59:59+02:00"),
            json!("Fri, 30 Jun 2023 23:59:59 GMT"),
            json!(1_688_169_599),
        ] {
            assert_eq!(
                moment(&written).map(OffsetDateTime::unix_timestamp),
                Some(expected),
                "{written}"
            );
        }
        assert_eq!(
            moment(&json!("2023-06-30")).map(OffsetDateTime::unix_timestamp),
            Some(1_688_083_200)
        );
        assert_eq!(moment(&json!("soon")), None);
    }
}
