//! The side ways of a ticket, one promise each.

use wangge_model::ticket::{
    Card, DoneKind, ExtensionAnswer, Handler, Kind, Parked, Refusal, Status, TicketEvent,
};

use crate::cast::{
    AI, BO, CLERK, COUNTY, Device, STATION, TOWNSHIP, UNIT, WATER, Who, accepted, meet, village,
    with_bo,
};

/// Returns what the judge says of an event that `who` might make now.
fn says(
    device: &Device,
    who: Who,
    kind: Kind,
    change: impl FnOnce(&mut TicketEvent),
) -> Result<(), Refusal> {
    let mut event = device.draft(who, kind);
    change(&mut event);
    device.state().check(&device.opened, &event)
}

fn add(device: &mut Device, who: Who, kind: Kind, change: impl FnOnce(&mut TicketEvent)) {
    assert_eq!(says(device, who, kind, |_| {}).err(), None, "{kind}");
    let mut event = device.draft(who, kind);
    change(&mut event);
    device.add(event);
}

fn nothing(_: &mut TicketEvent) {}

#[test]
fn what_was_asked_back_is_brought_and_taken() {
    let asked = Device::new(AI).after(&[(AI, Kind::Submit), (STATION, Kind::AskBack)]);
    assert_eq!(asked.status(), Status::AskedBack);
    assert!(asked.status().is_open());
    let taken = asked.after(&[(AI, Kind::Submit), (STATION, Kind::Accept)]);
    assert_eq!(taken.status(), Status::Accepted);
}

#[test]
fn what_was_finished_in_the_handlers_place_is_looked_at_by_who_was_away() {
    // Two people: the station was asked first, the worker Bo handles it and is on leave.
    let given = Device::new(STATION).after(&[(STATION, Kind::Submit), (STATION, Kind::Accept)]);
    let mut device = given;
    device.assign(STATION, BO.by_name());
    let in_place = TicketEvent {
        instead_of: Some(BO.id()),
        done_kind: Some(DoneKind::Substantive),
        ..device.draft(STATION, Kind::Done)
    };
    device.add(in_place);
    assert_eq!(device.status(), Status::Done);
    assert_eq!(
        says(&device, STATION, Kind::Verify, nothing),
        Err(Refusal::OwnWork)
    );
    let for_bo = |event: &mut TicketEvent| event.instead_of = Some(BO.id());
    assert_eq!(
        says(&device, STATION, Kind::Verify, for_bo),
        Err(Refusal::OwnWork)
    );
    assert_eq!(says(&device, BO, Kind::Verify, nothing), Ok(()));
    // Sent back, it is the handler's again, and so is what they finish.
    let back = device.after(&[(BO, Kind::SendBack), (BO, Kind::Done)]);
    assert_eq!(
        says(&back, BO, Kind::Verify, nothing),
        Err(Refusal::OwnWork)
    );
    assert_eq!(says(&back, STATION, Kind::Verify, nothing), Ok(()));
}

#[test]
fn only_a_level_at_or_above_the_one_it_was_sent_to_accepts() {
    let up = with_bo().after(&[(BO, Kind::Escalate)]);
    let progress = up.state().progress;
    assert_eq!(
        (progress.status, progress.desk(), progress.handler()),
        (Status::Escalated, None, None)
    );
    assert_eq!(
        says(&up, STATION, Kind::Accept, nothing),
        Err(Refusal::OtherDesk)
    );
    assert_eq!(says(&up, TOWNSHIP, Kind::Accept, nothing), Ok(()));
    assert_eq!(says(&up, COUNTY, Kind::Accept, nothing), Ok(()));
    assert_eq!(
        says(&up, TOWNSHIP, Kind::Escalate, nothing),
        Err(Refusal::NotAbove)
    );
    let county = Handler::Area(COUNTY.area());
    let higher = says(&up, TOWNSHIP, Kind::Escalate, |event| {
        event.to = Some(county)
    });
    assert_eq!(higher, Ok(()));
}

#[test]
fn a_declined_ticket_is_answered_and_may_be_taken_up_again() {
    let declined = Device::new(AI).after(&[(AI, Kind::Submit), (STATION, Kind::Decline)]);
    assert!(!declined.status().is_open());
    assert_eq!(says(&declined, AI, Kind::Answer, nothing), Ok(()));
    assert_eq!(
        says(&declined, STATION, Kind::Decline, |event| event.whom = None),
        Err(Refusal::WrongStatus {
            status: Status::Declined
        })
    );
    let again = declined.after(&[(STATION, Kind::Reopen)]);
    assert_eq!(again.status(), Status::Submitted);
}

#[test]
fn a_suspended_ticket_keeps_its_stage_and_waits() {
    let waits = with_bo().after(&[(BO, Kind::Start), (BO, Kind::Suspend)]);
    let progress = waits.state().progress;
    assert_eq!(
        (progress.status, progress.suspended_until.as_deref()),
        (Status::InProgress, Some("2026-12-01"))
    );
    for kind in [Kind::Start, Kind::Done, Kind::Return, Kind::Suspend] {
        assert_eq!(says(&waits, BO, kind, nothing), Err(Refusal::Suspended));
    }
    let goes_on = waits.after(&[(BO, Kind::Resume), (BO, Kind::Done)]);
    assert_eq!(goes_on.status(), Status::Done);
    assert_eq!(
        says(&with_bo(), BO, Kind::Resume, nothing),
        Err(Refusal::NotSuspended)
    );
}

#[test]
fn more_time_is_asked_for_once_and_answered_from_above() {
    let mut asked = with_bo().after(&[(BO, Kind::Extend)]);
    assert_eq!(
        says(&asked, BO, Kind::Extend, nothing),
        Err(Refusal::AlreadyExtended)
    );
    add(&mut asked, STATION, Kind::Grant, nothing);
    let progress = asked.state().progress;
    assert_eq!(
        (progress.due, progress.extension.map(|asked| asked.answer)),
        (Some(99), Some(ExtensionAnswer::Granted))
    );
    assert_eq!(
        says(&asked, TOWNSHIP, Kind::Refuse, nothing),
        Err(Refusal::NoExtension)
    );
    let mut own = accepted();
    own.assign(STATION, village());
    let own = own.after(&[(STATION, Kind::Extend)]);
    assert_eq!(
        says(&own, STATION, Kind::Grant, nothing),
        Err(Refusal::NotAbove),
        "a village does not grant itself more time"
    );
    assert_eq!(says(&own, TOWNSHIP, Kind::Grant, nothing), Ok(()));
}

#[test]
fn a_bad_follow_up_takes_the_ticket_up_again() {
    let closed = with_bo().after(&[(BO, Kind::Done), (AI, Kind::Verify), (STATION, Kind::Close)]);
    for (grade, status) in [
        (1, Status::Accepted),
        (2, Status::Accepted),
        (3, Status::Closed),
    ] {
        let mut device = closed.clone();
        add(&mut device, TOWNSHIP, Kind::FollowUp, |event| {
            event.grade = Some(grade);
        });
        let progress = device.state().progress;
        assert_eq!(progress.status, status, "{grade}");
        assert_eq!(progress.followed_up.len(), 1);
        assert!(!progress.followed_up.iter().any(|said| said.self_recorded));
    }
    for who in [AI, BO] {
        let device = closed.clone().after(&[(who, Kind::FollowUp)]);
        let said = device.state().progress.followed_up;
        assert!(said.iter().all(|said| said.self_recorded), "{who:?}");
    }
    let on_the_spot = Device::new(AI).after(&[(AI, Kind::HandledOnSpot)]);
    let mut device = on_the_spot;
    add(&mut device, STATION, Kind::FollowUp, |event| {
        event.grade = Some(2)
    });
    assert_eq!(device.status(), Status::Submitted, "it was never accepted");
}

#[test]
fn an_interim_finish_says_when_it_is_looked_at_again() {
    let interim = |event: &mut TicketEvent| event.done_kind = Some(DoneKind::Interim);
    assert_eq!(
        says(&with_bo(), BO, Kind::Done, interim),
        Err(Refusal::Missing { field: "on" })
    );
}

#[test]
fn supervision_comes_from_above_and_only_goes_up() {
    let mut device = with_bo();
    let card = |card: Card| move |event: &mut TicketEvent| event.card = Some(card);
    assert_eq!(
        says(&device, AI, Kind::Supervise, nothing),
        Err(Refusal::WrongRole)
    );
    add(&mut device, TOWNSHIP, Kind::Supervise, card(Card::Yellow));
    for same_or_lower in [Card::Ordinary, Card::Yellow] {
        assert_eq!(
            says(&device, COUNTY, Kind::Supervise, card(same_or_lower)),
            Err(Refusal::NotHigher)
        );
    }
    assert_eq!(
        says(&device, COUNTY, Kind::Supervise, card(Card::Red)),
        Ok(())
    );
    let mut own = accepted();
    own.assign(STATION, village());
    assert_eq!(
        says(&own, STATION, Kind::Remind, nothing),
        Err(Refusal::NotAbove)
    );
}

#[test]
fn the_answer_is_handed_over_and_the_first_asked_stays() {
    let mut device = with_bo();
    add(&mut device, STATION, Kind::HandOver, nothing);
    let state = device.state();
    assert_eq!(
        (state.first_asked_by, state.answer_owner),
        (AI.id(), CLERK.id())
    );
    assert_eq!(says(&device, CLERK, Kind::Answer, nothing), Ok(()));
    assert_eq!(says(&device, AI, Kind::Answer, nothing), Ok(()));
}

#[test]
fn a_substitute_does_what_the_other_may_and_verifies_neither_ones_work() {
    let instead = |of: Who| move |event: &mut TicketEvent| event.instead_of = Some(of.id());
    let mut device = with_bo();
    assert_eq!(says(&device, CLERK, Kind::Done, instead(BO)), Ok(()));
    device.act(BO, Kind::Done);
    assert_eq!(says(&device, CLERK, Kind::Verify, instead(AI)), Ok(()));
    assert_eq!(
        says(&device, AI, Kind::Verify, instead(BO)),
        Err(Refusal::OwnWork)
    );
}

#[test]
fn a_step_is_taken_back_until_somebody_built_on_it() {
    let mut device = accepted();
    let assign = device.assign(STATION, BO.by_name());
    device.act(AI, Kind::Comment);
    let back = |event: &mut TicketEvent| event.names = vec![assign];
    assert_eq!(
        says(&device, CLERK, Kind::Retract, back),
        Err(Refusal::NothingToRetract)
    );
    assert_eq!(says(&device, STATION, Kind::Retract, back), Ok(()));
    let mut built_on = device.clone();
    built_on.act(BO, Kind::Start);
    assert_eq!(
        says(&built_on, STATION, Kind::Retract, back),
        Err(Refusal::NothingToRetract)
    );
    let mut event = device.draft(STATION, Kind::Retract);
    back(&mut event);
    device.add(event);
    let state = device.state();
    assert_eq!(state.progress.status, Status::Accepted);
    assert_eq!(
        state.parked.get(&assign).map(Parked::code),
        Some("retracted")
    );
    device.hear(&built_on);
    assert_eq!(
        device.status(),
        Status::InProgress,
        "it was built on elsewhere"
    );
}

#[test]
fn who_works_along_remarks_and_does_not_finish() {
    let mut device = accepted();
    add_assign(&mut device);
    let progress = device.state().progress;
    assert_eq!(progress.helpers, [Handler::Unit(UNIT)]);
    assert!(progress.copies.contains(&village()));
    let slip = |event: &mut TicketEvent| event.for_unit = Some(UNIT);
    assert_eq!(
        says(&device, WATER, Kind::Done, slip),
        Err(Refusal::NotHandler)
    );
    assert_eq!(says(&device, WATER, Kind::Comment, slip), Ok(()));
}

fn add_assign(device: &mut Device) {
    let event = TicketEvent {
        to: Some(BO.by_name()),
        with: vec![Handler::Unit(UNIT)],
        copies: vec![village()],
        ..device.draft(STATION, Kind::Assign)
    };
    device.add(event);
}

#[test]
fn a_late_step_of_a_round_that_is_over_moves_nothing() {
    let verified = with_bo().after(&[(BO, Kind::Done), (AI, Kind::Verify)]);
    // Whatever the ids, the late close never closes the ticket that was taken up again.
    for attempt in 0..8 {
        let (both, _, late) = meet(
            &verified,
            |device| {
                device.act(STATION, Kind::Close);
                device.act(STATION, Kind::Reopen)
            },
            |device| {
                let event = device.draft(CLERK, Kind::Close);
                device.add(TicketEvent {
                    text: Some(attempt.to_string()),
                    ..event
                })
            },
        );
        let state = both.state();
        assert_eq!(state.progress.status, Status::Accepted, "{attempt}");
        assert_eq!(state.parked.get(&late).map(Parked::code), Some("overtaken"));
    }
}

#[test]
fn a_round_that_two_began_goes_on_from_either() {
    for attempt in 0..8 {
        let submitted = Device::new(AI).after(&[(AI, Kind::Submit)]);
        let (both, ..) = meet(
            &submitted,
            |device| {
                device.act(STATION, Kind::AskBack);
                device.act(AI, Kind::Submit)
            },
            |device| {
                let event = device.draft(CLERK, Kind::AskBack);
                device.add(TicketEvent {
                    text: Some(attempt.to_string()),
                    ..event
                })
            },
        );
        assert_eq!(both.status(), Status::Submitted, "{attempt}");
        assert_eq!(both.state().progress.round, 1);
    }
}
