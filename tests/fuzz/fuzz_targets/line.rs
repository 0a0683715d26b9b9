//! A line of a recording: an exchange that is read can be written, and is equal when it is read
//! again.
#![no_main]

use hmt_core::exchange::{parse_line, write_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let Ok(exchange) = parse_line(line) else { return };
    let mut written = Vec::new();
    write_line(&exchange, &mut written);
    let first = written.strip_suffix(b"\n").unwrap_or(&written);
    let again = parse_line(first).expect("a written line can be read");
    let mut twice = Vec::new();
    write_line(&again, &mut twice);
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&twice));
});
