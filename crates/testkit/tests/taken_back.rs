//! What one person takes back and another one added: who adds is heard.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use wangge_agent::Replica;
use wangge_agent::households::MemberInput;
use wangge_agent::inbox::Settle;
use wangge_testkit::district::{sync, wait};
use wangge_testkit::town::Town;
use wangge_testkit::work::family;
use wangge_wire::Role;

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

fn households(replica: &Replica) -> u64 {
    replica.store().counts().unwrap().households
}

#[test]
fn what_a_colleague_took_back_stays_where_somebody_else_added_it() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_1]);
    family(&mut li, "1-1");
    li.undo(false).unwrap();
    assert_eq!(households(&li), 0);
    family(&mut wang, "1-1");
    for _ in 0..2 {
        for replica in [&mut li, &mut wang, &mut desk] {
            sync(replica).unwrap();
        }
    }
    for replica in [&li, &wang, &desk] {
        assert_eq!(households(replica), 1);
        assert!(replica.conflicts().unwrap().is_empty(), "adding is heard");
    }
}

#[test]
fn a_family_of_another_grid_that_was_taken_back_there_is_not_hidden_once_a_desk_accepts_it() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_2]);
    family(&mut li, "1-1");
    li.undo(false).unwrap();
    sync(&mut li).unwrap();
    family(&mut wang, "1-1");
    sync(&mut wang).unwrap();
    sync(&mut desk).unwrap();
    let items = wait(desk.inbox(false)).unwrap();
    assert!(!items.is_empty());
    for item in items {
        // What follows one that was accepted is in already.
        wait(desk.inbox_settle(&item.id, &Settle::Accept, false)).unwrap();
    }
    for _ in 0..2 {
        for replica in [&mut li, &mut wang, &mut desk] {
            sync(replica).unwrap();
        }
    }
    for replica in [&wang, &desk] {
        assert_eq!(households(replica), 1);
        let fields = replica.conflicts().unwrap();
        let fields: Vec<_> = fields.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            ["area"],
            "which grid it is in is for somebody to say"
        );
    }
    assert!(li.status().unwrap().handed_over.is_empty(), "she had none");
}

#[test]
fn a_member_that_two_people_added_apart_stays_when_one_of_them_takes_it_back() {
    let town = Town::new();
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_1]);
    family(&mut li, "1-1");
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    let child = || MemberInput {
        name: "张小宝".into(),
        relation: Some("儿子".into()),
        ..MemberInput::default()
    };
    let home = li.name_household("1-1").unwrap();
    for replica in [&mut li, &mut wang] {
        replica.add_member(&home, child(), false).unwrap();
    }
    li.undo(false).unwrap();
    for _ in 0..2 {
        for replica in [&mut li, &mut wang] {
            sync(replica).unwrap();
        }
    }
    for replica in [&li, &wang] {
        let members = replica.household(&home).unwrap().household.members;
        assert_eq!(members.len(), 2, "{members:?}");
    }
}
