//! Whether an event is legal in the state its author saw.
//!
//! **Judged by the author's own view, never by what arrived later**: a worker is not wrong for what
//! they could not know. That the author holds the role and the area the event claims is judged by
//! the roster before it comes here.

use wangge_wire::{AreaCode, Level, Role};

use super::event::{EventId, Handler, Kind, TicketEvent};
use super::{Desk, Opened, Progress, Status};

/// Why an event was not legal in the state its author saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// A newer program knows what it means.
    #[error("the kind of event is not known to this program")]
    UnknownKind,
    /// The ticket is at another stage.
    #[error("not possible while the ticket is {}", status.as_str())]
    WrongStatus {
        /// The stage it was at.
        status: Status,
    },
    /// Only others do this: a desk, or whoever talks to residents.
    #[error("not a step of this role")]
    WrongRole,
    /// The ticket is with another level, or outside the author's area.
    #[error("the ticket is with another level")]
    OtherDesk,
    /// The ticket is somebody else's to handle.
    #[error("the ticket is with another handler")]
    NotHandler,
    /// Neither asked first nor owing the answer, nor standing in for them.
    #[error("not the one who was asked first")]
    NotAsked,
    /// Nobody verifies what they handled.
    #[error("nobody verifies what they handled")]
    OwnWork,
    /// A field that the kind needs is not there.
    #[error("{field} is missing")]
    Missing {
        /// Its name in the text.
        field: &'static str,
    },
    /// A field has a value of a newer program that decides what the event does.
    #[error("{field} is not known to this program")]
    UnknownValue {
        /// Its name in the text.
        field: &'static str,
    },
    /// A contested ticket is settled before it is closed.
    #[error("contested events are settled first")]
    Contested,
    /// The named events are not contested with the first of them.
    #[error("the named events are not contested")]
    NothingToSettle,
}

impl Refusal {
    /// Returns the reason as commands and JSON name it.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::UnknownKind => "unknown_kind",
            Refusal::WrongStatus { .. } => "wrong_status",
            Refusal::WrongRole => "wrong_role",
            Refusal::OtherDesk => "other_desk",
            Refusal::NotHandler => "not_handler",
            Refusal::NotAsked => "not_asked",
            Refusal::OwnWork => "own_work",
            Refusal::Missing { .. } => "missing",
            Refusal::UnknownValue { .. } => "unknown_value",
            Refusal::Contested => "contested",
            Refusal::NothingToSettle => "nothing_to_settle",
        }
    }
}

/// Returns whether `event` is legal where `progress` and `contested` are what its author saw.
pub fn judge(
    opened: &Opened,
    progress: &Progress,
    contested: &[(EventId, EventId)],
    event: &TicketEvent,
) -> Result<(), Refusal> {
    use Status::{Accepted, Assigned, Done, Draft, InProgress, Returned, Submitted, Verified};
    let kind = event.kind.known().ok_or(Refusal::UnknownKind)?;
    let from = |stages: &[Status]| need(stages.contains(&progress.status), wrong_status(progress));
    match kind {
        Kind::Submit => from(&[Draft]).and_then(|()| takes_requests(event)),
        Kind::HandledOnSpot => {
            from(&[Draft])?;
            takes_requests(event)?;
            need(
                event.done_kind.is_some(),
                Refusal::Missing { field: "done_kind" },
            )
        }
        Kind::Accept => from(&[Submitted]).and_then(|()| covers_home(opened, event)),
        Kind::Assign => {
            from(&[Accepted, Assigned, InProgress, Returned])?;
            at_desk(opened, progress, event)?;
            match event.to {
                None => Err(Refusal::Missing { field: "to" }),
                Some(Handler::Other(_)) => Err(Refusal::UnknownValue { field: "to" }),
                Some(_) => Ok(()),
            }
        }
        Kind::Start | Kind::Return => {
            from(&[Assigned, InProgress])?;
            need(acting_for(progress, event).is_some(), Refusal::NotHandler)
        }
        Kind::Done => {
            from(&[Assigned, InProgress])?;
            need(acting_for(progress, event).is_some(), Refusal::NotHandler)?;
            need(
                event.done_kind.is_some(),
                Refusal::Missing { field: "done_kind" },
            )
        }
        Kind::Verify | Kind::SendBack => {
            from(&[Done]).and_then(|()| may_verify(opened, progress, event))
        }
        Kind::Close => {
            from(&[Verified])?;
            at_desk(opened, progress, event)?;
            need(contested.is_empty(), Refusal::Contested)
        }
        Kind::Answer => may_answer(opened, progress, event),
        Kind::Comment => need(progress.status.is_open(), wrong_status(progress)),
        Kind::Settle => may_settle(opened, progress, contested, event),
        _ => Err(Refusal::UnknownKind),
    }
}

/// Returns the handler of the ticket that the author of `event` is, or is one of, or works for.
pub(super) fn acting_for(progress: &Progress, event: &TicketEvent) -> Option<Handler> {
    let acts = |handler: &&Handler| match handler {
        Handler::Person(person) => event.by == *person,
        Handler::Area(area) => works_in(event, area),
        // A unit without a device hands its paper slip to the accepting level, which types it.
        Handler::Unit(unit) => {
            let own = event.role == Role::Unit || holds(progress, event);
            own && event.for_unit == Some(*unit)
        }
        Handler::Other(_) => false,
    };
    progress.handlers.iter().find(acts).cloned()
}

/// Returns whether the author works for `area`: at its desk, in its grid, or in a grid of the village.
fn works_in(event: &TicketEvent, area: &AreaCode) -> bool {
    let in_village = area.level() == Level::Village && area.covers(&event.area);
    match event.role {
        Role::Worker => event.area == *area || in_village,
        Role::Station | Role::Township | Role::County => event.area == *area,
        Role::Unit | Role::Auditor => false,
    }
}

fn takes_requests(event: &TicketEvent) -> Result<(), Refusal> {
    need(
        event.role == Role::Worker || event.role.is_desk(),
        Refusal::WrongRole,
    )
}

fn covers_home(opened: &Opened, event: &TicketEvent) -> Result<(), Refusal> {
    need(event.role.is_desk(), Refusal::WrongRole)?;
    need(event.area.covers(&opened.area), Refusal::OtherDesk)
}

/// Returns whether the author is the level the ticket is with.
///
/// What was handled on the spot was never accepted: it is with any level above its home.
fn at_desk(opened: &Opened, progress: &Progress, event: &TicketEvent) -> Result<(), Refusal> {
    covers_home(opened, event)?;
    need(
        progress.desks.is_empty() || holds(progress, event),
        Refusal::OtherDesk,
    )
}

fn holds(progress: &Progress, event: &TicketEvent) -> bool {
    progress.desks.contains(&Desk {
        role: event.role,
        area: event.area.clone(),
    })
}

/// Returns whether the author may say that it is done, or not done.
///
/// First-asked, or who owes the answer in their place. Where first-asked handled it, another person
/// at the station or a desk above it: a village of one worker must not be stuck.
fn may_verify(opened: &Opened, progress: &Progress, event: &TicketEvent) -> Result<(), Refusal> {
    let handled = |person| {
        progress.done_by.contains(person) || progress.handlers.contains(&Handler::Person(*person))
    };
    need(!handled(&event.by), Refusal::OwnWork)?;
    let asked = event.by == opened.first_asked_by || event.by == opened.answer_owner;
    need(
        asked || (handled(&opened.first_asked_by) && at_station(opened, event)),
        Refusal::NotAsked,
    )
}

/// Returns whether the author is at the station of the ticket's home, or at a desk above it.
fn at_station(opened: &Opened, event: &TicketEvent) -> bool {
    let village = |area: &AreaCode| area.at(Level::Village);
    match event.role {
        Role::Worker => {
            village(&event.area).is_some() && village(&event.area) == village(&opened.area)
        }
        Role::Station | Role::Township | Role::County => event.area.covers(&opened.area),
        Role::Unit | Role::Auditor => false,
    }
}

/// Returns whether the author may tell the resident; a ticket closed without an answer still owes one.
fn may_answer(opened: &Opened, progress: &Progress, event: &TicketEvent) -> Result<(), Refusal> {
    let owed = progress.status == Status::Closed && progress.answered_by.is_none();
    need(progress.status.is_open() || owed, wrong_status(progress))?;
    let asked = event.by == opened.first_asked_by || event.by == opened.answer_owner;
    let handles = acting_for(progress, event).is_some() || progress.done_by.contains(&event.by);
    need(asked || handles, Refusal::NotAsked)
}

/// Returns whether the author may settle: the accepting level, or one above it.
///
/// One above it, because two centres that both accepted would settle it each for itself.
fn may_settle(
    opened: &Opened,
    progress: &Progress,
    contested: &[(EventId, EventId)],
    event: &TicketEvent,
) -> Result<(), Refusal> {
    covers_home(opened, event)?;
    let above = progress
        .desks
        .iter()
        .any(|desk| event.area.covers(&desk.area));
    need(progress.desks.is_empty() || above, Refusal::OtherDesk)?;
    let (winner, losers) = event
        .names
        .split_first()
        .ok_or(Refusal::Missing { field: "names" })?;
    need(!losers.is_empty(), Refusal::Missing { field: "names" })?;
    let pair = |loser: &EventId| {
        contested.contains(&(*winner, *loser)) || contested.contains(&(*loser, *winner))
    };
    need(losers.iter().all(pair), Refusal::NothingToSettle)
}

fn wrong_status(progress: &Progress) -> Refusal {
    Refusal::WrongStatus {
        status: progress.status,
    }
}

fn need(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
