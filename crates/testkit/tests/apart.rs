//! What a relay keeps without a number: counted apart, and sent again to a relay that lost it.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::inbox::Settle;
use wangge_agent::reports::ReportInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::sealed::store_of;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{AreaCode, Incarnation, Receipt, RelayId, Role, Signature};

const GRIDS: [&str; 2] = ["511724103202001", "511724103202002"];

/// Adds the family of the door that both grids claim.
fn claim(replica: &mut Replica, grid: &str) {
    let input = HouseholdInput {
        area: Some(grid.into()),
        door: "2组21号".into(),
        members: vec![MemberInput {
            name: "曾小红".into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

/// Returns the worker of the second grid, whose claim came second.
fn second(district: &District) -> Replica {
    let mut first = district.home("李四", Role::Worker, &[GRIDS[0]]);
    let mut second = district.home("王五", Role::Worker, &[GRIDS[1]]);
    claim(&mut first, GRIDS[0]);
    claim(&mut second, GRIDS[1]);
    sync(&mut first).unwrap();
    second
}

#[test]
fn what_is_in_the_inbox_makes_no_area_incomplete() {
    let district = District::new();
    let mut second = second(&district);
    let report = sync(&mut second).unwrap();
    assert!(report.inbox > 0, "{report:?}");
    assert!(
        report.complete.values().all(|area| area.equal),
        "{report:?}"
    );
    assert_eq!(report.repair, None, "nothing was damaged");
}

#[test]
fn what_was_accepted_of_a_family_that_lives_elsewhere_for_the_relay_makes_no_area_incomplete() {
    let district = District::new();
    let mut second = second(&district);
    let visit = VisitInput {
        household: "2-21".into(),
        note: "在家".into(),
        ..VisitInput::default()
    };
    second.add_visit(visit).unwrap();
    sync(&mut second).unwrap();
    let mut desk = district.home("陈站长", Role::Township, &["511724103"]);
    sync(&mut desk).unwrap();
    let items = wait(desk.inbox(false)).unwrap();
    let book = items.iter().find(|item| item.kind == "visit_book").unwrap();
    wait(desk.inbox_settle(&book.id, &Settle::Accept, false)).unwrap();
    // The desk took the visit in where the first claim says that the family lives; that the second one
    // waits there is all that this device knows.
    for _ in 0..2 {
        let report = sync(&mut second).unwrap();
        assert!(
            report.complete.values().all(|area| area.equal),
            "{report:?}"
        );
        assert_eq!(report.repair, None, "{report:?}");
    }
}

#[test]
fn what_had_no_place_is_accepted_once_what_it_belongs_to_has_one_also_after_it_was_discarded() {
    let district = District::new();
    let mut desk = district.home("陈站长", Role::Township, &["511724103"]);
    let grid = AreaCode::parse("511724103202003").unwrap();
    let folder = district.path().join("offline");
    let mut li = Replica::init(&folder, "李梅", vec![grid], Machine::default()).unwrap();
    claim(&mut li, "511724103202003");
    let report = ReportInput {
        household: Some("2-21".into()),
        category: Some("D05".into()),
        text: "水管漏水".into(),
        ..ReportInput::default()
    };
    li.add_report(report).unwrap();
    let code = district.invite("李梅", Role::Worker, &[GRIDS[0]]);
    let url = format!("http://{}", district.address());
    wait(li.enroll(&code, &url, "李梅", None)).unwrap();
    let report = sync(&mut li).unwrap();
    assert_eq!(
        report.handed_over + report.hand_over_waits,
        0,
        "nobody took it over"
    );
    let note = HouseholdEdit {
        note: Some("门前有井".into()),
        ..HouseholdEdit::default()
    };
    let family = li.name_household("2-21").unwrap();
    li.edit_household(&family, note).unwrap();
    sync(&mut desk).unwrap();
    let of_kind = |desk: &Replica, kind: &str| {
        let items = wait(desk.inbox(false)).unwrap();
        let found = items.into_iter().filter(|item| item.kind == kind);
        found.collect::<Vec<_>>()
    };
    let discard = Settle::Discard {
        reason: "先放一放".into(),
    };
    let reported = of_kind(&desk, "report");
    for item in &reported {
        wait(desk.inbox_settle(&item.id, &discard, false)).unwrap();
    }
    let to = Settle::Rehome {
        to: "511724103202003".into(),
    };
    for item in of_kind(&desk, "household") {
        let _ = wait(desk.inbox_settle(&item.id, &to, false));
    }
    assert!(of_kind(&desk, "household").is_empty());
    for item in &reported {
        let done = wait(desk.inbox_settle(&item.id, &Settle::Accept, false)).unwrap();
        assert_eq!(done.item.state, "accepted", "{item:?}");
    }
    sync(&mut desk).unwrap();
    assert_eq!(desk.reports(10).unwrap().len(), 1);
}

#[test]
fn a_relay_that_lost_its_inbox_is_sent_it_again() {
    let mut district = District::new();
    let mut second = second(&district);
    // Kept before, put back after: the inbox is not in the log, so no cursor tells of it.
    let (relay, copy) = (district.relay_dir(), district.path().join("copy"));
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        std::fs::create_dir_all(to).unwrap();
        for name in ["relay.db", "relay.key"] {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    };
    district.stop();
    copied(&relay, &copy);
    district.start();
    let inbox = sync(&mut second).unwrap().inbox;
    assert!(inbox > 0);
    district.stop();
    let _ = std::fs::remove_file(relay.join("relay.db-wal"));
    copied(&copy, &relay);
    district.start();
    assert_eq!(sync(&mut second).unwrap().inbox, inbox);
}

#[test]
fn an_item_that_was_damaged_on_the_way_is_sent_again_by_the_next_sync() {
    let mut district = District::new();
    let mut worker = district.home("李四", Role::Worker, &[GRIDS[0]]);
    claim(&mut worker, GRIDS[0]);
    district.stop();
    sync(&mut worker).unwrap_err();
    let mut store = store_of(worker.dir());
    let batch = store.pending_batches().unwrap()[0];
    let items = store.batch(&batch).unwrap().items.len();
    let receipt = Receipt {
        relay: RelayId([2; 16]),
        incarnation: Incarnation([1; 16]),
        batch,
        at_ms: 0,
        items: vec![ItemState::Refused(Reason::WrongHash); items],
        signature: Signature([0; 64]),
    };
    store.keep_receipt(&receipt).unwrap();
    district.start();
    let report = sync(&mut worker).unwrap();
    assert_eq!((report.unsent, report.sent), (0, items), "{report:?}");
}
