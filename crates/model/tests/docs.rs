//! The papers say what the code says: tables in `docs/` that are made from code.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::PathBuf;

use wangge_model::ticket::pairs;

const BEGIN: &str = "<!-- pairs: generated -->\n";
const END: &str = "<!-- /pairs -->";

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/data-model.md")
}

/// Returns what stands before, between and after the markers.
fn parts(text: &str) -> (&str, &str, &str) {
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (between, after) = rest.split_once(END).unwrap();
    (before, between, after)
}

#[test]
fn the_table_of_pairs_in_the_papers_is_the_one_in_the_code() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, between, after) = parts(&text);
    let table = pairs::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page(), format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        between, table,
        "run again with UPDATE_DOCS=1 to write the table"
    );
}
