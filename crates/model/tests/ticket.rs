//! Tickets made by several people at once: the way through, and the pairs of events they meet.

use std::collections::{BTreeMap, BTreeSet};

use wangge_model::ticket::{
    DoneKind, EventId, EventKind, Handler, Kind, Parked, Refusal, Status, TicketEvent, TicketState,
};
use wangge_wire::Role;

#[path = "ticket/cast.rs"]
mod cast;
#[path = "ticket/flow.rs"]
mod flow;
#[path = "ticket/histories.rs"]
mod histories;
#[path = "ticket/promises.rs"]
mod promises;
#[path = "ticket/reach.rs"]
mod reach;
#[path = "ticket/worlds.rs"]
mod worlds;

use cast::{
    AI, BO, CLERK, Device, STATION, STRANGER, TOWNSHIP, UNIT, WATER, Who, accepted, meet, village,
    with_bo,
};

fn overtaken_by(state: &TicketState, loser: EventId) -> Option<EventId> {
    match state.parked.get(&loser) {
        Some(Parked::Overtaken { by, .. }) => Some(*by),
        _ => None,
    }
}

fn ordered(a: EventId, b: EventId) -> (EventId, EventId) {
    (a.min(b), a.max(b))
}

#[test]
fn a_ticket_goes_from_draft_to_closed() {
    let mut device = Device::new(AI);
    let steps: [(Who, Kind, Status); 7] = [
        (AI, Kind::Submit, Status::Submitted),
        (STATION, Kind::Accept, Status::Accepted),
        (STATION, Kind::Assign, Status::Assigned),
        (BO, Kind::Start, Status::InProgress),
        (BO, Kind::Done, Status::Done),
        (AI, Kind::Verify, Status::Verified),
        (CLERK, Kind::Close, Status::Closed),
    ];
    assert_eq!(device.status(), Status::Draft);
    for (who, kind, status) in steps {
        device = device.after(&[(who, kind)]);
        assert_eq!(device.status(), status, "{kind}");
    }
    let state = device.state();
    assert_eq!(state.first_asked_by, AI.id());
    assert_eq!(state.progress.done_kind, Some(DoneKind::Substantive));
    assert_eq!(state.progress.handler(), Some(&village()));
    assert_eq!((state.heads.len(), state.history.len()), (1, 7));
    assert!(!state.is_answered());
}

#[test]
fn what_was_handled_on_the_spot_is_done_at_once() {
    let device = Device::new(AI).after(&[(AI, Kind::HandledOnSpot)]);
    assert_eq!(device.status(), Status::Done);
    assert_eq!(device.state().progress.handler(), Some(&AI.by_name()));
    let own = device.draft(AI, Kind::Verify);
    assert_eq!(
        device.state().check(&device.opened, &own),
        Err(Refusal::OwnWork)
    );
    let closed = device.after(&[(STATION, Kind::Verify), (STATION, Kind::Close)]);
    assert_eq!(closed.status(), Status::Closed);
}

#[test]
fn the_due_date_is_the_last_that_was_set() {
    let mut device = Device::new(AI);
    let submit = TicketEvent {
        due: Some(10),
        ..device.draft(AI, Kind::Submit)
    };
    device.add(submit);
    device.act(STATION, Kind::Accept);
    assert_eq!(device.state().progress.due, Some(10));
    let assign = TicketEvent {
        due: Some(20),
        to: Some(village()),
        ..device.draft(STATION, Kind::Assign)
    };
    device.add(assign);
    assert_eq!(device.state().progress.due, Some(20));
}

#[test]
fn sent_back_and_returned_work_is_taken_up_again() {
    let mut device = with_bo();
    device = device.after(&[(BO, Kind::Done), (AI, Kind::SendBack)]);
    assert_eq!(
        (device.status(), device.state().progress.done_kind),
        (Status::InProgress, None)
    );
    device = device.after(&[(BO, Kind::Return)]);
    assert_eq!(
        (device.status(), device.state().progress.handler()),
        (Status::Returned, None)
    );
    device = device.after(&[(STATION, Kind::Assign), (AI, Kind::Done)]);
    assert_eq!(device.status(), Status::Done);
}

#[test]
fn what_was_never_legal_is_parked_with_its_reason() {
    let cases: [(Device, Who, Kind, &str); 10] = [
        (Device::new(AI), WATER, Kind::Submit, "wrong_role"),
        (Device::new(AI), STATION, Kind::Accept, "wrong_status"),
        (accepted(), TOWNSHIP, Kind::Assign, "other_desk"),
        (accepted(), STATION, Kind::Assign, "missing"),
        (with_bo(), AI, Kind::Start, "not_handler"),
        (with_bo(), STRANGER, Kind::Answer, "not_asked"),
        (
            with_bo().after(&[(BO, Kind::Done)]),
            BO,
            Kind::Verify,
            "own_work",
        ),
        (
            with_bo().after(&[(BO, Kind::Done)]),
            CLERK,
            Kind::Verify,
            "not_asked",
        ),
        (with_bo(), STATION, Kind::Settle, "missing"),
        (
            Device::new(AI).after(&[(AI, Kind::Submit)]),
            AI,
            Kind::Accept,
            "wrong_role",
        ),
    ];
    for (mut device, who, kind, reason) in cases {
        let before = device.state();
        let id = device.act(who, kind);
        let state = device.state();
        assert_eq!(
            state.parked.get(&id).map(Parked::code),
            Some(reason),
            "{kind}"
        );
        assert_eq!(state.progress, before.progress, "{kind}");
        assert!(state.history.contains(&id));
    }
}

#[test]
fn an_unknown_kind_is_parked_and_what_follows_it_goes_on() {
    let mut device = accepted();
    let newer = TicketEvent {
        kind: EventKind::Unknown("mediate".to_owned()),
        ..device.draft(STATION, Kind::Comment)
    };
    let id = device.add(newer);
    assert_eq!(
        device.state().parked.get(&id).map(Parked::code),
        Some("unknown_kind")
    );
    device.assign(STATION, BO.by_name());
    assert_eq!(
        (device.status(), device.state().waiting.len()),
        (Status::Assigned, 0)
    );
}

#[test]
fn an_event_waits_for_the_one_it_names() {
    let whole = with_bo();
    let order = whole.state().history;
    let mut part = whole.clone();
    part.events.remove(&order[1]);
    let state = part.state();
    assert_eq!(state.progress.status, Status::Submitted);
    assert_eq!(state.waiting, BTreeMap::from([(order[2], vec![order[1]])]));
    part.hear(&whole);
    assert_eq!(part.state(), whole.state());
}

#[test]
fn a_ring_of_events_waits_and_stops_nothing_else() {
    let mut device = accepted();
    let (one, two) = (EventId([1; 16]), EventId([2; 16]));
    let ring = |after| TicketEvent {
        after: vec![after],
        ..device.draft(STATION, Kind::Comment)
    };
    let events = [(one, ring(two)), (two, ring(one))];
    device.events.extend(events);
    let state = device.state();
    assert_eq!(
        state.waiting,
        BTreeMap::from([(one, vec![two]), (two, vec![one])])
    );
    assert_eq!(state.progress.status, Status::Accepted);
}

#[test]
fn two_centres_that_accept_are_contested_and_one_centre_is_not() {
    let submitted = Device::new(AI).after(&[(AI, Kind::Submit)]);
    let (same, ..) = meet(
        &submitted,
        |d| d.act(STATION, Kind::Accept),
        |d| d.act(CLERK, Kind::Accept),
    );
    assert_eq!(
        (same.state().contested.len(), same.status()),
        (0, Status::Accepted)
    );
    assert_eq!(same.state().progress.desks.len(), 1);

    let (mut both, a, b) = meet(
        &submitted,
        |d| d.act(STATION, Kind::Accept),
        |d| d.act(TOWNSHIP, Kind::Accept),
    );
    assert_eq!(both.state().contested, [ordered(a, b)]);
    assert_eq!(both.state().progress.desks.len(), 2);
    assert_eq!(both.status(), Status::Accepted);

    both.settle(TOWNSHIP, &[a, b]);
    let state = both.state();
    assert_eq!(state.contested, []);
    assert_eq!(state.parked.get(&b).map(Parked::code), Some("settled"));
    assert_eq!(
        state.progress.desk().map(|desk| desk.role),
        Some(Role::Station)
    );
}

#[test]
fn two_handlers_are_contested_until_a_settle_names_both() {
    let start = accepted();
    let (mut both, a, b) = meet(
        &start,
        |d| d.assign(STATION, AI.by_name()),
        |d| d.assign(CLERK, BO.by_name()),
    );
    let state = both.state();
    assert_eq!(state.contested, [ordered(a, b)]);
    let shown = if a < b { AI } else { BO };
    assert_eq!(state.progress.handler(), Some(&shown.by_name()));
    assert_eq!(state.progress.handlers.len(), 2, "both are told");

    let comment = both.act(AI, Kind::Comment);
    assert_eq!(both.state().contested.len(), 1, "only a settle ends it");
    let refused = both.settle(STATION, &[a, comment]);
    assert_eq!(
        both.state().parked.get(&refused).map(Parked::code),
        Some("nothing_to_settle")
    );
    both.settle(STATION, &[b, a]);
    let state = both.state();
    assert_eq!(
        (state.contested.len(), state.progress.handler()),
        (0, Some(&BO.by_name()))
    );
    assert!(state.history.contains(&a), "nothing is dropped");
}

#[test]
fn the_same_handler_twice_is_no_contest() {
    let (both, ..) = meet(
        &accepted(),
        |d| d.assign(STATION, village()),
        |d| d.assign(CLERK, village()),
    );
    assert_eq!(
        (both.state().contested.len(), both.status()),
        (0, Status::Assigned)
    );
    assert_eq!(both.state().progress.handlers, [village()]);
}

#[test]
fn settles_that_differ_are_contested_and_settled_in_turn() {
    let start = accepted();
    let (both, a, b) = meet(
        &start,
        |d| d.assign(STATION, AI.by_name()),
        |d| d.assign(CLERK, BO.by_name()),
    );
    let (mut both, one, other) = meet(
        &both,
        |d| d.settle(STATION, &[a, b]),
        |d| d.settle(CLERK, &[b, a]),
    );
    assert_eq!(both.state().contested, [ordered(one, other)]);
    assert_eq!(
        both.state().progress.handlers.len(),
        2,
        "neither has an effect yet"
    );
    both.settle(TOWNSHIP, &[other, one]);
    let state = both.state();
    assert_eq!(
        (state.contested.len(), state.progress.handlers.clone()),
        (0, vec![BO.by_name()])
    );
    assert_eq!(state.parked.get(&one).map(Parked::code), Some("settled"));
    assert_eq!(state.parked.get(&a).map(Parked::code), Some("settled"));
}

#[test]
fn done_beats_a_concurrent_assign() {
    let (both, done, assign) = meet(
        &with_bo(),
        |d| d.act(BO, Kind::Done),
        |d| d.assign(STATION, AI.by_name()),
    );
    let state = both.state();
    assert_eq!(
        (state.progress.status, state.progress.handler()),
        (Status::Done, Some(&BO.by_name()))
    );
    assert_eq!(overtaken_by(&state, assign), Some(done));
    assert_eq!(state.contested, []);
}

#[test]
fn an_assign_to_somebody_else_beats_a_concurrent_start() {
    let (both, start, assign) = meet(
        &with_bo(),
        |d| d.act(BO, Kind::Start),
        |d| d.assign(STATION, AI.by_name()),
    );
    let state = both.state();
    assert_eq!(
        (state.progress.status, state.progress.handler()),
        (Status::Assigned, Some(&AI.by_name()))
    );
    assert_eq!(overtaken_by(&state, start), Some(assign));

    let (same, ..) = meet(
        &with_bo(),
        |d| d.act(BO, Kind::Start),
        |d| d.assign(STATION, BO.by_name()),
    );
    assert_eq!(
        (same.status(), same.state().parked.len()),
        (Status::InProgress, 0)
    );
}

#[test]
fn what_was_overtaken_stands_again_when_its_rival_does_not() {
    let start = with_bo();
    let mut bo = start.clone();
    let started = bo.act(BO, Kind::Start);
    let (mut all, ..) = meet(
        &start,
        |d| d.assign(STATION, AI.by_name()),
        |d| d.act(BO, Kind::Comment),
    );
    all.hear(&bo);
    assert!(overtaken_by(&all.state(), started).is_some());
    bo.act(BO, Kind::Done);
    all.hear(&bo);
    assert!(!all.state().parked.contains_key(&started));
    assert_eq!(all.status(), Status::Done);
}

#[test]
fn two_finishes_both_stand_and_the_first_by_id_is_shown() {
    let start = accepted().after(&[(STATION, Kind::Assign)]);
    let procedural = |d: &mut Device| {
        let done = TicketEvent {
            done_kind: Some(DoneKind::Procedural),
            ..d.draft(BO, Kind::Done)
        };
        d.add(done)
    };
    let (mut both, a, b) = meet(&start, |d| d.act(AI, Kind::Done), procedural);
    let state = both.state();
    assert_eq!(
        (
            state.progress.status,
            state.parked.len(),
            state.contested.len()
        ),
        (Status::Done, 0, 0)
    );
    let shown = if a < b {
        DoneKind::Substantive
    } else {
        DoneKind::Procedural
    };
    assert_eq!(state.progress.done_kind, Some(shown));
    for finisher in [AI, BO] {
        let verify = both.draft(finisher, Kind::Verify);
        assert_eq!(state.check(&both.opened, &verify), Err(Refusal::OwnWork));
    }
    both = both.after(&[(TOWNSHIP, Kind::Verify), (STATION, Kind::Close)]);
    assert_eq!(both.status(), Status::Closed);
}

#[test]
fn a_verified_finish_beats_a_colleagues_return() {
    let start = accepted().after(&[(STATION, Kind::Assign)]);
    let (both, verify, back) = meet(
        &start,
        |d| {
            d.act(BO, Kind::Done);
            d.act(AI, Kind::Verify)
        },
        |d| d.act(STATION, Kind::Return),
    );
    let state = both.state();
    assert_eq!(state.progress.status, Status::Verified);
    assert!(overtaken_by(&state, back).is_some());
    assert!(!state.parked.contains_key(&verify));
}

#[test]
fn two_findings_that_differ_are_contested_and_keep_it_from_closing() {
    let mut start = accepted();
    start.opened.answer_owner = CLERK.id();
    let start = {
        start.assign(STATION, BO.by_name());
        start
    }
    .after(&[(BO, Kind::Done)]);
    let (mut both, found, not) = meet(
        &start,
        |d| d.act(AI, Kind::Verify),
        |d| d.act(CLERK, Kind::SendBack),
    );
    let state = both.state();
    assert_eq!(state.contested, [ordered(found, not)]);
    let close = both.draft(STATION, Kind::Close);
    assert!(state.check(&both.opened, &close).is_err());
    both.settle(STATION, &[not, found]);
    assert_eq!(both.status(), Status::InProgress);
    assert_eq!(both.state().progress.done_by, BTreeSet::new());
}

#[test]
fn close_and_comment_both_stand() {
    let start = with_bo().after(&[(BO, Kind::Done), (AI, Kind::Verify)]);
    let (both, ..) = meet(
        &start,
        |d| d.act(STATION, Kind::Close),
        |d| d.act(BO, Kind::Comment),
    );
    assert_eq!(
        (both.status(), both.state().parked.len()),
        (Status::Closed, 0)
    );
}

#[test]
fn an_answer_stands_whatever_it_meets() {
    let start = with_bo().after(&[(BO, Kind::Done), (AI, Kind::Verify)]);
    let (both, ..) = meet(
        &start,
        |d| d.act(STATION, Kind::Close),
        |d| d.act(AI, Kind::Answer),
    );
    let state = both.state();
    assert_eq!(
        (state.progress.status, state.progress.answered_by),
        (Status::Closed, Some(AI.id()))
    );
    let late = start.after(&[(STATION, Kind::Close), (AI, Kind::Answer)]);
    assert!(
        late.state().is_answered(),
        "a closed ticket still owes its answer"
    );
}

#[test]
fn the_station_types_the_slip_of_a_unit_without_a_device() {
    let mut device = accepted();
    device.assign(STATION, Handler::Unit(UNIT));
    let plain = device.draft(STATION, Kind::Done);
    assert_eq!(
        device.state().check(&device.opened, &plain),
        Err(Refusal::NotHandler)
    );
    for who in [STATION, WATER] {
        let slip = TicketEvent {
            for_unit: Some(UNIT),
            ..device.draft(who, Kind::Done)
        };
        assert_eq!(device.state().check(&device.opened, &slip), Ok(()));
    }
}

#[test]
fn the_smaller_id_is_shown_even_where_it_comes_later() {
    // The later one follows a remark, so that causal order alone would put it last.
    let start = accepted();
    let (mut both, mut early, mut late) = (start.clone(), EventId([0; 16]), EventId([0; 16]));
    for attempt in 0.. {
        let (mut here, mut there) = (start.clone(), start.clone());
        early = here.assign(STATION, AI.by_name());
        let remark = TicketEvent {
            text: Some(attempt.to_string()),
            ..there.draft(CLERK, Kind::Comment)
        };
        let remark = there.add(remark);
        late = there.assign(CLERK, BO.by_name());
        if late < early && early < remark {
            both = here;
            both.hear(&there);
            break;
        }
    }
    let state = both.state();
    let place = |id| state.history.iter().position(|event| *event == id);
    assert!(place(early) < place(late));
    assert_eq!(state.progress.handler(), Some(&BO.by_name()));
}

#[test]
fn a_settle_counts_for_who_saw_it_although_another_disputes_it_elsewhere() {
    let start = accepted();
    let (both, a, b) = meet(
        &start,
        |d| d.assign(STATION, AI.by_name()),
        |d| d.assign(CLERK, BO.by_name()),
    );
    let choose = |winner, loser, refused: Who| {
        move |d: &mut Device| {
            d.settle(STATION, &[winner, loser]);
            d.act(refused, Kind::Start)
        }
    };
    let (both, bo, ai) = meet(&both, choose(a, b, BO), choose(b, a, AI));
    for id in [bo, ai] {
        assert_eq!(
            both.state().parked.get(&id).map(Parked::code),
            Some("not_handler")
        );
    }
}
