//! Redaction of a line: the result can be written and read, and a second pass changes nothing.
#![no_main]

use std::sync::LazyLock;

use hmt_core::exchange::{Exchange, RedactOptions, Redactor, parse_line, write_line};
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    Redactor::new(&[7; 32], &RedactOptions::default()).expect("no options are valid options")
});

fn redacted(mut exchange: Exchange<'_>) -> Vec<u8> {
    REDACTOR.apply(&mut exchange);
    let mut line = Vec::new();
    write_line(&exchange, &mut line);
    line
}

fuzz_target!(|line: &[u8]| {
    let Ok(exchange) = parse_line(line) else { return };
    let once = redacted(exchange);
    let again = parse_line(once.trim_ascii_end()).expect("a redacted line can be read");
    let twice = redacted(again);
    assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
});
