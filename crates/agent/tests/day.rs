//! The sheet, what is entered from it, rounds, and forms that somebody else filled in.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use tempfile::TempDir;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::rounds::{MarkInput, RoundInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_wire::{AreaCode, DocId};

const GRID: &str = "511724103202001";

fn home() -> (TempDir, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    let at = dir.path().join("home");
    let replica = Replica::init(&at, "李梅", vec![grid], Machine::default()).unwrap();
    (dir, replica)
}

fn family(replica: &mut Replica, door: &str, head: &str) -> DocId {
    let added = replica.add_household(HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    });
    added.unwrap().id
}

fn fine() -> VisitInput {
    VisitInput {
        no_change: true,
        ..VisitInput::default()
    }
}

#[test]
fn a_number_on_a_printed_sheet_keeps_its_household_when_the_sheet_is_printed_again() {
    let (_dir, mut replica) = home();
    let today = replica.today();
    let first = family(&mut replica, "3-1", "单秀英");
    let second = family(&mut replica, "1-1", "解小龙");
    let sheet = replica.print_sheet(today, &[first]).unwrap();
    assert_eq!((sheet.rows[0].number, sheet.rows[0].id), (1, first));
    let sheet = replica.print_sheet(today, &[second, first]).unwrap();
    let numbers: Vec<_> = sheet.rows.iter().map(|row| (row.number, row.id)).collect();
    assert_eq!(numbers, [(1, first), (2, second)]);
}

#[test]
fn whoever_is_due_stands_on_the_sheet_with_the_reason() {
    let (_dir, mut replica) = home();
    let cared_for = replica
        .add_household(HouseholdInput {
            door: "3-1".into(),
            members: vec![MemberInput {
                name: "单秀英".into(),
                care: vec!["独居老人".into()],
                ..MemberInput::default()
            }],
            ..HouseholdInput::default()
        })
        .unwrap()
        .id;
    family(&mut replica, "3-2", "解小龙");
    let today = replica.today();
    let sheet = replica.print_sheet(today, &[]).unwrap();
    assert_eq!((sheet.rows.len(), sheet.rows[0].id), (1, cared_for));
    assert_eq!(
        sheet.rows[0].reason["reasons"][0]["tag"],
        "living_alone_elder"
    );
    replica.enter(today, 1, fine()).unwrap();
    assert!(replica.due(today, None).unwrap().rows.is_empty());
}

#[test]
fn what_is_entered_from_a_sheet_is_a_visit_of_its_day_and_is_entered_once() {
    let (_dir, mut replica) = home();
    let yesterday = replica.today().pred_opt().unwrap();
    let first = family(&mut replica, "3-1", "单秀英");
    replica.print_sheet(yesterday, &[first]).unwrap();
    let visit = replica.enter(yesterday, 1, fine()).unwrap();
    assert_eq!(visit.household, first);
    assert_eq!(visit.content["happened_on"], yesterday.to_string());
    let again = replica.enter(yesterday, 1, fine());
    assert!(
        matches!(again, Err(AgentError::SheetRow { number: 1, visit: Some(id) }) if id == visit.id)
    );
    let unknown = replica.enter(yesterday, 9, fine());
    assert!(matches!(
        unknown,
        Err(AgentError::SheetRow {
            number: 9,
            visit: None
        })
    ));
    assert_eq!(replica.visits(Some(&first), 10).unwrap().len(), 1);
}

#[test]
fn numbers_mean_nothing_on_a_day_without_a_sheet() {
    let (_dir, mut replica) = home();
    let today = replica.today();
    let yesterday = today.pred_opt().unwrap();
    let first = family(&mut replica, "3-1", "单秀英");
    replica.print_sheet(yesterday, &[first]).unwrap();
    let entered = replica.enter(today, 1, fine());
    let last = Some(yesterday.to_string());
    assert!(matches!(entered, Err(AgentError::NoSheet { last: known, .. }) if known == last));
}

#[test]
fn a_paper_form_says_when_it_happened_who_went_and_where_it_comes_from() {
    let (_dir, mut replica) = home();
    family(&mut replica, "3-1", "单秀英");
    let visit = replica
        .add_visit(VisitInput {
            household: "sxy".into(),
            on: Some("2026-10-05".into()),
            source: Some("纸质补录".into()),
            reference: Some("表 17".into()),
            by: Some("李梅".into()),
            ..fine()
        })
        .unwrap();
    assert_eq!(visit.content["happened_on"], "2026-10-05");
    assert_eq!(visit.content["source"], "纸质补录");
    assert_eq!(visit.content["reference"], "表 17");
    assert_eq!(visit.visited_by.as_deref(), Some("李梅"));
    let stranger = replica.add_visit(VisitInput {
        household: "sxy".into(),
        by: Some("没有这个人".into()),
        ..fine()
    });
    assert!(matches!(stranger, Err(AgentError::NotFound { .. })));
}

#[test]
fn marks_go_to_the_open_round_and_a_report_can_be_made_of_one() {
    let (_dir, mut replica) = home();
    let mark = |text: &str, report| MarkInput {
        text: text.into(),
        place: "村口".into(),
        report,
        ..MarkInput::default()
    };
    assert!(matches!(
        replica.mark_round(mark("路灯不亮", false)),
        Err(AgentError::NoRound)
    ));
    let round = replica.open_round(RoundInput::default()).unwrap();
    let again = replica.open_round(RoundInput::default()).unwrap();
    assert_eq!(round.id, again.id, "an open round goes on");
    replica.mark_round(mark("路灯不亮", false)).unwrap();
    let (_, report) = replica.mark_round(mark("井盖破了", true)).unwrap();
    let report = report.unwrap();
    assert_eq!(report.view.content["source"], "巡查");
    let closed = replica.close_round("都看过了").unwrap();
    assert_eq!(closed.content["ended"], true);
    let marks = closed.content["marks"].as_array().unwrap();
    assert_eq!(marks.len(), 2);
    let linked = marks
        .iter()
        .find(|mark| mark["text"] == "井盖破了")
        .unwrap();
    assert_eq!(linked["report"], report.view.id.to_string());
    assert!(matches!(replica.close_round(""), Err(AgentError::NoRound)));
    assert_eq!(replica.rounds(10).unwrap().len(), 1);
}
