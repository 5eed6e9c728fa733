//! Makes the golden home and relay of this version: what later versions must still open.
//!
//! `scripts/make-golden` runs it once for a landing. **What has landed is never made again**: an old
//! database that no longer opens is a bug of the program, not of the file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool for a landing; it may stop loudly"
)]

use std::path::Path;

use wangge_agent::Replica;
use wangge_agent::attach::AttachInput;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::inbox::Settle;
use wangge_agent::reports::ReportInput;
use wangge_agent::rounds::{MarkInput, RoundInput};
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_relay::Packs;
use wangge_testkit::district::{District, sync, wait};
use wangge_wire::Role;

const GRID: &str = "511724103202001";
const NEXT_GRID: &str = "511724103202002";
/// With these there are as many documents as packs begin at.
const MORE_DOORS: usize = 61;

fn main() {
    let to = std::env::args().nth(1).expect("the folder to write");
    let to = Path::new(&to);
    assert!(!to.exists(), "a golden folder is made once");
    let mut district = District::new();
    let mut desk = district.home("desk", Role::Township, &["511724103"]);
    for (door, head) in [
        ("3组12号", "曾小红"),
        ("4组8号", "王建国"),
        ("5组1号", "单秀英"),
    ] {
        let member = MemberInput {
            name: head.into(),
            relation: Some("户主".into()),
            birth: Some("1950-03".into()),
            care: vec!["独居老人".into()],
            ..MemberInput::default()
        };
        let input = HouseholdInput {
            area: Some(GRID.into()),
            door: door.into(),
            phone: Some("13800000001".into()),
            members: vec![member],
            ..HouseholdInput::default()
        };
        desk.add_household(input).unwrap();
    }
    let mut li = taken_from_packs(&district, &mut desk);
    for replica in [&mut desk, &mut li] {
        let id = replica.name_household("曾小红").unwrap();
        let phone = if replica.role() == Role::Worker {
            "13900000002"
        } else {
            "13900000003"
        };
        let edit = HouseholdEdit {
            phone: Some(phone.into()),
            ..HouseholdEdit::default()
        };
        replica.edit_household(&id, edit).unwrap();
    }
    let visit = |note: &str| VisitInput {
        household: "王建国".into(),
        note: note.into(),
        ..VisitInput::default()
    };
    li.add_visit(visit("血压高")).unwrap();
    let report = ReportInput {
        household: Some("单秀英".into()),
        category: Some("D05".into()),
        text: "水管漏水".into(),
        ..ReportInput::default()
    };
    li.add_report(report).unwrap();
    let ticket = TicketInput {
        household: Some("单秀英".into()),
        subject: "修水管".into(),
        ..TicketInput::default()
    };
    let code = li.open_ticket(ticket).unwrap().ticket.code;
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    desk.ticket_step(
        &code,
        &Step {
            kind: "accept".into(),
            ..Step::default()
        },
    )
    .unwrap();
    sync(&mut desk).unwrap();
    sync(&mut li).unwrap();
    later_documents(&mut desk, &mut li);
    sync(&mut desk).unwrap();
    sync(&mut li).unwrap();
    before_the_desk(&mut desk, &mut li);
    let file = district.path().join("roof.pdf");
    std::fs::write(&file, b"%PDF-1.4 roof").unwrap();
    let attached = AttachInput {
        file,
        to: li.visits(None, 1).unwrap().remove(0).id,
        ..AttachInput::default()
    };
    li.attach(&attached).unwrap();
    sync(&mut li).unwrap();
    li.add_visit(visit("还没有送出去的走访")).unwrap();
    let home = li.dir().to_owned();
    drop((li, desk));
    district.stop();
    copy(&home, &to.join("home"));
    copy(&district.relay_dir(), &to.join("relay"));
}

/// Adds what version 0.2.0 brought: two registrations of one family, somebody who left, care that
/// ended, a round, a call.
fn later_documents(desk: &mut Replica, li: &mut Replica) {
    let twin = HouseholdInput {
        area: Some(GRID.into()),
        door: "5组1号附1".into(),
        members: vec![MemberInput {
            name: "单秀英".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    let twin = desk.add_household(twin).unwrap().id.to_string();
    desk.merge_households(&["5-1".to_owned(), twin], false)
        .unwrap();
    let wang = desk.name_household("王建国").unwrap();
    let son = MemberInput {
        name: "王小明".into(),
        relation: Some("子".into()),
        ..MemberInput::default()
    };
    desk.add_member(&wang, son, false).unwrap();
    desk.member_leaves(&wang, "王小明", "迁出", None).unwrap();
    desk.end_care(&wang, "王建国", &["独居老人".to_owned()], None)
        .unwrap();
    sync(desk).unwrap();
    sync(li).unwrap();
    li.open_round(RoundInput::default()).unwrap();
    let found = MarkInput {
        text: "路灯不亮".into(),
        ..MarkInput::default()
    };
    li.mark_round(found).unwrap();
    li.close_round("").unwrap();
    li.call("王建国", "visit").unwrap();
    sync(li).unwrap();
}

/// What version 0.3.0 brought: a first download by packs.
fn taken_from_packs(district: &District, desk: &mut Replica) -> Replica {
    for n in 1..=MORE_DOORS {
        let input = HouseholdInput {
            area: Some(GRID.into()),
            door: format!("6组{n}号"),
            members: vec![MemberInput {
                name: "曾大山".into(),
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        };
        desk.add_household(input).unwrap();
    }
    sync(desk).unwrap();
    district.relay().make_packs(&Packs::default()).unwrap();
    let mut li = district.home("li", Role::Worker, &[GRID]);
    assert!(sync(&mut li).unwrap().packs.is_some());
    li
}

/// What version 0.3.0 brought: a family that somebody else had placed first, before the desk, which
/// discarded it.
fn before_the_desk(desk: &mut Replica, li: &mut Replica) {
    for (replica, grid) in [(&mut *desk, NEXT_GRID), (li, GRID)] {
        let input = HouseholdInput {
            area: Some(grid.into()),
            door: "7组1号".into(),
            members: vec![MemberInput {
                name: "曾小河".into(),
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        };
        replica.add_household(input).unwrap();
        sync(replica).unwrap();
    }
    sync(desk).unwrap();
    let discard = Settle::Discard {
        reason: "登记在二网格".into(),
    };
    for item in wait(desk.inbox(false)).unwrap() {
        wait(desk.inbox_settle(&item.id, &discard, false)).unwrap();
    }
    sync(li).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if path.is_dir() {
            // Packs are made anew.
            if name != "packs" {
                copy(&path, &to.join(name));
            }
            continue;
        }
        assert!(
            !name.to_string_lossy().ends_with("-wal"),
            "closed databases have no WAL"
        );
        if name != "lock" {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
