//! Whose word counts, and how far: every order past a signer's reach changes nothing.

use wangge_wire::order::LevelForm;
use wangge_wire::{ChangeHash, CoverId, DocId, Unit};

use super::*;
use crate::allow::{Action, What, allowed};
use crate::key::KeyPair;
use wangge_wire::Audience;

const DAY: Day = Day(20_000);

fn key(seed: u8) -> KeyPair {
    KeyPair::from_secret(&[seed; 32])
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn signed(by: &KeyPair, body: OrderBody) -> Order {
    by.sign_order(body, ChangeHash([0; 32]), 1)
}

fn root(of: &KeyPair, level: LevelForm) -> Order {
    let (key, name) = (of.public(), "渠县".to_owned());
    signed(of, OrderBody::Root { key, name, level })
}

fn below(of: &KeyPair, level: LevelForm, areas: &[&str]) -> OrderBody {
    OrderBody::Below(RelayBelow {
        key: of.public(),
        name: "站".into(),
        level,
        areas: areas.iter().map(|code| area(code)).collect(),
        numbers: None,
    })
}

fn above(of: &KeyPair, level: LevelForm) -> OrderBody {
    OrderBody::Above(RelayAbove {
        key: of.public(),
        name: "上级".into(),
        level,
        url: String::new(),
    })
}

fn grant(device: &KeyPair, person: u8, areas: &[&str]) -> Grant {
    Grant {
        device_key: device.public(),
        person: PersonId([person; 16]),
        name: "李梅".into(),
        role: Role::Worker,
        areas: areas.iter().map(|code| area(code)).collect(),
        device_number: 1,
        unit: None,
        n: None,
    }
}

/// County, township 511724103 below it, village 511724103202 below that, as the county knows them.
fn county() -> (Roster, KeyPair, KeyPair, KeyPair) {
    let (county, town, village) = (key(1), key(2), key(3));
    let mut roster = Roster::default();
    roster.take_some(&root(&county, LevelForm::County)).unwrap();
    let order = signed(&county, below(&town, LevelForm::Township, &["511724103"]));
    roster.take_some(&order).unwrap();
    let order = signed(
        &town,
        below(&village, LevelForm::Village, &["511724103202"]),
    );
    roster.take_some(&order).unwrap();
    (roster, county, town, village)
}

#[test]
fn a_village_relays_grant_counts_at_the_county_within_its_village() {
    let (mut roster, _, _, village) = county();
    let inside = grant(&key(9), 9, &["511724103202001"]);
    roster
        .take_some(&signed(&village, OrderBody::Grant(inside)))
        .unwrap();
    assert!(roster.member(&key(9).public().device()).is_some());
    let outside = grant(&key(10), 10, &["511724103203001"]);
    let refused = roster.take_some(&signed(&village, OrderBody::Grant(outside)));
    assert_eq!(refused, Err(BadOrder::Reach));
}

#[test]
fn nobody_takes_over_somebody_elses_person_or_device() {
    let (mut roster, county, _, village) = county();
    let desk = grant(&key(9), 9, &["511724"]);
    roster
        .take_some(&signed(&county, OrderBody::Grant(desk)))
        .unwrap();
    // A second device of the county's person would be sent whatever names that person.
    let stolen = grant(&key(10), 9, &["511724103202001"]);
    let taken = roster.take_some(&signed(&village, OrderBody::Grant(stolen)));
    assert_eq!(taken, Err(BadOrder::Reach));
    let device = grant(&key(9), 11, &["511724103202001"]);
    let taken = roster.take_some(&signed(&village, OrderBody::Grant(device)));
    assert_eq!(taken, Err(BadOrder::Reach));
    let revoke = OrderBody::Revoke {
        device: key(9).public().device(),
        last_good_batch: 0,
        lives: None,
    };
    let taken = roster.take_some(&signed(&village, revoke));
    assert_eq!(taken, Err(BadOrder::Reach));
}

#[test]
fn no_relay_orders_past_its_areas_its_level_or_itself() {
    let (mut roster, _, town, village) = county();
    let cover = Cover {
        id: CoverId([1; 8]),
        n: 0,
        absent: PersonId([1; 16]),
        substitute: None,
        areas: vec![area("511724103203001")],
        from: DAY,
        until: DAY,
        note: String::new(),
    };
    let unit = Unit {
        id: DocId([1; 16]),
        n: 0,
        name: "水务站".into(),
        area: area("511724103"),
        phone: String::new(),
        closed: false,
    };
    for (by, body) in [
        (&village, OrderBody::Cover(cover)),
        (&village, OrderBody::Unit(unit)),
        (
            &village,
            below(&key(8), LevelForm::Village, &["511724103202"]),
        ),
        (&town, below(&key(8), LevelForm::Village, &["511724104201"])),
        (&town, below(&key(1), LevelForm::Village, &["511724103202"])),
        (&village, above(&key(8), LevelForm::County)),
        (&town, above(&key(8), LevelForm::County)),
    ] {
        let taken = roster.take_some(&signed(by, body.clone()));
        assert_eq!(taken, Err(BadOrder::Reach), "{body:?}");
    }
    let stranger = signed(
        &key(8),
        below(&key(7), LevelForm::Village, &["511724103202"]),
    );
    assert_eq!(roster.take_some(&stranger), Err(BadOrder::UnknownRelay));
}

#[test]
fn whoever_pinned_the_village_trusts_what_is_above_by_its_word_alone() {
    let (county, town, village) = (key(1), key(2), key(3));
    let mut roster = Roster::default();
    roster
        .take_some(&root(&village, LevelForm::Village))
        .unwrap();
    let from_county = signed(&county, OrderBody::Grant(grant(&key(9), 9, &["511724"])));
    assert_eq!(roster.take_some(&from_county), Err(BadOrder::UnknownRelay));
    for order in [
        signed(&village, above(&town, LevelForm::Township)),
        signed(&town, above(&county, LevelForm::County)),
        signed(
            &town,
            below(&village, LevelForm::Village, &["511724103202"]),
        ),
        from_county,
    ] {
        roster.take_some(&order).unwrap();
    }
    let levels: Vec<Level> = roster.path_up().iter().map(|(_, r)| r.level).collect();
    assert_eq!(levels, [Level::Village, Level::Township, Level::County]);
    // What is above says which areas are the village's; to its own devices its word counts as before.
    let odd = signed(
        &village,
        OrderBody::Grant(grant(&key(10), 10, &["511724104"])),
    );
    assert_eq!(roster.take_some(&odd), Ok(()));
}

#[test]
fn a_revoked_relay_orders_nothing_and_is_no_member() {
    let (mut roster, county, _, village) = county();
    let device = DeviceId(village.public().relay().0);
    assert!(roster.member(&device).is_some());
    let revoke = OrderBody::Revoke {
        device,
        last_good_batch: 0,
        lives: None,
    };
    roster.take_some(&signed(&county, revoke)).unwrap();
    assert!(roster.member(&device).is_none());
    let late = signed(
        &village,
        OrderBody::Grant(grant(&key(9), 9, &["511724103202001"])),
    );
    assert_eq!(roster.take_some(&late), Err(BadOrder::UnknownRelay));
}

#[test]
fn a_relay_reads_its_areas_and_what_names_its_people_and_writes_nothing() {
    let (mut roster, _, _, village) = county();
    let relay = DeviceId(village.public().relay().0);
    let li = grant(&key(9), 9, &["511724103202001"]);
    roster
        .take_some(&signed(&village, OrderBody::Grant(li)))
        .unwrap();
    let (own, other) = (area("511724103202001"), area("511724104201001"));
    let named = [Audience::Person(PersonId([9; 16]))];
    let stranger = [Audience::Person(PersonId([8; 16]))];
    let may = |home: &AreaCode, audiences: &[Audience], action| {
        let what = What { home, audiences };
        allowed(&roster, &relay, action, &what, DAY).is_allowed()
    };
    assert!(may(&own, &[], Action::Read));
    assert!(!may(&other, &[], Action::Read));
    assert!(may(&other, &named, Action::Read));
    assert!(!may(&other, &stranger, Action::Read));
    for action in [
        Action::Write,
        Action::PlaceNew,
        Action::PlaceAgain,
        Action::Administer,
    ] {
        assert!(!may(&own, &[], action), "{action:?}");
    }
}

#[test]
fn a_relay_reads_for_whoever_stands_in_below_it() {
    let (mut roster, _, town, village) = county();
    let relay = DeviceId(village.public().relay().0);
    let li = grant(&key(9), 9, &["511724103202001"]);
    let wang = grant(&key(10), 10, &["511724103203001"]);
    let cover = Cover {
        id: CoverId([1; 8]),
        n: 0,
        absent: wang.person,
        substitute: Some(li.person),
        areas: wang.areas.clone(),
        from: DAY,
        until: DAY,
        note: String::new(),
    };
    let lent = wang.areas[0].clone();
    let reads = |roster: &Roster, day| {
        let what = What {
            home: &lent,
            audiences: &[],
        };
        allowed(roster, &relay, Action::Read, &what, day).is_allowed()
    };
    for (by, body) in [
        (&village, OrderBody::Grant(li)),
        (&town, OrderBody::Grant(wang)),
        (&town, OrderBody::Cover(cover)),
    ] {
        assert!(!reads(&roster, DAY));
        roster.take_some(&signed(by, body)).unwrap();
    }
    assert!(reads(&roster, DAY));
    assert!(!reads(&roster, Day(DAY.0 + 1)));
}
