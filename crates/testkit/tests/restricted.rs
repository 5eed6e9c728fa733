//! Over random rosters: a restricted record never comes to a device of whom it is about.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use wangge_model::restricted::{Holder, NoPlace, place, reaches};
use wangge_trust::allow::{Action, What, in_scope as receives};
use wangge_trust::key::KeyPair;
use wangge_trust::{Member, Roster};
use wangge_wire::{AreaCode, Audience, Day, PersonId, Role};

const PEOPLE: u8 = 5;
const AREAS: [&str; 9] = [
    "511724",
    "511724103",
    "511724104",
    "511724103202",
    "511724103203",
    "511724103202001",
    "511724103202002",
    "511724103203001",
    "511724104201001",
];
const ROLES: [Role; 6] = [
    Role::Worker,
    Role::Station,
    Role::Township,
    Role::County,
    Role::Unit,
    Role::Auditor,
];

fn area(at: usize) -> AreaCode {
    AreaCode::parse(AREAS.get(at).unwrap()).unwrap()
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// Any device: any person, any role, any areas. A person holds several, and stands in for others by
/// having their areas too.
fn member() -> impl Strategy<Value = Member> {
    let areas = prop::collection::vec(0..AREAS.len(), 0..3);
    (0..PEOPLE, 0..ROLES.len(), areas).prop_map(|(who, role, areas)| Member {
        key: KeyPair::from_secret(&[who; 32]).public(),
        person: person(who),
        name: String::new(),
        role: *ROLES.get(role).unwrap(),
        areas: areas.into_iter().map(area).collect(),
        device_number: 0,
        unit: None,
    })
}

/// Whether a device receives it, by what it has itself; who is lent areas is a holder of them too.
fn in_scope(member: &Member, what: &What<'_>) -> bool {
    receives(&Roster::default(), member, Action::Read, what, Day(0))
}

fn holders(roster: &[Member]) -> Vec<Holder> {
    roster
        .iter()
        .map(|member| Holder {
            person: member.person,
            areas: member.areas.clone(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whom_it_is_about_never_receives_it(
        roster in prop::collection::vec(member(), 0..10),
        subjects in prop::collection::vec(0..PEOPLE, 1..3),
        author in 0..PEOPLE,
        named in prop::collection::vec(0..PEOPLE, 0..3),
        matter in 0..AREAS.len(),
    ) {
        let subjects: Vec<PersonId> = subjects.into_iter().map(person).collect();
        let named: Vec<PersonId> = named.into_iter().map(person).collect();
        let found = place(&holders(&roster), &subjects, person(author), &named, &area(matter));
        let everywhere = |home: &AreaCode| {
            let what = What { home, audiences: &[] };
            roster.iter().any(|member| subjects.contains(&member.person) && in_scope(member, &what))
        };
        match found {
            Ok(home) => {
                let audiences: Vec<Audience> =
                    home.audiences.iter().map(|person| Audience::Person(*person)).collect();
                let what = What { home: &home.area, audiences: &audiences };
                for member in &roster {
                    let is_subject = subjects.contains(&member.person);
                    prop_assert!(!(is_subject && in_scope(member, &what)), "{member:?} {home:?}");
                }
                prop_assert!(home.audiences.contains(&person(author)));
                prop_assert!(named.iter().all(|person| home.audiences.contains(person)));
                prop_assert!(home.area.covers(&area(matter)));
            }
            Err(NoPlace::AboutAuthor) => prop_assert!(subjects.contains(&person(author))),
            Err(NoPlace::AboutNamed) => {
                prop_assert!(named.iter().any(|person| subjects.contains(person)));
            }
            // Refused only where a subject has the county in some role or other.
            Err(NoPlace::ReachesAll) => {
                let county = area(0);
                let has_county = |member: &Member| member.areas.contains(&county);
                let reached = roster.iter().any(|member| subjects.contains(&member.person) && has_county(member));
                prop_assert!(reached || everywhere(&county));
            }
        }
    }

    #[test]
    fn an_area_that_is_given_a_ticket_reaches_nobody_it_is_about(
        roster in prop::collection::vec(member(), 0..10),
        subject in 0..PEOPLE,
        to in 0..AREAS.len(),
    ) {
        let subjects = [person(subject)];
        let to = area(to);
        if !reaches(&holders(&roster), &subjects, &to) {
            let far = AreaCode::parse("999999").unwrap();
            let what = What { home: &far, audiences: &[Audience::Area(to)] };
            for member in roster.iter().filter(|member| member.person == person(subject)) {
                prop_assert!(!in_scope(member, &what));
            }
        }
    }
}
