//! Bytes that the fuzzer found worth keeping, and those that once broke something, on every run.

use std::path::Path;

use wangge_testkit::hostile::TARGETS;

#[test]
fn no_kept_bytes_break_a_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz");
    for (name, target) in TARGETS {
        let mut files: Vec<_> = std::fs::read_dir(root.join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no bytes to begin with");
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{}", file.display());
        }
    }
}
