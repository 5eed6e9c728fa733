//! Breeds bytes for `wangge_testkit::hostile::gate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wangge_testkit::hostile::gate(bytes));
