//! The rules of the house that no compiler knows, kept by looking at the repository's files.
//!
//! A rule is a function from a listing of files to complaints, and beside each rule stands a test
//! that shows it complaining. A rule never repairs anything and never asks a tool: it reads text, so
//! a copy of the tree without its history is judged the same. `scripts/ci/tidy` runs them all.

mod arrows;
mod documents;
mod layout;
mod markdown;
mod migrations;
mod repo;
mod rust;
mod sources;

pub use repo::Repo;

/// What is wrong, one sentence each, beginning with the file it is wrong in.
pub type Complaints = Vec<String>;

/// Looks at the whole repository and tells what breaks one rule.
pub type Rule = fn(&Repo) -> Complaints;

/// Every rule with its name, in the order in which they are reported.
pub const RULES: [(&str, Rule); 17] = [
    ("top-level", layout::top_level),
    ("no-mod-rs", layout::no_mod_rs),
    ("machine-paths", layout::machine_paths),
    ("arrows", arrows::arrows),
    ("one-door", arrows::one_door),
    ("length", sources::length),
    ("first-line", sources::first_line),
    ("print", sources::print),
    ("sleep", sources::sleep),
    ("ignore", sources::ignore),
    ("pure", sources::pure),
    ("migration-names", migrations::names),
    ("migration-order", migrations::order),
    ("paths", documents::paths),
    ("links", documents::links),
    ("readme", documents::readme),
    ("dependencies", documents::dependencies),
];

/// Returns what every rule has to say, each complaint headed by the name of its rule.
#[must_use]
pub fn complaints(repo: &Repo) -> Complaints {
    RULES
        .iter()
        .flat_map(|(name, rule)| {
            rule(repo)
                .into_iter()
                .map(move |complaint| format!("[{name}] {complaint}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_its_rule_and_its_file() {
        let repo = Repo::of(&[("crates/wire/src/mod.rs", "//! A file.\n")]);
        let found = complaints(&repo);
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("[no-mod-rs] crates/wire/src/mod.rs")),
            "{found:?}"
        );
    }

    #[test]
    fn rules_have_different_names() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
