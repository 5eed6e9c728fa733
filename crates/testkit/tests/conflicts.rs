//! Any field of any document in conflict: both values listed with who and when, settled by either or
//! by a new one, on every device alike.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::conflicts::Choice;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::{AgentError, Machine, Replica};
use wangge_crdt::Put;
use wangge_model::{kind, visit};
use wangge_testkit::district::{District, sync};
use wangge_testkit::scribe::{Scribe, deliver};
use wangge_testkit::sealed::store_of;
use wangge_wire::{AreaCode, DocId, DocKind, Role};

const GRID: &str = "511724103202001";
const HOUSEHOLD: DocId = DocId([5; 16]);

fn family() -> HouseholdInput {
    HouseholdInput {
        area: Some(GRID.into()),
        door: "3组12号".into(),
        members: vec![MemberInput {
            name: "曾小红".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}

fn note(replica: &mut Replica, note: &str) {
    let id = replica.name_household("zxh").unwrap();
    let edit = HouseholdEdit {
        note: Some(note.into()),
        ..HouseholdEdit::default()
    };
    assert!(replica.edit_household(&id, edit).unwrap());
}

/// Syncs so that both have what either wrote.
fn meet(one: &mut Replica, other: &mut Replica) {
    sync(one).unwrap();
    sync(other).unwrap();
    sync(one).unwrap();
}

/// Two workers who wrote one note each, and both know of both.
fn two_notes(district: &District) -> (Replica, Replica) {
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    li.add_household(family()).unwrap();
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    note(&mut li, "有狗");
    note(&mut wang, "晚上七点后");
    meet(&mut li, &mut wang);
    assert_eq!(li.conflicts().unwrap().len(), 1);
    (li, wang)
}

fn settle(replica: &mut Replica, value: &str) {
    let choice = Choice::Value(value.into());
    replica.settle("1", None, &choice).unwrap();
    assert_eq!(replica.conflicts().unwrap().len(), 0);
}

#[test]
fn a_settled_conflict_is_settled_for_whoever_syncs_later_and_does_not_come_back() {
    let district = District::new();
    let (mut li, mut wang) = two_notes(&district);
    let mut late = district.home("赵强", Role::Worker, &[GRID]);
    sync(&mut late).unwrap();
    assert_eq!(late.conflicts().unwrap().len(), 1);
    settle(&mut li, "有狗，晚上七点后");
    sync(&mut li).unwrap();
    // Somebody who writes elsewhere meanwhile does not bring it back.
    late.edit_household(
        &late.name_household("zxh").unwrap(),
        HouseholdEdit {
            phone: Some("13800000001".into()),
            ..HouseholdEdit::default()
        },
    )
    .unwrap();
    meet(&mut late, &mut wang);
    for replica in [&mut wang, &mut late, &mut li] {
        sync(replica).unwrap();
        assert_eq!(replica.conflicts().unwrap().len(), 0);
        let id = replica.name_household("zxh").unwrap();
        let view = replica.household(&id).unwrap();
        assert_eq!(view.household.note, "有狗，晚上七点后");
    }
}

#[test]
fn an_edit_settles_no_conflict_without_a_word() {
    let district = District::new();
    let (mut li, _wang) = two_notes(&district);
    let id = li.conflicts().unwrap()[0].id;
    let edit = HouseholdEdit {
        note: Some("第三种说法".into()),
        ..HouseholdEdit::default()
    };
    assert!(matches!(
        li.edit_household(&id, edit),
        Err(wangge_agent::AgentError::InConflict { .. })
    ));
    let left = li.conflicts().unwrap();
    assert_eq!((left.len(), left[0].versions.len()), (1, 2));
}

#[test]
fn a_sheet_settles_no_conflict() {
    let district = District::new();
    let (mut li, _wang) = two_notes(&district);
    let shown = li.conflicts().unwrap()[0].id;
    let household = li.household(&shown).unwrap();
    let head = &household.household.head_member().unwrap().name;
    let dir = tempfile::tempdir().unwrap();
    let sheet = dir.path().join("sheet.csv");
    let door = household.door_short.replace('-', "组");
    std::fs::write(
        &sheet,
        format!("户主,门牌号,备注\n{head},{door}号,第三种说法\n"),
    )
    .unwrap();
    let report = li
        .import_roster(&sheet, &AreaCode::parse(GRID).unwrap(), false)
        .unwrap();
    assert_eq!(report.households.added, 0, "{report:?}");
    let left = li.conflicts().unwrap();
    assert_eq!((left.len(), left[0].versions.len()), (1, 2));
}

#[test]
fn two_who_settle_alike_have_settled_and_two_who_do_not_have_one_conflict_on_both() {
    for (second, left) in [("有狗", 0), ("晚上七点后", 1)] {
        let district = District::new();
        let (mut li, mut wang) = two_notes(&district);
        settle(&mut li, "有狗");
        settle(&mut wang, second);
        meet(&mut li, &mut wang);
        let (here, there) = (li.conflicts().unwrap(), wang.conflicts().unwrap());
        assert_eq!((here.len(), there.len()), (left, left));
        for (here, there) in here.iter().zip(&there) {
            let values = |conflict: &wangge_agent::conflicts::ConflictView| {
                let values = conflict.versions.iter();
                values
                    .map(|version| version.value.clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                values(here),
                values(there),
                "the same value is shown on both"
            );
        }
    }
}

/// Makes a home in whose database one register of a document has two values.
fn with_conflict(
    doc: DocId,
    doc_kind: DocKind,
    base: &[Put],
    two: [Put; 2],
) -> (tempfile::TempDir, Replica) {
    with_conflicts(doc, doc_kind, base, two.map(|put| vec![put]))
}

/// Makes a home in whose database two wrote several registers of a document.
fn with_conflicts(
    doc: DocId,
    doc_kind: DocKind,
    base: &[Put],
    two: [Vec<Put>; 2],
) -> (tempfile::TempDir, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let grid = AreaCode::parse(GRID).unwrap();
    drop(Replica::init(&home, "李梅", vec![grid], Machine::default()).unwrap());
    let mut store = store_of(&home);
    let mut host = Scribe::new(3, kind::HOUSEHOLD, HOUSEHOLD, None, GRID);
    let family = [
        Put::root("area", GRID),
        Put::root("door", "12"),
        Put::entry("members", "m", "name", "曾小红"),
        Put::root("head", "m"),
    ];
    deliver(&mut store, &[&host.write(1, &family)]);
    let owner = (doc != HOUSEHOLD).then_some(HOUSEHOLD);
    let [a, b] = two;
    let (mut li, mut wang) = (
        Scribe::new(1, doc_kind, doc, owner, GRID),
        Scribe::new(2, doc_kind, doc, owner, GRID),
    );
    let base = (!base.is_empty()).then(|| li.write(2, base));
    wang.hear(&base.iter().collect::<Vec<_>>());
    let (a, b) = (li.write(3, &a), wang.write(4, &b));
    let letters: Vec<_> = base.iter().chain([&a, &b]).collect();
    deliver(&mut store, &letters);
    drop(store);
    (dir, Replica::open(&home, Machine::default()).unwrap())
}

#[test]
fn a_field_of_every_kind_of_document_is_listed_under_its_household_and_settled() {
    let book = visit::book_id(&HOUSEHOLD, 2026);
    let ticket = [
        Put::root("code", "0412-0127-1"),
        Put::root("kind", "help"),
        Put::root("at", 1i64),
        Put::root("area", GRID),
        Put::root("first_asked", "01010101010101010101010101010101"),
    ];
    let report = [
        Put::root("on", "2026-11-23"),
        Put::root("at", 1i64),
        Put::root("text", "路灯坏"),
    ];
    let visits = [Put::entry("visits", "aa", "on", "2026-11-23")];
    type Case<'a> = (DocId, DocKind, &'a [Put], Put, &'a str, &'a str, &'a str);
    let cases: [Case<'_>; 5] = [
        (
            HOUSEHOLD,
            kind::HOUSEHOLD,
            &[],
            Put::entry("members", "m", "birth", "1960-01"),
            "1960-02",
            "members/m/birth",
            "1960-13",
        ),
        (
            HOUSEHOLD,
            kind::HOUSEHOLD,
            &[],
            Put::root("residence", "away"),
            "empty",
            "residence",
            "村口",
        ),
        (
            book,
            kind::VISIT_BOOK,
            &visits,
            Put::entry("visits", "aa", "met", "person"),
            "family",
            "visits/aa/met",
            "鬼",
        ),
        (
            DocId([8; 16]),
            kind::REPORT,
            &report,
            Put::root("category", "D05"),
            "Z99",
            "category",
            "没有这类",
        ),
        (
            DocId([9; 16]),
            kind::TICKET,
            &ticket,
            Put::root("subject", "修路灯"),
            "换路灯",
            "subject",
            "",
        ),
    ];
    for (doc, doc_kind, base, first, second, field, wrong) in cases {
        let other = Put {
            value: second.into(),
            ..first.clone()
        };
        let (_dir, mut replica) = with_conflict(doc, doc_kind, base, [first, other]);
        let listed = replica.conflicts_of(&HOUSEHOLD).unwrap();
        assert_eq!(listed.len(), 1, "{field}");
        assert_eq!((listed[0].field.as_str(), listed[0].number), (field, 1));
        let times: Vec<i64> = listed[0].versions.iter().map(|v| v.at_ms).collect();
        assert_eq!(
            times.iter().sum::<i64>(),
            7,
            "who wrote when stays beside each value"
        );
        let of = if field.starts_with("members") {
            "曾小红"
        } else {
            ""
        };
        assert!(listed[0].of.starts_with(of), "{field}");

        let name = doc.to_string();
        let refused = replica.settle(&name, Some(field), &Choice::Value(wrong.into()));
        assert!(
            matches!(refused, Err(AgentError::BadValue { .. })),
            "{field}"
        );
        assert_eq!(
            replica.conflicts().unwrap().len(),
            1,
            "a wrong value settles nothing"
        );
        replica
            .settle(&name, Some(field), &Choice::Number(2))
            .unwrap();
        assert_eq!(replica.conflicts().unwrap().len(), 0, "{field}");
        let history = replica.history(&name).unwrap();
        let last = history.changes.last().unwrap();
        assert_eq!(last.edits[0].field, field);
        assert_eq!(last.edits[0].after, listed[0].versions[1].value, "{field}");
        assert!(last.by.here && history.changes.iter().filter(|c| !c.by.here).count() >= 2);
    }
}

#[test]
fn a_history_does_not_tell_a_desk_who_told_in_confidence() {
    let district = District::new();
    let mut desk = district.home("desk", Role::Township, &["511724103"]);
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let report = wangge_agent::reports::ReportInput {
        area: Some(GRID.into()),
        text: "邻居夜里吵".into(),
        requester: "曾小红".into(),
        identity: Some("confidential".into()),
        ..Default::default()
    };
    let id = li.add_report(report).unwrap().view.id.to_string();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    let told = |replica: &Replica| serde_json::to_string(&replica.history(&id).unwrap()).unwrap();
    assert!(told(&li).contains("曾小红"));
    assert!(told(&desk).contains("邻居夜里吵"));
    assert!(!told(&desk).contains("曾小红"));
}

#[test]
fn two_hashes_of_an_id_are_told_as_two_checks_and_settled_by_choice_alone() {
    let hash = |value: &str| Put::entry("members", "m", "id_hash.k1", value);
    let two = [hash("aaaa1111"), hash("bbbb2222")];
    let (_dir, mut replica) = with_conflict(HOUSEHOLD, kind::HOUSEHOLD, &[], two);
    let listed = replica.conflicts().unwrap();
    let told = serde_json::to_string(&listed).unwrap();
    assert!(!told.contains("1111") && !told.contains("2222"), "{told}");
    assert_eq!(listed[0].versions.len(), 2);
    assert!(listed[0].versions.iter().all(|v| v.value == "id_checked"));
    let typed = replica.settle("1", None, &Choice::Value("cccc3333".into()));
    assert!(matches!(typed, Err(AgentError::BadValue { .. })));
    let absent = replica.settle("1", None, &Choice::Number(3));
    assert!(matches!(absent, Err(AgentError::BadValue { .. })));
    replica.settle("1", None, &Choice::Number(2)).unwrap();
    assert_eq!(replica.conflicts().unwrap().len(), 0);
}

#[test]
fn an_undone_settlement_is_left_and_nothing_is_settled_silently() {
    let two = [Put::root("note", "有狗"), Put::root("note", "晚上七点后")];
    let (_dir, mut replica) = with_conflict(HOUSEHOLD, kind::HOUSEHOLD, &[], two);
    settle(&mut replica, "有狗，晚上七点后");
    let view = replica.undo(false).unwrap();
    assert!(view.taken_back.is_empty(), "{view:?}");
    let left: Vec<_> = view
        .left
        .iter()
        .map(|l| (l.field.as_str(), l.reason))
        .collect();
    assert_eq!(left, [("note", "settled")]);
    let household = replica.household(&HOUSEHOLD).unwrap().household;
    assert_eq!(household.note, "有狗，晚上七点后");
}

#[test]
fn an_opened_ticket_others_wrote_to_is_left_to_them() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    li.add_household(family()).unwrap();
    let input = wangge_agent::tickets::TicketInput {
        household: Some("zxh".into()),
        subject: "修路灯".into(),
        ..Default::default()
    };
    let id = li.open_ticket(input).unwrap().id.to_string();
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    let comment = wangge_agent::tickets::Step {
        kind: "comment".into(),
        text: Some("看过了".into()),
        ..Default::default()
    };
    wang.ticket_step(&id, &comment).unwrap();
    meet(&mut wang, &mut li);
    let status = li.ticket(&id).unwrap().status;
    let view = li.undo(false).unwrap();
    assert!(view.taken_back.is_empty(), "{view:?}");
    assert_eq!(view.left[0].reason, "leaned_on");
    assert_eq!(li.ticket(&id).unwrap().status, status);
}

#[test]
fn a_number_is_that_of_the_list_even_where_another_conflict_is_not_shown() {
    let base = [
        Put::root("on", "2026-11-23"),
        Put::root("at", 1i64),
        Put::root("text", "路灯坏"),
        Put::root("identity", "confidential"),
    ];
    let said = |who: &str, how: &str| vec![Put::root("requester", who), Put::root("urgency", how)];
    let two = [said("甲", "P1"), said("乙", "P2")];
    let (_dir, mut replica) = with_conflicts(DocId([8; 16]), kind::REPORT, &base, two);
    let listed = replica.conflicts().unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|c| (c.number, c.field.as_str()))
        .collect();
    assert_eq!(listed, [(2, "urgency")], "who told is not shown");
    assert_eq!(replica.name_conflict("2", None).unwrap().field, "urgency");
    assert!(replica.name_conflict("1", None).is_err());
    replica.settle("2", None, &Choice::Number(1)).unwrap();
    assert!(replica.conflicts().unwrap().is_empty());
}

#[test]
fn whoever_settles_the_text_of_a_confidential_report_is_not_its_author() {
    let base = [
        Put::root("on", "2026-11-23"),
        Put::root("at", 1i64),
        Put::root("text", "路灯坏"),
        Put::root("requester", "钱七"),
        Put::root("identity", "confidential"),
    ];
    let said = |text: &str| vec![Put::root("text", text)];
    let doc = DocId([8; 16]);
    let (_dir, mut replica) = with_conflicts(doc, kind::REPORT, &base, [said("甲"), said("乙")]);
    let before = replica.report(&doc.to_string()).unwrap().view.by;
    replica.settle("1", None, &Choice::Number(1)).unwrap();
    let shown = replica.report(&doc.to_string()).unwrap();
    assert!(!shown.view.by.here && shown.view.by == before);
    let listed = serde_json::to_string(&replica.reports(10).unwrap()).unwrap();
    assert!(!listed.contains("钱七"), "{listed}");
    let shown = serde_json::to_string(&shown).unwrap();
    assert!(!shown.contains("钱七"), "{shown}");
}

#[test]
fn a_report_others_remarked_on_is_left_to_them() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    let report = wangge_agent::reports::ReportInput {
        area: Some(GRID.into()),
        text: "路灯坏".into(),
        ..Default::default()
    };
    let id = li.add_report(report).unwrap().view.id.to_string();
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    wang.comment_report(&id, "看过了").unwrap();
    meet(&mut wang, &mut li);
    let view = li.undo(false).unwrap();
    assert!(view.taken_back.is_empty(), "{view:?}");
    assert_eq!(view.left[0].reason, "leaned_on");
    assert_eq!(li.reports(10).unwrap().len(), 1);
}
