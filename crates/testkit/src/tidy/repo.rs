//! The repository as a listing: every file's path with its text.
//!
//! Paths are relative to the top, with `/` between names on every system, and come in order.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Hidden folders that belong to the repository; any other one belongs to an editor or to git.
const HIDDEN_FOLDERS: [&str; 4] = [".cargo", ".ci", ".config", ".github"];

/// Files by path; `None` stands for a file that is not UTF-8 text.
#[derive(Debug, Default)]
pub struct Repo {
    files: BTreeMap<String, Option<String>>,
}

impl Repo {
    /// Reads everything below `root` but build output and foreign hidden folders.
    ///
    /// # Errors
    ///
    /// Fails when a folder or a file cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut repo = Self::default();
        repo.read_folder(root, "")?;
        Ok(repo)
    }

    /// Makes a listing by hand, for the rules' own tests.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())))
            .collect();
        Self { files }
    }

    /// Returns the path of every file.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns path and text of every file that holds text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Returns the text of one file, if there is one.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Tells whether a file or a folder of this name exists.
    ///
    /// A folder exists by its files: git keeps no empty ones.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(first, _)| first.starts_with(&folder))
    }

    /// Returns path and text of every Rust file of our own crates.
    pub(super) fn rust_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts()
            .filter(|(path, _)| path.starts_with("crates/") && path.ends_with(".rs"))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if !entry.file_type()?.is_dir() {
                self.read_file(&entry.path(), path)?;
            } else if !skips(&name) {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path, path: String) -> io::Result<()> {
        match std::fs::read(file) {
            Ok(bytes) => {
                self.files.insert(path, String::from_utf8(bytes).ok());
                Ok(())
            }
            // Another test may have removed its own scratch file since the folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Tells whether a folder is none of the repository's.
fn skips(folder: &str) -> bool {
    folder == "target" || (folder.starts_with('.') && !HIDDEN_FOLDERS.contains(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    #[test]
    fn reading_skips_build_output_and_foreign_hidden_folders() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "Cargo.toml",
            ".gitignore",
            ".ci/run",
            "crates/wire/src/lib.rs",
            ".git/config",
            ".editor/state",
            "target/debug/x",
            "crates/wire/fuzz/target/x",
        ] {
            write(root.path(), path, b"text");
        }
        let repo = Repo::read(root.path()).unwrap();
        assert_eq!(
            repo.paths().collect::<Vec<_>>(),
            [
                ".ci/run",
                ".gitignore",
                "Cargo.toml",
                "crates/wire/src/lib.rs"
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_text_is_listed_without_one() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "fixtures/roster.xlsx", b"PK\xff\xfe");
        let repo = Repo::read(root.path()).unwrap();
        assert!(repo.has("fixtures/roster.xlsx"));
        assert_eq!(repo.texts().count(), 0);
    }

    #[test]
    fn a_folder_exists_by_its_files() {
        let repo = Repo::of(&[("docs/decisions/0001-ids.md", "")]);
        assert!(repo.has("docs/decisions"));
        assert!(repo.has("docs/decisions/"));
        assert!(!repo.has("docs/decision"));
        assert!(!repo.has("docs/decisions/0001"));
    }
}
