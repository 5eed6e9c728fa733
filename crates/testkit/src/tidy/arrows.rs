//! Rules about who may depend on whom: the arrows of the architecture, read from the manifests.
//!
//! Manifests are read line by line: the few shapes a dependency has do not need a parser, and what
//! this reading could miss, a renamed dependency, is a complaint itself.

use super::{Complaints, Repo};

/// Our crates and those each may use. Every arrow goes down, never up.
const ARROWS: [(&str, &[&str]); 10] = [
    ("wire", &[]),
    ("crdt", &["wire"]),
    ("trust", &["wire"]),
    ("model", &["crdt", "wire"]),
    ("store", &["crdt", "model", "wire"]),
    ("sync", &["trust", "wire"]),
    ("relay", &["crdt", "sync", "trust", "wire"]),
    (
        "agent",
        &["crdt", "model", "store", "sync", "trust", "wire"],
    ),
    ("cli", &["agent", "relay"]),
    // A disk under SQLite for tests: it knows nobody, and only the testkit knows it.
    ("crashdisk", &[]),
];

/// Uses everything in tests, and only tests use it.
const TESTKIT: &str = "testkit";

/// Libraries that only the named crates may know.
const ONE_DOOR: [(&str, &[&str]); 4] = [
    ("automerge", &["crdt"]),
    ("clap", &["cli"]),
    ("rusqlite", &["crashdisk", "relay", "store"]),
    ("tokio", &["agent", "cli", "relay"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ends up in the binary, or runs while it is built.
    Normal,
    /// Serves tests, benches and examples only.
    Dev,
    /// Names a version for the members; no arrow.
    Workspace,
}

/// One dependency as a manifest names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) renamed: bool,
}

/// Our crates depend on each other only where the architecture has an arrow.
pub(super) fn arrows(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for (path, text) in repo.texts() {
        let Some(crate_name) = crate_of(path) else {
            continue;
        };
        if crate_name != TESTKIT && arrows_of(crate_name).is_none() {
            found.push(format!(
                "{path}: `{crate_name}` has no place among the arrows: give it one"
            ));
            continue;
        }
        for dependency in dependencies(text) {
            let Some(target) = dependency.name.strip_prefix("wangge-") else {
                continue;
            };
            if !allows(crate_name, target, dependency.kind) {
                found.push(format!(
                    "{path}:{}: `{crate_name}` must not depend on `{target}`",
                    dependency.line
                ));
            }
        }
    }
    found
}

/// Some libraries have one door, and no dependency hides behind another name.
pub(super) fn one_door(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for (path, text) in repo.texts().filter(|(path, _)| is_manifest(path)) {
        let crate_name = crate_of(path);
        for Dependency {
            kind,
            name,
            line,
            renamed,
        } in dependencies(text)
        {
            if renamed {
                found.push(format!(
                    "{path}:{line}: `{name}` is another crate's new name: use the one it has"
                ));
            }
            let door = ONE_DOOR.iter().find(|(library, _)| *library == name);
            if let (Some(crate_name), Some((_, doors))) = (crate_name, door)
                && kind == Kind::Normal
                && crate_name != TESTKIT
                && !doors.contains(&crate_name)
            {
                found.push(format!(
                    "{path}:{line}: only {} may depend on `{name}`",
                    doors.join(" and ")
                ));
            }
        }
    }
    found
}

/// Returns the dependencies a manifest names, of its own or for the workspace.
pub(super) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut section = None;
    let mut depth = 0_usize;
    for (line, number) in manifest.lines().zip(1..) {
        let line = line.trim();
        let continues = depth > 0;
        depth = depth_after(line, depth);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !continues && line.starts_with('[') {
            section = Section::of(line);
            if let Some(Section::One(kind, name)) = &section {
                found.push(dependency(*kind, name, number));
            }
            continue;
        }
        if let Some(Section::Many(kind)) = &section
            && !continues
        {
            let name: &str = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.push(dependency(*kind, name, number));
        }
        if section.is_some() && renames(line) {
            // A line belongs to the dependency that was named last.
            if let Some(last) = found.last_mut() {
                last.renamed = true;
            }
        }
    }
    found
}

/// What a table in a manifest holds, where it holds dependencies.
enum Section {
    /// `[dependencies]`: one a line.
    Many(Kind),
    /// `[dependencies.name]`: one, its parts a line each.
    One(Kind, String),
}

impl Section {
    fn of(header: &str) -> Option<Self> {
        let header = header.split(']').next()?.trim_start_matches('[').trim();
        let (before, last) = header.rsplit_once('.').unwrap_or(("", header));
        let kind = |name: &str, owner: &str| match name {
            "dependencies" if owner == "workspace" => Some(Kind::Workspace),
            "dependencies" | "build-dependencies" => Some(Kind::Normal),
            "dev-dependencies" => Some(Kind::Dev),
            _ => None,
        };
        if let Some(kind) = kind(last, before) {
            return Some(Self::Many(kind));
        }
        let (owner, section) = before.rsplit_once('.').unwrap_or(("", before));
        let kind = kind(section, owner)?;
        Some(Self::One(kind, last.trim_matches('"').to_owned()))
    }
}

fn dependency(kind: Kind, name: &str, line: usize) -> Dependency {
    Dependency {
        kind,
        name: name.trim_matches('"').to_owned(),
        line,
        renamed: false,
    }
}

/// Tells whether a part of the line sets the key `package`.
fn renames(line: &str) -> bool {
    line.split(['{', ',']).any(|part| {
        part.split_once('=')
            .is_some_and(|(key, _)| key.trim().rsplit('.').next() == Some("package"))
    })
}

/// Returns how many braces and brackets are open behind a line, those in strings aside.
fn depth_after(line: &str, before: usize) -> usize {
    let mut quoted = false;
    line.chars().fold(before, |depth, c| match c {
        '"' => {
            quoted = !quoted;
            depth
        }
        '[' | '{' if !quoted => depth + 1,
        ']' | '}' if !quoted => depth.saturating_sub(1),
        _ => depth,
    })
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || crate_of(path).is_some()
}

/// Returns the folder's name for the path of a crate's own manifest.
fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?
        .strip_suffix("/Cargo.toml")
        .filter(|name| !name.contains('/'))
}

fn arrows_of(crate_name: &str) -> Option<&'static [&'static str]> {
    ARROWS
        .iter()
        .find(|(name, _)| *name == crate_name)
        .map(|(_, targets)| *targets)
}

fn allows(crate_name: &str, target: &str, kind: Kind) -> bool {
    let down = arrows_of(crate_name).is_some_and(|targets| targets.contains(&target));
    match kind {
        Kind::Normal if target == TESTKIT => false,
        Kind::Normal => crate_name == TESTKIT || down,
        Kind::Dev => crate_name == TESTKIT || target == TESTKIT || down,
        Kind::Workspace => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(crate_name: &str, text: &str) -> Repo {
        Repo::of(&[(&format!("crates/{crate_name}/Cargo.toml"), text)])
    }

    fn complains(crate_name: &str, section: &str, target: &str) -> bool {
        let text = format!("[{section}]\nwangge-{target}.workspace = true\n");
        !arrows(&manifest(crate_name, &text)).is_empty()
    }

    #[test]
    fn an_arrow_upwards_is_named_with_its_line() {
        let text =
            "[package]\nname = \"wangge-relay\"\n\n[dependencies]\nwangge-model.workspace = true\n";
        assert_eq!(
            arrows(&manifest("relay", text)),
            ["crates/relay/Cargo.toml:5: `relay` must not depend on `model`"]
        );
    }

    #[test]
    fn exactly_the_arrows_of_the_architecture_are_allowed() {
        let allowed: usize = ARROWS.iter().map(|(_, targets)| targets.len()).sum();
        let names = ARROWS.iter().map(|(name, _)| *name);
        let pairs = names
            .clone()
            .flat_map(|from| names.clone().map(move |to| (from, to)));
        let kept = pairs
            .filter(|(from, to)| !complains(from, "dependencies", to))
            .count();
        assert_eq!((allowed, kept), (21, 21));
        for target in ["wire", "sync", "store", "model"] {
            assert!(complains("cli", "dependencies", target), "{target}");
        }
    }

    #[test]
    fn testkit_is_for_tests_only() {
        assert!(complains("agent", "dependencies", "testkit"));
        assert!(complains("agent", "build-dependencies", "testkit"));
        assert!(!complains("agent", "dev-dependencies", "testkit"));
        assert!(!complains("testkit", "dependencies", "cli"));
        assert!(!complains("testkit", "dev-dependencies", "model"));
    }

    #[test]
    fn tests_follow_the_arrows_too() {
        assert!(complains("relay", "dev-dependencies", "model"));
        assert!(!complains("relay", "dev-dependencies", "sync"));
    }

    #[test]
    fn no_shape_of_a_dependency_hides_it() {
        for text in [
            "[dependencies]\nwangge-model = { path = \"../model\" }\n",
            "[dependencies]\n\"wangge-model\" = \"1\"\n",
            "[dependencies.wangge-model]\nworkspace = true\n",
            "[ dependencies ] # ours\nwangge-model={workspace=true}\n",
            "[target.'cfg(unix)'.dependencies]\nwangge-model.workspace = true\n",
            "[target.x86_64-unknown-linux-gnu.dependencies.wangge-model]\nworkspace = true\n",
            "[dependencies]\na = { features = [\n  \"b\",\n] }\nwangge-model.workspace = true\n",
        ] {
            assert_eq!(arrows(&manifest("relay", text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        assert_eq!(arrows(&manifest("utils", "[package]\n")).len(), 1);
    }

    #[test]
    fn a_library_with_one_door_stays_behind_it() {
        let automerge = "[dependencies]\nautomerge.workspace = true\n";
        assert_eq!(one_door(&manifest("crdt", automerge)).len(), 0);
        assert_eq!(one_door(&manifest("model", automerge)).len(), 1);
        assert_eq!(one_door(&manifest("cli", automerge)).len(), 1);
        let rusqlite = "[dependencies]\nrusqlite = { version = \"1\" }\n";
        assert_eq!(one_door(&manifest("store", rusqlite)).len(), 0);
        assert_eq!(one_door(&manifest("relay", rusqlite)).len(), 0);
        assert_eq!(
            one_door(&manifest("cli", rusqlite)),
            [
                "crates/cli/Cargo.toml:2: only crashdisk and relay and store may depend on `rusqlite`"
            ]
        );
        let tests = "[dev-dependencies]\nrusqlite = { version = \"1\" }\n";
        assert_eq!(one_door(&manifest("cli", tests)).len(), 0);
    }

    #[test]
    fn a_renamed_dependency_is_named() {
        for text in [
            "[dependencies]\nmerge = { package = \"automerge\", version = \"1\" }\n",
            "[dependencies]\nmerge.package = \"automerge\"\n",
            "[dependencies.merge]\npackage = \"automerge\"\n",
        ] {
            assert_eq!(one_door(&manifest("model", text)).len(), 1, "{text}");
            let workspace = text.replace("[dependencies", "[workspace.dependencies");
            let repo = Repo::of(&[("Cargo.toml", &workspace)]);
            assert_eq!(one_door(&repo).len(), 1, "{workspace}");
        }
    }

    #[test]
    fn the_workspace_table_is_no_arrow() {
        let found = dependencies("[workspace.dependencies]\nwangge-wire = { path = \"a\" }\n");
        assert_eq!(found, [dependency(Kind::Workspace, "wangge-wire", 2)]);
        assert_eq!(dependencies("[workspace.package]\nname = \"a\"\n"), []);
    }
}
