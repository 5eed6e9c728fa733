//! Breeds bytes for `wangge_testkit::hostile::rise`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wangge_testkit::hostile::rise(bytes));
