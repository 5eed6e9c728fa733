//! A home without any relay: record, find, import, settle, survive damage.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;

use tempfile::TempDir;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::import::ImportCounts;
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_wire::AreaCode;

const GRID: &str = "511724103202001";

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

fn home() -> (TempDir, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    let replica = Replica::init(
        &dir.path().join("home"),
        "李梅",
        vec![grid],
        Machine::default(),
    )
    .unwrap();
    (dir, replica)
}

fn family(door: &str, head: &str) -> HouseholdInput {
    HouseholdInput {
        door: door.into(),
        phone: Some("13800000001".into()),
        members: vec![MemberInput {
            name: head.into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}

fn visit(household: &str) -> VisitInput {
    VisitInput {
        household: household.into(),
        no_change: true,
        ..VisitInput::default()
    }
}

#[test]
fn a_recorded_visit_is_there_after_the_program_ends() {
    let (dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let recorded = replica.add_visit(visit("zxh")).unwrap();
    drop(replica);
    let replica = Replica::open(&dir.path().join("home"), Machine::default()).unwrap();
    assert_eq!(replica.visits(None, 10).unwrap().len(), 1);
    assert_eq!(replica.visit(&recorded.id).unwrap().head, "曾小红");
    assert_eq!(
        replica.store().counts().unwrap().unsent,
        3,
        "place, household and visit wait"
    );
}

#[test]
fn one_home_is_open_in_one_program_only() {
    let (dir, replica) = home();
    let second = Replica::open(&dir.path().join("home"), Machine::default());
    assert!(matches!(second, Err(AgentError::InUse)));
    drop(replica);
    assert!(Replica::open(&dir.path().join("home"), Machine::default()).is_ok());
}

#[test]
fn importing_twice_makes_no_second_household_and_no_second_member() {
    let (_dir, mut replica) = home();
    let grid = AreaCode::parse(GRID).unwrap();
    for (file, households) in [("roster-a.xlsx", 320), ("roster-b.xlsx", 150)] {
        let first = replica.import_roster(&fixture(file), &grid, false).unwrap();
        assert_eq!(first.households.added, households, "{file}");
        let again = replica.import_roster(&fixture(file), &grid, false).unwrap();
        let unchanged = ImportCounts {
            unchanged: households,
            ..ImportCounts::default()
        };
        assert_eq!(again.households, unchanged, "{file}");
        assert_eq!(again.people, first.people);
    }
    assert_eq!(replica.store().counts().unwrap().households, 470);
}

#[test]
fn a_dry_run_writes_nothing() {
    let (_dir, mut replica) = home();
    let grid = AreaCode::parse(GRID).unwrap();
    let report = replica
        .import_roster(&fixture("roster-b.xlsx"), &grid, true)
        .unwrap();
    assert_eq!(report.households.added, 150);
    let counts = replica.store().counts().unwrap();
    assert_eq!((counts.households, counts.unsent), (0, 0));
}

#[test]
fn what_a_person_wrote_since_is_not_undone_by_the_same_sheet() {
    let (_dir, mut replica) = home();
    let grid = AreaCode::parse(GRID).unwrap();
    replica
        .import_roster(&fixture("roster-b.xlsx"), &grid, false)
        .unwrap();
    let row = replica.find("龙国华", 1).unwrap().remove(0);
    let edit = HouseholdEdit {
        phone: Some("13911112222".into()),
        ..HouseholdEdit::default()
    };
    assert!(replica.edit_household(&row.id, edit).unwrap());
    let again = replica
        .import_roster(&fixture("roster-b.xlsx"), &grid, false)
        .unwrap();
    assert_eq!(again.households.unchanged, 150);
    assert_eq!(replica.find("龙国华", 1).unwrap()[0].phone, "13911112222");
}

#[test]
fn a_household_is_found_by_initials_name_door_and_phone_tail() {
    let (_dir, mut replica) = home();
    replica.add_household(family("3组12号", "单小红")).unwrap();
    replica.add_household(family("4组8号", "王建国")).unwrap();
    for typed in ["sxh", "单小红", "3-12", "三组12号"] {
        assert_eq!(replica.find(typed, 5).unwrap()[0].head, "单小红", "{typed}");
    }
    assert_eq!(
        replica.find("0001", 5).unwrap().len(),
        2,
        "both have this phone"
    );
    let several = replica.name_household("0001");
    assert!(
        matches!(several, Err(AgentError::Ambiguous { candidates, .. }) if candidates.len() == 2)
    );
    assert!(matches!(
        replica.name_household("zzz"),
        Err(AgentError::NotFound { .. })
    ));
}

#[test]
fn a_report_handled_on_the_spot_is_one_action() {
    let (_dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let before = replica.store().counts().unwrap().unsent;
    let report = replica
        .add_report(ReportInput {
            household: Some("zxh".into()),
            category: Some("D05".into()),
            text: "水管漏水".into(),
            handled_on_spot: Some("已换垫圈".into()),
            ..ReportInput::default()
        })
        .unwrap();
    assert_eq!(report.view.category_name, "公共设施/民用水井与供水");
    assert_eq!(replica.store().counts().unwrap().unsent, before + 1);
}

#[test]
fn ticket_numbers_made_offline_differ_and_survive_a_lost_database() {
    let (dir, mut replica) = home();
    let input = || TicketInput {
        subject: "修路灯".into(),
        ..TicketInput::default()
    };
    let first = replica.open_ticket(input()).unwrap();
    assert_eq!(first.status, "submitted");
    drop(replica);
    for file in ["wangge.db", "wangge.db-wal", "wangge.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join("home").join(file));
    }
    let mut replica = Replica::open(&dir.path().join("home"), Machine::default()).unwrap();
    let second = replica.open_ticket(input()).unwrap();
    assert_ne!(first.ticket.code, second.ticket.code);
    assert!(replica.ticket(&second.ticket.code).is_ok());
}

#[test]
fn a_step_the_role_may_not_take_is_refused_before_it_is_written() {
    let (_dir, mut replica) = home();
    let ticket = replica
        .open_ticket(TicketInput {
            subject: "修路灯".into(),
            ..TicketInput::default()
        })
        .unwrap();
    let accept = Step {
        kind: "accept".into(),
        ..Step::default()
    };
    let refused = replica.ticket_step(&ticket.ticket.code, &accept);
    assert!(matches!(refused, Err(AgentError::Ticket(_))));
    assert_eq!(replica.ticket(&ticket.ticket.code).unwrap().events.len(), 1);
}

#[test]
fn a_damaged_database_is_set_aside_and_the_home_opens_as_another_life() {
    let (dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let life = replica.life();
    drop(replica);
    let path = dir.path().join("home/wangge.db");
    let _ = std::fs::remove_file(path.with_extension("db-wal"));
    std::fs::write(&path, b"not a database at all, only words".repeat(200)).unwrap();
    let replica = Replica::open(&dir.path().join("home"), Machine::default()).unwrap();
    let aside = replica.set_aside().unwrap();
    assert!(std::fs::read(aside).unwrap().starts_with(b"not a database"));
    assert_ne!(replica.life(), life);
}

#[test]
fn a_copied_database_does_not_write_as_the_life_it_was_copied_from() {
    let (dir, replica) = home();
    let (copy, other) = home();
    let life = replica.life();
    drop((replica, other));
    let from = dir.path().join("home/wangge.db");
    let to = copy.path().join("home/wangge.db");
    for suffix in ["", "-wal"] {
        let with = |path: &Path| std::path::PathBuf::from(format!("{}{suffix}", path.display()));
        if with(&from).exists() {
            std::fs::copy(with(&from), with(&to)).unwrap();
        }
    }
    let replica = Replica::open(&copy.path().join("home"), Machine::default()).unwrap();
    assert_ne!(replica.life(), life);
}

#[test]
fn a_full_disk_says_so_and_loses_nothing_that_was_there() {
    let (_dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let pages = replica.store().pages().unwrap();
    replica.store().limit_pages(pages).unwrap();
    let mut recorded = 0;
    let full = loop {
        match replica.add_visit(VisitInput {
            note: "长".repeat(1900),
            ..visit("zxh")
        }) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AgentError::DiskFull), "{full:?}");
    assert_eq!(replica.visits(None, 1000).unwrap().len(), recorded);
    replica.store().limit_pages(pages + 10_000).unwrap();
    replica.add_visit(visit("zxh")).unwrap();
    assert_eq!(replica.visits(None, 1000).unwrap().len(), recorded + 1);
}

#[test]
fn bad_lines_are_named_and_the_good_ones_are_recorded() {
    let (_dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let lines = "{\"household\":\"zxh\",\"no_change\":true}\n\
                 {\"household\":\"nobody\"}\n\
                 not json\n\
                 {\"household\":\"zxh\",\"met\":\"ghost\"}\n\
                 {\"household\":\"zxh\",\"colour\":\"red\"}\n\n\
                 {\"household\":\"zxh\",\"on\":\"2026-11-01\"}\n";
    let report = replica.bulk_visits(lines).unwrap();
    assert_eq!(report.recorded, 2);
    let refused: Vec<(usize, &str)> = report
        .refused
        .iter()
        .map(|line| (line.line, line.reason))
        .collect();
    assert_eq!(
        refused,
        [(2, "not_found"), (3, "json"), (4, "value"), (5, "json")]
    );
}

#[test]
fn a_household_outside_the_own_areas_is_refused_with_its_area() {
    let (_dir, mut replica) = home();
    let input = HouseholdInput {
        area: Some("511724104201001".into()),
        ..family("1号", "王一")
    };
    assert!(matches!(
        replica.add_household(input),
        Err(AgentError::NotYourArea { .. })
    ));
    let input = HouseholdInput {
        area: Some("511724103".into()),
        ..family("1号", "王一")
    };
    assert!(matches!(
        replica.add_household(input),
        Err(AgentError::BadValue { .. })
    ));
}

#[test]
fn a_bulk_file_that_fills_the_disk_says_which_lines_are_recorded() {
    let (_dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    replica
        .store()
        .limit_pages(replica.store().pages().unwrap() + 12)
        .unwrap();
    let line = format!(
        "{{\"household\":\"zxh\",\"note\":\"{}\"}}\n",
        "长".repeat(1900)
    );
    let report = replica.bulk_visits(&line.repeat(100)).unwrap();
    assert!(report.recorded > 0 && report.recorded < 100);
    assert_eq!(report.stopped_at, Some(report.recorded + 1));
    assert_eq!(report.refused[0].reason, "disk_full");
    assert_eq!(replica.visits(None, 1000).unwrap().len(), report.recorded);
}

/// Imports a roster written as CSV.
fn import(replica: &mut Replica, rows: &str) -> ImportCounts {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("roster.csv");
    let header = "户编号,组别,门牌号,姓名,与户主关系,身份证号码\n";
    std::fs::write(&path, format!("{header}{rows}")).unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    replica
        .import_roster(&path, &grid, false)
        .unwrap()
        .households
}

#[test]
fn a_daughter_who_married_next_door_does_not_pull_her_parents_along() {
    let (_dir, mut replica) = home();
    let parents =
        "1,1组,5号,孔正清,户主,511799196709039075\n1,1组,5号,谢朝英,配偶,511799197101259584\n";
    let daughter = "1,1组,5号,孔诗涵,女,511799200812099403\n";
    import(&mut replica, &format!("{parents}{daughter}"));
    let next_year = "1,2组,9号,朱志明,户主,511799196307259155\n1,2组,9号,孔诗涵,配偶,511799200812099403\n2,1组,5号,孔正清,户主,511799196709039075\n2,1组,5号,谢朝英,配偶,511799197101259584\n";
    let counts = import(&mut replica, next_year);
    assert_eq!((counts.added, counts.updated + counts.unchanged), (1, 1));
    let rows = replica.households(None, 10, 0).unwrap();
    let heads: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.door.as_str(), row.head.as_str()))
        .collect();
    assert_eq!(heads, [("5", "孔正清"), ("9", "朱志明")]);
}

#[test]
fn a_family_that_moved_within_the_grid_is_known_by_its_id_numbers() {
    let (_dir, mut replica) = home();
    import(
        &mut replica,
        "1,1组,5号,孔正清,户主,511799196709039075\n1,1组,5号,谢朝英,配偶,511799197101259584\n",
    );
    let counts = import(
        &mut replica,
        "7,3组,88号,孔正清,户主,511799196709039075\n7,3组,88号,谢朝英,配偶,511799197101259584\n",
    );
    assert_eq!((counts.added, counts.updated), (0, 1));
    assert_eq!(replica.households(None, 10, 0).unwrap()[0].door, "88");
}

#[test]
fn a_household_whose_head_has_no_readable_name_is_added_once() {
    let (_dir, mut replica) = home();
    let rows = "1,1组,5号,,户主,\n";
    assert_eq!(import(&mut replica, rows).added, 1);
    assert_eq!(import(&mut replica, rows).added, 0);
}

#[test]
fn a_visit_alone_of_a_lost_life_file_is_still_this_devices_to_send() {
    let (dir, mut replica) = home();
    replica.add_household(family("3组12号", "曾小红")).unwrap();
    let before = replica.actor();
    drop(replica);
    std::fs::remove_file(dir.path().join("home/life")).unwrap();
    let replica = Replica::open(&dir.path().join("home"), Machine::default()).unwrap();
    assert_ne!(replica.actor(), before);
    assert_eq!(replica.store().outbox().unwrap().len(), 2);
}

/// Imports a roster of households a row, written as CSV, and returns the rows that were repeated.
fn import_households(replica: &mut Replica, rows: &str) -> (ImportCounts, Vec<(u32, u32)>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("roster.csv");
    std::fs::write(&path, format!("序号,组别,门牌号,户主,电话,备注\n{rows}")).unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    let report = replica.import_roster(&path, &grid, false).unwrap();
    let repeated = report.repeated.iter();
    let rows = repeated.map(|twice| (twice.row, twice.first_row)).collect();
    (report.households, rows)
}

#[test]
fn importing_twice_changes_nothing_whatever_a_sheet_says_twice_or_not_at_all() {
    let (_dir, mut replica) = home();
    let rows = "1,3组,1号,张三丰,13800000001,\n2,3组,1号,张三丰,13800000001,\n\
        3,3组,9号,,,门锁着\n4,3组,1号,张三丰,13800000002,\n5,3组,,李四,,\n6,3组,,李四,,\n\
        7,3组,,李四,,外出\n8,3组,9号,,,门锁着\n";
    let (first, repeated) = import_households(&mut replica, rows);
    assert_eq!(repeated, [(3, 2), (7, 6), (9, 4)]);
    assert_eq!(first.added, 5);
    for _ in 0..3 {
        let (again, rows_again) = import_households(&mut replica, rows);
        let unchanged = ImportCounts {
            unchanged: 5,
            ..ImportCounts::default()
        };
        assert_eq!((again, &rows_again), (unchanged, &repeated));
    }
    assert_eq!(replica.households(None, 100, 0).unwrap().len(), 5);
}

#[test]
fn a_nameless_household_of_an_earlier_import_is_the_one_behind_its_door() {
    let (_dir, mut replica) = home();
    let nameless = HouseholdInput {
        door: "3-9".into(),
        ..HouseholdInput::default()
    };
    replica.add_household(nameless).unwrap();
    let (counts, _) = import_households(&mut replica, "1,3组,9号,,,门锁着\n");
    assert_eq!((counts.added, counts.updated), (0, 1));
}
