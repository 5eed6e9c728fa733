//! Why an item of the inbox is not settled as it was asked, in words.
//!
//! **A refusal names what can be done instead.**

use wangge_agent::inbox::InboxRefusal;

use crate::exit::Exit;
use crate::text::Lang;

pub(super) fn told(why: InboxRefusal, lang: Lang) -> (&'static str, Exit, String, String) {
    use InboxRefusal as R;
    let (kind, message, hint) = match why {
        R::Unplaced => (
            "inbox_unplaced",
            lang.inbox_unplaced(),
            "wangge inbox rehome ID --to CODE",
        ),
        R::Equivocation => (
            "inbox_equivocation",
            lang.inbox_equivocation(),
            "wangge inbox discard ID --reason TEXT",
        ),
        R::OverLimit => (
            "inbox_over_limit",
            lang.inbox_over_limit(),
            "wangge inbox discard ID --reason TEXT",
        ),
        R::RestsOnDiscarded => (
            "inbox_rests_on_discarded",
            lang.inbox_rests_on_discarded(),
            "wangge inbox list --settled",
        ),
        R::Decision => ("inbox_decision", lang.inbox_decision(), "wangge inbox list"),
        R::Held => ("inbox_held", lang.inbox_held(), "wangge inbox retry ID"),
        R::NotHeld => ("inbox_not_held", lang.inbox_not_held(), "wangge inbox list"),
        R::Numbered => (
            "inbox_numbered",
            lang.inbox_numbered(),
            "wangge inbox show ID",
        ),
        R::SettledBefore => (
            "inbox_settled_before",
            lang.inbox_settled_before(),
            "wangge inbox list --settled",
        ),
        R::NotAllowed => (
            "inbox_not_allowed",
            lang.inbox_not_allowed(),
            "wangge inbox list",
        ),
        R::NotHere => ("inbox_not_here", lang.inbox_not_here(), "wangge sync"),
    };
    (kind, Exit::Refused, message.to_owned(), hint.to_owned())
}
