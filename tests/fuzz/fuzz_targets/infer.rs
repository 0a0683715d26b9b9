//! Recordings of any kind: the spec that is built from them can be read and compiled.
#![no_main]

use hmt_core::check::Checker;
use hmt_core::exchange::parse_line;
use hmt_core::infer::{Builder, Mode, Options, StateConfig};
use hmt_core::spec::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut builder = Builder::new(StateConfig::new(Mode::Gen));
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(exchange) = parse_line(line) {
            builder.fold(&exchange);
        }
    }
    let text = builder.finalise(&Options::default()).to_string();
    let document = load(text.as_bytes(), "built.json").expect("a built spec can be read");
    Checker::new(&[document]).expect("a built spec can be compiled");
});
