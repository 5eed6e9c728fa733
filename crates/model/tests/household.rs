//! A household's document: what is written reads back, on every device alike.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use proptest::prelude::*;
use wangge_crdt::{Document, Put, Scalar};
use wangge_model::care::{Care, Interval};
use wangge_model::door::Door;
use wangge_model::household::{
    Basis, Consent, Household, IdKey, Left, NewHousehold, NewMember, Residence, care_end_puts,
    care_set_puts, check, connected, contact_id, copy_puts, derived_id, later_edits, leave_puts,
    member_id, puts, read, return_puts,
};
use wangge_model::id_number::IdNumber;
use wangge_model::kind;
use wangge_model::limits::{MEMBERS_MAX, TooLong};
use wangge_wire::{ActorId, AreaCode, DocId};

fn family() -> NewHousehold {
    NewHousehold {
        area: AreaCode::parse("511724103202001").unwrap(),
        door: Door {
            group: Some(3),
            number: "12".into(),
        },
        number: Some("7".into()),
        phone: Some("13800000001".into()),
        residence: None,
        note: String::new(),
        arrangement: String::new(),
        contacts: Vec::new(),
        members: vec![
            NewMember {
                name: "曾小红".into(),
                relation: Some("02".into()),
                birth: Some((1950, 3)),
                care: vec![Care::LivingAloneElder],
                ..NewMember::default()
            },
            NewMember {
                name: "曾小明".into(),
                relation: Some("20".into()),
                away: true,
                ..NewMember::default()
            },
        ],
    }
}

fn write(new: &NewHousehold, actor: u8) -> (Document, Vec<u8>) {
    let id = derived_id(new, 0).unwrap();
    let ids: Vec<String> = new.members.iter().map(|m| member_id(&id, m, 0)).collect();
    let mut doc = Document::begin(&kind::shape(kind::HOUSEHOLD).unwrap(), &id).unwrap();
    let puts = puts(new, &ids, &IdKey::new([1; 32]));
    let written = doc.write(&ActorId([actor; 8]), 1, &puts).unwrap().unwrap();
    (doc, written.raw)
}

#[test]
fn a_household_reads_back_as_it_was_written() {
    let (doc, _) = write(&family(), 1);
    let read = read(doc.id().unwrap(), &doc.fields());
    assert_eq!(read.head_member().unwrap().name, "曾小红");
    assert_eq!(
        read.head_member().unwrap().care,
        vec![Care::LivingAloneElder]
    );
    assert!(read.members[1].away);
    assert_eq!(
        (read.door.short(), read.number.as_str()),
        ("3-12".to_owned(), "7")
    );
    assert_eq!(read.residence, Residence::Resident);
}

#[test]
fn two_devices_that_add_the_same_family_make_one_household_and_no_conflict() {
    let renumbered = NewHousehold {
        number: Some("99".into()),
        ..family()
    };
    assert_eq!(derived_id(&family(), 0), derived_id(&renumbered, 0));
    let (mut a, _) = write(&family(), 1);
    let (_, raw) = write(&family(), 2);
    a.apply(&[raw]);
    let fields = a.fields();
    assert_eq!(fields.conflicts().count(), 0);
    assert_eq!(read(a.id().unwrap(), &fields).members.len(), 2);
}

#[test]
fn an_id_number_is_nowhere_in_the_document() {
    let mut new = family();
    let number = "11010519491231002X";
    new.members[0].id_number = Some(IdNumber::parse(number).unwrap());
    let (doc, raw) = write(&new, 1);
    assert!(read(doc.id().unwrap(), &doc.fields()).members[0].id_checked);
    for part in [number, "19491231", "002X"] {
        let found = raw
            .windows(part.len())
            .any(|window| window == part.as_bytes());
        assert!(!found, "{part} is in the change");
    }
}

#[test]
fn a_household_without_a_door_is_known_by_its_people_or_not_at_all() {
    let mut new = family();
    new.door = Door::default();
    let id = derived_id(&new, 0);
    assert!(id.is_some());
    new.members.reverse();
    assert_eq!(derived_id(&new, 0), None, "the head's birth is not known");
    new.members.reverse();
    new.number = Some("99".into());
    assert_eq!(
        derived_id(&new, 0),
        id,
        "a renumbered sheet is the same family"
    );
    new.members.pop();
    assert_ne!(derived_id(&new, 0), id);
    let mut new = family();
    new.members.clear();
    assert_eq!(derived_id(&new, 0), None);
}

#[test]
fn forty_members_fit_and_one_more_does_not() {
    let mut new = family();
    new.members = vec![NewMember::default(); MEMBERS_MAX];
    assert!(check(&new).is_ok());
    new.members.push(NewMember::default());
    assert_eq!(
        check(&new),
        Err(TooLong {
            field: "members",
            limit: MEMBERS_MAX
        })
    );
}

/// Returns a change's bytes; the writes must be news.
fn change(doc: &mut Document, actor: u8, puts: &[Put]) -> Vec<u8> {
    doc.write(&ActorId([actor; 8]), 1, puts)
        .unwrap()
        .unwrap()
        .raw
}

fn shown(doc: &Document) -> Household {
    read(doc.id().unwrap(), &doc.fields())
}

/// The children of the family are called by name.
fn id_of(household: &Household, name: &str) -> String {
    let member = household.members.iter().find(|member| member.name == name);
    member.unwrap().id.clone()
}

fn phones(doc: &Document) -> Vec<(String, String)> {
    let contacts = shown(doc).contacts;
    contacts.into_iter().map(|c| (c.phone, c.whose)).collect()
}

#[test]
fn android_fhir_1096_phone_one_is_edited_while_phone_zero_is_deleted() {
    let mut new = family();
    new.contacts = vec![
        ("13900000000".into(), "女儿".into()),
        ("13900000001".into(), "邻居".into()),
    ];
    let (mut a, _) = write(&new, 1);
    let mut b = a.clone();
    let (zero, one) = (contact_id("13900000000", 0), contact_id("13900000001", 0));
    let deleted = change(&mut a, 2, &[Put::root(&format!("phone.{zero}"), "")]);
    let edited = change(
        &mut b,
        3,
        &[Put::root(&format!("phone.{one}"), "13900000002")],
    );
    a.apply(&[edited]);
    b.apply(&[deleted]);
    assert_eq!(phones(&a), [("13900000002".to_owned(), "邻居".to_owned())]);
    assert_eq!(phones(&a), phones(&b));
    assert_eq!(a.fields().conflicts().count(), 0);
}

#[test]
fn care_that_ended_and_begins_again_is_in_force_and_keeps_its_interval() {
    let (mut doc, _) = write(&family(), 1);
    let who = id_of(&shown(&doc), "曾小红");
    let tag = Care::LivingAloneElder;
    let set = care_set_puts(&who, tag, Some("2026-01-10"), Some(Interval::Weekly));
    change(&mut doc, 1, &set);
    change(&mut doc, 1, &care_end_puts(&who, tag, "2026-06-01"));
    let on = |doc: &Document, day: &str| shown(doc).care_on(day).count();
    assert!(shown(&doc).members[0].care.is_empty());
    assert_eq!(on(&doc, "2026-05-31"), 1);
    assert_eq!(on(&doc, "2026-06-01"), 0);
    assert_eq!(on(&doc, "2026-01-09"), 0);
    change(&mut doc, 1, &care_set_puts(&who, tag, None, None));
    let period = &shown(&doc).members[0].care_periods[0];
    assert_eq!(period.every, Some(Interval::Weekly));
    assert_eq!((on(&doc, "2026-07-01"), &period.until), (1, &None));
}

#[test]
fn whoever_left_keeps_care_as_history_and_none_in_force() {
    for (why, code, _) in Left::ALL {
        let (mut doc, _) = write(&family(), 1);
        let who = id_of(&shown(&doc), "曾小红");
        change(&mut doc, 1, &leave_puts(&who, why, "2026-11-01", None));
        let household = shown(&doc);
        let member = household.member(&who).unwrap();
        assert_eq!(member.left.as_deref(), Some(code));
        assert_eq!(member.care_periods.len(), 1, "{code}");
        assert_eq!(household.care_on("2026-11-02").count(), 0, "{code}");
        assert_eq!(household.departed_head().unwrap().id, who);
        change(&mut doc, 1, &return_puts(&who));
        assert_eq!(shown(&doc).care_on("2026-11-02").count(), 1, "{code}");
        assert!(shown(&doc).departed_head().is_none());
    }
}

#[test]
fn a_visit_that_met_nobody_living_is_doubted_and_others_are_not() {
    let (mut doc, _) = write(&family(), 1);
    let (head, son) = (id_of(&shown(&doc), "曾小红"), id_of(&shown(&doc), "曾小明"));
    let doubted = |doc: &Document, day: &str| shown(doc).nobody_left_to_meet(day);
    change(
        &mut doc,
        1,
        &leave_puts(&head, Left::Died, "2026-11-01", None),
    );
    assert!(!doubted(&doc, "2026-11-02"), "the son may have been met");
    change(
        &mut doc,
        1,
        &leave_puts(&son, Left::MovedOut, "2026-11-10", None),
    );
    assert!(
        !doubted(&doc, "2026-11-05"),
        "the son was there until the 10th"
    );
    assert!(doubted(&doc, "2026-11-11"));
    change(
        &mut doc,
        1,
        &[Put::entry("members", &son, "birth", "2016-05")],
    );
    assert!(doubted(&doc, "2026-11-05"), "the son is ten");
    assert!(!doubted(&doc, "2026-11-01"), "the day itself");
    change(
        &mut doc,
        1,
        &leave_puts(&head, Left::MovedOut, "2026-11-01", None),
    );
    assert!(!doubted(&doc, "2026-11-11"), "nobody died");
}

#[test]
fn a_child_counts_as_one_through_the_month_of_the_birthday() {
    let (mut doc, _) = write(&family(), 1);
    let who = id_of(&shown(&doc), "曾小明");
    let under = |doc: &Document, day: &str| shown(doc).member(&who).unwrap().is_under(14, day);
    assert_eq!(under(&doc, "2026-11-23"), None);
    change(
        &mut doc,
        1,
        &[Put::entry("members", &who, "birth", "2012-11")],
    );
    assert_eq!(under(&doc, "2026-11-30"), Some(true));
    assert_eq!(under(&doc, "2026-12-01"), Some(false));
    change(&mut doc, 1, &[Put::entry("members", &who, "birth", "2012")]);
    assert_eq!(under(&doc, "2026-12-31"), Some(true));
    assert_eq!(under(&doc, "2027-01-01"), Some(false));
}

#[test]
fn a_child_under_fourteen_consents_through_a_grown_up_only() {
    let (mut doc, _) = write(&family(), 1);
    let (head, son) = (id_of(&shown(&doc), "曾小红"), id_of(&shown(&doc), "曾小明"));
    change(
        &mut doc,
        1,
        &[Put::entry("members", &son, "birth", "2016-05")],
    );
    let given = |member: Option<&str>, guardian: Option<&str>, basis: Basis| Consent {
        basis: basis.code().into(),
        at: "2026-11-23".into(),
        member: member.map(str::to_owned),
        guardian: guardian.map(str::to_owned),
        ..Consent::default()
    };
    let household = shown(&doc);
    let lacks = |consent: Consent| consent.lacks_guardian(&household);
    assert!(lacks(given(Some(&son), None, Basis::Consent)));
    assert!(lacks(given(Some(&son), Some(&son), Basis::Consent)));
    assert!(!lacks(given(Some(&son), Some(&head), Basis::Consent)));
    assert!(!lacks(given(Some(&son), Some("外婆"), Basis::Consent)));
    assert!(!lacks(given(Some(&son), None, Basis::Emergency)));
    assert!(!lacks(given(Some(&head), None, Basis::Consent)));
    assert!(!lacks(given(None, None, Basis::Consent)));
}

/// Moves the son to a household of his own: old, new, his id, the change in the old one.
fn moved() -> (Document, Document, String, Vec<u8>) {
    let (mut old, _) = write(&family(), 1);
    let son = id_of(&shown(&old), "曾小明");
    let to = DocId([9; 16]);
    let mut new = Document::begin(&kind::shape(kind::HOUSEHOLD).unwrap(), &to).unwrap();
    let from = old.id().unwrap();
    change(
        &mut new,
        1,
        &copy_puts(&son, &old.fields(), &from, Some("02")),
    );
    let left = change(
        &mut old,
        1,
        &leave_puts(&son, Left::Split, "2026-11-01", Some(&to)),
    );
    (old, new, son, left)
}

fn edits(old: &Document, new: &Document, member: &str) -> Vec<String> {
    let left = old.versions("members", &format!("{member}/left"));
    let then = old.fields_at(&left[0].change).unwrap();
    let edits = later_edits(member, &then, &old.fields(), &new.fields());
    edits.into_iter().map(|edit| edit.field).collect()
}

#[test]
fn an_edit_that_did_not_know_of_the_move_is_found_until_it_is_brought_over() {
    let (mut old, mut new, son, left) = moved();
    assert!(edits(&old, &new, &son).is_empty());
    let (mut elsewhere, _) = write(&family(), 1);
    let phone = Put::entry("members", &son, "phone", "13900000009");
    let edit = change(&mut elsewhere, 2, std::slice::from_ref(&phone));
    elsewhere.apply(&[left]);
    old.apply(&[edit]);
    for doc in [&old, &elsewhere] {
        assert_eq!(edits(doc, &new, &son), [format!("members/{son}/phone")]);
    }
    change(&mut new, 1, &[phone]);
    assert!(edits(&old, &new, &son).is_empty());
}

#[test]
fn what_is_changed_at_the_new_place_is_no_edit_of_the_old_one() {
    let (old, mut new, son, _) = moved();
    change(
        &mut new,
        1,
        &[Put::entry("members", &son, "phone", "13900000009")],
    );
    assert!(edits(&old, &new, &son).is_empty());
    assert!(connected(&son, &new.fields()).contains(&old.id().unwrap()));
    assert!(connected(&son, &old.fields()).contains(&new.id().unwrap()));
}

#[test]
fn a_person_who_moves_takes_care_along_and_not_the_relation_nor_what_ended() {
    let (mut old, _) = write(&family(), 1);
    let son = id_of(&shown(&old), "曾小明");
    change(
        &mut old,
        1,
        &care_set_puts(&son, Care::Disability, Some("2026-01-01"), None),
    );
    change(
        &mut old,
        1,
        &care_set_puts(&son, Care::GraveIllness, Some("2026-01-01"), None),
    );
    change(
        &mut old,
        1,
        &care_end_puts(&son, Care::GraveIllness, "2026-02-01"),
    );
    change(
        &mut old,
        1,
        &[Put::entry("members", &son, "future", "kept")],
    );
    let mut new = Document::begin(&kind::shape(kind::HOUSEHOLD).unwrap(), &DocId([9; 16])).unwrap();
    change(
        &mut new,
        1,
        &copy_puts(&son, &old.fields(), &old.id().unwrap(), None),
    );
    let household = shown(&new);
    let member = household.member(&son).unwrap();
    assert_eq!((member.name.as_str(), &member.relation), ("曾小明", &None));
    assert_eq!(member.care, [Care::Disability]);
    assert_eq!(member.care_periods.len(), 1);
    let future = new.fields();
    let future = future.get("members", &format!("{son}/future")).unwrap();
    assert_eq!(future.shown, Scalar::Text("kept".into()));
}

/// One step of somebody at a device.
fn step() -> impl Strategy<Value = (usize, Vec<Put>)> {
    let household = derived_id(&family(), 0).unwrap();
    let ids = [0, 1].map(|at| member_id(&household, &family().members[at], 0));
    let member = (0..2usize).prop_map(move |at| ids[at].clone());
    let tag = prop::sample::select(Care::all().take(3).collect::<Vec<_>>());
    let why = prop::sample::select(Left::ALL.map(|(why, ..)| why).to_vec());
    let puts = prop_oneof![
        (member.clone(), why).prop_map(|(m, why)| leave_puts(&m, why, "2026-11-01", None)),
        member.clone().prop_map(|m| return_puts(&m)),
        (member.clone(), tag.clone()).prop_map(|(m, t)| care_set_puts(&m, t, None, None)),
        (member.clone(), tag).prop_map(|(m, t)| care_end_puts(&m, t, "2026-11-02")),
        (member, "1390000000[0-9]").prop_map(|(m, p)| vec![Put::entry("members", &m, "phone", p)]),
        "1370000000[0-2]".prop_map(|number| {
            vec![Put::root(
                &format!("phone.{}", contact_id(&number, 0)),
                number,
            )]
        }),
        "1370000000[0-2]"
            .prop_map(|number| vec![Put::root(&format!("phone.{}", contact_id(&number, 0)), "")]),
    ];
    (0..3usize, puts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn three_devices_read_the_same_household_and_lose_nobody(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let (first, _) = write(&family(), 9);
        let mut docs = [first.clone(), first.clone(), first];
        let mut made: Vec<(usize, Vec<u8>)> = Vec::new();
        for (who, puts) in &steps {
            let actor = ActorId([*who as u8 + 1; 8]);
            if let Some(written) = docs[*who].write(&actor, 1, puts).unwrap() {
                made.push((*who, written.raw));
            }
        }
        for (at, doc) in docs.iter_mut().enumerate() {
            let others = made.iter().filter(|(who, _)| *who != at);
            doc.apply(&others.map(|(_, raw)| raw.clone()).collect::<Vec<_>>());
        }
        prop_assert_eq!(docs[0].fields(), docs[1].fields());
        prop_assert_eq!(docs[0].fields(), docs[2].fields());
        let household = shown(&docs[0]);
        prop_assert_eq!(household.members.len(), 2);
        prop_assert!(household.members.iter().all(|member| !member.name.is_empty()));
    }
}
