//! Breeds bytes for `wangge_testkit::hostile::page`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wangge_testkit::hostile::page(bytes));
