//! `http-date`: RFC 9110 `IMF-fixdate`.

use rand::RngCore;
use time::macros::format_description;
use time::{Date, Month};

use super::choose::push_digits;
use super::{date, time as clock};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn detect(text: &str) -> bool {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    text.len() == 29 && time::PrimitiveDateTime::parse(text, format).is_ok()
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let (year, month, day) = date::random(rng);
    let weekday = Month::try_from(month as u8)
        .and_then(|month| Date::from_calendar_date(year as i32, month, day as u8))
        .map_or(0, |date| date.weekday().number_days_from_monday());
    out.push_str(DAYS[usize::from(weekday)]);
    out.push_str(", ");
    push_digits(out, day, 2);
    out.push(' ');
    out.push_str(MONTHS[month as usize - 1]);
    out.push(' ');
    push_digits(out, year, 4);
    out.push(' ');
    clock::write_local(rng, out);
    out.push_str(" GMT");
}
