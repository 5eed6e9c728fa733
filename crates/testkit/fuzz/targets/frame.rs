//! Breeds bytes for `wangge_testkit::hostile::frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wangge_testkit::hostile::frame(bytes));
