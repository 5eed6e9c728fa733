//! Rules about papers: what they name exists, and both READMEs say the same.

use std::collections::BTreeSet;

use super::arrows::{self, Kind};
use super::markdown::Page;
use super::{Complaints, Repo};

/// A word in code that begins like this is a path from the top of the repository.
const OUR_FOLDERS: [&str; 4] = ["crates/", "docs/", "fixtures/", "scripts/"];

/// Characters that make a path a pattern; what stands before them must still exist.
const PLACEHOLDERS: [&str; 9] = ["*", "{", "}", "<", ">", "$", "…", "...", "NNNN"];

/// Where the Chinese README may lie; the first is the better place.
const CHINESE_READMES: [&str; 2] = ["docs/README.zh.md", "README.zh.md"];

const REASONS: &str = "docs/dependencies.md";

/// Every path of ours that a page names in code exists.
pub(super) fn paths(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for (file, page) in pages(repo) {
        for (line, word) in page.words {
            if let Some(path) = our_path(word)
                && !repo.has(path)
            {
                found.push(format!("{file}:{line}: `{path}` does not exist"));
            }
        }
    }
    found
}

/// Every link from page to page leads to a file.
pub(super) fn links(repo: &Repo) -> Complaints {
    let mut found = Complaints::new();
    for (file, page) in pages(repo) {
        for (line, link) in page.links {
            let target = link.trim_matches(['<', '>']);
            let target = target.split(['#', '?']).next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if target.is_empty() || elsewhere {
                continue;
            }
            if !resolve(file, target).is_some_and(|path| repo.has(&path)) {
                found.push(format!("{file}:{line}: the link to `{link}` leads nowhere"));
            }
        }
    }
    found
}

/// There are two READMEs with the same headings and blocks of code, one for each language.
pub(super) fn readme(repo: &Repo) -> Complaints {
    let [best, _] = CHINESE_READMES;
    let mut found = Complaints::new();
    let chinese: Vec<_> = CHINESE_READMES
        .iter()
        .filter_map(|path| Some((*path, repo.text(path)?)))
        .collect();
    let english = repo.text("README.md");
    if english.is_none() {
        found.push("README.md: missing".to_owned());
    }
    let (path, text) = match chinese.as_slice() {
        [one] => *one,
        [] => {
            found.push(format!("{best}: missing"));
            return found;
        }
        _ => {
            found.push(format!("README.zh.md: keep only {best}"));
            return found;
        }
    };
    let (english, chinese) = (Page::of(english.unwrap_or_default()), Page::of(text));
    for (what, english, chinese) in [
        ("headings", english.headings, chinese.headings),
        ("blocks of code", english.blocks, chinese.blocks),
    ] {
        if english != chinese {
            found.push(format!(
                "{path}: {chinese} {what}, but README.md has {english}"
            ));
        }
    }
    found
}

/// Every dependency has its line of reason, and every line its dependency.
pub(super) fn dependencies(repo: &Repo) -> Complaints {
    let manifest = repo.text("Cargo.toml").unwrap_or_default();
    let used: BTreeSet<String> = arrows::dependencies(manifest)
        .into_iter()
        .filter(|dependency| dependency.kind == Kind::Workspace)
        .map(|dependency| dependency.name)
        .filter(|name| !name.starts_with("wangge-"))
        .collect();
    let reasons = reasons(repo.text(REASONS).unwrap_or_default());
    let unexplained = used
        .difference(&reasons)
        .map(|name| format!("{REASONS}: no reason for `{name}`"));
    let stale = reasons
        .difference(&used)
        .map(|name| format!("{REASONS}: a reason for `{name}`, which nobody uses"));
    unexplained.chain(stale).collect()
}

fn pages(repo: &Repo) -> impl Iterator<Item = (&str, Page<'_>)> {
    repo.texts()
        .filter(|(path, _)| path.ends_with(".md"))
        .map(|(path, text)| (path, Page::of(text)))
}

/// Returns the part of a word in code that must exist, where the word is a path of ours.
fn our_path(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['"', '\'', '(', '[']);
    let word = word.strip_prefix("./").unwrap_or(word);
    if !OUR_FOLDERS.iter().any(|folder| word.starts_with(folder)) {
        return None;
    }
    // Behind these comes a line number, an anchor or the rest of a sentence.
    let ends = |c: char| "#:;,\"'()[]|，。；：、）".contains(c);
    let path = word.split(ends).next().unwrap_or_default();
    let placeholder = PLACEHOLDERS.iter().filter_map(|mark| path.find(mark)).min();
    match placeholder.and_then(|at| path.get(..at)) {
        Some(fixed) => fixed.rsplit_once('/').map(|(folder, _)| folder),
        None => Some(path.trim_end_matches(['.', '!', '?'])),
    }
}

/// Returns where a link in `file` leads, or `None` when it leaves the repository.
fn resolve(file: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = file.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Returns the names in the first cells of a page's tables whose second cell says something.
fn reasons(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in text.lines().filter_map(|line| line.strip_prefix('|')) {
        let mut cells = row.split('|');
        let names = cells.next().unwrap_or_default();
        let explained = cells.next().is_some_and(|reason| !reason.trim().is_empty());
        if explained {
            let names = names.split('`').skip(1).step_by(2);
            found.extend(names.map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rule: fn(&Repo) -> Complaints, text: &str) -> Complaints {
        rule(&Repo::of(&[
            ("docs/decisions/0001-ids.md", text),
            ("docs/glossary.md", ""),
            ("scripts/ci/fmt", ""),
            ("LICENSE", ""),
        ]))
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        assert_eq!(
            judge(paths, "See\n`docs/glosary.md`.\n"),
            ["docs/decisions/0001-ids.md:2: `docs/glosary.md` does not exist"]
        );
        for text in [
            "`bash scripts/ci/format now`",
            "```sh\n./scripts/ci/format\n```",
            "`crates/wire/src/*.rs`",
            "`scripts/cl/{fmt,docs}`",
            "`docs/glosary.md:12`",
        ] {
            assert_eq!(judge(paths, text).len(), 1, "{text}");
        }
    }

    #[test]
    fn paths_that_exist_and_words_that_are_none_are_fine() {
        for text in [
            "`docs/glossary.md#ticket`, `scripts/ci/fmt`。",
            "`docs/glossary.md:12`",
            "`./scripts/ci/fmt --check`",
            "`scripts/ci/{fmt,docs}` `docs/decisions/NNNN-name.md` `scripts/…`",
            "`docs/` `docs`",
            "crates/nowhere is not in code, `a/docs/b` is no path of ours",
        ] {
            assert_eq!(judge(paths, text), Complaints::new(), "{text}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        assert_eq!(
            judge(links, "[a](../glosary.md)"),
            ["docs/decisions/0001-ids.md:1: the link to `../glosary.md` leads nowhere"]
        );
        assert_eq!(judge(links, "[a](glossary.md)").len(), 1);
        assert_eq!(judge(links, "[a](../../../outside.md)").len(), 1);
    }

    #[test]
    fn links_to_files_folders_anchors_and_the_web_are_fine() {
        let text = "[a](../glossary.md#b) [c](../) [d](#e) [f](https://example.org/g) [h](../../LICENSE) [i](0001-ids.md)";
        assert_eq!(judge(links, text), Complaints::new());
    }

    #[test]
    fn both_readmes_of_one_shape_are_fine() {
        let repo = Repo::of(&[
            ("README.md", "# A\n```\nx\n```\n## B\n"),
            ("docs/README.zh.md", "# 甲\n```\nx\n```\n## 乙\n"),
        ]);
        assert_eq!(readme(&repo), Complaints::new());
    }

    #[test]
    fn a_readme_missing_or_twice_is_named() {
        let both = ("README.md", "# A\n");
        let [best, other] = CHINESE_READMES;
        assert_eq!(readme(&Repo::of(&[both])).len(), 1);
        let found = readme(&Repo::of(&[(best, "")]));
        assert_eq!(found, ["README.md: missing"]);
        let found = readme(&Repo::of(&[both, (best, "# 甲\n"), (other, "# 甲\n")]));
        assert_eq!(found.len(), 1);
        assert!(readme(&Repo::of(&[both, (other, "# 甲\n")])).is_empty());
    }

    #[test]
    fn readmes_of_different_shape_are_named() {
        for chinese in [
            "# 甲\n",
            "# 甲\n## 乙\n```\n```\n",
            "## 乙\n```\n```\n```\n```\n",
        ] {
            let repo = Repo::of(&[
                ("README.md", "# A\n```\nx\n```\n"),
                ("docs/README.zh.md", chinese),
            ]);
            assert_eq!(readme(&repo).len(), 1, "{chinese}");
        }
    }

    fn reasons_for(manifest: &str, page: &str) -> Complaints {
        let manifest = format!("[workspace.dependencies]\n{manifest}");
        dependencies(&Repo::of(&[("Cargo.toml", &manifest), (REASONS, page)]))
    }

    #[test]
    fn a_dependency_without_a_reason_is_named() {
        let manifest = "wangge-wire = { path = \"x\" }\nuuid = \"1\"\nzstd = { version = \"1\" }\n";
        let page = "| crate | why |\n|---|---|\n| `uuid` | Ids. |\n";
        assert_eq!(
            reasons_for(manifest, page),
            ["docs/dependencies.md: no reason for `zstd`"]
        );
        let empty = format!("{page}| `zstd` |  |\n");
        assert_eq!(reasons_for(manifest, &empty).len(), 1);
        let full = format!("{page}| `zstd` | Compression. |\n");
        assert_eq!(reasons_for(manifest, &full), Complaints::new());
    }

    #[test]
    fn a_reason_that_outlived_its_dependency_is_named() {
        let page = "| `uuid`, `ulid` | Ids. |\n";
        assert_eq!(
            reasons_for("uuid = \"1\"\n", page),
            ["docs/dependencies.md: a reason for `ulid`, which nobody uses"]
        );
    }
}
