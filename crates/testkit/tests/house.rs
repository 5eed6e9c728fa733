//! The main job end to end: record offline, sync through a relay, see it at the township desk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};

use wangge_agent::conflicts::Choice;
use wangge_agent::households::HouseholdEdit;
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_testkit::district::{District, sync};
use wangge_testkit::wire_tap::WireTap;
use wangge_wire::{AreaCode, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// Imports 150 households at the desk and brings them to everyone.
fn with_roster(desk: &mut Replica, others: &mut [&mut Replica]) {
    desk.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    sync(desk).unwrap();
    for replica in others {
        sync(replica).unwrap();
    }
}

fn visit(replica: &mut Replica, household: &str, note: &str) -> String {
    let input = VisitInput {
        household: household.into(),
        note: note.into(),
        no_change: note.is_empty(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

fn phone(replica: &mut Replica, head: &str, phone: &str) {
    let id = replica.name_household(head).unwrap();
    let edit = HouseholdEdit {
        phone: Some(phone.into()),
        ..HouseholdEdit::default()
    };
    assert!(replica.edit_household(&id, edit).unwrap());
}

fn heads_are_equal(replicas: &[&Replica]) {
    let heads: Vec<_> = replicas
        .iter()
        .map(|replica| replica.store().heads(&area(GRID_1)).unwrap())
        .collect();
    assert!(!heads[0].is_empty());
    for other in &heads[1..] {
        assert_eq!(&heads[0], other);
    }
}

#[test]
fn what_a_worker_records_with_the_relay_down_is_at_the_desk_after_it_is_back() {
    let mut district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    with_roster(&mut desk, &mut [&mut li]);
    assert_eq!(li.store().counts().unwrap().households, 150);

    district.stop();
    let recorded = visit(&mut li, "龙国华", "血压高");
    assert!(matches!(sync(&mut li), Err(AgentError::NoLink { .. })));
    assert!(!li.status().unwrap().all_safe);
    assert_eq!(
        li.receipts(&recorded).unwrap().changes[0].state,
        "on_device"
    );

    district.start();
    let report = sync(&mut li).unwrap();
    assert_eq!(
        (report.sent, report.round_trips, report.receipts),
        (1, 1, 1)
    );
    assert!(report.complete[&area(GRID_1)].equal);
    assert!(li.status().unwrap().all_safe);
    let receipts = li.receipts(&recorded).unwrap();
    assert_eq!(
        (receipts.changes[0].state, receipts.changes[0].relays.len()),
        ("at_relay", 1)
    );

    let report = sync(&mut desk).unwrap();
    assert_eq!(report.received, 1);
    assert!(report.complete[&area(TOWNSHIP)].equal);
    let seen = desk.visit(&recorded).unwrap();
    assert_eq!(
        (seen.by.name.as_str(), seen.head.as_str()),
        ("李梅", "龙**"),
        "a desk reads whose visit it is, and of the household its surname"
    );
    heads_are_equal(&[&desk, &li]);
}

#[test]
fn two_workers_who_change_one_phone_keep_both_and_the_desk_settles() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_1, GRID_2]);
    with_roster(&mut desk, &mut [&mut li, &mut wang]);

    phone(&mut li, "龙国华", "13800000001");
    phone(&mut wang, "龙国华", "13900000002");
    for replica in [&mut li, &mut wang, &mut desk] {
        sync(replica).unwrap();
    }
    let conflict = desk.conflicts().unwrap().remove(0);
    assert_eq!(
        (conflict.field.as_str(), conflict.versions.len()),
        ("phone", 2)
    );
    let mut authors: Vec<&str> = conflict
        .versions
        .iter()
        .map(|v| v.by.name.as_str())
        .collect();
    authors.sort_unstable();
    assert_eq!(authors, ["李梅", "王芳"]);

    desk.settle("龙国华", Some("phone"), &Choice::Number(2))
        .unwrap();
    for replica in [&mut desk, &mut li, &mut wang] {
        sync(replica).unwrap();
        assert_eq!(replica.conflicts().unwrap().len(), 0);
    }
    heads_are_equal(&[&desk, &li, &wang]);
}

#[test]
fn a_ticket_goes_from_the_worker_to_the_desk_and_back_until_it_is_closed() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_1]);
    with_roster(&mut desk, &mut [&mut li, &mut wang]);
    let input = TicketInput {
        household: Some("龙国华".into()),
        subject: "修路灯".into(),
        ..TicketInput::default()
    };
    let code = li.open_ticket(input).unwrap().ticket.code;
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();

    let step = |kind: &str| Step {
        kind: kind.into(),
        ..Step::default()
    };
    desk.ticket_step(&code, &step("accept")).unwrap();
    desk.ticket_step(
        &code,
        &Step {
            to: Some("王芳".into()),
            ..step("assign")
        },
    )
    .unwrap();
    sync(&mut desk).unwrap();
    sync(&mut wang).unwrap();
    assert_eq!(wang.ticket(&code).unwrap().handler.unwrap().name, "王芳");
    wang.ticket_step(&code, &step("start")).unwrap();
    let done = Step {
        done_kind: Some("实质".into()),
        text: Some("已换".into()),
        ..step("done")
    };
    wang.ticket_step(&code, &done).unwrap();
    sync(&mut wang).unwrap();
    sync(&mut li).unwrap();
    let told = Step {
        how: Some("电话".into()),
        text: Some("已修好".into()),
        ..step("answer")
    };
    li.ticket_step(&code, &told).unwrap();
    li.ticket_step(&code, &step("verify")).unwrap();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    let closed = desk.ticket_step(&code, &step("close")).unwrap();
    assert_eq!((closed.status.as_str(), closed.answered), ("closed", true));
    sync(&mut desk).unwrap();
    sync(&mut li).unwrap();
    assert_eq!(li.ticket(&code).unwrap().status, "closed");
}

#[test]
fn a_report_about_another_grid_reaches_its_desk_and_stays_with_its_author() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_2]);
    let input = ReportInput {
        area: Some(GRID_2.into()),
        text: "集市上听说井盖坏了".into(),
        ..ReportInput::default()
    };
    let id = li.add_report(input).unwrap().view.id.to_string();
    let report = sync(&mut li).unwrap();
    assert_eq!((report.sent, report.inbox), (2, 0), "place and report");
    for replica in [&mut desk, &mut wang] {
        let report = sync(replica).unwrap();
        assert_eq!(
            (report.received, report.held),
            (2, 0),
            "{}",
            replica.profile().name
        );
        assert_eq!(replica.report(&id).unwrap().view.by.name, "李梅");
    }
    sync(&mut li).unwrap();
    assert!(li.report(&id).is_ok());
}

#[test]
fn a_worker_sees_nothing_of_a_grid_that_is_not_theirs() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_2]);
    with_roster(&mut desk, &mut [&mut wang]);
    assert_eq!(wang.store().counts().unwrap().households, 0);
}

#[test]
fn the_same_families_imported_on_two_devices_are_one_household_each_after_they_sync() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_1]);
    for replica in [&mut li, &mut wang] {
        for file in ["roster-a.xlsx", "roster-b.xlsx"] {
            replica
                .import_roster(&fixture(file), &area(GRID_1), false)
                .unwrap();
        }
    }
    for _ in 0..2 {
        sync(&mut li).unwrap();
        sync(&mut wang).unwrap();
    }
    for replica in [&li, &wang] {
        let counts = replica.store().counts().unwrap();
        assert_eq!(counts.households, 470);
        assert_eq!(counts.conflicts, 0);
    }
    heads_are_equal(&[&li, &wang]);
    let people = |replica: &Replica| -> usize {
        let rows = replica.households(None, 1000, 0).unwrap();
        rows.iter().map(|row| row.people as usize).sum()
    };
    assert_eq!((people(&li), people(&wang)), (1_127 + 518, 1_127 + 518));
}

#[test]
fn an_outbox_of_a_home_that_began_offline_arrives_once_it_is_enrolled() {
    let district = District::new();
    let folder = district.path().join("offline");
    let machine = wangge_agent::Machine::default();
    let mut li = Replica::init(&folder, "李梅", vec![area(GRID_1)], machine).unwrap();
    li.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    let recorded = visit(&mut li, "龙国华", "血压高");
    let code = district.invite("李梅", Role::Worker, &[GRID_1]);
    let url = format!("http://{}", district.address());
    wangge_testkit::district::wait(li.enroll(&code, &url, "李梅", None)).unwrap();
    let report = sync(&mut li).unwrap();
    assert_eq!(
        (report.sent, report.unsent),
        (301, 0),
        "150 places, 150 households, a visit"
    );
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    sync(&mut desk).unwrap();
    assert_eq!(desk.visit(&recorded).unwrap().by.name, "李梅");
    assert_eq!(desk.store().counts().unwrap().households, 150);
}

#[test]
fn a_sync_with_nothing_new_is_one_small_round_trip() {
    let district = District::new();
    let tap = WireTap::to(district.address());
    let grids = [
        "511724103202001",
        "511724103202002",
        "511724103202003",
        "511724103202004",
        "511724103202005",
    ];
    let mut li = district.home_at("李梅", Role::Worker, &grids, &tap.url());
    sync(&mut li).unwrap();
    tap.take();
    let report = sync(&mut li).unwrap();
    let (up, down) = tap.take();
    assert_eq!((report.round_trips, report.complete.len()), (1, 5));
    assert!(up <= 1000 && down <= 1000, "{up} up, {down} down");
    assert_eq!(
        report.bytes_up, up,
        "what the device says it sent is what went over the line"
    );
}

#[test]
fn a_line_cut_anywhere_loses_nothing_and_the_next_sync_ends_the_same() {
    let district = District::new();
    let tap = WireTap::to(district.address());
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home_at("李梅", Role::Worker, &[GRID_1], &tap.url());
    with_roster(&mut desk, &mut [&mut li]);
    // Each direction is cut after 0, 17, 34 … bytes until nothing is left to cut.
    for (cut_up, note) in [(true, "量血压"), (false, "送药")] {
        visit(&mut li, "龙国华", note);
        phone(
            &mut desk,
            "夏光荣",
            if cut_up { "13800000009" } else { "13800000008" },
        );
        sync(&mut desk).unwrap();
        let mut cuts = 0;
        let report = loop {
            let at = cuts * 17;
            tap.cut_after(
                if cut_up { at } else { u64::MAX },
                if cut_up { u64::MAX } else { at },
            );
            match sync(&mut li) {
                Err(AgentError::NoLink { .. }) => cuts += 1,
                other => break other.unwrap(),
            }
        };
        assert!(cuts > 20, "{cuts} cuts");
        assert!(report.complete[&area(GRID_1)].equal);
    }
    tap.cut_after(u64::MAX, u64::MAX);
    assert!(li.status().unwrap().all_safe);
    sync(&mut desk).unwrap();
    assert_eq!(desk.visits(None, 10).unwrap().len(), 2);
    heads_are_equal(&[&desk, &li]);
}

#[test]
fn a_ticket_assigned_to_a_worker_of_another_grid_reaches_them_and_nothing_else_does() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID_2]);
    with_roster(&mut desk, &mut [&mut li, &mut wang]);
    let input = TicketInput {
        household: Some("龙国华".into()),
        subject: "修路灯".into(),
        ..TicketInput::default()
    };
    let code = li.open_ticket(input).unwrap().ticket.code;
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    sync(&mut wang).unwrap();
    assert!(wang.ticket(&code).is_err());

    let step = |kind: &str| Step {
        kind: kind.into(),
        ..Step::default()
    };
    desk.ticket_step(&code, &step("accept")).unwrap();
    desk.ticket_step(
        &code,
        &Step {
            to: Some("王芳".into()),
            ..step("assign")
        },
    )
    .unwrap();
    sync(&mut desk).unwrap();
    let report = sync(&mut wang).unwrap();
    assert_eq!(report.held, 0);
    assert_eq!(wang.ticket(&code).unwrap().status, "assigned");
    assert_eq!(wang.store().counts().unwrap().households, 0);
    wang.ticket_step(&code, &step("start")).unwrap();
    let report = sync(&mut wang).unwrap();
    assert_eq!((report.sent, report.inbox, report.unsent), (1, 0, 0));
    for replica in [&mut desk, &mut li] {
        let report = sync(replica).unwrap();
        assert!(report.complete.values().all(|area| area.equal));
        assert_eq!(replica.ticket(&code).unwrap().status, "in_progress");
    }
}

#[test]
fn a_relay_put_back_to_yesterday_is_noticed_and_made_whole_before_anything_is_called_safe() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID_1]);
    li.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    sync(&mut li).unwrap();
    district.stop();
    let database = district.relay_dir().join("relay.db");
    let yesterday = std::fs::read(&database).unwrap();
    district.start();
    visit(&mut li, "龙国华", "血压高");
    assert!(sync(&mut li).unwrap().complete[&area(GRID_1)].equal);
    assert!(li.status().unwrap().all_safe);
    district.stop();
    std::fs::write(&database, yesterday).unwrap();
    district.start();
    let report = sync(&mut li).unwrap();
    assert_eq!(report.repair.unwrap().given_back, 1);
    assert!(report.complete[&area(GRID_1)].equal);
    assert!(li.status().unwrap().all_safe);
    assert_eq!(
        li.visits(None, 10).unwrap().len(),
        1,
        "the visit is still here"
    );
}

#[test]
fn a_device_whose_clock_is_two_years_ahead_syncs_all_the_same() {
    let district = District::new();
    let folder = district.path().join("late");
    let ahead = wangge_agent::Machine {
        now_ms: Box::new(|| {
            (wangge_agent::Machine::default().now_ms)() + 2 * 365 * 24 * 60 * 60 * 1000
        }),
        ..wangge_agent::Machine::default()
    };
    let mut li = Replica::init(&folder, "李梅", vec![area(GRID_1)], ahead).unwrap();
    let code = district.invite("李梅", Role::Worker, &[GRID_1]);
    let url = format!("http://{}", district.address());
    wangge_testkit::district::wait(li.enroll(&code, &url, "李梅", None)).unwrap();
    li.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    let report = sync(&mut li).unwrap();
    assert_eq!(
        (report.unsent, report.round_trips > 1),
        (0, true),
        "the relay told its time once"
    );
    let again = sync(&mut li).unwrap();
    assert!(again.complete[&area(GRID_1)].equal);
}

#[test]
fn what_a_life_before_wrote_and_did_not_send_arrives_when_the_life_file_is_lost() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("li", Role::Worker, &[GRID_1]);
    li.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    let before = visit(&mut li, "龙国华", "血压高");
    let folder = li.dir().to_owned();
    drop(li);
    std::fs::remove_file(folder.join("life")).unwrap();
    let mut li = Replica::open(&folder, wangge_agent::Machine::default()).unwrap();
    let after = visit(&mut li, "龙国华", "送药");
    sync(&mut li).unwrap();
    let report = sync(&mut li).unwrap();
    assert_eq!((report.unsent, report.inbox), (0, 0));
    sync(&mut desk).unwrap();
    assert!(desk.visit(&before).is_ok() && desk.visit(&after).is_ok());
}

#[test]
fn a_database_put_back_to_yesterday_writes_as_another_actor_and_loses_nothing() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("li", Role::Worker, &[GRID_1]);
    li.import_roster(&fixture("roster-b.xlsx"), &area(GRID_1), false)
        .unwrap();
    sync(&mut li).unwrap();
    let folder = li.dir().to_owned();
    drop(li);
    let yesterday = std::fs::read(folder.join("wangge.db")).unwrap();
    let mut li = Replica::open(&folder, wangge_agent::Machine::default()).unwrap();
    let first = visit(&mut li, "龙国华", "血压高");
    sync(&mut li).unwrap();
    let actor = li.actor();
    drop(li);
    std::fs::write(folder.join("wangge.db"), yesterday).unwrap();
    let mut li = Replica::open(&folder, wangge_agent::Machine::default()).unwrap();
    assert_ne!(li.actor(), actor);
    let second = visit(&mut li, "龙国华", "送药");
    sync(&mut li).unwrap();
    let report = sync(&mut li).unwrap();
    assert_eq!((report.inbox, report.unsent, report.held), (0, 0, 0));
    assert!(report.complete[&area(GRID_1)].equal);
    sync(&mut desk).unwrap();
    for replica in [&li, &desk] {
        assert!(replica.visit(&first).is_ok() && replica.visit(&second).is_ok());
    }
}
