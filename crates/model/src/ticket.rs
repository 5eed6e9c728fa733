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

use std::collections::{BTreeMap, BTreeSet};

use wangge_wire::{AreaCode, PersonId, Role};

pub use code::{BadCode, TicketCode};
pub use event::{BadEvent, Card, DoneKind, EventId, EventKind, Handler, Kind, Stamp, TicketEvent};
pub use fold::fold;
pub use judge::{Refusal, judge};

/// What a ticket's document says beside its events, as far as the fold needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// 首问: who was asked first; set once, never changes.
    pub first_asked_by: PersonId,
    /// Who owes the resident an answer: at first the same person, moved by hand-over and cover.
    pub answer_owner: PersonId,
    /// Where the matter is; a level may take the ticket if its area covers this one.
    pub area: AreaCode,
}

/// How far a ticket is. A greater status is a later stage; a return lies between accept and assign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// Not submitted yet.
    #[default]
    Draft,
    /// 已提交.
    Submitted,
    /// 已受理.
    Accepted,
    /// 已退回: with the accepting level again.
    Returned,
    /// 已交办.
    Assigned,
    /// 办理中.
    InProgress,
    /// 已办结, to be verified.
    Done,
    /// 已核查.
    Verified,
    /// 已结案.
    Closed,
}

/// A level that holds a ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Desk {
    /// Station, township or county.
    pub role: Role,
    /// Its area.
    pub area: AreaCode,
}

/// Where a ticket stands: what the shown events add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far it is.
    pub status: Status,
    /// The level that accepted; while that is contested, first the shown one, then the others.
    pub desks: Vec<Desk>,
    /// Who handles it; while that is contested, first the shown one, then the others.
    pub handlers: Vec<Handler>,
    /// Until when, milliseconds since 1970, as the last event that set it says.
    pub due: Option<i64>,
    /// What the present finish amounts to; none once it was sent back.
    pub done_kind: Option<DoneKind>,
    /// Everybody who finished the present stage; none of them may verify it.
    pub done_by: BTreeSet<PersonId>,
    /// Who first told the resident.
    pub answered_by: Option<PersonId>,
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

impl Status {
    /// Returns the status as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Submitted => "submitted",
            Status::Accepted => "accepted",
            Status::Returned => "returned",
            Status::Assigned => "assigned",
            Status::InProgress => "in_progress",
            Status::Done => "done",
            Status::Verified => "verified",
            Status::Closed => "closed",
        }
    }

    /// Returns whether somebody still owes a step: submitted and not closed.
    pub fn is_open(self) -> bool {
        !matches!(self, Status::Draft | Status::Closed)
    }
}

impl Parked {
    /// Returns the reason as commands and JSON name it.
    pub fn code(&self) -> &'static str {
        match self {
            Parked::Refused(refusal) => refusal.code(),
            Parked::Overtaken { .. } => "overtaken",
            Parked::Settled { .. } => "settled",
        }
    }
}

impl Progress {
    /// Returns the level that accepted.
    pub fn desk(&self) -> Option<&Desk> {
        self.desks.first()
    }

    /// Returns who handles it.
    pub fn handler(&self) -> Option<&Handler> {
        self.handlers.first()
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
        judge(opened, &self.progress, &self.contested, event)
    }
}
