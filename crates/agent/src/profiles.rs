//! The profiles of a device: one home a person, each with its own keys and its own word.
//!
//! The usual home is the platform's folder itself; further ones lie in `profiles` in it, each in a folder
//! that is named as the person is.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wangge_trust::vault::WordKind;

use crate::error::AgentError;
use crate::home::Profile;
use crate::keys;

const FOLDER: &str = "profiles";
const PROFILE: &str = "profile.json";
/// Characters of the longest name of a profile.
const NAME_CHARS_MAX: usize = 40;

/// A profile of this device, as it is told without opening it.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileRow {
    /// What `--as` names it by.
    pub name: String,
    /// Whether it is the one that is opened where none is named.
    pub usual: bool,
    /// The folder.
    pub home: PathBuf,
    /// What people call the relay it syncs with; none before enrolment.
    pub relay: Option<String>,
    /// What kind of word locks it; none where none does, or nobody can tell.
    pub word: Option<WordKind>,
    /// Whether nobody can tell, for what opens it is damaged: that is told to whoever opens it, and is nothing
    /// to the others of the device.
    pub damaged: bool,
}

/// Returns the profiles below the platform's folder, the usual one first.
pub fn list(data: &Path) -> Result<Vec<ProfileRow>, AgentError> {
    let mut rows: Vec<ProfileRow> = row(data, true)?.into_iter().collect();
    let mut others = Vec::new();
    for entry in fs::read_dir(data.join(FOLDER)).into_iter().flatten() {
        others.extend(row(&entry?.path(), false)?);
    }
    others.sort_by(|a, b| a.name.cmp(&b.name));
    rows.extend(others);
    Ok(rows)
}

/// Returns the home of the profile with this name; where there is none, the folder that one would get.
///
/// # Errors
/// [`AgentError::BadValue`] for a name that no folder can have.
pub fn home_of(data: &Path, name: &str) -> Result<PathBuf, AgentError> {
    let name = name.trim();
    let rows = list(data)?;
    if let Some(row) = rows.into_iter().find(|row| row.name == name) {
        return Ok(row.home);
    }
    let is_name = |sign: char| sign.is_alphanumeric() || "-_ ·".contains(sign);
    let length = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&length) || !name.chars().all(is_name) {
        return Err(AgentError::BadValue {
            field: "as",
            value: name.to_owned(),
            expected: "a name of letters and digits",
        });
    }
    Ok(data.join(FOLDER).join(name))
}

fn row(home: &Path, usual: bool) -> Result<Option<ProfileRow>, AgentError> {
    let Ok(text) = fs::read_to_string(home.join(PROFILE)) else {
        return Ok(None);
    };
    let folder = home.file_name().unwrap_or_default().to_string_lossy();
    let (name, relay) = match serde_json::from_str::<Profile>(&text) {
        Ok(profile) => {
            let name = match profile.name.is_empty() {
                true => folder.into_owned(),
                false => profile.name,
            };
            (name, profile.relay.map(|relay| relay.name))
        }
        // Its folder still tells which one it is.
        Err(_) => (folder.into_owned(), None),
    };
    let word = keys::word_of(home);
    Ok(Some(ProfileRow {
        name,
        usual,
        home: home.to_owned(),
        relay,
        damaged: word.is_err(),
        word: word.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Machine, Replica};

    #[test]
    fn each_person_of_a_device_has_a_home_by_name_and_a_name_never_leaves_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("wangge");
        let make = |home: &Path, name: &str| {
            drop(Replica::init(home, name, Vec::new(), Machine::default()).unwrap());
        };
        make(&data, "李梅");
        make(&home_of(&data, "王芳").unwrap(), "王芳");
        assert_eq!(home_of(&data, "李梅").unwrap(), data);
        let names: Vec<_> = list(&data)
            .unwrap()
            .into_iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(names, ["李梅", "王芳"]);
        // One person's damage keeps nobody else out.
        std::fs::write(data.join("vault.json"), "{").unwrap();
        assert!(home_of(&data, "王芳").unwrap().ends_with("王芳"));
        let damaged = |row: ProfileRow| row.damaged;
        let rows = list(&data).unwrap().into_iter().map(damaged);
        assert_eq!(rows.collect::<Vec<_>>(), [true, false]);
        let long = "长".repeat(41);
        for bad in ["", "..", "../李梅", "a/b", "a\\b", "a\0b", &long] {
            assert!(home_of(&data, bad).is_err(), "{bad:?}");
        }
    }
}
