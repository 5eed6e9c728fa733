//! A home that was just begun and holds nothing: taken away again, or completed.
//!
//! **Only what this very program made is taken away**, and only while the database holds no change.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{AgentError, InvitationRefused};
use crate::home::{Home, Profile};
use crate::machine::Machine;
use crate::replica::Replica;

/// What stood in a folder before a home was made in it.
#[derive(Debug)]
pub struct Before {
    dir: PathBuf,
    /// Whether the folder was there.
    existed: bool,
    /// What was in it.
    names: Vec<std::ffi::OsString>,
}

impl Before {
    /// Looks at a folder in which a home is about to be made.
    pub fn look(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            existed: dir.exists(),
            names: names_in(dir),
        }
    }

    /// Takes away what a home made here, where it holds nothing; else leaves all of it.
    pub fn put_back(self, replica: Replica) -> Result<(), AgentError> {
        let home = &replica.home;
        // What was set aside may be the only copy of what somebody saved.
        if home.set_aside.is_some() || home.lost || !holds_nothing(home)? {
            return Ok(());
        }
        // The database is closed before its files go; the profile first, so that nobody opens half a home.
        drop(replica);
        let mut made = names_in(&self.dir);
        made.retain(|name| !self.names.contains(name));
        made.sort_by_key(|name| name != "profile.json");
        for name in made {
            let path = self.dir.join(name);
            match path.is_dir() {
                true => fs::remove_dir(&path)?,
                false => fs::remove_file(&path)?,
            }
        }
        if !self.existed {
            fs::remove_dir(&self.dir)?;
        }
        Ok(())
    }
}

/// Says whether a relay said no for good, or was never asked: nothing of this device is known to it.
pub fn is_refused_for_good(error: &AgentError) -> bool {
    use InvitationRefused as R;
    matches!(
        error,
        AgentError::UnsafeAddress { .. }
            | AgentError::OtherRelay { .. }
            | AgentError::Invitation(
                R::WrongCode | R::TooManyTries | R::Spent | R::Expired | R::ForRelay
            )
    )
}

/// Opens a home that an enrolment began and nobody completed, under this profile; none where it is
/// somebody's already. Its key stays: the relay may know it from a line that was cut.
pub(crate) fn completed(
    dir: &Path,
    profile: &Profile,
    machine: &Machine,
) -> Result<Option<Home>, AgentError> {
    let mut home = Home::open(dir, machine)?;
    let said = &home.profile;
    let is_bare = said.name.is_empty() && said.areas.is_empty() && said.relay.is_none();
    if !is_bare || home.lost || home.set_aside.is_some() || !holds_nothing(&home)? {
        return Ok(None);
    }
    home.keep_profile(profile.clone())?;
    Ok(Some(home))
}

fn holds_nothing(home: &Home) -> Result<bool, AgentError> {
    Ok(home.store.holds_nothing()? && home.lost_ms()?.is_none())
}

fn names_in(dir: &Path) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
}
