//! A folder that is not what it was taken for, or a relay that was not reached, in words.

use super::{Failure, Told};
use crate::exit::Exit;
use crate::text::Lang;

/// Returns the words for a place where nothing could be done.
pub(super) fn told(failure: &Failure, lang: Lang) -> Told {
    let (kind, exit, message, hint) = match failure {
        Failure::NoRelay { at } => (
            "no_relay",
            Exit::Usage,
            lang.no_relay(at),
            "wangge relay serve --listen 127.0.0.1:8720".to_owned(),
        ),
        Failure::DeviceHome { at } => (
            "device_home",
            Exit::Usage,
            lang.device_home(at),
            "wangge --home DIR relay serve".to_owned(),
        ),
        Failure::NotReached { url } => (
            "no_link",
            Exit::NoLink,
            lang.enroll_needs_link(url),
            format!("wangge enroll CODE --relay {url}"),
        ),
        _ => (
            "no_folder",
            Exit::Usage,
            lang.no_folder().to_owned(),
            "wangge --home DIR status".to_owned(),
        ),
    };
    Told {
        kind,
        exit,
        message,
        hint,
    }
}
