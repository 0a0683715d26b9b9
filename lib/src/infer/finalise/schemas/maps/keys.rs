//! Classifies single keys by their text: names, codes, values.

use crate::infer::finalise::words::locales::{
    is_country, is_currency, is_language, is_regional, is_usual_language,
};
use crate::infer::state::Class;

/// True if all keys are codes of one list: currencies, countries, languages (some of which are
/// words too).
pub(super) fn are_codes<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    let keys: Vec<&str> = keys.collect();
    let all = |is: fn(&str) -> bool| keys.iter().all(|key| is(key));
    let language = |key: &str| is_language(key) || is_regional(key);
    let usual = || keys.iter().filter(|key| is_usual_language(key)).count();
    match keys.len() {
        0 | 1 => false,
        2 => all(is_regional) || all(is_usual_language) || all(is_upper_currency),
        n => {
            all(is_currency)
                || all(language) && usual() * 3 >= n
                || all(is_country) && (n >= 4 || all(|key| !key.contains(char::is_lowercase)))
        }
    }
}

/// Three capitals: a short word in lower case may be a name.
fn is_upper_currency(key: &str) -> bool {
    is_currency(key) && !key.contains(char::is_lowercase)
}

/// True for keys that look like values, but are also used as names: `address_line1`, the `1` to `5`
/// of ratings, `-1`.
pub(super) fn may_be_name(class: Class, key: &str) -> bool {
    match class {
        Class::Prefixed | Class::Opaque | Class::Hex => true,
        Class::Int => key.len() <= 2,
        _ => false,
    }
}

/// Keys with characters that names lack, or a language with its country.
pub(super) fn is_odd(key: &str) -> bool {
    let bytes = key.as_bytes();
    let locale = bytes.len() == 5
        && bytes[..2].iter().all(u8::is_ascii_lowercase)
        && matches!(bytes[2], b'-' | b'_')
        && bytes[3..].iter().all(u8::is_ascii_uppercase);
    locale
        || bytes.first().is_some_and(u8::is_ascii_digit)
        || (!key.starts_with(['@', '$']) && key.contains(['.', '/', ':', ' ', '@']))
}
