//! A capture of any format, recognised by its content.
#![no_main]

use std::io::Cursor;

use hmt_core::stream::{Locator, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let input = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut reader) = Reader::open(&[Locator::Stdio], Some(input), 4096) else { return };
    while let Ok(Some(block)) = reader.next_block() {
        block.records().for_each(drop);
    }
});
