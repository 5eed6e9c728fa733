//! Over random rosters, with people of several devices who stand in for each other: a restricted
//! record never comes to a device of whom it is about, on the day it is made or on any after.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;
use wangge_agent::restricted::holders;
use wangge_model::restricted::{NoPlace, place, reaches};
use wangge_trust::allow::{Action, What, allowed};
use wangge_trust::{KeyPair, Roster};
use wangge_wire::order::LevelForm;
use wangge_wire::{
    AreaCode, Audience, Cover, CoverId, Day, DeviceId, Grant, OrderBody, PersonId, Role,
};

const PEOPLE: u8 = 5;
const DEVICES: u8 = 8;
const TODAY: Day = Day(100);
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

fn areas() -> impl Strategy<Value = Vec<AreaCode>> {
    prop::collection::vec((0..AREAS.len()).prop_map(area), 0..3)
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn device(n: u8) -> KeyPair {
    KeyPair::from_secret(&[n + 1; 32])
}

/// What the root says of its people: who holds a device, who lost one, who stands in for whom.
fn order() -> impl Strategy<Value = OrderBody> {
    let grant = (0..DEVICES, 0..PEOPLE, 0..ROLES.len(), areas());
    let cover = (
        any::<u8>(),
        0..PEOPLE,
        0..PEOPLE,
        areas(),
        80..130_u32,
        0..30_u32,
    );
    prop_oneof![
        6 => grant.prop_map(|(key, who, role, areas)| OrderBody::Grant(Grant {
            device_key: device(key).public(),
            person: person(who),
            name: String::new(),
            role: *ROLES.get(role).unwrap(),
            areas,
            device_number: 1,
            unit: None,
            n: None,
        })),
        1 => (0..DEVICES).prop_map(|key| OrderBody::Revoke {
            device: device(key).public().device(),
            last_good_batch: 0,
            lives: None,
        }),
        4 => cover.prop_map(|(id, absent, substitute, areas, from, days)| {
            OrderBody::Cover(Cover {
                id: CoverId([id; 8]),
                n: 0,
                absent: person(absent),
                substitute: Some(person(substitute)),
                areas,
                from: Day(from),
                until: Day(from + days),
                note: String::new(),
            })
        }),
    ]
}

fn roster() -> impl Strategy<Value = Roster> {
    prop::collection::vec(order(), 0..16).prop_map(|orders| {
        let root = KeyPair::from_secret(&[200; 32]);
        let mut roster = Roster::default();
        let made = OrderBody::Root {
            key: root.public(),
            name: String::new(),
            level: LevelForm::County,
        };
        for body in std::iter::once(made).chain(orders) {
            // An order that does not stand changes nothing; the rest do.
            let _ = roster.take(&root.sign_order(body, roster.last(), 1));
        }
        roster
    })
}

/// Returns whether any device of these people receives what lives there, today or later.
fn receives(roster: &Roster, people: &[PersonId], what: &What<'_>) -> Option<DeviceId> {
    let theirs = roster
        .members()
        .filter(|(_, member)| people.contains(&member.person));
    let reads = |device: &DeviceId| {
        let mut days = (TODAY.0..TODAY.0 + 70).map(Day);
        days.any(|day| allowed(roster, device, Action::Read, what, day).is_allowed())
    };
    theirs.map(|(device, _)| *device).find(reads)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn whom_it_is_about_never_receives_it(
        roster in roster(),
        subjects in prop::collection::vec(0..PEOPLE, 1..3),
        author in 0..PEOPLE,
        named in prop::collection::vec(0..PEOPLE, 0..3),
        matter in 0..AREAS.len(),
    ) {
        let subjects: Vec<PersonId> = subjects.into_iter().map(person).collect();
        let named: Vec<PersonId> = named.into_iter().map(person).collect();
        let known = holders(&roster, TODAY);
        match place(&known, &subjects, person(author), &named, &area(matter)) {
            Ok(home) => {
                let audiences: Vec<Audience> =
                    home.audiences.iter().map(|person| Audience::Person(*person)).collect();
                let what = What { home: &home.area, audiences: &audiences };
                let reader = receives(&roster, &subjects, &what);
                prop_assert!(reader.is_none(), "{reader:?} reads {home:?}");
                prop_assert!(home.audiences.contains(&person(author)));
                prop_assert!(named.iter().all(|person| home.audiences.contains(person)));
                prop_assert!(home.area.covers(&area(matter)));
            }
            Err(NoPlace::AboutAuthor) => prop_assert!(subjects.contains(&person(author))),
            Err(NoPlace::AboutNamed) => {
                prop_assert!(named.iter().any(|person| subjects.contains(person)));
            }
            // Refused only where a subject has the county, of their own or lent.
            Err(NoPlace::ReachesAll) => prop_assert!(known
                .iter()
                .any(|one| subjects.contains(&one.person) && one.areas.contains(&area(0)))),
        }
    }

    #[test]
    fn an_area_that_is_given_a_ticket_reaches_nobody_it_is_about(
        roster in roster(),
        subject in 0..PEOPLE,
        to in 0..AREAS.len(),
    ) {
        let subjects = [person(subject)];
        if !reaches(&holders(&roster, TODAY), &subjects, &area(to)) {
            let far = AreaCode::parse("999999").unwrap();
            let what = What { home: &far, audiences: &[Audience::Area(area(to))] };
            prop_assert!(receives(&roster, &subjects, &what).is_none());
        }
    }
}
