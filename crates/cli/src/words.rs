//! Where words come from that open a home: a holder, the environment, a file, the terminal.

use std::io::{IsTerminal as _, Read as _};

use wangge_agent::keys::{Locked, Opener, Opening};
use wangge_agent::word::as_typed;
use wangge_agent::{AgentError, WordKind};
use zeroize::Zeroizing;

use crate::text::Lang;

/// The variable that hands a word to scripts.
const VARIABLE: &str = "WANGGE_PIN";
/// How often two words may differ before it is left.
const TWICE_TRIES: usize = 3;
/// Bytes of the longest word that a file hands in.
const BYTES_MAX: u64 = 4096;

/// Where this run finds words.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    pub(crate) lang: Lang,
    /// The file that was named; `-` is stdin.
    pub(crate) file: Option<String>,
}

impl Words {
    /// Returns what opens a locked home. A holder is not asked where the person has to prove that they know
    /// the word.
    pub(crate) fn opener(&self, ask_holder: bool) -> Opener {
        let words = self.clone();
        Box::new(move |home: &Locked<'_>| {
            if let Some(key) = held(home).filter(|_| ask_holder) {
                return Ok(Opening::Key(key));
            }
            let typed = match words.handed()? {
                Some(word) => Some(word),
                None => words.asked(words.lang.ask_word(home.kind == WordKind::Pin))?,
            };
            let locked = || AgentError::Locked {
                at: home.dir.to_owned(),
            };
            typed.map(Opening::Word).ok_or_else(locked)
        })
    }

    /// Returns the word that was handed in by the environment or a file.
    pub(crate) fn handed(&self) -> Result<Option<Zeroizing<String>>, AgentError> {
        let said = std::env::var(VARIABLE).ok().map(Zeroizing::new);
        match (said.filter(|word| !word.is_empty()), &self.file) {
            (_, Some(file)) => Self::read(file).map(Some),
            (said, None) => Ok(said),
        }
    }

    /// Returns the first line of a file, or of stdin for `-`.
    pub(crate) fn read(file: &str) -> Result<Zeroizing<String>, AgentError> {
        let mut text = Zeroizing::new(String::new());
        let read = match file {
            "-" => std::io::stdin().take(BYTES_MAX).read_to_string(&mut text),
            file => std::fs::File::open(file)
                .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)),
        };
        read.map_err(|error| AgentError::Unreadable {
            path: file.into(),
            reason: error.to_string(),
        })?;
        Ok(as_typed(text.lines().next().unwrap_or_default()))
    }

    /// Asks at the terminal without showing what is typed; none where there is no terminal.
    pub(crate) fn asked(&self, prompt: &str) -> Result<Option<Zeroizing<String>>, AgentError> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(None);
        }
        Ok(Some(Zeroizing::new(rpassword::prompt_password(prompt)?)))
    }

    /// Asks for a new word, twice; none where there is no terminal or nothing was typed.
    pub(crate) fn new_word(&self, kind: WordKind) -> Result<Option<Zeroizing<String>>, AgentError> {
        for _ in 0..TWICE_TRIES {
            let first = self.asked(self.lang.ask_new_word(kind == WordKind::Pin))?;
            let Some(first) = first.filter(|word| !word.is_empty()) else {
                return Ok(None);
            };
            if self.asked(self.lang.ask_word_again())?.as_deref() == Some(&*first) {
                return Ok(Some(first));
            }
            // The terminal shows neither of both: it is said in words.
            crate::ui::say(self.lang.words_differ());
        }
        Ok(None)
    }
}

#[cfg(unix)]
fn held(home: &Locked<'_>) -> Option<wangge_agent::MasterKey> {
    wangge_agent::holder::ask(home.dir)
}

#[cfg(not(unix))]
fn held(_: &Locked<'_>) -> Option<wangge_agent::MasterKey> {
    None
}
