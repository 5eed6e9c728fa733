//! Families registered twice at several devices: merges, edits and visits that do not know of each
//! other, and moves to another grid.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wangge_agent::conflicts::Choice;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_testkit::district::{District, sync};
use wangge_wire::{DocId, Role};

const TOWNSHIP: &str = "511724103";
const GRID: &str = "511724103202001";
const OTHER_GRID: &str = "511724103202002";

fn family(replica: &mut Replica, door: &str, head: &str) -> DocId {
    let input = HouseholdInput {
        area: Some(GRID.into()),
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id
}

fn phone(replica: &mut Replica, id: &DocId, phone: &str) {
    let edit = HouseholdEdit {
        phone: Some(phone.into()),
        ..HouseholdEdit::default()
    };
    match replica.edit_household(id, edit) {
        // Two numbers stand already and somebody settles them first; nothing was written.
        Err(AgentError::InConflict { .. }) => {}
        written => _ = written.unwrap(),
    }
}

fn visit(replica: &mut Replica, id: &DocId) -> String {
    let input = VisitInput {
        household: id.to_string(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

fn exchange(replicas: &mut [Replica]) {
    for _ in 0..2 {
        for replica in replicas.iter_mut() {
            let report = sync(replica).unwrap();
            assert_eq!((report.held, report.inbox, report.unsent), (0, 0, 0));
        }
    }
}

/// Two workers with the same two registrations of one family: survivor, alias.
fn two_workers(district: &District) -> ([Replica; 2], DocId, DocId) {
    let mut both = [
        district.home("李梅", Role::Worker, &[GRID]),
        district.home("王芳", Role::Worker, &[GRID]),
    ];
    let one = family(&mut both[0], "3-12", "曾小红");
    let two = family(&mut both[1], "3-14", "曾小红");
    exchange(&mut both);
    (both, one.min(two), one.max(two))
}

fn merge(replica: &mut Replica, ids: &[DocId]) {
    let names: Vec<String> = ids.iter().map(DocId::to_string).collect();
    replica.merge_households(&names, false).unwrap();
}

#[test]
fn a_late_edit_and_a_late_visit_land_on_the_survivor() {
    let district = District::new();
    let (mut both, survivor, alias) = two_workers(&district);
    phone(&mut both[0], &survivor, "13800000001");
    merge(&mut both[0], &[survivor, alias]);
    phone(&mut both[1], &alias, "13800000002");
    let late = visit(&mut both[1], &alias);
    exchange(&mut both);
    for replica in &both {
        let view = replica.household(&alias).unwrap();
        assert_eq!(view.household.id, survivor);
        assert_eq!(view.visits[0].id, late);
        let [conflict] = view.conflicts.as_slice() else {
            panic!("{:?}", view.conflicts);
        };
        let values: Vec<&str> = conflict
            .versions
            .iter()
            .map(|v| v.value.as_str().unwrap())
            .collect();
        assert_eq!(values, ["13800000001", "13800000002"]);
        assert_eq!(conflict.versions[1].by.name, "王芳");
        assert_eq!(replica.status().unwrap().counts.conflicts, 1);
    }
    both[1]
        .settle("zxh", Some("phone"), &Choice::Number(2))
        .unwrap();
    exchange(&mut both);
    for replica in &both {
        let view = replica.household(&survivor).unwrap();
        assert_eq!(view.household.phone.as_deref(), Some("13800000002"));
        assert!(view.conflicts.is_empty());
        assert_eq!(view.other_values.len(), 1, "the door is still another one");
    }
    // What was settled is not late again when the survivor goes on.
    phone(&mut both[0], &survivor, "13800000003");
    exchange(&mut both);
    assert!(both[1].conflicts().unwrap().is_empty());
}

#[test]
fn settling_one_late_field_leaves_the_other_one_open() {
    let district = District::new();
    let (mut both, survivor, alias) = two_workers(&district);
    phone(&mut both[0], &survivor, "13800000001");
    let note = |text: &str| HouseholdEdit {
        phone: Some("13800000002".into()),
        note: Some(text.into()),
        ..HouseholdEdit::default()
    };
    both[0]
        .edit_household(
            &survivor,
            HouseholdEdit {
                phone: None,
                ..note("有狗")
            },
        )
        .unwrap();
    merge(&mut both[0], &[survivor, alias]);
    both[1].edit_household(&alias, note("门铃坏")).unwrap();
    exchange(&mut both);
    assert_eq!(both[0].conflicts().unwrap().len(), 2);
    both[0]
        .settle("zxh", Some("phone"), &Choice::Number(1))
        .unwrap();
    exchange(&mut both);
    for replica in &both {
        let left = replica.conflicts().unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].field, "note");
    }
}

#[test]
fn merges_at_two_devices_make_one_family() {
    let district = District::new();
    let (mut both, a, b) = two_workers(&district);
    let c = family(&mut both[0], "3-16", "曾小红");
    exchange(&mut both);
    merge(&mut both[0], &[a, b]);
    merge(&mut both[1], &[b, c]);
    exchange(&mut both);
    let smallest = a.min(b).min(c);
    for replica in &both {
        let rows = replica.households(None, 10, 0).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id, rows[0].also.len()), (smallest, 2));
        // Nobody has seen all three doors beside each other: they are listed, the merges are not.
        let view = replica.household(&smallest).unwrap();
        assert!(
            view.conflicts
                .iter()
                .all(|conflict| conflict.field == "door")
        );
        let shown = format!(
            "{:?} {:?} {:?}",
            view.household.door, view.other_values, view.conflicts
        );
        for door in ["\"12\"", "\"14\"", "\"16\""] {
            assert!(shown.contains(door), "{door} in {shown}");
        }
    }
}

#[test]
fn a_household_moved_by_the_desk_is_in_the_other_grid_everywhere() {
    let district = District::new();
    let mut replicas = [
        district.home("desk", Role::Township, &[TOWNSHIP]),
        district.home("王芳", Role::Worker, &[GRID, OTHER_GRID]),
    ];
    let one = family(&mut replicas[1], "3-12", "曾小红");
    let two = family(&mut replicas[1], "3-14", "曾小红");
    merge(&mut replicas[1], &[one, two]);
    let refused = replicas[1].move_household("zxh", OTHER_GRID, false);
    assert!(matches!(refused, Err(AgentError::NotYourRole)));
    exchange(&mut replicas);
    let dry = replicas[0].move_household("zxh", OTHER_GRID, true).unwrap();
    assert!(dry.changed);
    assert_eq!(replicas[0].find("zxh", 1).unwrap()[0].area, GRID);
    let moved = replicas[0]
        .move_household("zxh", OTHER_GRID, false)
        .unwrap();
    assert_eq!((moved.from.as_str(), moved.to.as_str()), (GRID, OTHER_GRID));
    exchange(&mut replicas);
    for replica in &mut replicas {
        assert_eq!(replica.find("zxh", 1).unwrap()[0].area, OTHER_GRID);
        let view = replica.household(&one).unwrap();
        assert_eq!(view.household.area.unwrap().as_str(), OTHER_GRID);
        for doc in [one, two] {
            assert_eq!(
                replica.store().home(&doc).unwrap().unwrap().as_str(),
                OTHER_GRID
            );
        }
        assert!(
            sync(replica)
                .unwrap()
                .complete
                .values()
                .all(|area| area.equal)
        );
    }
}

#[derive(Debug, Clone)]
enum Action {
    Merge(usize, usize),
    Unmerge(usize),
    Apart(usize, usize),
    Phone(usize, u8),
    Visit(usize),
    Settle(bool),
    Sync,
}

fn action() -> impl Strategy<Value = Action> {
    let family = 0..4usize;
    prop_oneof![
        3 => (family.clone(), family.clone()).prop_map(|(a, b)| Action::Merge(a, b)),
        1 => family.clone().prop_map(Action::Unmerge),
        1 => (family.clone(), family.clone()).prop_map(|(a, b)| Action::Apart(a, b)),
        4 => (family.clone(), any::<u8>()).prop_map(|(f, n)| Action::Phone(f, n)),
        2 => family.prop_map(Action::Visit),
        1 => any::<bool>().prop_map(Action::Settle),
        2 => Just(Action::Sync),
    ]
}

/// Does the action; returns the visit it made.
fn act(replica: &mut Replica, action: &Action, families: &[DocId], turn: usize) -> Option<String> {
    let name = |family: &usize| families[*family].to_string();
    match action {
        Action::Merge(a, b) => {
            let names = [name(a), name(b)];
            replica.merge_households(&names, false).unwrap();
        }
        Action::Unmerge(family) => match replica.unmerge_household(&name(family)) {
            Ok(_) | Err(AgentError::NotFound { .. } | AgentError::Ambiguous { .. }) => {}
            Err(error) => panic!("{error:?}"),
        },
        Action::Apart(a, b) => {
            let _ = replica.tell_apart(&name(a), &name(b));
        }
        Action::Phone(family, n) => {
            let number = format!("138{turn:04}{n:04}");
            phone(replica, &families[*family], &number);
        }
        Action::Visit(family) => return Some(visit(replica, &families[*family])),
        Action::Settle(first) => {
            if let Some(conflict) = replica.conflicts().unwrap().first() {
                let last = conflict.versions.len();
                let choice = Choice::Number(if *first { 1 } else { last });
                let _ = replica.settle("1", None, &choice);
            }
        }
        Action::Sync => {
            sync(replica).unwrap();
        }
    }
    None
}

/// Every telephone a person can see of each family, and its visits.
fn shown(replica: &Replica) -> Vec<String> {
    let mut all = Vec::new();
    for row in replica.households(None, 100, 0).unwrap() {
        let view = replica.household(&row.id).unwrap();
        let conflicts: Vec<String> = view
            .conflicts
            .iter()
            .map(|conflict| {
                let mut values: Vec<String> = conflict
                    .versions
                    .iter()
                    .map(|v| v.value.to_string())
                    .collect();
                values.sort();
                format!("{} {values:?}", conflict.field)
            })
            .collect();
        let visits = replica.visits(Some(&row.id), 1000).unwrap();
        let visits: BTreeSet<String> = visits.into_iter().map(|visit| visit.id).collect();
        all.push(format!(
            "{:?} {:?} {:?} {conflicts:?} {visits:?}",
            view.household, view.also, view.other_values
        ));
    }
    all
}

/// The telephones that stand in the documents: written, and not overwritten by somebody who saw them.
fn standing(replica: &Replica, families: &[DocId]) -> BTreeMap<DocId, BTreeSet<String>> {
    let mut standing: BTreeMap<DocId, BTreeSet<String>> = BTreeMap::new();
    for doc in families {
        let document = replica.store().document(doc).unwrap().unwrap();
        let values = document.versions("", "phone").into_iter();
        let survivor = replica.store().survivor(doc).unwrap();
        let texts = values.filter_map(|version| version.value.as_text().map(str::to_owned));
        standing.entry(survivor).or_default().extend(texts);
    }
    standing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn three_devices_show_the_same_families_and_hide_nothing(
        actions in prop::collection::vec((0..3usize, action()), 10..50),
    ) {
        let district = District::new();
        let mut replicas = [
            district.home("desk", Role::Township, &[TOWNSHIP]),
            district.home("李梅", Role::Worker, &[GRID]),
            district.home("王芳", Role::Worker, &[GRID]),
        ];
        let families: Vec<DocId> = ["3-1", "3-2", "3-3", "3-4"]
            .map(|door| family(&mut replicas[1], door, "曾小红"))
            .to_vec();
        exchange(&mut replicas);
        let mut visits = BTreeSet::new();
        for (turn, (who, action)) in actions.iter().enumerate() {
            visits.extend(act(&mut replicas[*who], action, &families, turn));
        }
        exchange(&mut replicas);
        let first = shown(&replicas[0]);
        for replica in &replicas {
            prop_assert_eq!(&shown(replica), &first);
            let all = replica.visits(None, 1000).unwrap();
            let ids: BTreeSet<String> = all.iter().map(|visit| visit.id.clone()).collect();
            prop_assert_eq!(&ids, &visits);
            let by_family: usize = replica.households(None, 100, 0).unwrap().iter()
                .map(|row| replica.visits(Some(&row.id), 1000).unwrap().len()).sum();
            prop_assert_eq!(by_family, visits.len());
            for (survivor, phones) in standing(replica, &families) {
                let view = replica.household(&survivor).unwrap();
                let text = format!("{:?} {:?} {:?}", view.household.phone, view.other_values, view.conflicts);
                for phone in phones {
                    prop_assert!(text.contains(&phone), "{} is hidden in {}", phone, text);
                }
            }
        }
    }
}
