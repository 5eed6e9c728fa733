//! Whether an event is legal in the state its author saw.
//!
//! **Judged by the author's own view, never by what arrived later**: a worker is not wrong for what
//! they could not know. That the author holds the role and the area the event claims, and stands in
//! for whom it says, is judged by the roster before it comes here.

mod people;
mod refusal;

use std::collections::BTreeMap;

use wangge_wire::{Level, PersonId, Role};

pub(super) use self::people::{acting_for, is_neutral};
use self::people::{
    at_desk, covers_home, follows_up, is_above, is_above_work, is_asked, is_at_or_above,
    may_escalate, may_take, may_verify, with_level,
};
pub use self::refusal::Refusal;
use super::Opened;
use super::event::{Card, DoneKind, EventId, Handler, Kind, TicketEvent};
use super::progress::{ExtensionAnswer, Progress, Status};

/// What the author of an event saw of a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Where it stood.
    pub progress: &'a Progress,
    /// What was contested.
    pub contested: &'a [(EventId, EventId)],
    /// The steps nobody built on, and who made them.
    pub loose: &'a BTreeMap<EventId, PersonId>,
}

/// Returns whether `event` is legal for an author who saw this.
pub fn judge(opened: &Opened, seen: &Seen<'_>, event: &TicketEvent) -> Result<(), Refusal> {
    let kind = event.kind.known().ok_or(Refusal::UnknownKind)?;
    at_its_stage(kind, seen.progress)?;
    by_the_right_one(kind, opened, seen.progress, event)?;
    with_what_it_needs(kind, event)?;
    fitting(kind, opened, seen, event)
}

/// Returns whether the ticket is at a stage for this kind.
fn at_its_stage(kind: Kind, progress: &Progress) -> Result<(), Refusal> {
    use Status::{
        Accepted, Archived, AskedBack, Assigned, Closed, Declined, Done, Draft, Escalated,
        InProgress, Merged, Returned, Submitted, Verified, Withdrawn,
    };
    let status = progress.status;
    let from = |stages: &[Status]| stages.contains(&status);
    let fits = match kind {
        Kind::Submit => from(&[Draft, AskedBack]),
        Kind::HandledOnSpot => from(&[Draft]),
        Kind::Accept | Kind::AskBack => from(&[Submitted, Escalated]),
        // Whoever was asked for more may never bring it.
        Kind::Decline => from(&[Submitted, Escalated, AskedBack]),
        Kind::Assign => from(&[Accepted, Assigned, InProgress, Returned]),
        Kind::Start | Kind::Done | Kind::Return | Kind::Suspend | Kind::Resume | Kind::Extend => {
            from(&[Assigned, InProgress])
        }
        Kind::Escalate => from(&[
            Submitted, Escalated, Accepted, Returned, Assigned, InProgress,
        ]),
        Kind::Verify | Kind::SendBack => from(&[Done]),
        Kind::FollowUp => from(&[Done, Verified, Closed]),
        Kind::Close => from(&[Verified]),
        Kind::Reopen => from(&[Closed, Archived, Declined]),
        Kind::Merge => !from(&[Draft, Merged, Archived]),
        Kind::Archive => from(&[Closed, Declined, Merged, Withdrawn]),
        Kind::Answer | Kind::HandOver => {
            status.is_open() || (status != Draft && progress.answered_by.is_none())
        }
        Kind::Comment
        | Kind::Grant
        | Kind::Refuse
        | Kind::Withdraw
        | Kind::Remind
        | Kind::Supervise => status.is_open(),
        Kind::Settle | Kind::Retract => true,
    };
    need(fits, Refusal::WrongStatus { status })?;
    let waits = matches!(
        kind,
        Kind::Start | Kind::Done | Kind::Return | Kind::Suspend
    );
    need(!(waits && progress.is_suspended()), Refusal::Suspended)?;
    need(
        kind != Kind::Resume || progress.is_suspended(),
        Refusal::NotSuspended,
    )
}

/// Returns whether the author is one of those who take this step.
fn by_the_right_one(
    kind: Kind,
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    let asked = is_asked(opened, progress, event);
    match kind {
        Kind::Submit | Kind::HandledOnSpot => need(
            event.role == Role::Worker || event.role.is_desk(),
            Refusal::WrongRole,
        ),
        Kind::Accept | Kind::AskBack | Kind::Decline => may_take(opened, progress, event),
        Kind::Assign | Kind::Close | Kind::Reopen | Kind::Merge | Kind::Archive => {
            at_desk(opened, progress, event)
        }
        Kind::Start | Kind::Done | Kind::Return | Kind::Suspend | Kind::Resume | Kind::Extend => {
            need(acting_for(progress, event).is_some(), Refusal::NotHandler)
        }
        Kind::Escalate => may_escalate(opened, progress, event),
        Kind::Verify | Kind::SendBack => may_verify(opened, progress, event),
        Kind::FollowUp => follows_up(event),
        Kind::Answer => {
            let handles =
                acting_for(progress, event).is_some() || progress.done_by.contains(&event.by);
            need(asked || handles, Refusal::NotAsked)
        }
        Kind::HandOver | Kind::Withdraw => {
            need(asked || event.role.is_desk(), Refusal::NotAsked)?;
            if asked {
                Ok(())
            } else {
                covers_home(opened, event)
            }
        }
        Kind::Grant | Kind::Refuse => {
            covers_home(opened, event)?;
            // Given back meanwhile, the answer is the accepting level's.
            let above = if progress.handlers.is_empty() {
                is_at_or_above(event, with_level(progress))
            } else {
                is_above_work(progress, event)
            };
            need(above, Refusal::NotAbove)
        }
        Kind::Remind | Kind::Supervise => {
            covers_home(opened, event)?;
            let above = if progress.handlers.is_empty() {
                is_above(event, with_level(progress))
            } else {
                is_above_work(progress, event)
            };
            need(above, Refusal::NotAbove)
        }
        Kind::Settle => {
            covers_home(opened, event)?;
            // One above it, because two centres that both accepted would settle it each for itself.
            let above = |desk: &super::Desk| event.area.covers(&desk.area);
            let none = progress.desks.is_empty();
            need(none || progress.desks.iter().any(above), Refusal::OtherDesk)
        }
        Kind::Comment | Kind::Retract => Ok(()),
    }
}

/// Returns whether the event has the fields of its kind, with values known here.
fn with_what_it_needs(kind: Kind, event: &TicketEvent) -> Result<(), Refusal> {
    let has = |there: bool, field: &'static str| need(there, Refusal::Missing { field });
    let reason = || has(event.reason.is_some(), "reason");
    match kind {
        Kind::Assign => has(event.to.is_some(), "to"),
        Kind::Done | Kind::HandledOnSpot => {
            has(event.done_kind.is_some(), "done_kind")?;
            let interim = event.done_kind == Some(DoneKind::Interim);
            has(!interim || event.on.is_some(), "on")
        }
        Kind::AskBack | Kind::Withdraw | Kind::Reopen => reason(),
        Kind::Decline => reason().and_then(|()| has(event.whom.is_some(), "whom")),
        Kind::Suspend => reason().and_then(|()| has(event.on.is_some(), "on")),
        Kind::Extend => reason().and_then(|()| has(event.due.is_some(), "due")),
        Kind::Escalate => reason().and_then(|()| has(event.to.is_some(), "to")),
        Kind::HandOver => has(event.to.is_some(), "to"),
        Kind::FollowUp => has(event.grade.is_some(), "grade"),
        Kind::Merge => has(event.into.is_some(), "into"),
        Kind::Supervise => has(event.card.is_some(), "card"),
        Kind::Retract => has(!event.names.is_empty(), "names"),
        Kind::Settle => has(event.names.len() >= 2, "names"),
        _ => Ok(()),
    }
}

/// Returns whether what the event says fits what its author saw.
fn fitting(
    kind: Kind,
    opened: &Opened,
    seen: &Seen<'_>,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    let known = |fits: bool, field: &'static str| need(fits, Refusal::UnknownValue { field });
    let progress = seen.progress;
    match (kind, &event.to) {
        (Kind::Assign, to) => known(!matches!(to, Some(Handler::Other(_))), "to"),
        (Kind::HandOver, to) => known(matches!(to, Some(Handler::Person(_))), "to"),
        (Kind::Escalate, Some(Handler::Area(to))) => {
            need(to.covers(&opened.area), Refusal::OtherDesk)?;
            let above = to.level() <= Level::Township && to.level() < with_level(progress);
            need(above, Refusal::NotAbove)
        }
        (Kind::Escalate, _) => known(false, "to"),
        (Kind::FollowUp, _) => known(matches!(event.grade, Some(1..=5)), "grade"),
        (Kind::Extend, _) => need(progress.extension.is_none(), Refusal::AlreadyExtended),
        (Kind::Grant | Kind::Refuse, _) => {
            let asked = |extension: &super::Extension| extension.answer == ExtensionAnswer::Asked;
            need(
                progress.extension.as_ref().is_some_and(asked),
                Refusal::NoExtension,
            )
        }
        (Kind::Supervise, _) => {
            known(!matches!(event.card, Some(Card::Other(_))), "card")?;
            need(event.card > progress.card, Refusal::NotHigher)
        }
        (Kind::Close | Kind::Archive, _) => need(seen.contested.is_empty(), Refusal::Contested),
        (Kind::Settle, _) => need(settles(seen, event), Refusal::NothingToSettle),
        (Kind::Retract, _) => {
            let own = |id: &EventId| seen.loose.get(id) == Some(&event.by);
            let one = matches!(event.names.as_slice(), [id] if own(id));
            need(one, Refusal::NothingToRetract)
        }
        _ => Ok(()),
    }
}

/// Returns whether all it names is contested with the first.
fn settles(seen: &Seen<'_>, event: &TicketEvent) -> bool {
    let Some((winner, losers)) = event.names.split_first() else {
        return false;
    };
    let pair = |loser: &EventId| {
        seen.contested.contains(&(*winner, *loser)) || seen.contested.contains(&(*loser, *winner))
    };
    !losers.is_empty() && losers.iter().all(pair)
}

fn need(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
