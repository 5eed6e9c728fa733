//! What is said of something that was recorded while nothing may be shown: that it is saved, and what was typed.

use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::ui::{Tone, tone};

/// Says that something was saved, by what was typed and nothing more.
pub(super) fn show(context: &Context, id: &str, typed: &str, tickets: &[String]) -> Exit {
    let lang = context.ui.lang;
    let value = json!({ "id": id, "household": typed, "tickets": tickets });
    context.ui.show(&value, || {
        let mut parts = vec![tone(Tone::Good, lang.added_unread())];
        parts.extend((!typed.is_empty()).then(|| typed.to_owned()));
        parts.extend(tickets.iter().cloned());
        parts.push(tone(Tone::Faint, id));
        parts.join(" · ")
    });
    Exit::Done
}
