//! Who may: the questions about people and levels that the judge asks.
//!
//! **Somebody who stands in for another counts as both**: they may do what the other may, and may
//! not verify what either of them handled.

use wangge_wire::{AreaCode, Level, PersonId, Role};

use super::super::Opened;
use super::super::event::{Handler, TicketEvent};
use super::super::progress::{Desk, Progress, Status};
use super::{Refusal, need};

/// Returns whether the author is this person, or stands in for them.
fn is(event: &TicketEvent, person: PersonId) -> bool {
    event.by == person || event.instead_of == Some(person)
}

/// Returns whether the author was asked first, or owes the answer.
pub(super) fn is_asked(opened: &Opened, progress: &Progress, event: &TicketEvent) -> bool {
    let owner = progress.answer_owner.unwrap_or(opened.answer_owner);
    is(event, opened.first_asked_by) || is(event, owner)
}

/// Returns the handler of the ticket that the author of `event` is, or is one of, or works for.
pub(in super::super) fn acting_for(progress: &Progress, event: &TicketEvent) -> Option<Handler> {
    let acts = |handler: &&Handler| match handler {
        Handler::Person(person) => is(event, *person),
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
        Role::Unit | Role::Auditor | Role::Relay => false,
    }
}

/// Returns whether the author is a desk above the ticket's home.
pub(super) fn covers_home(opened: &Opened, event: &TicketEvent) -> Result<(), Refusal> {
    need(event.role.is_desk(), Refusal::WrongRole)?;
    need(event.area.covers(&opened.area), Refusal::OtherDesk)
}

/// Returns whether the author's level may take the ticket: one above its home, and at or above the
/// one it was escalated to.
pub(super) fn may_take(
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    covers_home(opened, event)?;
    let escalated = progress.escalated_to.as_ref();
    need(
        escalated.is_none_or(|area| event.area.covers(area)),
        Refusal::OtherDesk,
    )
}

/// Returns whether the author is the level the ticket is with.
///
/// What was handled on the spot, and what nobody has taken yet, is with any level that may take it.
pub(super) fn at_desk(
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    if progress.desks.is_empty() {
        return may_take(opened, progress, event);
    }
    covers_home(opened, event)?;
    need(holds(progress, event), Refusal::OtherDesk)
}

fn holds(progress: &Progress, event: &TicketEvent) -> bool {
    let desk = |desk: &Desk| desk.role == event.role && desk.area == event.area;
    progress.desks.iter().any(desk)
}

/// Returns whether the author may send it up: the handler, or the level it is with.
pub(super) fn may_escalate(
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    let handles = progress.status > Status::Escalated && acting_for(progress, event).is_some();
    if handles {
        return Ok(());
    }
    at_desk(opened, progress, event)
}

/// Returns the level the ticket is with.
pub(super) fn with_level(progress: &Progress) -> Level {
    let desk = progress.desks.iter().map(|desk| desk.area.level()).max();
    let escalated = || progress.escalated_to.as_ref().map(AreaCode::level);
    desk.or_else(escalated).unwrap_or(Level::Village)
}

/// Returns whether the author's level is above `level`; nothing is above a county but itself.
pub(super) fn is_above(event: &TicketEvent, level: Level) -> bool {
    let own = event.area.level();
    own < level || own == Level::County
}

/// Returns whether the author's level is `level` or above it.
pub(super) fn is_at_or_above(event: &TicketEvent, level: Level) -> bool {
    event.area.level() <= level
}

/// Returns whether the author's level is above a handler's; a unit is below the accepting level.
pub(super) fn is_above_work(progress: &Progress, event: &TicketEvent) -> bool {
    progress.handlers.iter().any(|handler| match handler {
        Handler::Person(_) => true,
        Handler::Area(area) => is_above(event, area.level()),
        Handler::Unit(_) | Handler::Other(_) => is_at_or_above(event, with_level(progress)),
    })
}

/// Returns whether the author may say that it is done, or not done.
///
/// First-asked, or who owes the answer in their place. Where first-asked handled it, another person
/// at the station or a desk above it: a village of one worker must not be stuck.
pub(super) fn may_verify(
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> Result<(), Refusal> {
    let own = |person| is_own_work(progress, person);
    need(
        !own(event.by) && !event.instead_of.is_some_and(own),
        Refusal::OwnWork,
    )?;
    let in_their_place = handled(progress, opened.first_asked_by) && at_station(opened, event);
    need(
        is_asked(opened, progress, event) || in_their_place,
        Refusal::NotAsked,
    )
}

fn handled(progress: &Progress, person: PersonId) -> bool {
    progress.done_by.contains(&person) || progress.handlers.contains(&Handler::Person(person))
}

/// Returns whether nobody but somebody else may say that it is done: a person who finished it, or
/// whose it is to handle. Work that another finished in the handler's place is that other's: in a
/// village of two the one who was away looks at it.
fn is_own_work(progress: &Progress, person: PersonId) -> bool {
    let replaced = progress.done_instead_of.contains(&person);
    progress.done_by.contains(&person) || (handled(progress, person) && !replaced)
}

fn had_a_part(progress: &Progress, event: &TicketEvent) -> bool {
    handled(progress, event.by) || event.instead_of.is_some_and(|who| handled(progress, who))
}

/// Returns whether the author is at the station of the ticket's home, or at a desk above it.
fn at_station(opened: &Opened, event: &TicketEvent) -> bool {
    let village = |area: &AreaCode| area.at(Level::Village);
    match event.role {
        Role::Worker => {
            village(&event.area).is_some() && village(&event.area) == village(&opened.area)
        }
        Role::Station | Role::Township | Role::County => event.area.covers(&opened.area),
        Role::Unit | Role::Auditor | Role::Relay => false,
    }
}

/// Returns whether the author writes down what residents say: any worker, any desk.
pub(super) fn follows_up(event: &TicketEvent) -> Result<(), Refusal> {
    need(
        event.role == Role::Worker || event.role.is_desk(),
        Refusal::WrongRole,
    )
}

/// Returns whether a follow-up counts: by a desk above the home, by nobody who had a part in it.
pub(in super::super) fn is_neutral(
    opened: &Opened,
    progress: &Progress,
    event: &TicketEvent,
) -> bool {
    let part = had_a_part(progress, event) || is(event, opened.first_asked_by);
    covers_home(opened, event).is_ok() && !part
}
