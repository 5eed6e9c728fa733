//! The words in which an event's choices are stored: kinds, handlers, finishes, cards, names.
//!
//! **A word is never given another meaning**, and a word of a newer program is kept as it is.

use std::fmt;
use std::str::FromStr;

use wangge_wire::{AreaCode, DocId};

use super::{BadEvent, Card, DoneKind, EventId, EventKind, Handler, Kind};

impl Kind {
    /// Every kind, in the order of the flow.
    pub const ALL: [Kind; 30] = [
        Kind::Submit,
        Kind::HandledOnSpot,
        Kind::Accept,
        Kind::Assign,
        Kind::Start,
        Kind::Done,
        Kind::Return,
        Kind::Verify,
        Kind::SendBack,
        Kind::Close,
        Kind::Answer,
        Kind::Comment,
        Kind::Settle,
        Kind::AskBack,
        Kind::Decline,
        Kind::Suspend,
        Kind::Resume,
        Kind::Extend,
        Kind::Grant,
        Kind::Refuse,
        Kind::Escalate,
        Kind::FollowUp,
        Kind::Reopen,
        Kind::Merge,
        Kind::Withdraw,
        Kind::Archive,
        Kind::Remind,
        Kind::Supervise,
        Kind::HandOver,
        Kind::Retract,
    ];

    /// Returns the kind's name in stored texts; **a name is never given to another kind**.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Submit => "submit",
            Kind::HandledOnSpot => "handled_on_spot",
            Kind::Accept => "accept",
            Kind::Assign => "assign",
            Kind::Start => "start",
            Kind::Done => "done",
            Kind::Return => "return",
            Kind::Verify => "verify",
            Kind::SendBack => "send_back",
            Kind::Close => "close",
            Kind::Answer => "answer",
            Kind::Comment => "comment",
            Kind::Settle => "settle",
            Kind::AskBack => "ask_back",
            Kind::Decline => "decline",
            Kind::Suspend => "suspend",
            Kind::Resume => "resume",
            Kind::Extend => "extend",
            Kind::Grant => "grant",
            Kind::Refuse => "refuse",
            Kind::Escalate => "escalate",
            Kind::FollowUp => "follow_up",
            Kind::Reopen => "reopen",
            Kind::Merge => "merge",
            Kind::Withdraw => "withdraw",
            Kind::Archive => "archive",
            Kind::Remind => "remind",
            Kind::Supervise => "supervise",
            Kind::HandOver => "hand_over",
            Kind::Retract => "retract",
        }
    }
}

impl From<Kind> for EventKind {
    fn from(kind: Kind) -> Self {
        EventKind::Known(kind)
    }
}

impl From<String> for EventKind {
    fn from(name: String) -> Self {
        let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
        known.map_or(EventKind::Unknown(name), EventKind::Known)
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Known(kind) => kind.as_str().to_owned(),
            EventKind::Unknown(name) => name,
        }
    }
}

impl From<String> for Handler {
    fn from(text: String) -> Self {
        let known = match text.split_once(':') {
            Some(("person", id)) => id.parse().ok().map(Handler::Person),
            Some(("unit", id)) => id.parse().ok().map(Handler::Unit),
            Some(("area", code)) => AreaCode::parse(code).ok().map(Handler::Area),
            _ => None,
        };
        known.unwrap_or(Handler::Other(text))
    }
}

impl From<Handler> for String {
    fn from(handler: Handler) -> Self {
        match handler {
            Handler::Person(person) => format!("person:{person}"),
            Handler::Unit(unit) => format!("unit:{unit}"),
            Handler::Area(area) => format!("area:{area}"),
            Handler::Other(text) => text,
        }
    }
}

impl From<String> for DoneKind {
    fn from(name: String) -> Self {
        match name.as_str() {
            "substantive" => DoneKind::Substantive,
            "interim" => DoneKind::Interim,
            "procedural" => DoneKind::Procedural,
            _ => DoneKind::Other(name),
        }
    }
}

impl From<DoneKind> for String {
    fn from(kind: DoneKind) -> Self {
        match kind {
            DoneKind::Substantive => "substantive".to_owned(),
            DoneKind::Interim => "interim".to_owned(),
            DoneKind::Procedural => "procedural".to_owned(),
            DoneKind::Other(name) => name,
        }
    }
}

impl From<String> for Card {
    fn from(name: String) -> Self {
        match name.as_str() {
            "ordinary" => Card::Ordinary,
            "yellow" => Card::Yellow,
            "red" => Card::Red,
            _ => Card::Other(name),
        }
    }
}

impl From<Card> for String {
    fn from(card: Card) -> Self {
        match card {
            Card::Ordinary => "ordinary".to_owned(),
            Card::Yellow => "yellow".to_owned(),
            Card::Red => "red".to_owned(),
            Card::Other(name) => name,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl FromStr for EventId {
    type Err = BadEvent;

    fn from_str(text: &str) -> Result<Self, BadEvent> {
        let id: DocId = text.parse().map_err(|_| BadEvent::Key)?;
        // Upper-case digits would give one event two keys in the map.
        if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(BadEvent::Key);
        }
        Ok(Self(id.0))
    }
}

impl TryFrom<String> for EventId {
    type Error = BadEvent;

    fn try_from(text: String) -> Result<Self, BadEvent> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}
