//! Who is due at a home without any relay, its settings, and clocks that cannot be right.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::NaiveDate;
use tempfile::TempDir;
use wangge_agent::clock::{ClockFlag, DAY_MS, HOUR_MS, Light};
use wangge_agent::due::DueList;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::tickets::TicketInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_wire::AreaCode;

const GRID: &str = "511724103202001";
/// 2026-11-23, a Monday, nine in the morning in China.
const NOW: i64 = 1_795_395_600_000;

/// A home whose clock the test holds.
struct World {
    dir: TempDir,
    clock: Arc<AtomicI64>,
    replica: Replica,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let hand = Arc::clone(&clock);
        let machine = Machine {
            now_ms: Box::new(move || hand.load(Ordering::SeqCst)),
            ..Machine::default()
        };
        let grid = AreaCode::parse(GRID).unwrap();
        let replica = Replica::init(&dir.path().join("home"), "李梅", vec![grid], machine).unwrap();
        Self {
            dir,
            clock,
            replica,
        }
    }

    fn says(&self, at_ms: i64) {
        self.clock.store(at_ms, Ordering::SeqCst);
    }

    fn family(&mut self, door: &str, head: &str, birth: &str, care: &[&str]) {
        let input = HouseholdInput {
            door: door.into(),
            members: vec![MemberInput {
                name: head.into(),
                birth: Some(birth.into()),
                care: care.iter().map(|tag| (*tag).to_owned()).collect(),
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        };
        self.replica.add_household(input).unwrap();
    }

    fn visit(&mut self, door: &str, on: &str, say: impl FnOnce(&mut VisitInput)) {
        let mut input = VisitInput {
            household: door.into(),
            on: Some(on.into()),
            note: "见到".into(),
            ..VisitInput::default()
        };
        say(&mut input);
        self.replica.add_visit(input).unwrap();
    }

    fn due(&self) -> Vec<(String, i64)> {
        doors(&self.list("2026-11-23"))
    }

    fn list(&self, on: &str) -> DueList {
        self.replica.due(day(on), None).unwrap()
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn doors(list: &DueList) -> Vec<(String, i64)> {
    list.rows
        .iter()
        .map(|row| (row.door.clone(), row.overdue_days))
        .collect()
}

fn at(door: &str, days: i64) -> (String, i64) {
    (door.to_owned(), days)
}

#[test]
fn who_is_due_comes_overdue_first_then_by_the_door_and_with_the_reason() {
    let mut world = World::new();
    world.family("3-10", "甲", "1950-01", &["独居老人"]);
    world.family("3-2", "乙", "1950-01", &["低保"]);
    world.family("3-9", "丙", "1940-01", &["独居老人"]);
    world.family("3-1", "丁", "1950-01", &[]);
    world.visit("3-10", "2026-10-02", |_| {});
    world.visit("3-9", "2026-11-16", |_| {});
    assert_eq!(world.due(), [at("3-10", 21), at("3-2", 0), at("3-9", 0)]);
    let list = serde_json::to_value(world.list("2026-11-23")).unwrap();
    let first = &list["rows"][0];
    assert_eq!(first["reasons"][0]["reason"], "care");
    assert_eq!(first["reasons"][0]["tag"], "living_alone_elder");
    assert_eq!(first["reasons"][0]["every"], "monthly");
    assert_eq!(first["reasons"][0]["name"], "甲");
    assert_eq!(first["last_met_on"], "2026-10-02");
    assert_eq!(
        (&first["number"], &first["due_on"]),
        (&1.into(), &"2026-11-02".into())
    );
    assert_eq!(list["incomplete"], serde_json::json!([]));
}

#[test]
fn a_telephone_call_counts_and_a_closed_door_does_not() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    world.visit("3-1", "2026-10-02", |_| {});
    world.visit("3-1", "2026-11-20", |visit| visit.met = Some("无人".into()));
    assert_eq!(world.due(), [at("3-1", 21)]);
    assert_eq!(
        world.list("2026-11-23").rows[0].tried_on,
        Some(day("2026-11-20"))
    );
    world.visit("3-1", "2026-11-21", |visit| {
        visit.mode = Some("电话".into())
    });
    assert_eq!(world.due(), []);
    assert_eq!(doors(&world.list("2026-12-21")), [at("3-1", 0)]);
}

#[test]
fn a_follow_up_comes_back_on_its_date_with_what_was_noted() {
    let mut world = World::new();
    world.family("3-1", "甲", "1980-01", &[]);
    world.visit("3-1", "2026-11-10", |visit| {
        visit.note = "血压高".into();
        visit.follow_up_on = Some("2026-11-20".into());
    });
    assert_eq!(doors(&world.list("2026-11-19")), []);
    let list = world.list("2026-11-23");
    assert_eq!(
        (doors(&list), list.rows[0].note.as_str()),
        (vec![at("3-1", 3)], "血压高")
    );
    world.visit("3-1", "2026-11-21", |_| {});
    assert_eq!(world.due(), []);
}

#[test]
fn a_household_that_went_away_is_not_due_until_it_is_back() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    let id = world.replica.name_household("3-1").unwrap();
    let mut live = |residence: &str| {
        let edit = HouseholdEdit {
            residence: Some(residence.into()),
            ..HouseholdEdit::default()
        };
        world.replica.edit_household(&id, edit).unwrap();
        doors(&world.replica.due(day("2026-11-23"), None).unwrap())
    };
    assert_eq!(live("整户外出"), []);
    assert_eq!(live("常住"), [at("3-1", 0)]);
}

#[test]
fn nothing_changed_is_one_action_and_confirms_the_household() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    world.visit("3-1", "2026-11-22", |visit| {
        visit.note.clear();
        visit.no_change = true;
    });
    world.visit("3-1", "2026-11-23", |visit| {
        visit.met = Some("nobody".into())
    });
    let id = world.replica.name_household("3-1").unwrap();
    let view = world.replica.household(&id).unwrap();
    assert_eq!(view.confirmed_on.as_deref(), Some("2026-11-22"));
}

#[test]
fn a_setting_changes_who_is_due_and_survives_the_program() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    world.family("3-2", "乙", "1980-01", &[]);
    world.visit("3-1", "2026-11-10", |_| {});
    assert_eq!(world.due(), []);
    world.replica.set_setting("care.独居老人", "每周").unwrap();
    assert_eq!(world.due(), [at("3-1", 6)]);
    world.replica.set_setting("round_of_all", "on").unwrap();
    assert_eq!(world.due(), [at("3-1", 6), at("3-2", 0)]);
    drop(world.replica);
    let again = Replica::open(&world.dir.path().join("home"), Machine::default()).unwrap();
    assert!(again.settings().unwrap().round_of_all);
}

#[test]
fn settings_that_do_not_read_are_named_and_left_as_they_are() {
    let mut world = World::new();
    let file = world.dir.path().join("home/settings.json");
    std::fs::write(&file, "{\n  \"warn_percent\": ninety\n}").unwrap();
    let error = world.replica.set_setting("weekly_age", "75").unwrap_err();
    assert!(
        matches!(error, AgentError::BadSettings { line: 2, .. }),
        "{error:?}"
    );
    assert!(world.replica.due(day("2026-11-23"), None).is_err());
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("ninety"), "{kept}");
}

#[test]
fn a_day_to_come_or_long_ago_is_no_day_of_a_visit() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &[]);
    for on in ["2026-11-25", "2028-01-01", "1999-12-31"] {
        let input = VisitInput {
            household: "3-1".into(),
            on: Some(on.into()),
            note: "x".into(),
            ..VisitInput::default()
        };
        let error = world.replica.add_visit(input).unwrap_err();
        assert!(
            matches!(error, AgentError::BadValue { field: "on", .. }),
            "{on}"
        );
    }
    world.visit("3-1", "2026-11-24", |_| {});
    assert_eq!(world.replica.visits(None, 9).unwrap().len(), 1);
}

#[test]
fn a_clock_that_was_never_set_stops_no_record_and_is_flagged() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    assert_eq!(world.replica.wrong_clock(), None);
    world.says(1_000);
    world.visit("3-1", "2026-11-22", |_| {});
    assert_eq!(world.replica.wrong_clock(), Some(ClockFlag::Unset));
    world.says(NOW + HOUR_MS);
    let visit = &world.replica.visits(None, 1).unwrap()[0];
    assert_eq!(visit.clock, Some(ClockFlag::Unset));
    assert_eq!(
        visit.content["happened_on"], "2026-11-22",
        "what the person says stands"
    );
    assert_eq!(world.due(), []);
}

#[test]
fn a_clock_that_goes_back_a_day_in_mid_visit_is_flagged_and_changes_no_order() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &["独居老人"]);
    let id = world.replica.name_household("3-1").unwrap();
    let note = |world: &mut World, note: &str| {
        let edit = HouseholdEdit {
            note: Some(note.into()),
            ..HouseholdEdit::default()
        };
        world.replica.edit_household(&id, edit).unwrap();
    };
    note(&mut world, "门前有狗");
    world.says(NOW - DAY_MS);
    note(&mut world, "狗已拴好");
    assert_eq!(world.replica.wrong_clock(), Some(ClockFlag::Back));
    world.visit("3-1", "2026-11-23", |_| {});
    assert_eq!(
        world.replica.wrong_clock(),
        None,
        "said once, not at every record"
    );
    let household = world.replica.household(&id).unwrap();
    assert_eq!(
        household.household.note, "狗已拴好",
        "the later edit stands"
    );
    assert_eq!(household.conflicts.len(), 0);
    let receipts = world.replica.receipts(&id.to_string()).unwrap();
    let flags: Vec<_> = receipts
        .changes
        .iter()
        .filter_map(|change| change.clock)
        .collect();
    assert_eq!(flags, [ClockFlag::Back]);
}

#[test]
fn the_visit_whose_record_went_back_says_so_on_every_device() {
    let mut world = World::new();
    world.family("3-1", "甲", "1950-01", &[]);
    world.says(NOW - DAY_MS);
    let visit = world
        .replica
        .add_visit(VisitInput {
            household: "3-1".into(),
            note: "好".into(),
            ..VisitInput::default()
        })
        .unwrap();
    assert_eq!(visit.clock, Some(ClockFlag::Back));
    let shown = world.replica.visit(&visit.id).unwrap();
    assert_eq!(
        shown.clock,
        Some(ClockFlag::Back),
        "it is in the record itself"
    );
}

#[test]
fn a_ticket_has_its_promise_and_its_lights() {
    let mut world = World::new();
    let ticket = world
        .replica
        .open_ticket(TicketInput {
            subject: "修路灯".into(),
            urgency: Some("P1".into()),
            ..TicketInput::default()
        })
        .unwrap();
    let clock = |world: &World| world.replica.ticket_clock(&ticket.id).unwrap().unwrap();
    let promise = clock(&world).promise.unwrap();
    assert_eq!(
        (promise.due_ms, promise.light),
        (NOW + DAY_MS, Light::Green)
    );
    world.says(NOW + 4 * HOUR_MS);
    assert_eq!(clock(&world).level.unwrap().light, Light::Yellow);
    world.says(NOW + 20 * HOUR_MS);
    assert_eq!(clock(&world).promise.unwrap().light, Light::Warn);
    // What was promised stays promised, whatever is set later.
    world.replica.set_setting("limits.p1.done", "3d").unwrap();
    let promise = clock(&world).promise.unwrap();
    assert_eq!((promise.due_ms, promise.light), (NOW + DAY_MS, Light::Warn));
}
