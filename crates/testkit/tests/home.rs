//! What a home says of itself after it was copied, put back, emptied, cut short or refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::Path;

use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_relay::{LevelForm, Packs, Settings};
use wangge_store::Store;
use wangge_testkit::district::{District, Yesterday, sync};
use wangge_testkit::sealed::{connection, key_of};
use wangge_testkit::wire_tap::WireTap;
use wangge_wire::Role;

const GRID: &str = "511724103202001";
const TOWNSHIP: &str = "511724103";

fn family(replica: &mut Replica, door: &str) {
    let input = HouseholdInput {
        area: Some(GRID.into()),
        door: door.into(),
        members: vec![MemberInput {
            name: "张建国".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

fn visit(replica: &mut Replica, note: &str) {
    let input = VisitInput {
        household: "3-12".into(),
        note: note.into(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap();
}

fn notes(replica: &Replica) -> Vec<String> {
    let visits = replica.visits(None, 10).unwrap();
    let mut notes: Vec<String> = visits
        .iter()
        .map(|visit| {
            visit.content["note"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    notes.sort();
    notes
}

/// Damages every saved form and every change of a document that says this; the file around it stays sound.
fn damage(folder: &Path, says: &str) {
    let database = connection(&folder.join("wangge.db"), &key_of(folder));
    let mut damaged = 0;
    for (table, column) in [
        ("document", "saved"),
        ("packed", "saved"),
        ("change", "raw"),
    ] {
        let sql = format!("SELECT {column} FROM {table}");
        let mut statement = database.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let rows: Vec<Vec<u8>> = rows.map(Result::unwrap).collect();
        for before in rows {
            let mut bytes = before.clone();
            let mut parts = bytes.windows(says.len());
            let Some(at) = parts.position(|part| part == says.as_bytes()) else {
                continue;
            };
            bytes[at] ^= 1;
            let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
            damaged += database.execute(&sql, (before, bytes)).unwrap();
        }
    }
    assert!(damaged > 0);
}

/// Copies every file of a folder, as whoever keeps a copy of it does.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn open(folder: &Path) -> Replica {
    Replica::open(folder, Machine::default()).unwrap()
}

#[test]
fn a_home_that_was_put_back_whole_loses_neither_what_was_sent_since_nor_what_it_writes_before_it_syncs()
 {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Township, &[TOWNSHIP]);
    family(&mut li, "3-12");
    visit(&mut li, "备份之前");
    sync(&mut li).unwrap();
    let folder = li.dir().to_owned();
    drop(li);
    let kept = district.path().join("kept");
    copy(&folder, &kept);
    let mut li = open(&folder);
    visit(&mut li, "备份之后");
    sync(&mut li).unwrap();
    let life = li.life();
    drop(li);
    std::fs::remove_dir_all(&folder).unwrap();
    copy(&kept, &folder);

    let mut li = open(&folder);
    assert!(li.is_copied());
    assert_ne!(li.life(), life);
    visit(&mut li, "恢复之后");
    let report = sync(&mut li).unwrap();
    assert_eq!((report.inbox, report.unsent, report.held), (0, 0, 0));
    sync(&mut desk).unwrap();
    for replica in [&li, &desk] {
        assert_eq!(notes(replica), ["备份之前", "备份之后", "恢复之后"]);
    }
    drop(li);
    assert!(!open(&folder).is_copied(), "it is said once");
}

#[test]
fn a_copy_and_its_original_both_write_and_everybody_has_all_of_it() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let folder = li.dir().to_owned();
    let twin = district.path().join("twin");
    drop(li);
    copy(&folder, &twin);
    let (mut li, mut twin) = (open(&folder), open(&twin));
    assert!(!li.is_copied() && twin.is_copied());
    visit(&mut li, "原机");
    visit(&mut twin, "副本");
    for replica in [&mut li, &mut twin] {
        let report = sync(replica).unwrap();
        assert_eq!((report.inbox, report.unsent, report.held), (0, 0, 0));
    }
    sync(&mut li).unwrap();
    for replica in [&li, &twin] {
        assert_eq!(notes(replica), ["副本", "原机"]);
    }
}

#[test]
fn a_home_whose_database_is_gone_says_so_and_gets_back_what_was_synced() {
    for empty in [false, true] {
        let district = District::new();
        let mut li = district.home("李梅", Role::Worker, &[GRID]);
        family(&mut li, "3-12");
        visit(&mut li, "血压高");
        sync(&mut li).unwrap();
        let folder = li.dir().to_owned();
        drop(li);
        std::fs::write(folder.join("wangge.db-wal"), b"what was written last").unwrap();
        std::fs::remove_file(folder.join("wangge.db")).unwrap();
        if empty {
            std::fs::write(folder.join("wangge.db"), b"").unwrap();
        }
        let mut li = open(&folder);
        assert!(li.is_lost());
        let status = li.status().unwrap();
        assert!(status.lost_ms.is_some() && !status.all_safe);
        let kept = &status.set_aside[0];
        let kept = std::fs::read(kept.with_extension("db-wal")).unwrap();
        assert_eq!(kept, b"what was written last");
        for left in &status.set_aside {
            let _ = std::fs::remove_file(left.with_extension("db"));
            std::fs::remove_file(left.with_extension("db-wal")).unwrap();
        }
        drop(li);
        li = open(&folder);
        assert!(!li.is_lost(), "the command after it works");
        assert!(!li.status().unwrap().all_safe);
        let report = sync(&mut li).unwrap();
        assert!(
            report.complete.values().all(|area| area.equal),
            "{report:?}"
        );
        assert_eq!(notes(&li), ["血压高"]);
        let status = li.status().unwrap();
        assert!(!status.all_safe, "no receipt tells of what was never sent");
        li.loss_seen().unwrap();
        let status = li.status().unwrap();
        assert!(status.lost_ms.is_none() && status.all_safe, "{status:?}");
        assert_eq!(status.role, "worker");
    }
}

#[test]
fn a_device_that_its_relay_does_not_know_any_more_calls_nothing_safe() {
    let mut district = District::new();
    let mut desk = district.home("陈站长", Role::Township, &[TOWNSHIP]);
    sync(&mut desk).unwrap();
    let before = Yesterday::keep(&mut district);
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    assert!(li.status().unwrap().all_safe);
    before.return_to(&mut district);
    let refused = sync(&mut li).unwrap_err();
    assert!(matches!(refused, AgentError::Refused { .. }), "{refused:?}");
    let status = li.status().unwrap();
    assert!(status.refused_ms.is_some() && !status.all_safe);
}

#[test]
fn after_a_first_download_that_was_cut_no_area_is_called_complete() {
    let district = District::new();
    let mut desk = district.home("陈站长", Role::Township, &[TOWNSHIP]);
    for n in 1..=70 {
        family(&mut desk, &format!("4-{n}"));
    }
    sync(&mut desk).unwrap();
    district.relay().make_packs(&Packs::default()).unwrap();
    let line = WireTap::to(district.address());
    let mut li = district.home_at("李梅", Role::Worker, &[GRID], &line.url());
    let never = li.status().unwrap();
    assert_eq!(never.incomplete.len(), 1, "it has not synced yet");
    line.cut_after(u64::MAX, 3_000);
    sync(&mut li).unwrap_err();
    let status = li.status().unwrap();
    assert_eq!((status.incomplete.len(), status.all_safe), (1, false));
    line.cut_after(u64::MAX, u64::MAX);
    sync(&mut li).unwrap();
    let status = li.status().unwrap();
    assert_eq!((status.incomplete.len(), status.all_safe), (0, true));
}

#[test]
fn the_receipts_of_a_family_tell_of_its_visits_too() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    assert!(li.receipts("3-12").unwrap().all_safe);
    visit(&mut li, "血压高");
    let receipts = li.receipts("3-12").unwrap();
    assert!(!receipts.all_safe, "the visit is on this device only");
    let last = receipts.changes.last().unwrap();
    assert_eq!((last.of, last.state), ("visit_book", "on_device"));
    sync(&mut li).unwrap();
    assert!(li.receipts("3-12").unwrap().all_safe);
}

#[test]
fn a_desk_is_told_what_waits_for_it_and_a_worker_is_not() {
    let district = District::with(Settings::new("杨家镇", LevelForm::Township));
    let mut desk = district.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &["511724103202002"]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let input = HouseholdInput {
        area: Some("511724103202002".into()),
        door: "3-12".into(),
        members: vec![MemberInput {
            name: "张建国".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    wang.add_household(input).unwrap();
    assert_eq!(sync(&mut wang).unwrap().inbox, 2);
    assert_eq!(sync(&mut wang).unwrap().undecided, 0);
    assert_eq!(sync(&mut desk).unwrap().undecided, 2);
    assert_eq!(desk.status().unwrap().undecided, 2);
}

#[test]
#[cfg(unix)]
fn nobody_else_on_the_computer_reads_a_home() {
    use std::os::unix::fs::PermissionsExt as _;
    let district = District::new();
    let li = district.home("李梅", Role::Worker, &[GRID]);
    let folder = li.dir().to_owned();
    let mode = || std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    drop(li);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    open(&folder);
    assert_eq!(
        mode(),
        0o750,
        "one of an earlier version is closed too, but for its group"
    );
}

#[test]
fn a_damaged_record_is_named_never_shown_in_part_and_blocks_nothing() {
    for packed in [false, true] {
        let district = District::new();
        let mut desk = district.home("陈站长", Role::Township, &[TOWNSHIP]);
        for n in 1..=70 {
            family(&mut desk, &format!("4-{n}"));
        }
        family(&mut desk, "9-99");
        let id = desk.name_household("9-99").unwrap();
        let edit = HouseholdEdit {
            phone: Some("13812345678".into()),
            ..HouseholdEdit::default()
        };
        desk.edit_household(&id, edit).unwrap();
        sync(&mut desk).unwrap();
        if packed {
            district.relay().make_packs(&Packs::default()).unwrap();
        }
        let mut li = district.home("李梅", Role::Worker, &[GRID]);
        assert_eq!(sync(&mut li).unwrap().packs.is_some(), packed);
        let folder = li.dir().to_owned();
        let id = li.name_household("9-99").unwrap();
        drop(li);
        damage(&folder, "13812345678");
        let mut li = open(&folder);
        assert!(li.set_aside().is_none(), "its pages are sound");
        let refused = li.household(&id).unwrap_err();
        assert!(
            matches!(refused, AgentError::RecordDamaged { doc } if doc == id),
            "{refused:?}"
        );
        // What comes for it, and for others, comes.
        for door in ["9-99", "4-1"] {
            let id = desk.name_household(door).unwrap();
            let edit = HouseholdEdit {
                note: Some("门前有井".into()),
                ..HouseholdEdit::default()
            };
            desk.edit_household(&id, edit).unwrap();
        }
        sync(&mut desk).unwrap();
        for _ in 0..2 {
            sync(&mut li).unwrap();
        }
        let other = li.name_household("4-1").unwrap();
        assert_eq!(li.household(&other).unwrap().household.note, "门前有井");
        drop(li);
        assert!(open(&folder).set_aside().is_none());
    }
}

#[test]
fn a_database_that_the_system_does_not_let_open_is_not_called_damaged_and_stays_where_it_is() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    let folder = li.dir().to_owned();
    drop(li);
    let before = std::fs::read(folder.join("wangge.db")).unwrap();
    // As a disk without room does: what SQLite wants beside the file cannot be made.
    std::fs::create_dir(folder.join("wangge.db-wal")).unwrap();
    let refused = Replica::open(&folder, Machine::default()).err().unwrap();
    assert!(
        matches!(refused, AgentError::HomeUnwritable { .. }),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(folder.join("wangge.db")).unwrap(), before);
    assert!(
        Store::all_set_aside(&folder.join("wangge.db"))
            .unwrap()
            .is_empty()
    );
    std::fs::remove_dir(folder.join("wangge.db-wal")).unwrap();
    let li = open(&folder);
    assert_eq!(li.store().counts().unwrap().households, 1);
    assert_eq!(li.status().unwrap().counts.unsent, 2, "place and household");
}
