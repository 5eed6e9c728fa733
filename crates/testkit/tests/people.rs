//! Leave, cover and units through a real relay: what a substitute gains, for how long, and what a
//! unit sees.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::households::HouseholdInput;
use wangge_agent::households::MemberInput;
use wangge_agent::people::LeaveInput;
use wangge_agent::tickets::{Step, TicketDetail, TicketFilter, TicketInput};
use wangge_agent::{AgentError, OrderRefusal, Replica};
use wangge_testkit::district::{sync, wait};
use wangge_testkit::town::{MORNING_MS, Town};
use wangge_testkit::work::visit;
use wangge_wire::{AreaCode, Day, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

fn family(replica: &mut Replica, door: &str, head: &str) {
    let input = HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

fn cover(until: &str) -> LeaveInput {
    LeaveInput {
        absent: "李梅".into(),
        substitute: Some("王芳".into()),
        until: Some(until.into()),
        ..LeaveInput::default()
    }
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// 李梅 with two households in grid 1, 王芳 in grid 2, the desk; everything is synced.
fn cast(town: &Town) -> (Replica, Replica, Replica) {
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_2]);
    let mut desk = town.home("周文", Role::Township, &[TOWNSHIP]);
    family(&mut li, "3-12", "张建国");
    family(&mut li, "3-13", "王小明");
    for replica in [&mut li, &mut wang, &mut desk] {
        sync(replica).unwrap();
    }
    (li, wang, desk)
}

#[test]
fn a_substitute_has_the_grid_for_the_days_of_the_cover_and_keeps_nothing_after() {
    let town = Town::new();
    let (mut li, mut wang, mut desk) = cast(&town);
    assert_eq!(wang.store().counts().unwrap().households, 0);
    let ordered = wait(desk.cover(cover("2026-12-03"))).unwrap();
    assert_eq!(
        (ordered.from.as_str(), ordered.state),
        ("2026-12-01", "now")
    );
    assert_eq!(desk.leaves().len(), 1, "the desk knows it before any sync");

    let report = sync(&mut wang).unwrap();
    assert_eq!(wang.store().counts().unwrap().households, 2);
    assert!(report.complete[&area(GRID_1)].equal, "{report:?}");
    assert!(report.complete[&area(GRID_2)].equal);
    let covering = wang.covering();
    assert_eq!(
        (covering[0].name.as_str(), covering[0].until.as_str()),
        ("李梅", "2026-12-03")
    );
    assert!(wang.stands_in_for(&li.person()) && !li.stands_in_for(&wang.person()));
    assert_eq!(wang.areas().to_vec(), [area(GRID_2), area(GRID_1)]);
    let recorded = visit(&mut wang, "张建国");
    sync(&mut wang).unwrap();
    sync(&mut li).unwrap();
    assert_eq!(li.visit(&recorded).unwrap().by.name, "王芳");

    // The last visit of the cover is made without signal and sent days later.
    town.days_pass(2);
    let last = visit(&mut wang, "王小明");
    town.days_pass(2);
    let report = sync(&mut wang).unwrap();
    assert_eq!(
        (report.unsent, report.inbox),
        (0, 0),
        "what was made in time arrives"
    );
    assert!(!report.complete.contains_key(&area(GRID_1)));
    assert_eq!((report.handed_over, report.hand_over_waits), (2, 0));
    sync(&mut li).unwrap();
    assert!(li.visit(&last).is_ok());

    let after = visit(&mut li, "张建国");
    family(&mut li, "3-14", "新来");
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    assert!(wang.visit(&after).is_err(), "nothing new after the end");
    assert_eq!(
        wang.store().counts().unwrap().households,
        0,
        "other people's data is kept for the work and no longer"
    );
    assert_eq!(
        wang.areas().to_vec(),
        [area(GRID_2)],
        "and it is no own area any more"
    );
    assert!(wang.covering().is_empty());
    assert!(desk.leaves().is_empty());
}

#[test]
fn a_cover_is_seen_by_all_it_concerns_ends_when_it_is_ended_and_needs_the_link() {
    let mut town = Town::new();
    let (mut li, mut wang, mut desk) = cast(&town);
    let own = LeaveInput {
        absent: "王芳".into(),
        ..cover("2026-12-03")
    };
    let refused = wait(wang.leave(own));
    let not_allowed: Result<(), _> = Err(AgentError::Order(OrderRefusal::NotAllowed));
    assert_eq!(format!("{refused:?}"), format!("{not_allowed:?}"));
    let leave = LeaveInput {
        substitute: None,
        from: Some("2026-12-02".into()),
        note: "有事打电话".into(),
        ..cover("2026-12-05")
    };
    wait(desk.leave(leave)).unwrap();
    for replica in [&mut li, &mut wang] {
        sync(replica).unwrap();
    }
    assert_eq!(li.leaves()[0].state, "coming");
    assert_eq!(li.leaves()[0].note, "有事打电话");

    // The days of the leave are those of the cover when none are said.
    let by_leave = LeaveInput {
        until: None,
        ..cover("")
    };
    let ordered = wait(desk.cover(by_leave)).unwrap();
    assert_eq!(
        (ordered.from.as_str(), ordered.until.as_str()),
        ("2026-12-02", "2026-12-05")
    );
    town.days_pass(1);
    sync(&mut wang).unwrap();
    assert_eq!(wang.store().counts().unwrap().households, 2);
    sync(&mut li).unwrap();
    let people = li.people_list();
    let me = people.iter().find(|person| person.me).unwrap();
    assert_eq!(me.leaves.len(), 2);
    let wang_there = people.iter().find(|person| person.name == "王芳").unwrap();
    assert_eq!(wang_there.covering[0].person, li.person());

    assert_eq!(wait(desk.end_leave("李梅")).unwrap().len(), 2);
    assert!(desk.leaves().is_empty());
    sync(&mut wang).unwrap();
    assert!(
        wang.covering().is_empty(),
        "also on the device of the substitute"
    );

    town.district.stop();
    let without = wait(desk.cover(cover("2026-12-09")));
    assert!(matches!(without, Err(AgentError::OrderUnsent { .. })));
    assert!(
        desk.leaves().is_empty(),
        "nothing is promised without the relay"
    );
}

#[test]
fn a_ticket_given_to_a_unit_reaches_its_device_and_no_household_does() {
    let town = Town::new();
    let (mut li, mut wang, mut desk) = cast(&town);
    let unit = wait(desk.add_unit("水务站", TOWNSHIP, "0818-6212345")).unwrap();
    let again = wait(desk.add_unit("水务站", TOWNSHIP, ""));
    assert!(matches!(
        again,
        Err(AgentError::Order(OrderRefusal::NameTaken))
    ));
    for replica in [&mut li, &mut wang] {
        sync(replica).unwrap();
        assert_eq!(replica.units(), std::slice::from_ref(&unit));
    }
    let mut liu = town.unit_home("刘站长", &unit.id.to_string());
    sync(&mut liu).unwrap();
    sync(&mut desk).unwrap();
    assert_eq!(desk.units()[0].people, ["刘站长"]);

    let opened = li.open_ticket(TicketInput {
        household: Some("张建国".into()),
        subject: "水管爆".into(),
        ..TicketInput::default()
    });
    let opened = opened.unwrap().id.to_string();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    for kind in ["accept", "assign"] {
        let step = Step {
            kind: kind.into(),
            to: (kind == "assign").then(|| "水务站".into()),
            ..Step::default()
        };
        desk.ticket_step(&opened, &step).unwrap();
    }
    assert_eq!(
        desk.ticket(&opened).unwrap().handler.unwrap().name,
        "水务站"
    );
    sync(&mut desk).unwrap();

    let report = sync(&mut liu).unwrap();
    let counts = liu.store().counts().unwrap();
    assert_eq!(
        (
            counts.households,
            counts.visits,
            counts.reports,
            counts.tickets
        ),
        (0, 0, 0, 1)
    );
    assert_eq!(report.held, 0, "it knows whose work it was sent");
    sync(&mut wang).unwrap();
    assert!(
        wang.ticket(&opened).is_err(),
        "nobody else of the area has it"
    );

    take(&mut liu, &opened, "start", None);
    let done = take(&mut liu, &opened, "done", Some("换了阀门"));
    assert_eq!(done.status, "done");
    sync(&mut liu).unwrap();
    sync(&mut desk).unwrap();
    let seen = desk.ticket(&opened).unwrap();
    assert_eq!(seen.status, "done");
    assert!(seen.events.iter().all(|event| event.parked.is_none()));
}

fn take(replica: &mut Replica, ticket: &str, kind: &str, text: Option<&str>) -> TicketDetail {
    let step = Step {
        kind: kind.into(),
        text: text.map(str::to_owned),
        done_kind: (kind == "done").then(|| "实质".into()),
        how: (kind == "answer").then(|| "电话".into()),
        ..Step::default()
    };
    replica.ticket_step(ticket, &step).unwrap()
}

#[test]
fn a_substitute_works_in_the_place_of_the_absent_and_a_slip_for_a_unit() {
    let town = Town::new();
    let (mut li, mut wang, mut desk) = cast(&town);
    let opened = li.open_ticket(TicketInput {
        household: Some("张建国".into()),
        subject: "修路灯".into(),
        ..TicketInput::default()
    });
    let opened = opened.unwrap().id.to_string();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    take(&mut desk, &opened, "accept", None);
    let to = |name: &str| Step {
        kind: "assign".into(),
        to: Some(name.into()),
        ..Step::default()
    };
    desk.ticket_step(&opened, &to("李梅")).unwrap();
    wait(desk.cover(cover("2026-12-03"))).unwrap();
    sync(&mut desk).unwrap();
    sync(&mut wang).unwrap();

    let owed = TicketFilter {
        owed: true,
        ..TicketFilter::default()
    };
    let listed = wang.ticket_list(&owed, 10).unwrap();
    assert_eq!(listed.len(), 1, "the answer is hers to give");
    take(&mut wang, &opened, "start", None);
    let answered = take(&mut wang, &opened, "answer", Some("明天去修"));
    let last = answered.events.last().unwrap();
    let by = (last.by.as_str(), last.instead_of.as_deref());
    assert_eq!(by, ("王芳", Some("李梅")));
    sync(&mut wang).unwrap();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    let seen = li.ticket(&opened).unwrap();
    assert!(seen.answered && seen.events.iter().all(|event| event.parked.is_none()));

    // A unit without a device: the desk types its paper slip.
    wait(desk.add_unit("供电所", TOWNSHIP, "")).unwrap();
    desk.ticket_step(&opened, &to("供电所")).unwrap();
    let slip = Step {
        kind: "start".into(),
        for_unit: Some("供电所".into()),
        ..Step::default()
    };
    let started = desk.ticket_step(&opened, &slip).unwrap();
    let last = started.events.last().unwrap();
    assert_eq!(last.for_unit.as_ref().unwrap().name, "供电所");
    assert!(last.parked.is_none());
}

#[test]
fn days_are_counted_the_same_by_the_agent_and_on_the_wire() {
    let town = Town::new();
    let (_li, _wang, mut desk) = cast(&town);
    let ordered = wait(desk.cover(cover("2026-12-01"))).unwrap();
    assert_eq!(ordered.until, "2026-12-01");
    assert_eq!(Day::of_ms(MORNING_MS), desk.day());
    town.days_pass(1);
    assert!(desk.leaves().is_empty(), "the last day is the last");
}
