//! What happened and what is taken back: history, undo, conflicts at one device.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use serde_json::{Value, json};
use tempfile::TempDir;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::undo::UndoView;
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_wire::{AreaCode, DocId};

const GRID: &str = "511724103202001";

fn home() -> (TempDir, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    let machine = Machine::default();
    let replica = Replica::init(&dir.path().join("home"), "李梅", vec![grid], machine).unwrap();
    (dir, replica)
}

fn family() -> HouseholdInput {
    HouseholdInput {
        door: "3组12号".into(),
        phone: Some("13800000001".into()),
        members: vec![MemberInput {
            name: "曾小红".into(),
            relation: Some("户主".into()),
            id_number: Some("11010519491231002X".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}

fn with_family() -> (TempDir, Replica, DocId) {
    let (dir, mut replica) = home();
    let id = replica.add_household(family()).unwrap().id;
    (dir, replica, id)
}

fn phone(replica: &mut Replica, id: &DocId, phone: &str) {
    let edit = HouseholdEdit {
        phone: Some(phone.into()),
        ..HouseholdEdit::default()
    };
    assert!(replica.edit_household(id, edit).unwrap());
}

fn visit(replica: &mut Replica, note: &str) -> String {
    let input = VisitInput {
        household: "zxh".into(),
        note: note.into(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

fn ticket(replica: &mut Replica) -> String {
    let input = TicketInput {
        household: Some("zxh".into()),
        subject: "修路灯".into(),
        ..TicketInput::default()
    };
    replica.open_ticket(input).unwrap().id.to_string()
}

fn undo(replica: &mut Replica) -> UndoView {
    replica.undo(false).unwrap()
}

fn took(view: &UndoView) -> Vec<&'static str> {
    assert!(view.left.is_empty(), "{view:?}");
    view.taken_back.iter().map(|took| took.what).collect()
}

#[test]
fn a_history_tells_every_field_before_and_after_and_never_an_id_number() {
    let (_dir, mut replica, id) = with_family();
    phone(&mut replica, &id, "13800000002");
    let history = replica.history(&id.to_string()).unwrap();
    assert_eq!((history.kind, history.changes.len()), ("household", 2));
    let edit = &history.changes[1].edits[0];
    assert_eq!(
        (edit.field.as_str(), &edit.before, &edit.after),
        ("phone", &json!("13800000001"), &json!("13800000002"))
    );
    assert!(history.changes[1].by.here);
    assert_eq!(history.changes[1].state, "on_device");
    let first = &history.changes[0].edits;
    let checked = first.iter().find(|e| e.field.ends_with("/id_checked"));
    assert_eq!(checked.unwrap().after, json!(true));
    assert_eq!(checked.unwrap().of, "曾小红");
    let text = serde_json::to_string(&history).unwrap();
    assert!(!text.contains("id_hash") && !text.contains("0021231"));
}

#[test]
fn a_visits_history_is_its_own_and_a_tickets_names_its_steps() {
    let (_dir, mut replica, _) = with_family();
    let first = visit(&mut replica, "一");
    visit(&mut replica, "二");
    let history = replica.history(&first).unwrap();
    assert_eq!(history.changes.len(), 1);
    let fields = history.changes[0].edits.iter();
    assert!(fields.clone().all(|edit| edit.field.contains(&first)));
    assert!(fields.clone().any(|edit| edit.after == json!("一")));

    let ticket = ticket(&mut replica);
    let history = replica.history(&ticket).unwrap();
    let kinds: Vec<Value> = history.changes[0]
        .edits
        .iter()
        .filter_map(|edit| edit.event.as_ref())
        .map(|event| serde_json::to_value(&event.kind).unwrap())
        .collect();
    assert_eq!(kinds, [json!("submit")]);
}

#[test]
fn an_undone_visit_is_kept_and_counted_nowhere() {
    let (_dir, mut replica, id) = with_family();
    let kept = visit(&mut replica, "血压高");
    let wrong = visit(&mut replica, "记错了");
    assert_eq!(took(&undo(&mut replica)), ["visit"]);
    let listed: Vec<String> = replica
        .visits(None, 10)
        .unwrap()
        .into_iter()
        .map(|visit| visit.id)
        .collect();
    assert_eq!(listed, [kept]);
    assert_eq!(replica.store().counts().unwrap().visits, 1);
    assert_eq!(replica.household(&id).unwrap().visits.len(), 1);
    assert_eq!(replica.visit(&wrong).unwrap().content["void"], json!(true));

    assert_eq!(took(&undo(&mut replica)), ["visit"]);
    let row = replica.store().household(&id).unwrap().unwrap();
    assert_eq!(row.last_visit, None);
}

#[test]
fn undo_goes_back_action_by_action_and_says_when_nothing_is_left() {
    let (_dir, mut replica, id) = with_family();
    phone(&mut replica, &id, "13800000002");
    let looked = replica.undo(true).unwrap();
    assert!(looked.dry_run);
    assert_eq!(took(&looked), ["field"]);
    assert_eq!(
        replica.household(&id).unwrap().household.phone.unwrap(),
        "13800000002"
    );

    let view = undo(&mut replica);
    let edit = view.taken_back[0].edit.as_ref().unwrap();
    assert_eq!(
        (edit.field.as_str(), &edit.after),
        ("phone", &json!("13800000001"))
    );
    assert_eq!(
        replica.household(&id).unwrap().household.phone.unwrap(),
        "13800000001"
    );

    assert_eq!(took(&undo(&mut replica)), ["household"]);
    assert!(replica.households(None, 10, 0).unwrap().is_empty());
    assert!(replica.find("zxh", 10).unwrap().is_empty());
    assert!(replica.household(&id).unwrap().household.void);
    assert_eq!(replica.store().counts().unwrap().households, 0);

    let view = undo(&mut replica);
    assert!(view.at_ms.is_none() && view.taken_back.is_empty() && view.left.is_empty());
}

#[test]
fn a_household_taken_back_is_there_again_when_it_is_added_again() {
    let (_dir, mut replica, id) = with_family();
    undo(&mut replica);
    let again = replica.add_household(family()).unwrap();
    assert_eq!((again.id, again.changed), (id, true));
    assert_eq!(replica.name_household("zxh").unwrap(), id);
    assert!(!replica.household(&id).unwrap().household.void);
}

#[test]
fn a_report_is_taken_back() {
    let (_dir, mut replica, _) = with_family();
    let input = ReportInput {
        household: Some("zxh".into()),
        text: "水管爆了".into(),
        ..ReportInput::default()
    };
    replica.add_report(input).unwrap();
    assert_eq!(took(&undo(&mut replica)), ["report"]);
    assert!(replica.reports(10).unwrap().is_empty());
    assert_eq!(replica.store().counts().unwrap().reports, 0);
}

#[test]
fn an_opened_ticket_is_withdrawn_and_a_step_is_retracted() {
    let (_dir, mut replica, _) = with_family();
    let id = ticket(&mut replica);
    let comment = Step {
        kind: "comment".into(),
        text: Some("写错了".into()),
        ..Step::default()
    };
    replica.ticket_step(&id, &comment).unwrap();
    let view = undo(&mut replica);
    assert_eq!(took(&view), ["step"]);
    let events = replica.ticket(&id).unwrap().events;
    let parked: Vec<_> = events.iter().filter_map(|e| e.parked.as_deref()).collect();
    assert_eq!(parked, ["retracted"]);

    assert_eq!(took(&undo(&mut replica)), ["ticket"]);
    assert_eq!(replica.ticket(&id).unwrap().status, "withdrawn");
}

#[test]
fn an_import_is_taken_back_as_one_action_and_comes_back_with_the_next() {
    let (_dir, mut replica) = home();
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join("roster-b.xlsx");
    let grid = AreaCode::parse(GRID).unwrap();
    replica.import_roster(&fixture, &grid, false).unwrap();
    let households = replica.store().counts().unwrap().households;
    assert!(households > 100);
    let view = undo(&mut replica);
    assert_eq!(took(&view).len() as u64, households);
    assert_eq!(replica.store().counts().unwrap().households, 0);
    replica.import_roster(&fixture, &grid, false).unwrap();
    assert_eq!(replica.store().counts().unwrap().households, households);
}

#[test]
fn a_member_and_a_care_tag_taken_back_are_gone_and_come_back_when_added_again() {
    let (_dir, mut replica, id) = with_family();
    let two = || {
        let mut family = family();
        family.members.push(MemberInput {
            name: "曾小明".into(),
            care: vec!["独居老人".into()],
            ..MemberInput::default()
        });
        family
    };
    assert!(replica.add_household(two()).unwrap().changed);
    assert_eq!(took(&undo(&mut replica)), ["care", "member"]);
    let people = |replica: &Replica| replica.household(&id).unwrap().household.members.len();
    assert_eq!(people(&replica), 1);
    let row = replica.store().household(&id).unwrap().unwrap();
    assert_eq!((row.people, row.care.len()), (1, 0));
    assert!(replica.add_household(two()).unwrap().changed);
    assert_eq!(people(&replica), 2);
}

#[test]
fn a_history_of_sixty_changes_is_whole_and_in_order() {
    let (_dir, mut replica, id) = with_family();
    for at in 0..60 {
        phone(&mut replica, &id, &format!("138000001{at:02}"));
    }
    let changes = replica.history(&id.to_string()).unwrap().changes;
    assert_eq!(changes.len(), 61);
    for (at, pair) in changes.windows(2).enumerate().skip(1) {
        assert_eq!(pair[0].edits[0].after, pair[1].edits[0].before, "{at}");
    }
}

#[test]
fn the_history_of_a_confidential_report_is_whole_for_its_author() {
    let (_dir, mut replica, _) = with_family();
    let input = ReportInput {
        household: Some("zxh".into()),
        text: "邻居夜里吵".into(),
        identity: Some("confidential".into()),
        ..ReportInput::default()
    };
    let id = replica.add_report(input).unwrap().view.id.to_string();
    let history = replica.history(&id).unwrap();
    let told = history.changes[0].edits.iter();
    let household = told.clone().find(|edit| edit.field == "household");
    assert!(household.unwrap().after.is_string());
}
