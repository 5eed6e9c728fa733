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
