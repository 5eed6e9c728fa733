//! Devices whose clocks are wrong, meeting through a relay: the same order everywhere, and flags.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::clock::{ClockFlag, DAY_MS, EARLIEST_MS};
use wangge_agent::households::{HouseholdEdit, HouseholdInput};
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_testkit::district::{District, sync, wait};
use wangge_wire::{AreaCode, Role};

const TOWNSHIP: &str = "511724103";
const GRID: &str = "511724103202001";

/// How far a device's clock is from the right one.
type Hand = Arc<AtomicI64>;

/// Returns an enrolled home whose clock can be set wrong.
fn home(district: &District, name: &str, role: Role, area: &str) -> (Replica, Hand) {
    let hand = Hand::default();
    let (right, offset) = (Machine::default().now_ms, Arc::clone(&hand));
    let machine = Machine {
        now_ms: Box::new(move || right() + offset.load(Ordering::SeqCst)),
        ..Machine::default()
    };
    let mut replica =
        Replica::init(&district.path().join(name), name, Vec::new(), machine).unwrap();
    let code = district.invite(name, role, &[area]);
    let url = format!("http://{}", district.address());
    wait(replica.enroll(&code, &url, name, None)).unwrap();
    (replica, hand)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

fn set(hand: &Hand, offset_ms: i64) {
    hand.store(offset_ms, Ordering::SeqCst);
}

/// The clock of a device that was never set.
fn never_set() -> i64 {
    1_000 - (Machine::default().now_ms)()
}

fn step(replica: &mut Replica, code: &str, kind: &str) {
    let step = Step {
        kind: kind.into(),
        text: Some("已看过".into()),
        ..Step::default()
    };
    replica.ticket_step(code, &step).unwrap();
}

#[test]
fn wrong_clocks_change_no_order_on_any_device_and_are_flagged() {
    let district = District::new();
    let (mut desk, desk_clock) = home(&district, "desk", Role::Township, TOWNSHIP);
    let (mut li, li_clock) = home(&district, "李梅", Role::Worker, GRID);
    let (mut wang, _) = home(&district, "王芳", Role::Worker, GRID);
    // The steps are said at 1970, then two years ahead, then right, then a day back.
    set(&li_clock, never_set());
    let input = TicketInput {
        subject: "修路灯".into(),
        area: Some(GRID.into()),
        ..TicketInput::default()
    };
    let ticket = li.open_ticket(input).unwrap();
    let code = ticket.ticket.code.clone();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    set(&desk_clock, 730 * DAY_MS);
    step(&mut desk, &code, "accept");
    set(&desk_clock, 0);
    step(&mut desk, &code, "comment");
    set(&desk_clock, -DAY_MS);
    step(&mut desk, &code, "comment");
    sync(&mut desk).unwrap();
    for replica in [&mut li, &mut wang] {
        sync(replica).unwrap();
    }
    let order = |replica: &Replica| -> Vec<_> {
        let shown = replica.ticket(&code).unwrap();
        shown
            .events
            .iter()
            .map(|event| (event.id, event.parked.clone()))
            .collect()
    };
    assert_eq!(order(&li).len(), 4);
    assert_eq!(order(&li), order(&desk));
    assert_eq!(order(&li), order(&wang));
    let shown = wang.ticket(&code).unwrap();
    let kinds: Vec<String> = shown
        .events
        .iter()
        .map(|event| event.kind.clone().into())
        .collect();
    assert_eq!(kinds, ["submit", "accept", "comment", "comment"]);
    assert_eq!(shown.status, "accepted");
    let receipts = wang.receipts(&code).unwrap();
    let flags: Vec<_> = receipts.changes.iter().map(|change| change.clock).collect();
    for flag in [ClockFlag::Unset, ClockFlag::Ahead, ClockFlag::Back] {
        assert!(flags.contains(&Some(flag)), "{flag:?}: {flags:?}");
    }
    // The promise counts from the arrival: nobody is two score years late.
    let clock = wang.ticket_clock(&ticket.id).unwrap().unwrap();
    let promise = clock.promise.unwrap();
    assert!(promise.from_ms > EARLIEST_MS);
    let at_desk = desk.ticket_clock(&ticket.id).unwrap().unwrap();
    assert_eq!(promise.due_ms, at_desk.promise.unwrap().due_ms);
    assert!(clock.warnings.len() >= 2, "{:?}", clock.warnings);
}

#[test]
fn a_later_edit_by_a_clock_of_1970_stands_everywhere() {
    let district = District::new();
    let (mut desk, _) = home(&district, "desk", Role::Township, TOWNSHIP);
    let (mut li, li_clock) = home(&district, "李梅", Role::Worker, GRID);
    desk.import_roster(
        &fixture("roster-b.xlsx"),
        &AreaCode::parse(GRID).unwrap(),
        false,
    )
    .unwrap();
    let id = desk.households(None, 1, 0).unwrap()[0].id;
    let note = |replica: &mut Replica, note: &str| {
        let edit = HouseholdEdit {
            note: Some(note.into()),
            ..HouseholdEdit::default()
        };
        replica.edit_household(&id, edit).unwrap();
    };
    note(&mut desk, "先写的");
    sync(&mut desk).unwrap();
    sync(&mut li).unwrap();
    set(&li_clock, never_set());
    note(&mut li, "后写的");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    for replica in [&li, &desk] {
        let shown = replica.household(&id).unwrap();
        assert_eq!(
            (shown.household.note.as_str(), shown.conflicts.len()),
            ("后写的", 0)
        );
    }
}

#[test]
fn a_visit_of_a_clock_two_years_ahead_is_flagged_once_it_arrived_and_hides_nobody_who_is_due() {
    let district = District::new();
    let (mut desk, _) = home(&district, "desk", Role::Township, TOWNSHIP);
    let (mut li, li_clock) = home(&district, "李梅", Role::Worker, GRID);
    desk.import_roster(
        &fixture("roster-b.xlsx"),
        &AreaCode::parse(GRID).unwrap(),
        false,
    )
    .unwrap();
    sync(&mut desk).unwrap();
    assert!(li.due(li.today(), None).unwrap().rows.is_empty());
    assert_eq!(li.due(li.today(), None).unwrap().incomplete.len(), 1);
    sync(&mut li).unwrap();
    let before = li.due(li.today(), None).unwrap();
    assert!(!before.rows.is_empty() && before.incomplete.is_empty());
    set(&li_clock, 730 * DAY_MS);
    let visit = li
        .add_visit(VisitInput {
            household: before.rows[0].household.to_string(),
            no_change: true,
            ..VisitInput::default()
        })
        .unwrap();
    set(&li_clock, 0);
    assert_eq!(li.due(li.today(), None).unwrap().rows, before.rows);
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    for replica in [&li, &desk] {
        assert_eq!(
            replica.visit(&visit.id).unwrap().clock,
            Some(ClockFlag::Ahead)
        );
        let listed = replica.visits(None, 10).unwrap();
        let listed = listed.iter().find(|row| row.id == visit.id).unwrap();
        assert_eq!(listed.clock, Some(ClockFlag::Ahead), "a list says it too");
    }
    assert_eq!(desk.due(desk.today(), None).unwrap().rows, before.rows);
    // The clock is right again: what follows a wrong record in the same book is no step back.
    let mut note = |note: &str| {
        let input = VisitInput {
            household: before.rows[0].household.to_string(),
            note: note.into(),
            ..VisitInput::default()
        };
        li.add_visit(input).unwrap().id
    };
    note("第一次");
    let second = note("第二次");
    assert_eq!(li.visit(&second).unwrap().clock, None);
}

#[test]
fn a_clock_years_past_every_calendar_is_said_while_recording_without_any_relay() {
    let district = District::new();
    let (mut li, li_clock) = home(&district, "李梅", Role::Worker, GRID);
    set(&li_clock, 10 * 365 * DAY_MS);
    let household = HouseholdInput {
        door: "1-1".into(),
        ..HouseholdInput::default()
    };
    let household = li.add_household(household).unwrap().id;
    assert_eq!(li.wrong_clock(), Some(ClockFlag::Ahead));
    let input = VisitInput {
        household: household.to_string(),
        note: "第一次".into(),
        ..VisitInput::default()
    };
    let visit = li.add_visit(input).unwrap();
    assert_eq!(visit.clock, Some(ClockFlag::Ahead));
    assert_eq!(li.visits(None, 10).unwrap()[0].clock, visit.clock);
}
