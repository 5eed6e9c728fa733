//! Rules about migrations: numbered without gaps, and run in the order of their numbers.
//!
//! A schema's version is the position of its migration, so a gap or a swap would give two devices
//! the same version with different tables.

use super::rust::{self, is_test_file};
use super::{Complaints, Repo};

/// The crates that keep a database.
const KEEPERS: [&str; 2] = ["relay", "store"];

/// Migrations are called `0001-what-it-does.sql` and counted from one.
pub(super) fn names(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for path in repo.paths() {
        let keeper = KEEPERS.iter().any(|name| path.starts_with(&folder(name)));
        if !keeper && path.starts_with("crates/") && path.contains("/migrations/") {
            found.push(format!("{path}: only {} migrate", KEEPERS.join(" and ")));
        }
    }
    for keeper in KEEPERS {
        let folder = folder(keeper);
        for (name, position) in files(repo, keeper).into_iter().zip(1_u32..) {
            match number(name) {
                None => found.push(format!(
                    "{folder}{name}: a migration is called `0001-what-it-does.sql`"
                )),
                Some(number) if number != position => found.push(format!(
                    "{folder}{name}: comes as number {position}: number migrations from 0001 without gaps"
                )),
                Some(_) => {}
            }
        }
    }
    found
}

/// The crate's source includes its migrations, all of them, in the order of their numbers.
pub(super) fn order(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for keeper in KEEPERS {
        let folder = folder(keeper);
        let files = files(repo, keeper);
        let included = included(repo, keeper);
        for name in &files {
            match included.iter().filter(|other| other == name).count() {
                0 => found.push(format!("{folder}{name}: no `include_str!` runs it")),
                1 => {}
                _ => found.push(format!("{folder}{name}: included more than once")),
            }
        }
        if !included.is_sorted() {
            found.push(format!(
                "{folder}: included as {}, which is not the order of their numbers",
                included.join(", ")
            ));
        }
    }
    found
}

fn folder(keeper: &str) -> String {
    format!("crates/{keeper}/migrations/")
}

/// Returns the names in a crate's folder of migrations, in order.
fn files<'a>(repo: &'a Repo, keeper: &str) -> Vec<&'a str> {
    let folder = folder(keeper);
    repo.paths()
        .filter_map(|path| path.strip_prefix(&folder))
        .collect()
}

/// Returns the names of the migrations a crate includes outside its tests, as they stand there.
fn included(repo: &Repo, keeper: &str) -> Vec<String> {
    let source = format!("crates/{keeper}/src/");
    let mut found = Vec::new();
    for (path, text) in repo.rust_files() {
        if !path.starts_with(&source) || is_test_file(path) {
            continue;
        }
        // Joined, because a long call may break before its literal.
        let code: String = rust::lines(text)
            .into_iter()
            .filter(|line| !line.test)
            .map(|line| line.text + "\n")
            .collect();
        let literals = code.split("include_str!").skip(1);
        found.extend(literals.filter_map(|rest| {
            let (_, name) = rest.split('"').nth(1)?.rsplit_once("migrations/")?;
            Some(name.to_owned())
        }));
    }
    found
}

/// Returns the number a well-formed name begins with.
fn number(name: &str) -> Option<u32> {
    let (digits, rest) = name.split_once('-')?;
    let words = rest.strip_suffix(".sql")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let well_formed = digits.len() == 4
        && digits.chars().all(|c| c.is_ascii_digit())
        && !words.is_empty()
        && words.chars().all(plain);
    if well_formed {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(files: &[&str]) -> Complaints {
        let paths: Vec<_> = files.iter().map(|name| folder("store") + name).collect();
        let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "")).collect();
        names(&Repo::of(&files))
    }

    fn order_of(source: &str) -> Complaints {
        order(&Repo::of(&[
            ("crates/store/migrations/0001-documents.sql", ""),
            ("crates/store/migrations/0002-outbox.sql", ""),
            ("crates/store/src/schema.rs", source),
        ]))
    }

    #[test]
    fn numbers_without_a_gap_are_fine() {
        assert!(names_of(&["0001-documents.sql", "0002-outbox.sql"]).is_empty());
    }

    #[test]
    fn a_gap_a_twin_and_a_late_start_are_named() {
        assert_eq!(names_of(&["0001-a.sql", "0003-b.sql"]).len(), 1);
        assert_eq!(names_of(&["0001-a.sql", "0001-b.sql"]).len(), 1);
        assert_eq!(names_of(&["0000-a.sql"]).len(), 1);
        assert_eq!(names_of(&["0002-a.sql"]).len(), 1);
    }

    #[test]
    fn a_name_of_another_shape_is_named() {
        for name in [
            "1-a.sql",
            "0001_a.sql",
            "0001-A.sql",
            "0001-.sql",
            "0001-a.txt",
        ] {
            assert_eq!(names_of(&[name]).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_migration_in_a_crate_without_a_database_is_named() {
        let repo = Repo::of(&[("crates/agent/migrations/0001-a.sql", "")]);
        assert_eq!(names(&repo).len(), 1);
    }

    #[test]
    fn migrations_included_in_order_are_fine() {
        let source = "//! Schema.\nconst ALL: [&str; 2] = [\n    include_str!(\"../migrations/0001-documents.sql\"),\n    include_str!(\n        \"../migrations/0002-outbox.sql\"\n    ),\n];\n";
        assert_eq!(order_of(source), Complaints::new());
    }

    #[test]
    fn a_migration_that_never_runs_is_named() {
        let source = "const A: &str = include_str!(\"../migrations/0001-documents.sql\");\n// include_str!(\"../migrations/0002-outbox.sql\")\n#[cfg(test)]\nconst B: &str = include_str!(\"../migrations/0002-outbox.sql\");\n";
        assert_eq!(
            order_of(source),
            ["crates/store/migrations/0002-outbox.sql: no `include_str!` runs it"]
        );
    }

    #[test]
    fn migrations_that_run_in_the_wrong_order_are_named() {
        let source = "const A: [&str; 2] = [include_str!(\"../migrations/0002-outbox.sql\"), include_str!(\"../migrations/0001-documents.sql\")];\n";
        assert_eq!(order_of(source).len(), 1);
    }

    #[test]
    fn a_migration_that_runs_twice_is_named() {
        let source = "const A: [&str; 3] = [include_str!(\"../migrations/0001-documents.sql\"), include_str!(\"../migrations/0001-documents.sql\"), include_str!(\"../migrations/0002-outbox.sql\")];\n";
        assert_eq!(order_of(source).len(), 1);
    }
}
