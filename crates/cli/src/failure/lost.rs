//! A device that was revoked, or whose lease ended, in words: what is kept and how to go on.

use wangge_agent::AgentError;
use wangge_agent::lease::CodeRefused;
use wangge_agent::purge::Purged;
use wangge_relay::DeviceRefusal;

use super::Told;
use crate::context::Context;
use crate::exit::Exit;
use crate::moment;
use crate::text::Lang;

pub(super) fn told(error: &AgentError, context: &Context) -> Told {
    let lang = context.ui.lang;
    let (kind, message, hint) = match error {
        AgentError::Purged(it) => (
            "purged",
            purged(it, lang),
            match it.is_clear() {
                true => "wangge enroll CODE --relay URL",
                false => "wangge sync",
            },
        ),
        AgentError::PurgeTold(_) => ("revoked", lang.told_to_purge().to_owned(), "wangge sync"),
        AgentError::LeaseEnded { until } => ("lease_ended", lang.lease_ended(until), "wangge sync"),
        AgentError::LeaseCode(why) => {
            let (message, hint) = match why {
                CodeRefused::Wrong => (lang.lease_code_wrong().to_owned(), "wangge lease CODE"),
                CodeRefused::Wait { seconds } => {
                    (lang.lease_code_wait(*seconds), "wangge lease CODE")
                }
                CodeRefused::NoLease => (lang.no_lease().to_owned(), "wangge status"),
            };
            ("lease_code", message, hint)
        }
        AgentError::Device(why) => return device(*why, context),
        // The relay does not know this device, or not any more.
        _ => ("refused", lang.device_refused().to_owned(), "wangge status"),
    };
    Told {
        kind,
        exit: Exit::Refused,
        message,
        hint: hint.to_owned(),
    }
}

/// Returns why a relay does not answer about a device.
fn device(why: DeviceRefusal, context: &Context) -> Told {
    let lang = context.ui.lang;
    let (kind, exit, message) = match why {
        DeviceRefusal::NotAllowed => ("not_allowed", Exit::Refused, lang.device_not_allowed()),
        DeviceRefusal::Unknown => ("not_found", Exit::Failed, lang.device_unknown()),
        DeviceRefusal::Revoked => ("revoked", Exit::Refused, lang.device_is_revoked()),
        DeviceRefusal::BadDays => ("bad_value", Exit::Usage, lang.bad_lease_days()),
    };
    Told {
        kind,
        exit,
        message: message.to_owned(),
        hint: match context.is_typed(&["relay", "device", "lease"]) {
            true => "wangge relay devices",
            false => "wangge device list",
        }
        .to_owned(),
    }
}

fn purged(purged: &Purged, lang: Lang) -> String {
    let at = moment::exact(purged.at_ms).replace('T', " ");
    let at = at.get(..16).unwrap_or_default();
    let relay = &purged.relay_name;
    let mut message = match purged.is_clear() {
        true => lang.purged(at, relay),
        false => lang.purge_waits(at, relay, purged.unsent, purged.attachments),
    };
    if !purged.set_aside.is_empty() {
        let files: Vec<String> = purged
            .set_aside
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        message.push('\n');
        message.push_str(&lang.purge_left(&files.join(lang.comma())));
    }
    message
}
