//! Locators, durations, sizes and patterns of the command line.
#![no_main]

use hmt_core::cli::{parse_duration, parse_size};
use hmt_core::exchange::Pattern;
use hmt_core::stream::Locator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = text.parse::<Locator>().map(|locator| locator.to_string());
    let _ = Locator::sink(text);
    let _ = (parse_duration(text), parse_size(text));
    let Ok(pattern) = text.parse::<Pattern>();
    pattern.matches(text);
});
