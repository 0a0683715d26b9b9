//! A spec in JSON or YAML, and the catalogue that the mock compiles from it.
#![no_main]

use hmt_core::mock::Catalogue;
use hmt_core::spec::{Format, load, to_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = load(bytes, "spec") else { return };
    let text = to_text(&document.root, Format::Json);
    load(text.as_bytes(), "spec.json").expect("a written spec can be read");
    let _ = Catalogue::compile(vec![document]);
});
