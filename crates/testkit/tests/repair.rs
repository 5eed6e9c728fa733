//! A relay that lost what it had, and a device that missed what was sent: both are whole again after
//! one sync, whoever wrote what was missing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::inbox::Settle;
use wangge_agent::{Machine, Replica};
use wangge_testkit::device::card;
use wangge_testkit::district::{District, Yesterday, sync, wait};
use wangge_testkit::sealed::store_of;
use wangge_testkit::work::{family, is_whole, visit, visits};
use wangge_wire::Role;

const VILLAGE: &str = "511724103202";
const GRID: &str = "511724103202001";

#[test]
fn a_relay_put_back_behind_our_back_gets_back_what_it_lost() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let yesterday = Yesterday::keep(&mut district);
    for _ in 0..25 {
        visit(&mut li, "3-12");
    }
    family(&mut li, "3-13");
    assert!(is_whole(&sync(&mut li).unwrap()));
    assert!(li.status().unwrap().all_safe);

    yesterday.return_to(&mut district);
    let report = sync(&mut li).unwrap();
    assert!(is_whole(&report), "{report:?}");
    let repair = report.repair.unwrap();
    assert_eq!((repair.given_back, repair.fetched), (26, 0), "{repair:?}");
    assert!(is_whole(&sync(&mut desk).unwrap()));
    assert_eq!(
        (visits(&desk), desk.store().counts().unwrap().households),
        (25, 2)
    );
    assert!(sync(&mut li).unwrap().repair.is_none(), "once is enough");
}

#[test]
fn a_relay_that_has_grown_past_where_we_stood_is_noticed_all_the_same() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let yesterday = Yesterday::keep(&mut district);
    for _ in 0..5 {
        visit(&mut li, "3-12");
    }
    sync(&mut li).unwrap();
    yesterday.return_to(&mut district);
    sync(&mut wang).unwrap();
    for _ in 0..30 {
        visit(&mut wang, "3-12");
    }
    sync(&mut wang).unwrap();

    let report = sync(&mut li).unwrap();
    assert!(is_whole(&report), "{report:?}");
    assert_eq!(visits(&li), 35);
    assert!(is_whole(&sync(&mut wang).unwrap()));
    assert_eq!(visits(&wang), 35);
}

#[test]
fn a_device_gives_back_what_a_relay_lost_before_it_lets_go_of_it() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut zhou = district.home("周强", Role::Worker, &["511724103202002"]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    for replica in [&mut li, &mut zhou, &mut desk] {
        sync(replica).unwrap();
    }
    let yesterday = Yesterday::keep(&mut district);
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    assert!(li.status().unwrap().all_safe);
    // The relay loses the visit, which nobody else has fetched, and li loses the grid.
    yesterday.return_to(&mut district);
    wait(desk.hand_over("李梅", "周强", &[GRID.to_owned()], false)).unwrap();
    sync(&mut zhou).unwrap();
    assert_eq!(visits(&zhou), 0);
    for _ in 0..4 {
        sync(&mut li).unwrap();
    }
    assert_eq!(li.store().counts().unwrap().households, 0, "it let go");
    sync(&mut zhou).unwrap();
    assert_eq!(visits(&zhou), 1, "of what the relay has again");
    assert!(is_whole(&sync(&mut zhou).unwrap()));
}

#[test]
fn what_a_lost_phone_wrote_comes_back_from_a_colleague() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    sync(&mut desk).unwrap();
    let yesterday = Yesterday::keep(&mut district);
    family(&mut li, "3-12");
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    drop(li);

    yesterday.return_to(&mut district);
    let report = sync(&mut desk).unwrap();
    assert!(is_whole(&report), "{report:?}");
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    assert!(is_whole(&sync(&mut wang).unwrap()));
    assert_eq!(visits(&wang), 1);
    let written = &wang.visits(None, 1).unwrap()[0];
    assert_eq!(written.by.name, "李梅", "still as its author signed it");
}

#[test]
fn until_it_has_a_new_receipt_what_was_lost_is_unsent_again() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let relay = card(district.address()).key.relay();
    let names = li.store().changes_in(&wangge_wire::Audience::Area(
        wangge_wire::AreaCode::parse(GRID).unwrap(),
    ));
    let folder = district.path().join("李梅");
    drop(li);
    {
        let mut store = store_of(&folder);
        let (batches, _) = store.give_back(&relay, &names.unwrap()).unwrap();
        assert_eq!(batches.len(), 1);
    }
    let mut li = Replica::open(&folder, Machine::default()).unwrap();
    assert!(!li.status().unwrap().all_safe);
    district.stop();
    assert!(sync(&mut li).is_err());
    assert!(!li.status().unwrap().all_safe);
    district.start();
    assert!(is_whole(&sync(&mut li).unwrap()));
    assert!(li.status().unwrap().all_safe);
}

#[test]
fn a_device_that_missed_pages_fetches_exactly_what_it_lacks() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    for door in 1..=8 {
        family(&mut li, &format!("3-{door}"));
        visit(&mut li, &format!("3-{door}"));
    }
    sync(&mut li).unwrap();
    let relay = card(district.address()).key.relay();
    let cursor = li.store().relay(&relay).unwrap().cursor.unwrap();
    let folder = district.path().join("陈站长");
    drop(desk);
    // As if pages had been passed over.
    store_of(&folder).move_cursor(&cursor).unwrap();
    let mut desk = Replica::open(&folder, Machine::default()).unwrap();
    let report = sync(&mut desk).unwrap();
    assert!(is_whole(&report), "{report:?}");
    let repair = report.repair.unwrap();
    assert_eq!(repair.given_back, 0);
    assert!(repair.fetched >= 16, "{repair:?}");
    assert_eq!(visits(&desk), 8);
    assert_eq!(desk.store().counts().unwrap().households, 8);
}

#[test]
fn what_a_relay_takes_back_without_a_number_is_given_back_once() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    let yesterday = Yesterday::keep(&mut district);
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    // The relay loses the visit, and what its author sends counts no more before it is given back.
    yesterday.return_to(&mut district);
    let now_ms = desk.now_ms();
    let relay = district.relay();
    relay.revoke(&li.device(), 1, now_ms).unwrap();

    let first = sync(&mut desk).unwrap().repair.unwrap();
    assert_eq!(first.given_back, 1);
    assert_eq!(relay.inbox().unwrap().len(), 1);
    let then = sync(&mut desk).unwrap();
    assert!(then.repair.is_none() && is_whole(&then), "{then:?}");
    let inbox = wait(desk.inbox(false)).unwrap();
    wait(desk.inbox_settle(&inbox[0].id, &Settle::Accept, false)).unwrap();
    let then = sync(&mut desk).unwrap();
    assert!(then.repair.is_none() && is_whole(&then), "{then:?}");
    assert_eq!(visits(&desk), 1);
}

#[test]
fn what_a_colleague_wrote_whom_a_relay_has_forgotten_stays_here_and_is_said_to() {
    let mut district = District::new();
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    sync(&mut wang).unwrap();
    let before = Yesterday::keep(&mut district);
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    before.return_to(&mut district);
    for _ in 0..2 {
        let repair = sync(&mut wang).unwrap().repair.unwrap();
        assert_eq!((repair.given_back, repair.unproven), (0, 2));
        assert_eq!(visits(&wang), 1, "it is kept");
    }
}
