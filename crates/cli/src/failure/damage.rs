//! A database of which something did not read: whether its pages are damaged, where it is then, in words.

use wangge_agent::{AgentError, Machine, Replica};

use super::{Failure, Told};
use crate::context::Context;
use crate::exit::Exit;
use crate::text::Lang;

impl Failure {
    /// Has the whole database looked at where something of it did not read.
    pub(crate) fn looked_into(self, context: &Context) -> Self {
        match (&self, context.home()) {
            (Failure::Agent(AgentError::Damaged { aside }), Ok(home))
                if aside.as_os_str().is_empty() =>
            {
                match Replica::check(&home, &Machine::alone()) {
                    Ok(Some(aside)) => AgentError::Damaged { aside }.into(),
                    _ => self,
                }
            }
            (Failure::Agent(AgentError::Purged(_)), Ok(home)) => {
                // Nobody has the home open any more; where this fails the next command goes on.
                match wangge_agent::purge::finish(&home) {
                    Err(error) => error.into(),
                    Ok(_) => self,
                }
            }
            _ => self,
        }
    }
}

/// Returns the words for a database that is damaged, gone, or of a newer program.
pub(super) fn told(error: &AgentError, lang: Lang) -> Told {
    let (kind, message, hint) = match error {
        AgentError::Lost { at } => (
            "lost",
            lang.database_gone(&at.display().to_string()),
            "wangge sync",
        ),
        AgentError::Damaged { aside } if aside.as_os_str().is_empty() => (
            "damaged",
            lang.damaged_in_place().to_owned(),
            "wangge status",
        ),
        AgentError::Damaged { aside } => (
            "damaged",
            lang.damaged(&aside.display().to_string()),
            "wangge sync",
        ),
        AgentError::RecordDamaged { doc } => (
            "record_damaged",
            lang.record_damaged(&doc.to_string()),
            "wangge status",
        ),
        AgentError::TooNew => ("too_new", lang.too_new().to_owned(), "wangge --version"),
        other => (
            "internal",
            lang.internal(&other.to_string()),
            "wangge status",
        ),
    };
    Told {
        kind,
        exit: Exit::Damaged,
        message,
        hint: hint.to_owned(),
    }
}
