//! Families registered twice, at the command line: found, merged, taken apart, told apart, moved.

use crate::world::{GRID, OTHER_GRID, TOWNSHIP, World};

/// Adds the same family behind two doors; returns the ids, the survivor first.
fn twins(world: &World, home: &str) -> [String; 2] {
    let mut ids = ["3-12", "3-14"].map(|door| {
        let add = [
            "household",
            "add",
            "曾小红",
            "--door",
            door,
            "--phone",
            "13800000001",
            "--grid",
            GRID,
            "--json",
        ];
        let added = world.at(home, &add).ok().json();
        added["id"].as_str().unwrap().to_owned()
    });
    ids.sort();
    ids
}

#[test]
fn a_pair_is_found_merged_and_taken_apart_again() {
    let world = World::new();
    world.home("li");
    let [survivor, alias] = twins(&world, "li");
    let found = world
        .at("li", &["household", "duplicates", "--json"])
        .ok()
        .json();
    assert_eq!(found[0]["reasons"], serde_json::json!(["phone"]));
    assert_eq!(found[0]["a"]["id"], survivor.as_str());
    assert!(!found.to_string().contains("13800000001"));
    let shown = world.at("li", &["住户", "查重"]).ok().stdout;
    assert!(
        shown.contains("电话相同") && shown.contains("合并"),
        "{shown}"
    );

    let merge = ["household", "merge", &survivor, &alias];
    let dry = world
        .at("li", &[&merge[..], &["--dry-run"]].concat())
        .ends(10);
    assert!(dry.stdout.contains("门牌"), "{}", dry.stdout);
    let merged = world
        .at("li", &[&merge[..], &["--json"]].concat())
        .ok()
        .json();
    assert_eq!(merged["id"], survivor.as_str());
    assert_eq!(merged["other_values"][0]["field"], "door");
    let again = world.at("li", &merge).ok().stdout;
    assert!(again.contains("早已"), "{again}");

    let list = world.at("li", &["household", "list", "--json"]).ok().json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["also"][0], alias.as_str());
    let shown = world.at("li", &["household", "show", &alias]).ok().stdout;
    assert!(
        shown.contains("另记门牌") && shown.contains(&survivor),
        "{shown}"
    );

    world.at("li", &["household", "unmerge", &alias]).ok();
    let list = world.at("li", &["household", "list", "--json"]).ok().json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let found = world
        .at("li", &["household", "duplicates", "--json"])
        .ok()
        .json();
    assert_eq!(found.as_array().unwrap().len(), 0);
    world.at("li", &["household", "unmerge", &alias]).ends(1);
}

#[test]
fn two_families_are_told_apart_once() {
    let world = World::new();
    world.home("li");
    let [one, other] = twins(&world, "li");
    let distinct = ["household", "distinct", &one, &other, "--json"];
    assert_eq!(world.at("li", &distinct).ok().json()["changed"], true);
    assert_eq!(world.at("li", &distinct).ok().json()["changed"], false);
    world
        .at("li", &["household", "distinct", &one, &one])
        .ends(2);
    let found = world.at("li", &["household", "duplicates"]).ok().stdout;
    assert!(found.contains("没有发现"), "{found}");
}

#[test]
fn a_desk_moves_a_household_and_a_worker_asks_the_desk() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "desk", "township", &[TOWNSHIP]);
    world.enroll(&relay, "li", "worker", &[GRID, OTHER_GRID]);
    let [one, _] = twins(&world, "li");
    let moving = ["household", "move", &one, "--to", OTHER_GRID, "--json"];
    let refused = world.at("li", &moving).ends(4);
    assert_eq!(refused.error()["kind"], "not_your_role");
    world.at("li", &["sync"]).ok();
    world.at("desk", &["sync"]).ok();
    let dry = world
        .at("desk", &[&moving[..], &["--dry-run"]].concat())
        .ends(10);
    assert_eq!(dry.json()["from"], GRID);
    assert_eq!(world.at("desk", &moving).ok().json()["to"], OTHER_GRID);
    assert_eq!(world.at("desk", &moving).ok().json()["changed"], false);
    world.at("desk", &["sync"]).ok();
    world.at("li", &["sync"]).ok();
    let rows = world
        .at("li", &["household", "list", "--area", OTHER_GRID, "--json"])
        .ok()
        .json();
    assert_eq!(rows[0]["id"], one.as_str());
}

#[test]
fn families_without_a_door_are_offered_by_their_heads_name() {
    let world = World::new();
    world.home("d");
    world.at("d", &["household", "add", "仇和"]).ok();
    world
        .at("d", &["household", "add", "仇和", "--door", "1-2"])
        .ok();
    world
        .at("d", &["household", "add", "解明", "--door", "1-3"])
        .ok();
    let pairs = world
        .at("d", &["household", "duplicates", "--json"])
        .ok()
        .json();
    assert_eq!(pairs.as_array().unwrap().len(), 1);
    assert_eq!(pairs[0]["reasons"][0], "name_without_door");
}
