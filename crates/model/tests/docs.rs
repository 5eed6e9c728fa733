//! The papers say what the code says: tables in `docs/` that are made from code.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::PathBuf;

use wangge_model::ticket::pairs;

#[allow(dead_code, reason = "these people do more in the tests of tickets")]
#[path = "ticket/cast.rs"]
mod cast;
#[path = "ticket/examples.rs"]
mod examples;

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/data-model.md")
}

/// Checks what stands between a part's markers, or writes it there when asked to.
fn says(part: &str, made: &str) {
    let begin = format!("<!-- {part}: generated -->\n");
    let end = format!("<!-- /{part} -->");
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(&begin).unwrap();
    let (between, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page(), format!("{before}{begin}{made}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(
        between, made,
        "run again with UPDATE_DOCS=1 to write the {part}"
    );
}

// One test, because two that write one file at once would lose each other's part.
#[test]
fn the_pairs_and_the_examples_in_the_papers_are_those_of_the_code() {
    says("pairs", &pairs::markdown());
    says("examples", &examples::markdown());
}
