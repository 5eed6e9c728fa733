//! A household's people on one device: in, changed, out, moved, split off, away and back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use tempfile::TempDir;
use wangge_agent::households::{
    CareTerms, ConsentInput, ContactInput, HouseholdEdit, HouseholdInput, MemberEdit, MemberInput,
    Move, NeedInput, Split,
};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, DocId, Machine, Replica};
use wangge_wire::AreaCode;

/// Noon of 2026-11-23 in China.
const NOON_MS: i64 = 1_795_406_400_000;

struct Home {
    _dir: TempDir,
    replica: Replica,
    id: DocId,
}

fn named(name: &str) -> MemberInput {
    MemberInput {
        name: name.into(),
        ..MemberInput::default()
    }
}

/// A home with a widow and her grown son behind 3-12.
fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse("511724103202001").unwrap();
    let machine = Machine {
        now_ms: Box::new(|| NOON_MS),
        ..Machine::default()
    };
    let mut replica = Replica::init(&dir.path().join("home"), "李梅", vec![grid], machine).unwrap();
    let family = HouseholdInput {
        door: "3-12".into(),
        contacts: vec![ContactInput {
            phone: "13900000000".into(),
            whose: "女儿".into(),
        }],
        members: vec![
            MemberInput {
                relation: Some("户主".into()),
                birth: Some("1950-03".into()),
                ..named("曾小红")
            },
            MemberInput {
                relation: Some("长子".into()),
                birth: Some("1978-01".into()),
                ..named("曾小明")
            },
        ],
        ..HouseholdInput::default()
    };
    let id = replica.add_household(family).unwrap().id;
    Home {
        _dir: dir,
        replica,
        id,
    }
}

impl Home {
    fn names(&self, id: &DocId) -> Vec<String> {
        let view = self.replica.household(id).unwrap();
        view.household
            .present()
            .map(|member| member.name.clone())
            .collect()
    }

    fn unsent(&self) -> u64 {
        self.replica.status().unwrap().counts.unsent
    }
}

fn field_of(error: AgentError) -> &'static str {
    match error {
        AgentError::BadValue { field, .. } => field,
        other => panic!("{other}"),
    }
}

#[test]
fn a_member_who_is_added_again_is_the_same_and_a_twin_is_not() {
    let Home {
        mut replica,
        id,
        _dir,
    } = home();
    let newborn = MemberInput {
        relation: Some("孙子".into()),
        birth: Some("2026-11".into()),
        ..MemberInput::default()
    };
    let first = replica.add_member(&id, newborn.clone(), false).unwrap();
    let again = replica.add_member(&id, newborn.clone(), false).unwrap();
    assert_eq!((&again.member, again.changed), (&first.member, false));
    let twin = replica.add_member(&id, newborn, true).unwrap();
    assert_ne!(twin.member, first.member);
    let edit = MemberEdit {
        name: Some("曾安".into()),
        ..MemberEdit::default()
    };
    let named = replica.edit_member(&id, &first.member, edit).unwrap();
    assert_eq!(
        named.member, first.member,
        "a name given later is no new person"
    );
}

#[test]
fn who_left_comes_back_by_being_added_and_who_died_does_not() {
    let mut home = home();
    let id = home.id;
    let son = home
        .replica
        .member_leaves(&id, "曾小明", "婚嫁", Some("2026-10-01"))
        .unwrap();
    assert_eq!(home.names(&id), ["曾小红"]);
    let same = MemberInput {
        relation: Some("长子".into()),
        birth: Some("1978-01".into()),
        ..named("曾小明")
    };
    let back = home.replica.add_member(&id, same.clone(), false).unwrap();
    assert_eq!(back.member, son.member);
    assert_eq!(home.names(&id), ["曾小红", "曾小明"]);
    home.replica
        .member_leaves(&id, "曾小明", "去世", None)
        .unwrap();
    let other = home.replica.add_member(&id, same, false).unwrap();
    assert_ne!(other.member, son.member);
    assert_eq!(
        home.replica.household(&id).unwrap().household.members.len(),
        3
    );
}

#[test]
fn a_head_who_died_stays_head_until_somebody_chooses_another() {
    let mut home = home();
    let id = home.id;
    home.replica
        .member_leaves(&id, "曾小红", "去世", None)
        .unwrap();
    let view = home.replica.household(&id).unwrap();
    assert_eq!(view.flags[0].code, "head_left");
    assert_eq!(
        home.replica.name_household("zxh").unwrap(),
        id,
        "still found by the name"
    );
    assert_eq!(view.household.head.as_ref(), Some(&view.flags[0].member));
    let head = |who: &str| HouseholdEdit {
        head: Some(who.into()),
        ..HouseholdEdit::default()
    };
    let dead = home
        .replica
        .edit_household(&id, head("曾小红"))
        .unwrap_err();
    assert_eq!(field_of(dead), "head");
    // Initials name a member as they name a household.
    assert!(home.replica.edit_household(&id, head("zxm")).unwrap());
    assert!(home.replica.household(&id).unwrap().flags.is_empty());
}

#[test]
fn a_day_to_come_is_no_day_somebody_left() {
    let mut home = home();
    let id = home.id;
    let unsent = home.unsent();
    let leave = home
        .replica
        .member_leaves(&id, "曾小明", "迁出", Some("2026-11-24"));
    assert_eq!(field_of(leave.unwrap_err()), "on");
    let reason = home.replica.member_leaves(&id, "曾小明", "不见了", None);
    assert_eq!(field_of(reason.unwrap_err()), "left");
    assert_eq!(home.unsent(), unsent);
}

#[test]
fn an_id_number_decides_sex_and_birth_and_is_not_repeated() {
    let mut home = home();
    let id = home.id;
    let with = |number: &str| MemberEdit {
        id_number: Some(number.into()),
        birth: Some("1980".into()),
        ..MemberEdit::default()
    };
    let wrong = home
        .replica
        .edit_member(&id, "曾小红", with("110105194912310021"))
        .unwrap_err();
    assert!(!format!("{wrong:?}").contains("1949"));
    let otherwise = home
        .replica
        .edit_member(&id, "曾小红", with("11010519491231002X"));
    // It says another month than is known, and than was typed: it may be somebody else's.
    assert!(matches!(
        otherwise,
        Err(AgentError::IdNumberDiffers { birth: Some(birth), sex: None }) if birth == "1949-12"
    ));
    let confirmed = MemberEdit {
        birth: Some("1949-12".into()),
        ..with("11010519491231002X")
    };
    home.replica.edit_member(&id, "曾小红", confirmed).unwrap();
    let view = home.replica.household(&id).unwrap();
    let head = &view.household.members[0];
    assert!(head.id_checked);
    assert_eq!(
        (head.sex, head.birth.as_deref()),
        (Some(2), Some("1949-12"))
    );
}

#[test]
fn a_move_is_one_action_and_moving_back_brings_what_changed_meanwhile() {
    let mut home = home();
    let id = home.id;
    let other = HouseholdInput {
        door: "3-20".into(),
        members: vec![named("张建国")],
        ..HouseholdInput::default()
    };
    let other = home.replica.add_household(other).unwrap().id;
    let unsent = home.unsent();
    let how = Move {
        relation: Some("女婿".into()),
        reason: Some("婚嫁".into()),
        ..Move::default()
    };
    let moved = home
        .replica
        .move_member(&id, "曾小明", &other, how)
        .unwrap();
    assert_eq!(home.unsent(), unsent + 2);
    assert_eq!(home.names(&id), ["曾小红"]);
    assert_eq!(home.names(&other), ["张建国", "曾小明"]);
    let edit = MemberEdit {
        phone: Some("13900000009".into()),
        ..MemberEdit::default()
    };
    home.replica.edit_member(&other, "曾小明", edit).unwrap();
    let back = home.replica.member_returns(&id, "曾小明").unwrap();
    assert_eq!(back.member, moved.member);
    assert_eq!(home.names(&other), ["张建国"]);
    let view = home.replica.household(&id).unwrap();
    let son = view.household.member(&moved.member).unwrap();
    assert_eq!(son.phone.as_deref(), Some("13900000009"));
    assert_eq!(son.relation.as_deref(), Some("22"), "his relation there");
    assert!(view.flags.is_empty(), "{:?}", view.flags);
}

#[test]
fn a_split_leaves_the_visits_where_they_happened_and_somebody_behind() {
    let mut home = home();
    let id = home.id;
    let visit = VisitInput {
        household: id.to_string(),
        ..VisitInput::default()
    };
    home.replica.add_visit(visit).unwrap();
    let of = |members: &[&str]| Split {
        members: members.iter().map(|name| (*name).to_owned()).collect(),
        door: Some("15".into()),
        phone: Some("13900000015".into()),
        ..Split::default()
    };
    let all = home
        .replica
        .split_household(&id, of(&["曾小红", "曾小明"]))
        .unwrap_err();
    assert_eq!(field_of(all), "members");
    let done = home.replica.split_household(&id, of(&["曾小明"])).unwrap();
    assert!(done.created);
    let (old, new) = (
        home.replica.household(&id).unwrap(),
        home.replica.household(&done.id).unwrap(),
    );
    assert_eq!((old.visits.len(), new.visits.len()), (1, 0));
    assert_eq!(new.door_short, "3-15", "the group is the old household's");
    assert_eq!(new.household.area, old.household.area);
    assert_eq!(new.household.head.as_ref(), Some(&done.members[0]));
    assert_eq!(new.household.members[0].relation.as_deref(), Some("02"));
    let gone = old.household.member(&done.members[0]).unwrap();
    assert_eq!(gone.left.as_deref(), Some("split"));
    assert_eq!(old.elsewhere[0].door_short, "3-15");
    let again = home
        .replica
        .split_household(&id, of(&["曾小明"]))
        .unwrap_err();
    assert!(matches!(
        again,
        AgentError::BadValue {
            field: "members",
            ..
        }
    ));
}

#[test]
fn a_household_goes_away_and_comes_back_and_keeps_its_care() {
    let mut home = home();
    let id = home.id;
    let care = ["独居老人".to_owned()];
    home.replica
        .set_care(&id, "曾小红", &care, CareTerms::default())
        .unwrap();
    assert!(home.replica.depart(&id, &[], Some("2026-11-01")).unwrap());
    assert!(
        !home.replica.depart(&id, &[], None).unwrap(),
        "said already"
    );
    let away = home.replica.household(&id).unwrap().household;
    assert_eq!(
        (away.residence.code(), away.residence_since.as_deref()),
        ("away", Some("2026-11-01"))
    );
    assert!(home.replica.come_back(&id, &[], None).unwrap());
    let who = ["曾小明".to_owned()];
    home.replica.depart(&id, &who, None).unwrap();
    let view = home.replica.household(&id).unwrap().household;
    assert_eq!(view.residence.code(), "resident");
    assert!(view.members[1].away && !view.members[0].away);
    assert_eq!(view.care_on("2026-11-23").count(), 1);
    home.replica.come_back(&id, &who, None).unwrap();
    assert!(!home.replica.household(&id).unwrap().household.members[1].away);
}

#[test]
fn care_ends_only_where_it_was_set_and_begins_anew_without_its_end() {
    let mut home = home();
    let id = home.id;
    let tags = ["独居老人".to_owned(), "grave_illness".to_owned()];
    let weekly = CareTerms {
        every: Some("每周".into()),
        since: Some("2026-01-01".into()),
    };
    home.replica.set_care(&id, "1", &tags, weekly).unwrap();
    assert!(
        home.replica
            .end_care(&id, "1", &tags[..1], Some("2026-11-20"))
            .unwrap()
            .changed
    );
    assert!(
        !home
            .replica
            .end_care(&id, "1", &tags[..1], None)
            .unwrap()
            .changed
    );
    let never = home
        .replica
        .end_care(&id, "1", &["低保".to_owned()], None)
        .unwrap_err();
    assert_eq!(field_of(never), "care");
    home.replica
        .set_care(&id, "1", &tags[..1], CareTerms::default())
        .unwrap();
    let view = home.replica.household(&id).unwrap().household;
    let begun = view.members[0]
        .care_periods
        .iter()
        .find(|p| p.tag.code() == "living_alone_elder");
    let begun = begun.unwrap();
    assert_eq!(
        (begun.since.as_deref(), &begun.until),
        (Some("2026-11-23"), &None)
    );
    assert_eq!(
        home.replica.households(None, 9, 0).unwrap()[0].care.len(),
        2
    );
}

#[test]
fn further_telephones_are_found_changed_and_taken_away_one_by_one() {
    let mut home = home();
    let id = home.id;
    let second = ContactInput {
        phone: "13900000001".into(),
        whose: "邻居".into(),
    };
    home.replica.add_contact(&id, &second).unwrap();
    assert!(!home.replica.add_contact(&id, &second).unwrap().changed);
    let phones = |replica: &Replica| -> Vec<String> {
        let household = replica.household(&id).unwrap().household;
        household
            .contacts
            .into_iter()
            .map(|contact| contact.phone)
            .collect()
    };
    assert_eq!(phones(&home.replica).len(), 2);
    assert_eq!(home.replica.name_household("0001").unwrap(), id);
    home.replica
        .edit_contact(&id, "0001", Some("13900000002"), None)
        .unwrap();
    home.replica.remove_contact(&id, "0000").unwrap();
    assert_eq!(phones(&home.replica), ["13900000002"]);
    // The first number again is not taken for the entry that began with it and holds another.
    home.replica.add_contact(&id, &second).unwrap();
    assert_eq!(phones(&home.replica).len(), 2);
    let empty = home
        .replica
        .add_contact(&id, &ContactInput::default())
        .unwrap_err();
    assert_eq!(field_of(empty), "phone");
}

#[test]
fn needs_and_consent_are_kept_when_they_are_over() {
    let mut home = home();
    let id = home.id;
    let need = NeedInput {
        text: "轮椅".into(),
        ..NeedInput::default()
    };
    home.replica.add_need(&id, need).unwrap();
    assert!(home.replica.need_done(&id, "1", None).unwrap());
    assert!(!home.replica.need_done(&id, "1", None).unwrap());
    let child = MemberInput {
        relation: Some("孙女".into()),
        birth: Some("2016-05".into()),
        ..named("曾安安")
    };
    home.replica.add_member(&id, child, false).unwrap();
    let for_child = |guardian: Option<&str>| ConsentInput {
        purpose: "入户探访".into(),
        member: Some("曾安安".into()),
        guardian: guardian.map(str::to_owned),
        ..ConsentInput::default()
    };
    let alone = home.replica.add_consent(&id, for_child(None)).unwrap_err();
    assert_eq!(field_of(alone), "guardian");
    let given = home
        .replica
        .add_consent(&id, for_child(Some("曾小明")))
        .unwrap();
    assert!(home.replica.withdraw_consent(&id, &given, None).unwrap());
    let view = home.replica.household(&id).unwrap().household;
    assert_eq!(view.needs[0].done.as_deref(), Some("2026-11-23"));
    assert_eq!(view.consent[0].withdrawn.as_deref(), Some("2026-11-23"));
    assert_eq!(view.consent[0].guardian.as_ref().map(String::len), Some(32));
}

#[test]
fn a_list_holds_what_its_filter_lets_through() {
    let mut home = home();
    let id = home.id;
    for (door, residence) in [("3-1", "空房"), ("4-1", "常住")] {
        let input = HouseholdInput {
            door: door.into(),
            residence: Some(residence.into()),
            members: vec![named("张建国")],
            ..HouseholdInput::default()
        };
        home.replica.add_household(input).unwrap();
    }
    home.replica
        .set_care(&id, "1", &["低保".to_owned()], CareTerms::default())
        .unwrap();
    let doors = |group: Option<&str>, care: Option<&str>, living: Option<&str>| -> Vec<String> {
        let filter = home
            .replica
            .household_filter(None, group, care, living)
            .unwrap();
        let rows = home.replica.households_where(&filter, 9, 0).unwrap();
        rows.iter()
            .map(|row| format!("{}-{}", row.group, row.door))
            .collect()
    };
    assert_eq!(doors(None, None, None), ["3-1", "3-12", "4-1"]);
    assert_eq!(doors(Some("三组"), None, None), ["3-1", "3-12"]);
    assert_eq!(doors(None, Some("低保"), None), ["3-12"]);
    assert_eq!(doors(None, Some("disability"), None), Vec::<String>::new());
    assert_eq!(doors(None, None, Some("空房")), ["3-1"]);
}
