//! The word of a home: choosing it, changing it, and coming in without it.

use std::path::Path;

use serde::Serialize;
use wangge_trust::vault::{RecoverySecret, Word, WordKind};
use zeroize::Zeroizing;

use crate::error::AgentError;
use crate::keys::{self, Opening};
use crate::machine::Machine;
use crate::replica::Replica;

/// What became of choosing a word.
#[derive(Debug, Serialize)]
pub struct WordChosen {
    /// Whether there was one before.
    pub changed: bool,
    /// What opens the home without its word, to be written down; none where something does already.
    pub recovery_code: Option<String>,
}

impl Replica {
    /// Returns what kind of word locks this home; none where nobody chose one yet.
    pub fn word(&self) -> Result<Option<WordKind>, AgentError> {
        keys::word_of(self.dir())
    }

    /// Returns what kind of word is strong enough on this device.
    pub fn word_wanted(&self) -> WordKind {
        self.machine.safe.kind()
    }

    /// Locks this home by a word, or by another one. Where nothing else would open it, a recovery code is
    /// made: **a forgotten word must not be the end of what was saved.**
    ///
    /// # Errors
    /// [`AgentError::WordTooWeak`]; then all is as it was.
    pub fn choose_word(&mut self, typed: &str) -> Result<WordChosen, AgentError> {
        let word = Word::new(typed, self.word_wanted())?;
        let changed = self.word()?.is_some();
        let dir = self.dir().to_owned();
        let code = self.home.keys.lock_by(&dir, &word, &self.machine)?;
        Ok(WordChosen {
            changed,
            recovery_code: code.map(|code| code.shown().to_string()),
        })
    }

    /// Opens a home whose word is forgotten, or whose device's secret is gone, with a recovery code.
    ///
    /// # Errors
    /// [`AgentError::NotThisRecoveryKey`] for a code that is none, or another home's.
    pub fn recover(dir: &Path, code: &str, mut machine: Machine) -> Result<Self, AgentError> {
        let secret = RecoverySecret::parse(code).ok_or(AgentError::NotThisRecoveryKey)?;
        let key = keys::recover(dir, &secret)?;
        machine.opener = Box::new(move |_| Ok(Opening::Key(key.clone())));
        Self::open(dir, machine)
    }
}

/// Returns a typed word without the line's end that a file or a pipe brings.
pub fn as_typed(line: &str) -> Zeroizing<String> {
    Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())
}
