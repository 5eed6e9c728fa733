//! How far up what was recorded here has come: station, township, county.
//!
//! The way up is what the relay that was pinned says with its signature, and each relay above it. **A
//! level counts only by proof**; the last of them decides whether anything may be called safe.

use serde::Serialize;
use wangge_trust::KnownRelay;
use wangge_wire::order::LevelForm;
use wangge_wire::{ChangeHash, DocId, Level, RelayId};

use crate::error::AgentError;
use crate::replica::Replica;

/// A level on the way up, and whether one change is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelView {
    /// `village township county`.
    pub level: &'static str,
    /// What people call the relay.
    pub name: String,
    /// Whether the change is durable there, with a number.
    pub reached: bool,
}

/// A level on the way up, and what of this device's work is not known to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelCount {
    /// `village township county`.
    pub level: &'static str,
    /// What people call the relay.
    pub name: String,
    /// Changes and places made here that are not known to be there.
    pub missing: u64,
}

impl Replica {
    /// Returns each level on the way up and whether a change is there; empty before enrolment.
    pub(crate) fn levels_of(
        &self,
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<Vec<LevelView>, AgentError> {
        let view = |(id, relay): (RelayId, &KnownRelay)| {
            let level = form(relay.level);
            Ok(LevelView {
                level: word(relay.level),
                name: relay.member.name.clone(),
                reached: self.home.store.is_at(&id, level, doc, hash)?,
            })
        };
        self.roster.path_up().into_iter().map(view).collect()
    }

    /// Returns each level on the way up and what of this device's work is not known to be there.
    pub(crate) fn missing_by_level(&self) -> Result<Vec<LevelCount>, AgentError> {
        let count = |(id, relay): (RelayId, &KnownRelay)| {
            let level = form(relay.level);
            Ok(LevelCount {
                level: word(relay.level),
                name: relay.member.name.clone(),
                missing: self.home.store.own_not_at(&id, level)?,
            })
        };
        self.roster.path_up().into_iter().map(count).collect()
    }
}

/// Returns whether a change with these levels is at the last of them; one alone is the relay itself.
pub(crate) fn at_the_top(levels: &[LevelView]) -> bool {
    match levels {
        [] | [_] => true,
        [.., top] => top.reached,
    }
}

/// Returns a level as it travels.
pub(crate) fn form(level: Level) -> LevelForm {
    match level {
        Level::County => LevelForm::County,
        Level::Township => LevelForm::Township,
        Level::Village | Level::Grid => LevelForm::Village,
    }
}

/// Returns a level as JSON names it.
pub(crate) fn word(level: Level) -> &'static str {
    match level {
        Level::County => "county",
        Level::Township => "township",
        Level::Village | Level::Grid => "village",
    }
}
