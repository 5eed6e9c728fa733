//! The repository itself, held to every rule of the house; all complaints come at once.

use std::io;
use std::path::Path;

use wangge_testkit::tidy::{self, Repo};

fn repository() -> io::Result<Repo> {
    Repo::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
}

#[test]
fn the_repository_keeps_every_rule() {
    let complaints = tidy::complaints(&repository().unwrap());
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

/// A listing that saw nothing would complain of nothing.
#[test]
fn the_listing_sees_manifests_sources_papers_and_hidden_files() {
    let repo = repository().unwrap();
    for path in [
        "Cargo.toml",
        "crates/testkit/tests/tidy.rs",
        "docs/dependencies.md",
        "scripts/test",
        ".ci/run",
        ".config/nextest.toml",
    ] {
        assert!(repo.text(path).is_some(), "{path}");
    }
}
