//! A device that was revoked: what it held is removed, once all of it is known to be at a relay.
//!
//! **Never the only copy of anything**: what could not be sent stays, marked, and is not shown. The mark is
//! written before the first file goes and names what was proven; whoever opens the home next goes on where a
//! power cut left it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wangge_store::Store;
use wangge_wire::{DeviceId, RelayId};

use crate::error::AgentError;
use crate::home::{self, write_whole};

/// The mark, in the place of the profile once everything is gone.
pub const MARK: &str = "purged.json";

/// What became of a home whose device was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// When the relay said so, by its clock, milliseconds since 1970.
    pub at_ms: i64,
    /// The relay.
    pub relay: RelayId,
    /// What people call it.
    pub relay_name: String,
    /// The device.
    pub device: DeviceId,
    /// Entries that no relay is known to have: while there are any, the database stays.
    pub unsent: usize,
    /// Attachments that no relay is known to have: while there are any, they and the database stay.
    pub attachments: usize,
    /// Whether the relay has every batch up to the last one of this device.
    pub proven: bool,
    /// Damaged databases that had been set aside: nobody can say what they hold, and they stay.
    #[serde(default)]
    pub set_aside: Vec<PathBuf>,
}

impl Purged {
    /// Returns whether everything of this device is known to be at a relay: nothing is lost by removing it.
    pub fn is_clear(&self) -> bool {
        self.unsent == 0 && self.attachments == 0 && self.proven
    }
}

/// Returns the mark of a home; none of one whose device was not revoked.
pub fn look(dir: &Path) -> Option<Purged> {
    let text = fs::read_to_string(dir.join(MARK)).ok()?;
    serde_json::from_str(&text).ok()
}

/// Marks a home.
pub(crate) fn mark(dir: &Path, purged: &Purged) -> Result<(), AgentError> {
    let text = serde_json::to_string_pretty(purged)
        .map_err(|error| AgentError::Internal(error.to_string()))?;
    write_whole(&dir.join(MARK), text.as_bytes())
}

/// Takes the mark of an earlier home away: another one begins in the folder.
pub(crate) fn forget(dir: &Path) -> Result<(), AgentError> {
    match fs::remove_file(dir.join(MARK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Removes what a marked home held, if all of it is known to be at a relay, and returns the mark; none for a
/// home that is not marked. Nobody may have the home open.
///
/// The profile goes last: as long as it is there, a home that was begun to be removed is known by it.
pub fn finish(dir: &Path) -> Result<Option<Purged>, AgentError> {
    let Some(purged) = look(dir) else {
        return Ok(None);
    };
    if !purged.is_clear() || !home::is_home(dir) {
        return Ok(Some(purged));
    }
    let lock = home::lock(dir)?;
    for path in home::files(dir)? {
        let gone = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    #[cfg(unix)]
    fs::File::open(dir)?.sync_all()?;
    drop(lock);
    // Whoever waits for it has it open; the next home makes it again.
    let _ = fs::remove_file(dir.join(home::LOCK));
    Ok(Some(purged))
}

/// Returns the files in which damaged databases of a home were set aside.
pub(crate) fn set_aside(dir: &Path) -> Result<Vec<PathBuf>, AgentError> {
    Ok(Store::all_set_aside(&home::database(dir))?)
}

/// Returns the copies of a home's database from before a change of form.
pub(crate) fn copies(dir: &Path) -> Result<Vec<PathBuf>, AgentError> {
    Ok(Store::copies_before(&home::database(dir))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    fn marked(unsent: usize) -> Purged {
        Purged {
            at_ms: 1,
            relay: RelayId([1; 16]),
            relay_name: "杨家镇".into(),
            device: DeviceId([2; 16]),
            unsent,
            attachments: 0,
            proven: true,
            set_aside: Vec::new(),
        }
    }

    /// Makes the files of a home, and one that belongs to nobody.
    fn home_in(dir: &Path) {
        fs::write(dir.join("profile.json"), "{}").unwrap();
        for path in home::files(dir).unwrap() {
            fs::write(path, "a").unwrap();
        }
        fs::remove_file(dir.join("blobs")).unwrap();
        fs::create_dir_all(dir.join("blobs/ab")).unwrap();
        fs::write(dir.join("blobs/ab/paper"), "a").unwrap();
        for name in ["lock", "life.next", "notes.txt"] {
            fs::write(dir.join(name), "a").unwrap();
        }
    }

    /// Makes a home beside which a damaged database was set aside.
    fn home_beside_a_damaged_one(dir: &Path) {
        home_in(dir);
        fs::write(dir.join("wangge.damaged-1.db"), "a").unwrap();
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_power_cut_left_of_a_purge_is_removed_by_whoever_looks_next() {
        let keys = keys::FILES;
        for (make, stay) in [
            (home_in as fn(&Path), &[][..]),
            // What was set aside may hold the only copy of something, and what opens it stays.
            (home_beside_a_damaged_one, &keys[..]),
        ] {
            let count = {
                let dir = tempfile::tempdir().unwrap();
                make(dir.path());
                home::files(dir.path()).unwrap().len()
            };
            assert!(count + stay.len() > 17, "{count}");
            for gone in 0..count {
                let dir = tempfile::tempdir().unwrap();
                make(dir.path());
                mark(dir.path(), &marked(0)).unwrap();
                for path in home::files(dir.path()).unwrap().into_iter().take(gone) {
                    let file = fs::remove_file(&path);
                    file.or_else(|_| fs::remove_dir_all(&path)).unwrap();
                }
                assert_eq!(finish(dir.path()).unwrap(), Some(marked(0)));
                // The rest is none of ours.
                let mut left: Vec<&str> = stay.to_vec();
                left.extend(["notes.txt", "purged.json"]);
                left.extend((!stay.is_empty()).then_some("wangge.damaged-1.db"));
                left.sort_unstable();
                assert_eq!(names(dir.path()), left, "{gone} were gone");
                assert_eq!(finish(dir.path()).unwrap(), Some(marked(0)));
            }
        }
    }

    #[test]
    fn a_home_with_something_that_no_relay_has_loses_nothing_and_one_without_a_mark_neither() {
        for purged in [
            None,
            Some(marked(1)),
            Some(Purged {
                attachments: 1,
                ..marked(0)
            }),
            Some(Purged {
                proven: false,
                ..marked(0)
            }),
        ] {
            let dir = tempfile::tempdir().unwrap();
            home_in(dir.path());
            if let Some(purged) = &purged {
                mark(dir.path(), purged).unwrap();
            }
            let before = names(dir.path());
            assert_eq!(finish(dir.path()).unwrap(), purged);
            assert_eq!(names(dir.path()), before);
        }
    }
}
