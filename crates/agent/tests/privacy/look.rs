//! An identity number is offered in every field, and no file of the home holds a part of it.

use std::path::Path;

use wangge_agent::AgentError;
use wangge_agent::conflicts::Choice;
use wangge_agent::households::{
    ContactInput, HouseholdEdit, HouseholdInput, MemberInput, NeedInput,
};
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;

use crate::{GRID, ID, area, family, home, machine};

/// Returns every file below a folder that holds a part of the number: six digits or more of it.
fn leaks(dir: &Path) -> Vec<String> {
    let parts: Vec<&[u8]> = ID.as_bytes().windows(6).collect();
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for part in &parts {
                if bytes.windows(6).any(|window| window == *part) {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    found.push(format!("{name}: {}", String::from_utf8_lossy(part)));
                }
            }
        }
    }
    found
}

fn offered() -> String {
    format!("说是{ID}号")
}

#[test]
fn no_part_of_an_identity_number_is_stored_from_any_field_in_any_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("home");
    let mut replica = home(&at);
    let added = replica.add_household(family("龙国华", "3-12")).unwrap();
    let bad = offered();
    let spaced = "5117 9919 6709 03 9075".to_owned();
    let never = |done: Result<(), AgentError>, field: &str| match done {
        Err(AgentError::LookedAt { masked, signs, .. }) => {
            assert!(signs.iter().any(|sign| sign.is_never_saved()), "{field}");
            assert!(!masked.contains("5117"), "{field}");
        }
        // A field that takes no such text at all refuses it too.
        Err(AgentError::BadValue { .. }) => {}
        other => panic!("{field}: {other:?}"),
    };

    for text in [&bad, &spaced] {
        let household = |change: fn(&mut HouseholdInput, String)| {
            let mut input = family("冉某", "3-40");
            change(&mut input, text.clone());
            input
        };
        for (field, input) in [
            ("note", household(|input, text| input.note = text)),
            ("door", household(|input, text| input.door = text)),
            ("number", household(|input, text| input.number = Some(text))),
            ("phone", household(|input, text| input.phone = Some(text))),
            (
                "arrangement",
                household(|input, text| input.arrangement = text),
            ),
            (
                "member note",
                household(|input, text| input.members[0].note = text),
            ),
            (
                "member name",
                household(|input, text| input.members[0].name = text),
            ),
        ] {
            never(replica.add_household(input).map(|_| ()), field);
        }
        let edit = HouseholdEdit {
            note: Some(text.clone()),
            ..HouseholdEdit::default()
        };
        never(replica.edit_household(&added.id, edit).map(|_| ()), "edit");
        let visit = VisitInput {
            household: "lgh".into(),
            note: text.clone(),
            ..VisitInput::default()
        };
        never(replica.add_visit(visit).map(|_| ()), "visit");
        let report = |change: fn(&mut ReportInput, String)| {
            let mut input = ReportInput {
                household: Some("lgh".into()),
                text: "水管爆".into(),
                ..ReportInput::default()
            };
            change(&mut input, text.clone());
            input
        };
        for (field, input) in [
            ("text", report(|input, text| input.text = text)),
            ("place", report(|input, text| input.place = text)),
            ("requester", report(|input, text| input.requester = text)),
            ("contact", report(|input, text| input.contact = text)),
            ("source", report(|input, text| input.source = Some(text))),
            (
                "handled",
                report(|input, text| input.handled_on_spot = Some(text)),
            ),
        ] {
            never(replica.add_report(input).map(|_| ()), field);
        }
        let ticket = |change: fn(&mut TicketInput, String)| {
            let mut input = TicketInput {
                household: Some("lgh".into()),
                subject: "修路灯".into(),
                ..TicketInput::default()
            };
            change(&mut input, text.clone());
            input
        };
        for (field, input) in [
            ("subject", ticket(|input, text| input.subject = text)),
            ("detail", ticket(|input, text| input.detail = text)),
            ("requester", ticket(|input, text| input.requester = text)),
            ("contact", ticket(|input, text| input.contact = text)),
        ] {
            never(replica.open_ticket(input).map(|_| ()), field);
        }
        let lines = format!(
            "{{\"household\":\"lgh\",\"note\":\"{text}\"}}\n{{\"household\":\"lgh\",\"note\":\"{text}\",\"keep\":true}}\n"
        );
        let bulk = replica.bulk_visits(&lines).unwrap();
        assert_eq!(bulk.recorded, 0);
        assert_eq!(bulk.refused.len(), 2);
        assert_eq!(bulk.refused[0].reason, "looked_at");
    }
    let opened = replica
        .open_ticket(TicketInput {
            household: Some("lgh".into()),
            subject: "修路灯".into(),
            ..TicketInput::default()
        })
        .unwrap();
    let said = Step {
        kind: "comment".into(),
        text: Some(bad.clone()),
        ..Step::default()
    };
    never(
        replica
            .ticket_step(&opened.id.to_string(), &said)
            .map(|_| ()),
        "comment",
    );
    let reasoned = Step {
        kind: "comment".into(),
        text: Some("看过".into()),
        reason: Some(bad.clone()),
        ..Step::default()
    };
    never(
        replica
            .ticket_step(&opened.id.to_string(), &reasoned)
            .map(|_| ()),
        "reason",
    );
    let settled = replica.settle("lgh", Some("note"), &Choice::Value(bad.clone()));
    assert!(settled.is_err());

    // Where it belongs it is taken, and only its hash stays.
    let mut with_number = family("殷素芬", "3-41");
    with_number.members.push(MemberInput {
        name: "殷某".into(),
        id_number: Some(ID.into()),
        ..MemberInput::default()
    });
    replica.add_household(with_number).unwrap();

    let sheet = dir.path().join("r.csv");
    let rows = format!(
        "户主,门牌号,户编号,联系电话,与户主关系,身份证号,备注\n张建国,三组12号,{ID},,户主,{ID},{bad}；腿脚不便\n李芳{ID},三组13号,,,户主,,信教，爱下棋\n"
    );
    std::fs::write(&sheet, rows).unwrap();
    let report = replica.import_roster(&sheet, &area(GRID), false).unwrap();
    let reasons: Vec<String> = report
        .refused
        .iter()
        .map(|refused| serde_json::to_value(refused.reason).unwrap().to_string())
        .collect();
    for reason in ["\"note_id_number\"", "\"note_word\""] {
        assert!(reasons.iter().any(|known| known == reason), "{reasons:?}");
    }
    let shown = serde_json::to_string(&report).unwrap();
    assert!(!shown.contains("19670903"), "{shown}");
    let taken = replica.find("张建国", 1).unwrap();
    let view = replica.household(&taken[0].id).unwrap();
    let json = serde_json::to_string(&view).unwrap();
    assert!(json.contains("腿脚不便"), "{json}");

    assert_eq!(leaks(&at), Vec::<String>::new());
    // And after the log is folded into the database.
    drop(replica);
    let replica = wangge_agent::Replica::open(&at, machine()).unwrap();
    assert!(replica.status().unwrap().counts.households > 2);
    assert_eq!(leaks(&at), Vec::<String>::new());
}

#[test]
fn a_phone_and_a_word_are_pointed_out_once_and_kept_when_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    replica.add_household(family("龙国华", "3-12")).unwrap();
    let visit = |note: &str| VisitInput {
        household: "lgh".into(),
        note: note.into(),
        ..VisitInput::default()
    };
    for (note, code) in [
        ("儿子电话13987654321", "phone"),
        ("说要去信访", "word"),
        ("反映网格员态度差", "complaint"),
    ] {
        let refused = replica.add_visit(visit(note)).unwrap_err();
        let AgentError::LookedAt { field, signs, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!((field, signs[0].code()), ("note", code));
        let line = format!("{{\"household\":\"lgh\",\"note\":\"{note}\",\"keep\":true}}");
        assert_eq!(replica.bulk_visits(&line).unwrap().recorded, 1);
        // The next one is looked at again.
        assert!(replica.add_visit(visit(note)).is_err());
        replica.keep_notes(true);
        replica.add_visit(visit(note)).unwrap();
        replica.keep_notes(false);
    }
    // A field made for a number takes it.
    let report = ReportInput {
        household: Some("lgh".into()),
        text: "水管爆".into(),
        contact: "13987654321".into(),
        ..ReportInput::default()
    };
    replica.add_report(report).unwrap();
}

#[test]
fn a_wish_a_kind_of_need_and_whose_a_telephone_is_are_looked_at_like_notes() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let id = replica.add_household(family("龙国华", "3-12")).unwrap().id;
    let field = |error: AgentError| match error {
        AgentError::LookedAt { field, .. } => field,
        other => panic!("{other:?}"),
    };
    let ticket = TicketInput {
        household: Some("lgh".into()),
        subject: "修路灯".into(),
        wish: "打13987654321".into(),
        ..TicketInput::default()
    };
    assert_eq!(field(replica.open_ticket(ticket).unwrap_err()), "wish");
    let need = NeedInput {
        text: "轮椅".into(),
        kind: "涉毒".into(),
        since: None,
    };
    assert_eq!(field(replica.add_need(&id, need).unwrap_err()), "kind");
    let contact = ContactInput {
        phone: "13987654322".into(),
        whose: "女儿13987654321".into(),
    };
    let refused = replica.add_contact(&id, &contact).unwrap_err();
    assert_eq!(field(refused), "whose");
    replica.keep_notes(true);
    replica.add_contact(&id, &contact).unwrap();
}
