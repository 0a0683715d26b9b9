//! Replaces lone surrogates in JSON, because no Unicode text can contain them.

/// The text with `\ufffd` for each lone surrogate escape; `None` if there is none.
pub(crate) fn without_lone_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        at += found;
        let Some(unit) = unit(&bytes[at..]).filter(|unit| (0xd800..=0xdfff).contains(unit)) else {
            // Skip the escaped character, which may be a backslash itself.
            at = bytes.len().min(at + 2);
            continue;
        };
        let low = (unit < 0xdc00).then(|| self::unit(&bytes[at + 6..])).flatten();
        if low.is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) {
            at += 12;
            continue;
        }
        let mended = mended.get_or_insert_default();
        mended.push_str(&text[copied..at]);
        mended.push_str("\\ufffd");
        at += 6;
        copied = at;
    }
    mended.map(|mut mended| {
        mended.push_str(&text[copied..]);
        mended
    })
}

/// The number of `\uXXXX`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..6)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}
