//! A partial, merged with itself, and the spec of it.
#![no_main]

use hmt_core::infer::{Options, Partial};
use hmt_core::merge;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let (Ok(one), Ok(two)) = (Partial::parse(line), Partial::parse(line)) else { return };
    if let Ok(Some(builder)) = merge::partials(vec![one, two]) {
        builder.finalise(&Options::default());
    }
});
