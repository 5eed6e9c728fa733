//! A ticket: one case, one number, and the events that move it.
//!
//! **The state of a ticket is a pure function of the set of its events**: whoever holds the same
//! events sees the same state, the same contested marks and the same parked events, in whatever
//! order they arrived, whatever the clocks said. Nothing is dropped: an event stands, or is parked
//! with its reason, or waits for what it names.
//!
//! ```text
//!   stored texts ─ read ─► events ─ history ─► causal order, who knew of whom
//!                                      │
//!                 judge: was it legal in the state its author saw?   no ─► parked
//!                                      │ yes
//!                 pairs: which of two that did not know of each other stands?
//!                                      │
//!                                     fold ─► TicketState
//! ```

pub mod code;
pub mod custody;
pub mod document;
pub mod event;
mod fold;
mod history;
mod judge;
pub mod pairs;
mod progress;

use std::collections::BTreeMap;

use wangge_wire::{AreaCode, PersonId};

pub use code::{BadCode, TicketCode};
pub use event::{BadEvent, Card, DoneKind, EventId, EventKind, Handler, Kind, Stamp, TicketEvent};
pub use fold::fold;
pub use judge::{Refusal, Seen, judge};
pub(crate) use progress::is_bad;
pub use progress::{Desk, Extension, ExtensionAnswer, FollowedUp, Progress, Status};

/// What a ticket's document says beside its events, as far as the fold needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// 首问: who was asked first; set once, never changes.
    pub first_asked_by: PersonId,
    /// Who owes the resident an answer at first: the same person; hand-overs are events.
    pub answer_owner: PersonId,
    /// Where the matter is; a level may take the ticket if its area covers this one.
    pub area: AreaCode,
}

/// Why an event is on the ticket but not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parked {
    /// It was not legal in the state its author saw.
    Refused(Refusal),
    /// It was legal, but a concurrent event stands in its place.
    Overtaken {
        /// The event that stands.
        by: EventId,
        /// Why, from the table of pairs.
        because: &'static str,
    },
    /// It was contested and gave way.
    Settled {
        /// The settle that says so.
        by: EventId,
    },
    /// Its author took it back before anybody built on it.
    Retracted {
        /// The retract.
        by: EventId,
    },
}

/// A ticket's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketState {
    /// Where it stands.
    pub progress: Progress,
    /// 首问: who was asked first.
    pub first_asked_by: PersonId,
    /// Who owes the resident an answer.
    pub answer_owner: PersonId,
    /// Every event that does not wait, in causal order, parked ones too.
    pub history: Vec<EventId>,
    /// The newest of them: what the next event names as `after`.
    pub heads: Vec<EventId>,
    /// Events that are not applied, and why.
    pub parked: BTreeMap<EventId, Parked>,
    /// Events whose past is not complete, with those they name that are missing or wait too.
    pub waiting: BTreeMap<EventId, Vec<EventId>>,
    /// Pairs that stand beside each other until they are settled, the smaller id first.
    pub contested: Vec<(EventId, EventId)>,
    /// Steps that nobody built on, and who made them: those may still take them back.
    pub loose: BTreeMap<EventId, PersonId>,
}

impl Opened {
    /// Returns a ticket whose answer is owed by whoever was asked first.
    pub fn new(first_asked_by: PersonId, area: AreaCode) -> Self {
        Self {
            first_asked_by,
            answer_owner: first_asked_by,
            area,
        }
    }
}

impl Parked {
    /// Returns the reason as commands and JSON name it.
    pub fn code(&self) -> &'static str {
        match self {
            Parked::Refused(refusal) => refusal.code(),
            Parked::Overtaken { .. } => "overtaken",
            Parked::Settled { .. } => "settled",
            Parked::Retracted { .. } => "retracted",
        }
    }
}

impl TicketState {
    /// Returns whether the resident was told.
    pub fn is_answered(&self) -> bool {
        self.progress.answered_by.is_some()
    }

    /// Returns whether `event` would be legal now, or why not.
    ///
    /// The same judge as the fold's: what a command lets through is not parked later.
    pub fn check(&self, opened: &Opened, event: &TicketEvent) -> Result<(), Refusal> {
        let seen = Seen {
            progress: &self.progress,
            contested: &self.contested,
            loose: &self.loose,
        };
        judge(opened, &seen, event)
    }
}
