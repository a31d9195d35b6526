//! The X-Matrix header.

#![no_main]

#[path = "../../it/parsers/bodies.rs"]
#[expect(dead_code, reason = "the bodies of all fuzz targets stand together")]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::x_matrix(bytes));
