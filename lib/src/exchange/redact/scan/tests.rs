use proptest::prelude::*;

use super::*;

const WORDS: [&str; 12] = [
    "token",
    "key_",
    "keys_",
    "_eyj",
    "_sk_",
    "password",
    "passwd",
    "_u__",
    "otp_",
    "otps_",
    "saml",
    "_github_pat_",
];

fn scanners() -> Vec<Scanner> {
    let words: Vec<(String, bool)> =
        WORDS.iter().map(|word| ((*word).to_owned(), word.starts_with('_'))).collect();
    let quick = Scanner::new(&words);
    #[cfg(target_arch = "x86_64")]
    let portable = Scanner { has_avx2: false, ..Scanner::new(&words) };
    #[cfg(not(target_arch = "x86_64"))]
    let portable = Scanner::new(&words);
    vec![quick, portable]
}

/// The same by comparing each word at each position.
fn expected(text: &[u8]) -> Vec<(usize, bool)> {
    let mapped: Vec<u8> =
        [b'_'].into_iter().chain(text.iter().map(|byte| map(*byte))).chain([b'_']).collect();
    let mut found = Vec::new();
    for word in WORDS {
        for at in 0..mapped.len() {
            if mapped[at..].starts_with(word.as_bytes()) {
                let place = if word.starts_with('_') { at } else { at - 1 };
                found.push((place, word.starts_with('_')));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn found(scanner: &Scanner, text: &[u8]) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    scanner.scan(text, |at, label| found.push((at, label)));
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_word_is_found_at_every_place() {
    for scanner in scanners() {
        for word in WORDS {
            for place in (0..200).chain(WINDOW - 120..WINDOW + 60).chain([3 * WINDOW, 65_000]) {
                let text = format!("{}{word}{}", " ".repeat(place), "x".repeat(place % 50));
                let found = found(&scanner, text.as_bytes());
                assert_eq!(found, expected(text.as_bytes()), "{word} at {place}");
            }
        }
        assert_eq!(found(&scanner, b""), []);
    }
}

proptest! {
    #[test]
    fn the_filter_loses_no_word_and_adds_none(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
                prop::sample::select(&WORDS[..]).prop_map(|word| word.to_uppercase().into_bytes()),
                "[a-zA-Z_\":,0-9 ]{0,40}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..90),
                (0..2100_usize, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
            ],
            0..12,
        ),
    ) {
        let text = parts.concat();
        for scanner in scanners() {
            prop_assert_eq!(found(&scanner, &text), expected(&text));
        }
    }
}
