//! What people do in the demo: a day of records on each device, edits that meet, a desk that settles.

use wangge_agent::Replica;
use wangge_agent::conflicts::Choice;
use wangge_agent::households::HouseholdEdit;
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;

use super::Cast;
use super::stage::{Device, area_code};
use crate::context::ALL;
use crate::failure::Failure;
use crate::text::demo as words;

/// Visits each worker records; the two begin at different doors.
pub(super) const VISITS: usize = 30;
const REPORTS: usize = 5;
const TICKETS: usize = 3;

/// What one worker recorded, by id.
pub(super) struct Day {
    /// Visits.
    pub(super) visits: Vec<String>,
    /// Reports.
    pub(super) reports: Vec<String>,
    /// Tickets.
    pub(super) tickets: Vec<String>,
}

/// The households both workers edited.
pub(super) struct Edited {
    /// Both wrote its telephone.
    pub(super) conflicting: String,
    /// Each wrote another field of it.
    pub(super) merging: String,
}

/// What was recorded while the relay was stopped.
pub(super) struct Recorded {
    /// By the first worker.
    pub(super) first: Day,
    /// By both.
    pub(super) edited: Edited,
}

/// Returns the ids of the households in the grid both workers have, by door.
pub(super) fn shared_households(device: &Device) -> Result<Vec<String>, Failure> {
    let grid = area_code(words::SHARED_GRID)?;
    let rows = device.replica.households(Some(&grid), ALL, 0)?;
    Ok(rows.iter().map(|row| row.id.to_string()).collect())
}

/// Records a worker's day, beginning at a household.
pub(super) fn day(
    device: &mut Device,
    households: &[String],
    begin: usize,
) -> Result<Day, Failure> {
    let replica = &mut device.replica;
    let at = |number: usize| {
        households
            .iter()
            .cycle()
            .nth(begin + number)
            .cloned()
            .unwrap_or_default()
    };
    let visits = (0..VISITS)
        .map(|number| visit(replica, at(number), number))
        .collect::<Result<_, _>>()?;
    let reports = (0..REPORTS)
        .map(|number| report(replica, at(number), number))
        .collect::<Result<_, _>>()?;
    let tickets = (0..TICKETS)
        .map(|number| ticket(replica, at(number), number))
        .collect::<Result<_, _>>()?;
    Ok(Day {
        visits,
        reports,
        tickets,
    })
}

fn visit(replica: &mut Replica, household: String, number: usize) -> Result<String, Failure> {
    let note = words::NOTES.get(number % 10).copied().unwrap_or_default();
    let met = (number % 7 == 6).then(|| "nobody".to_owned());
    let input = VisitInput {
        household,
        no_change: note.is_empty() && met.is_none(),
        note: note.to_owned(),
        met,
        ..VisitInput::default()
    };
    Ok(replica.add_visit(input)?.id)
}

fn report(replica: &mut Replica, household: String, number: usize) -> Result<String, Failure> {
    let (category, told) = words::REPORTS
        .get(number % words::REPORTS.len())
        .copied()
        .unwrap_or_default();
    let input = ReportInput {
        household: Some(household),
        category: Some(category.to_owned()),
        text: told.to_owned(),
        source: Some(words::SOURCE.to_owned()),
        handled_on_spot: (number == 0).then(|| words::HANDLED.to_owned()),
        ..ReportInput::default()
    };
    Ok(replica.add_report(input)?.view.id.to_string())
}

fn ticket(replica: &mut Replica, household: String, number: usize) -> Result<String, Failure> {
    let (kind, subject) = words::TICKETS
        .get(number % words::TICKETS.len())
        .copied()
        .unwrap_or_default();
    let input = TicketInput {
        household: Some(household),
        kind: Some(kind.to_owned()),
        subject: subject.to_owned(),
        ..TicketInput::default()
    };
    Ok(replica.open_ticket(input)?.id.to_string())
}

/// Both workers write the phone of one household, and different fields of another.
pub(super) fn edits(cast: &mut Cast, households: &[String]) -> Result<Edited, Failure> {
    let one = |at: usize| households.get(at).cloned().unwrap_or_default();
    let edited = Edited {
        conflicting: one(0),
        merging: one(1),
    };
    let phone = |number: &str| HouseholdEdit {
        phone: Some(number.to_owned()),
        ..HouseholdEdit::default()
    };
    edit(
        &mut cast.first,
        &edited.conflicting,
        phone(words::FIRST_PHONE),
    )?;
    edit(
        &mut cast.second,
        &edited.conflicting,
        phone(words::SECOND_PHONE),
    )?;
    let note = HouseholdEdit {
        note: Some(words::NOTE.to_owned()),
        ..HouseholdEdit::default()
    };
    edit(&mut cast.first, &edited.merging, note)?;
    let arrangement = HouseholdEdit {
        arrangement: Some(words::ARRANGEMENT.to_owned()),
        ..HouseholdEdit::default()
    };
    edit(&mut cast.second, &edited.merging, arrangement)?;
    Ok(edited)
}

fn edit(device: &mut Device, household: &str, edit: HouseholdEdit) -> Result<(), Failure> {
    let id = device.replica.name_household(household)?;
    device.replica.edit_household(&id, edit)?;
    Ok(())
}

/// The desk accepts the first worker's first ticket and gives it to them; returns its number.
pub(super) fn assign(desk: &mut Device, recorded: &Recorded) -> Result<String, Failure> {
    let ticket = recorded
        .first
        .tickets
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let step = |kind: &str, to: Option<&str>| Step {
        kind: kind.to_owned(),
        to: to.map(str::to_owned),
        ..Step::default()
    };
    desk.replica.ticket_step(ticket, &step("accept", None))?;
    let detail = desk
        .replica
        .ticket_step(ticket, &step("assign", Some(words::FIRST)))?;
    Ok(detail.ticket.code)
}

/// The desk settles the conflict by the second worker's number; returns the number.
pub(super) fn settle(desk: &mut Device, recorded: &Recorded) -> Result<String, Failure> {
    let choice = Choice::Value(words::SECOND_PHONE.to_owned());
    desk.replica
        .settle(&recorded.edited.conflicting, Some("phone"), &choice)?;
    let id = desk.replica.name_household(&recorded.edited.conflicting)?;
    Ok(desk
        .replica
        .household(&id)?
        .household
        .phone
        .unwrap_or_default())
}

/// Says whether every worker's device has the assignment, the settled phone and both merged fields.
pub(super) fn arrived(cast: &Cast, recorded: &Recorded) -> Result<bool, Failure> {
    let ticket = recorded
        .first
        .tickets
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    for device in [&cast.first, &cast.second] {
        let replica = &device.replica;
        let phone = household(replica, &recorded.edited.conflicting)?
            .household
            .phone;
        let merged = household(replica, &recorded.edited.merging)?.household;
        let is_assigned = replica.ticket(ticket)?.status == "assigned";
        let is_settled = phone.as_deref() == Some(words::SECOND_PHONE);
        let is_merged = merged.note == words::NOTE && merged.arrangement == words::ARRANGEMENT;
        if !(is_assigned && is_settled && is_merged) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn household(
    replica: &Replica,
    id: &str,
) -> Result<wangge_agent::households::HouseholdView, Failure> {
    Ok(replica.household(&replica.name_household(id)?)?)
}
