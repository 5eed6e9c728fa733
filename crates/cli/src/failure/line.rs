//! What can be wrong with an address and with whoever answers there, in words.
//!
//! **Nobody is told a way around encryption**: what helps is the right address, or who runs the relay.

use wangge_agent::AgentError;

use super::Told;
use crate::context::Context;
use crate::exit::Exit;

/// Returns the words for an address that was not used, or was another one's.
pub(super) fn told(error: &AgentError, context: &Context) -> Told {
    let lang = context.ui.lang;
    let status = || "wangge status".to_owned();
    let (kind, exit, message, hint) = match error {
        AgentError::UnknownRelay { url } => (
            "unknown_relay",
            Exit::Refused,
            lang.unknown_relay(url),
            status(),
        ),
        AgentError::OtherRelay { url } => (
            "other_relay",
            Exit::Refused,
            lang.other_relay(url),
            status(),
        ),
        AgentError::StrangeAnswer { reason } => (
            "strange_answer",
            Exit::Failed,
            lang.strange_answer(reason),
            "wangge config show".to_owned(),
        ),
        AgentError::UnsafeAddress { url } => {
            let command = context.command_or("wangge enroll CODE", &["sync"]);
            (
                "unsafe_address",
                Exit::Usage,
                lang.unsafe_address(url),
                format!("{command} --relay {}", encrypted(url)),
            )
        }
        other => (
            "internal",
            Exit::Failed,
            lang.internal(&other.to_string()),
            status(),
        ),
    };
    Told {
        kind,
        exit,
        message,
        hint,
    }
}

/// Returns the address to write in place of one that is not encrypted; an example where it is no address.
fn encrypted(url: &str) -> String {
    let plain = url.trim().strip_prefix("http://");
    match plain.filter(|rest| !rest.is_empty() && !rest.contains('/')) {
        Some(rest) => format!("https://{rest}"),
        None => "https://192.168.1.5:8720".to_owned(),
    }
}
