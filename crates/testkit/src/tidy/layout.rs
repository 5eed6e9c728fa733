//! Rules about where things lie: the top level, names of files, and places that exist on one machine.

use std::collections::BTreeSet;

use super::{Complaints, Repo};

/// What the top level holds, hidden names aside.
const TOP_LEVEL: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "crates",
    "docs",
    "fixtures",
    "scripts",
];

/// May lie here instead of in `docs`; the rule about both READMEs settles which.
const TOLERATED: &str = "README.zh.md";

/// Folders at a system's root where only one machine's files lie.
const FOREIGN_ROOTS: [&str; 3] = ["Users", "root", "work"];

/// Folders that only a reader's own machine can fill; in code they may be a system's convention.
const FOREIGN_ROOTS_IN_PAPERS: [&str; 2] = ["home", "tmp"];

/// Endings of host names that only a private network resolves.
const PRIVATE_HOSTS: [&str; 4] = [".corp", ".internal", ".intranet", ".localdomain"];

/// The top level holds exactly what the architecture names.
pub(super) fn top_level(repo: &Repo) -> Complaints {
    let present: BTreeSet<&str> = repo
        .paths()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.') && *name != TOLERATED)
        .collect();
    let named: BTreeSet<&str> = TOP_LEVEL.into();
    let missing = named
        .difference(&present)
        .map(|name| format!("{name}: missing at the top level"));
    let foreign = present
        .difference(&named)
        .map(|name| format!("{name}: does not belong at the top level"));
    missing.chain(foreign).collect()
}

/// A topic lies in `topic.rs` beside its folder, so that no two tabs have the same name.
pub(super) fn no_mod_rs(repo: &Repo) -> Complaints {
    repo.paths()
        .filter(|path| path.ends_with("/mod.rs"))
        .map(|path| {
            let folder = path.trim_end_matches("/mod.rs");
            format!("{path}: call it {folder}.rs")
        })
        .collect()
}

/// No text names a place or a host that exists on one machine only.
pub(super) fn machine_paths(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for (path, text) in repo.texts() {
        for (line, number) in text.lines().zip(1..) {
            if let Some(place) = machine_place(path, line) {
                found.push(format!(
                    "{path}:{number}: `{place}` exists on one machine only"
                ));
            }
        }
    }
    found
}

fn machine_place(path: &str, line: &str) -> Option<String> {
    let registry = concat!(".cargo", "/registry");
    let mirror = concat!("arti", "factory");
    let in_papers = path.ends_with(".md") || path.starts_with("scripts/") || path.starts_with('.');
    let papers = FOREIGN_ROOTS_IN_PAPERS.iter().filter(|_| in_papers);
    FOREIGN_ROOTS
        .iter()
        .chain(papers)
        .map(|root| format!("/{root}/"))
        .find(|root| begins_a_path(line, root))
        .or_else(|| line.contains(registry).then(|| registry.to_owned()))
        .or_else(|| line.contains(mirror).then(|| mirror.to_owned()))
        .or_else(|| private_host(line).map(str::to_owned))
}

/// Tells whether `root` stands in the line where an absolute path begins.
fn begins_a_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "_-.~/})*".contains(c)))
    })
}

/// Returns the host of the first address that only a private network resolves.
fn private_host(line: &str) -> Option<&str> {
    line.split("://")
        .skip(1)
        .filter_map(|rest| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
                .next()
        })
        .find(|host| PRIVATE_HOSTS.iter().any(|ending| host.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Vec<(&'static str, &'static str)> {
        vec![
            (".gitignore", ""),
            ("Cargo.lock", ""),
            ("Cargo.toml", ""),
            ("LICENSE", ""),
            ("README.md", ""),
            ("crates/wire/src/lib.rs", ""),
            ("docs/glossary.md", ""),
            ("fixtures/a.csv", ""),
            ("scripts/test", ""),
        ]
    }

    #[test]
    fn the_exact_top_level_is_fine() {
        assert_eq!(top_level(&Repo::of(&whole())), Complaints::new());
    }

    #[test]
    fn a_stranger_at_the_top_level_is_named() {
        for stranger in ["deny.toml", "tools/x.mjs", "Makefile"] {
            let mut files = whole();
            files.push((stranger, ""));
            assert_eq!(top_level(&Repo::of(&files)).len(), 1, "{stranger}");
        }
    }

    #[test]
    fn a_missing_name_is_named() {
        for index in 1..whole().len() {
            let mut files = whole();
            let (gone, _) = files.remove(index);
            assert_eq!(top_level(&Repo::of(&files)).len(), 1, "{gone}");
        }
    }

    #[test]
    fn a_file_called_mod_is_named() {
        let repo = Repo::of(&[("crates/wire/src/frame/mod.rs", "")]);
        assert_eq!(
            no_mod_rs(&repo),
            ["crates/wire/src/frame/mod.rs: call it crates/wire/src/frame.rs"]
        );
        assert!(no_mod_rs(&Repo::of(&[("crates/wire/src/model.rs", "")])).is_empty());
    }

    fn judge(path: &str, line: &str) -> usize {
        machine_paths(&Repo::of(&[(path, line)])).len()
    }

    #[test]
    fn a_machines_own_path_is_named() {
        for root in FOREIGN_ROOTS {
            for line in [
                format!("/{root}/a"),
                format!("cd \"/{root}/a\""),
                format!("see `/{root}/a`"),
                format!("X=/{root}/a"),
            ] {
                assert_eq!(judge("crates/wire/src/lib.rs", &line), 1, "{line}");
            }
        }
        let registry = format!("source = ~/{}/registry/src", ".cargo");
        assert_eq!(judge("docs/a.md", &registry), 1);
    }

    #[test]
    fn a_scratch_path_is_named_in_papers_only() {
        for root in FOREIGN_ROOTS_IN_PAPERS {
            let line = format!("cd /{root}/a");
            assert_eq!(judge("docs/a.md", &line), 1);
            assert_eq!(judge("scripts/test", &line), 1);
            assert_eq!(judge("crates/wire/src/lib.rs", &line), 0);
        }
    }

    #[test]
    fn a_longer_path_that_holds_such_a_name_is_fine() {
        for root in FOREIGN_ROOTS {
            for line in [
                format!("https://example.org/{root}/a"),
                format!("docs/{root}/a"),
                format!("../{root}/a"),
                format!("${{PREFIX}}/{root}/a"),
            ] {
                assert_eq!(judge("docs/a.md", &line), 0, "{line}");
            }
        }
    }

    #[test]
    fn a_host_of_a_private_network_is_named() {
        let line = |host: &str| format!("registry = \"https://{host}/index\"");
        assert_eq!(judge("Cargo.lock", &line("crates.example.internal")), 1);
        assert_eq!(judge("Cargo.lock", &line("a.corp")), 1);
        assert_eq!(
            judge("Cargo.lock", &format!("x/{}{}/y", "arti", "factory")),
            1
        );
        assert_eq!(judge("Cargo.lock", &line("index.crates.io")), 0);
        assert_eq!(judge("crates/wire/src/lib.rs", "self.internal = 1;"), 0);
    }
}
