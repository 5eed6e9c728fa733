//! People come, leave, move and split off on several devices at once: nobody is lost, and what two
//! people did without knowing of each other is shown.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use wangge_agent::households::{
    CareTerms, HouseholdInput, HouseholdView, MemberEdit, MemberInput, Move, Split,
};
use wangge_agent::visits::VisitInput;
use wangge_agent::{DocId, Replica};
use wangge_testkit::district::{District, sync};
use wangge_wire::Role;

const GRID: &str = "511724103202001";

fn member(name: &str, relation: &str, birth: &str) -> MemberInput {
    MemberInput {
        name: name.into(),
        relation: Some(relation.into()),
        birth: Some(birth.into()),
        ..MemberInput::default()
    }
}

fn family(door: &str, people: &[(&str, &str, &str)]) -> HouseholdInput {
    HouseholdInput {
        door: door.into(),
        members: people.iter().map(|(n, r, b)| member(n, r, b)).collect(),
        ..HouseholdInput::default()
    }
}

/// Two devices of one grid that hold the same family of three: a widow, her son, his wife.
fn two() -> (District, [Replica; 2], DocId) {
    let district = District::new();
    let mut both = ["李梅", "王芳"].map(|name| district.home(name, Role::Worker, &[GRID]));
    let people = [
        ("曾小红", "户主", "1950-03"),
        ("曾小明", "长子", "1978-01"),
        ("单秀英", "儿媳", "1980-07"),
    ];
    let id = both[0].add_household(family("3-12", &people)).unwrap().id;
    exchange(&mut both);
    (district, both, id)
}

fn exchange(replicas: &mut [Replica]) {
    for _ in 0..2 {
        for replica in replicas.iter_mut() {
            let report = sync(replica).unwrap();
            assert_eq!((report.held, report.unsent), (0, 0));
        }
    }
}

fn split(members: &[&str], door: &str) -> Split {
    Split {
        members: members.iter().map(|name| (*name).to_owned()).collect(),
        door: Some(door.into()),
        ..Split::default()
    }
}

fn phone(number: &str) -> MemberEdit {
    MemberEdit {
        phone: Some(number.into()),
        ..MemberEdit::default()
    }
}

fn codes(view: &HouseholdView) -> Vec<&'static str> {
    view.flags.iter().map(|flag| flag.code).collect()
}

#[test]
fn an_edit_beside_a_split_is_shown_at_both_households_and_brought_over_by_a_move() {
    let (_district, mut both, old) = two();
    let new = both[0]
        .split_household(&old, split(&["曾小明", "单秀英"], "3-15"))
        .unwrap()
        .id;
    both[1]
        .edit_member(&old, "曾小明", phone("13900000009"))
        .unwrap();
    exchange(&mut both);
    for replica in &both {
        for id in [&old, &new] {
            let view = replica.household(id).unwrap();
            assert_eq!(codes(&view), ["edited_after_move"]);
            assert!(view.flags[0].fields[0].ends_with("/phone"));
        }
    }
    let landed = both[1]
        .move_member(&old, "曾小明", &new, Move::default())
        .unwrap();
    assert_eq!((landed.household, landed.changed), (new, true));
    exchange(&mut both);
    for replica in &both {
        let view = replica.household(&new).unwrap();
        assert!(view.flags.is_empty());
        let son = view.household.members.iter().find(|m| m.name == "曾小明");
        assert_eq!(son.unwrap().phone.as_deref(), Some("13900000009"));
        assert!(codes(&replica.household(&old).unwrap()).is_empty());
    }
}

#[test]
fn an_edit_after_the_split_is_known_lands_where_the_person_lives() {
    let (_district, mut both, old) = two();
    let new = both[0]
        .split_household(&old, split(&["曾小明"], "3-15"))
        .unwrap()
        .id;
    exchange(&mut both);
    let done = both[1]
        .edit_member(&old, "曾小明", phone("13900000009"))
        .unwrap();
    assert_eq!(done.household, new);
    assert!(both[1].household(&old).unwrap().flags.is_empty());
}

#[test]
fn moves_to_two_households_at_once_are_both_kept_and_shown() {
    let (_district, mut both, old) = two();
    let a = both[0]
        .add_household(family("3-20", &[("张建国", "户主", "1960")]))
        .unwrap()
        .id;
    let b = both[1]
        .add_household(family("3-21", &[("王建国", "户主", "1961")]))
        .unwrap()
        .id;
    exchange(&mut both);
    both[0]
        .move_member(&old, "单秀英", &a, Move::default())
        .unwrap();
    both[1]
        .move_member(&old, "单秀英", &b, Move::default())
        .unwrap();
    exchange(&mut both);
    for replica in &both {
        for (here, there) in [(a, b), (b, a)] {
            let view = replica.household(&here).unwrap();
            assert_eq!(codes(&view), ["in_two_households"]);
            assert_eq!(view.flags[0].household, Some(there));
        }
        let conflicts = replica.household(&old).unwrap().conflicts;
        assert!(conflicts.iter().any(|one| one.field.ends_with("/moved_to")));
    }
    both[0].member_leaves(&b, "单秀英", "误录", None).unwrap();
    exchange(&mut both);
    for replica in &both {
        assert!(replica.household(&a).unwrap().flags.is_empty());
        assert!(replica.household(&b).unwrap().flags.is_empty());
    }
}

#[test]
fn a_death_beside_a_visit_keeps_both_ends_care_and_flags_the_visit() {
    let district = District::new();
    let mut both = ["李梅", "王芳"].map(|name| district.home(name, Role::Worker, &[GRID]));
    let one = family("3-12", &[("曾小红", "户主", "1940-03")]);
    let id = both[0].add_household(one).unwrap().id;
    let care = ["独居老人".to_owned()];
    both[0]
        .set_care(&id, "曾小红", &care, CareTerms::default())
        .unwrap();
    exchange(&mut both);
    both[0]
        .member_leaves(&id, "曾小红", "去世", Some("2026-01-05"))
        .unwrap();
    let visit = VisitInput {
        household: id.to_string(),
        on: Some("2026-01-06".into()),
        no_change: true,
        ..VisitInput::default()
    };
    let visit = both[1].add_visit(visit).unwrap();
    exchange(&mut both);
    for replica in &both {
        let view = replica.household(&id).unwrap();
        assert_eq!(view.household.members[0].left.as_deref(), Some("died"));
        assert_eq!(view.household.care_on("2026-01-06").count(), 0);
        assert_eq!(view.household.members[0].care_periods.len(), 1);
        assert_eq!(view.visits.len(), 1);
        assert_eq!(view.visits[0].flags, ["met_after_death"]);
        assert_eq!(replica.visit(&visit.id).unwrap().flags, ["met_after_death"]);
        let row = replica.households(None, 10, 0).unwrap();
        assert!(row[0].care.is_empty(), "nothing is due any more");
    }
}

#[derive(Debug, Clone)]
enum Action {
    Add(usize, usize),
    Leave(usize, usize),
    Return(usize, usize),
    Move(usize, usize, usize),
    Split(usize, usize),
    Phone(usize, usize, u8),
    Care(usize, usize),
    Depart(usize),
    Sync,
}

const NAMES: [&str; 4] = ["曾小红", "曾小明", "单秀英", "覃建国"];

fn action() -> impl Strategy<Value = Action> {
    let (h, m) = (0..2usize, 0..NAMES.len());
    prop_oneof![
        (h.clone(), m.clone()).prop_map(|(h, m)| Action::Add(h, m)),
        (h.clone(), m.clone()).prop_map(|(h, m)| Action::Leave(h, m)),
        (h.clone(), m.clone()).prop_map(|(h, m)| Action::Return(h, m)),
        (h.clone(), m.clone(), 0..4usize).prop_map(|(h, m, to)| Action::Move(h, m, to)),
        (h.clone(), m.clone()).prop_map(|(h, m)| Action::Split(h, m)),
        (h.clone(), m.clone(), any::<u8>()).prop_map(|(h, m, n)| Action::Phone(h, m, n)),
        (h.clone(), m).prop_map(|(h, m)| Action::Care(h, m)),
        h.prop_map(Action::Depart),
        Just(Action::Sync),
    ]
}

/// Does the action; that somebody is not there, or not any more, is no fault of it. Returns the
/// member who was added.
fn act(replica: &mut Replica, action: &Action, doors: &[DocId; 2]) -> Option<String> {
    match action {
        Action::Add(h, m) => {
            let new = member(NAMES[*m], "其他", "1970-01");
            return replica
                .add_member(&doors[*h], new, false)
                .ok()
                .map(|done| done.member);
        }
        Action::Leave(h, m) => {
            let _ = replica.member_leaves(&doors[*h], NAMES[*m], "迁出", None);
        }
        Action::Return(h, m) => {
            let _ = replica.member_returns(&doors[*h], NAMES[*m]);
        }
        Action::Move(h, m, to) => {
            let all = replica.households(None, 10, 0).unwrap();
            if let Some(row) = all.get(*to) {
                let _ = replica.move_member(&doors[*h], NAMES[*m], &row.id, Move::default());
            }
        }
        Action::Split(h, m) => {
            let _ = replica.split_household(&doors[*h], split(&[NAMES[*m]], "3-30"));
        }
        Action::Phone(h, m, n) => {
            let edit = phone(&format!("13800000{n:03}"));
            let _ = replica.edit_member(&doors[*h], NAMES[*m], edit);
        }
        Action::Care(h, m) => {
            let care = ["低保".to_owned()];
            let _ = replica.set_care(&doors[*h], NAMES[*m], &care, CareTerms::default());
        }
        Action::Depart(h) => {
            let _ = replica.depart(&doors[*h], &[], None);
        }
        Action::Sync => {
            sync(replica).unwrap();
        }
    }
    None
}

/// Everything that screens show of every household, and everybody in it.
fn shown(replica: &Replica) -> (Vec<String>, BTreeSet<String>) {
    let mut people = BTreeSet::new();
    let rows = replica.households(None, 100, 0).unwrap();
    let screens = rows.iter().map(|row| {
        let view = replica.household(&row.id).unwrap();
        people.extend(
            view.household
                .members
                .iter()
                .map(|member| member.id.clone()),
        );
        format!(
            "{row:?} {:?} {:?} {:?}",
            view.household, view.flags, view.elsewhere
        )
    });
    (screens.collect(), people)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn three_devices_show_the_same_families_and_everybody_who_was_ever_added(
        actions in prop::collection::vec((0..3usize, action()), 8..40),
    ) {
        let district = District::new();
        let mut replicas =
            ["李梅", "王芳", "曾秀英"].map(|name| district.home(name, Role::Worker, &[GRID]));
        let doors = [("3-12", "曾家旺"), ("3-13", "覃家旺")].map(|(door, head)| {
            let people = [(head, "户主", "1950-03")];
            replicas[0].add_household(family(door, &people)).unwrap().id
        });
        exchange(&mut replicas);
        let mut added = BTreeSet::new();
        for (who, action) in &actions {
            added.extend(act(&mut replicas[*who], action, &doors));
        }
        exchange(&mut replicas);
        let (screens, people) = shown(&replicas[0]);
        prop_assert!(added.is_subset(&people));
        for replica in &mut replicas[1..] {
            sync(replica).unwrap();
            prop_assert_eq!(&shown(replica).0, &screens);
        }
    }
}
