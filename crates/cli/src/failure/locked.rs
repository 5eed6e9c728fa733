//! A home that a word locks, in words: what to type next, and that nothing is destroyed.

use wangge_agent::AgentError;

use super::Told;
use crate::exit::Exit;
use crate::text::Lang;

/// Returns the words for a home that did not open, or a word that was not taken.
pub(super) fn told(error: &AgentError, lang: Lang) -> Told {
    let seconds = |ms: i64| lang.wait_of(ms.saturating_add(999) / 1000);
    let (kind, exit, message, hint) = match error {
        AgentError::Locked { at } => (
            "locked",
            Exit::Refused,
            lang.is_locked(&at.display().to_string()),
            "wangge unlock",
        ),
        AgentError::WrongWord { stuck: true, .. } => (
            "wrong_word",
            Exit::Refused,
            lang.wrong_word_stuck().to_owned(),
            "wangge device recover",
        ),
        AgentError::WrongWord { wait_ms, .. } => (
            "wrong_word",
            Exit::Refused,
            match wait_ms {
                0 => lang.wrong_word().to_owned(),
                ms => format!("{}{}", lang.wrong_word(), lang.next_try_in(&seconds(*ms))),
            },
            "wangge unlock",
        ),
        AgentError::WordWait { wait_ms } => (
            "word_wait",
            Exit::Refused,
            lang.word_waits(&seconds(*wait_ms)),
            "wangge device recover",
        ),
        AgentError::WordTooWeak(why) => (
            "word_too_weak",
            Exit::Usage,
            lang.word_weak(*why),
            "wangge pin change",
        ),
        AgentError::NoDeviceSecret { .. } => (
            "no_device_secret",
            Exit::Refused,
            lang.no_device_secret().to_owned(),
            "wangge device recover",
        ),
        _ => (
            "not_this_code",
            Exit::Refused,
            lang.not_this_code().to_owned(),
            "wangge device recover",
        ),
    };
    Told {
        kind,
        exit,
        message,
        hint: hint.to_owned(),
    }
}
