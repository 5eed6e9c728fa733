//! What can be wrong with the files of a home, in words.
//!
//! **Nobody is told to delete anything**: a folder that does not open may hold the only copy of a day's
//! work, and a damaged key is of use to whoever mends it.

use wangge_agent::AgentError;

use super::Told;
use crate::context::Context;
use crate::exit::Exit;

/// Returns the words for a home that does not open, or that nothing can be written in.
pub(super) fn told(error: &AgentError, context: &Context) -> Told {
    let lang = context.ui.lang;
    let shown = |path: &std::path::Path| path.display().to_string();
    let home = context.home().map_or(String::new(), |home| shown(&home));
    let (kind, exit, message) = match error {
        AgentError::HomeUnwritable { at, reason } => (
            "home_unwritable",
            Exit::Failed,
            match at.as_os_str().is_empty() {
                false => lang.home_unwritable(&shown(at), lang.system_word(reason)),
                true => lang.home_unwritable(&home, lang.system_word(reason)),
            },
        ),
        AgentError::HomeUnreadable { path, reason } => (
            "home_unreadable",
            Exit::Failed,
            lang.home_unreadable(&shown(path), lang.system_word(reason)),
        ),
        AgentError::HomeFile { path, missing } => (
            "home_damaged",
            Exit::Damaged,
            match missing {
                true => lang.home_file_missing(&shown(path)),
                false => lang.home_file_damaged(&shown(path)),
            },
        ),
        other => ("internal", Exit::Failed, lang.internal(&other.to_string())),
    };
    Told {
        kind,
        exit,
        message,
        // It opens nothing and shows which folder it is.
        hint: "wangge config show".to_owned(),
    }
}
