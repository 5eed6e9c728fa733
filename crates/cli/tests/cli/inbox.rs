//! `inbox` as a desk and an author meet it, with a relay that runs.

use crate::world::{GRID, Relay, TOWNSHIP, World};

/// A household of 李梅, whose home was copied with its whole disk; the copy has written too, under the same numbers, and
/// that lies in the inbox. 周文 is at the desk.
fn town() -> (World, Relay) {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("李梅", &add).ok();
    world.at("李梅", &["sync"]).ok();
    let copy = world.path("副本");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(world.path("李梅")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    // As where a whole disk was put back: no file says that it is a copy.
    let life = std::fs::read_to_string(copy.join("life")).unwrap();
    let (life, _born) = life.rsplit_once(' ').unwrap();
    std::fs::write(copy.join("life"), life).unwrap();
    for (home, note) in [("李梅", "在家"), ("副本", "外出")] {
        world
            .at(home, &["household", "edit", "3-12", "--note", note])
            .ok();
    }
    world.at("李梅", &["sync"]).ok();
    world.at("副本", &["sync"]).ends(3);
    world.at("周文", &["sync"]).ok();
    (world, relay)
}

#[test]
fn a_desk_lists_reads_and_discards_and_the_author_is_told_why() {
    let (world, _relay) = town();
    let listed = world.at("周文", &["收件箱", "列表", "--json"]).ok().json();
    let item = &listed[0];
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(item["state"], "open");
    assert_eq!(item["reason"], "equivocation");
    assert_eq!(item["kind"], "household");
    assert_eq!(item["by"]["name"], "李梅");
    assert!(
        !item["title"].as_str().unwrap().contains("张建国"),
        "masked at a desk"
    );
    let id = item["id"].as_str().unwrap();
    let words = world.at("周文", &["inbox", "list"]).ok().stdout;
    assert!(
        words.contains("李梅") && words.contains("等人处理"),
        "{words}"
    );
    let shown = world
        .at("周文", &["inbox", "show", id, "--json"])
        .ok()
        .json();
    assert_eq!(shown["unread"], "equivocation");

    let refused = world.at("周文", &["inbox", "accept", id, "--json"]).ends(4);
    assert_eq!(refused.error()["kind"], "inbox_equivocation");
    world.at("周文", &["inbox", "discard", id]).ends(2);
    let discard = ["inbox", "discard", id, "--reason", "两台设备同号", "--json"];
    let dry = [discard.as_slice(), &["--dry-run"]].concat();
    assert_eq!(world.at("周文", &dry).ends(10).json()["dry_run"], true);
    let done = world.at("周文", &discard).ok().json();
    assert_eq!(
        (&done["state"], &done["changed"]),
        (&"discarded".into(), &true.into())
    );
    let again = world.at("周文", &discard).ok().json();
    assert_eq!(again["changed"], false, "a decision is made once");
    let left = world.at("周文", &["inbox", "list"]).ok().stdout;
    assert!(left.contains("收件箱是空的"), "{left}");
    let settled = world
        .at("周文", &["收件箱", "列表", "--settled"])
        .ok()
        .stdout;
    assert!(
        settled.contains("周文") && settled.contains("两台设备同号"),
        "{settled}"
    );
    let operator = world
        .at("relay", &["relay", "inbox", "--settled", "--json"])
        .ok()
        .json();
    assert_eq!(operator[0]["decision"], "discard");

    world.at("副本", &["sync"]).ok();
    let outbox = world.at("副本", &["outbox", "--json"]).ok().json();
    assert_eq!(outbox[0]["state"], "discarded");
    assert_eq!(outbox[0]["decision"]["by"]["name"], "周文");
    let words = world.at("副本", &["outbox"]).ok().stdout;
    assert!(
        words.contains("周文") && words.contains("两台设备同号"),
        "{words}"
    );
    let status = world.at("副本", &["status", "--json"]).ok().json();
    assert_eq!(status["unsent"]["discarded"], 1);
    assert_eq!(status["counts"]["unsent"], 0);
    let receipts = world.at("副本", &["receipts", "3-12"]).ok().stdout;
    assert!(receipts.contains("两台设备同号"), "{receipts}");
}

#[test]
fn what_lies_in_an_inbox_sends_nobody_to_sync_again() {
    let (world, _relay) = town();
    for args in [&["receipts", "3-12"][..], &["status"]] {
        let said = world.at("副本", args).ok().stdout;
        assert!(said.contains("等工作台决定"), "{said}");
        assert!(!world.bare("副本", &said).contains("wangge 同步"), "{said}");
    }
    let status = world.at("副本", &["status", "--json"]).ok().json();
    assert_eq!(status["next"], "wangge outbox");
}

#[test]
fn without_a_desk_an_item_or_a_link_nothing_is_decided() {
    let (world, relay) = town();
    let refused = world.at("李梅", &["inbox", "list", "--json"]).ends(4);
    assert_eq!(refused.error()["kind"], "not_your_role");
    let missing = world
        .at("周文", &["inbox", "show", "00000000", "--json"])
        .ends(1);
    assert_eq!(missing.error()["kind"], "not_found");
    assert_eq!(missing.error()["hint"], "wangge inbox list");
    let listed = world.at("周文", &["inbox", "list", "--json"]).ok().json();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(Relay::end(relay, "-TERM"), Some(0));
    let discard = ["inbox", "discard", &id, "--reason", "重复", "--json"];
    let error = world.at("周文", &discard).ends(5).error();
    assert_eq!(error["kind"], "no_link");
    let outbox = world.at("周文", &["outbox", "--json"]).ok().json();
    assert_eq!(outbox.as_array().unwrap().len(), 0, "nothing was begun");
}
