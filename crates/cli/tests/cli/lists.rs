//! Lists say how many of how many they show, and what sets a row apart.

use crate::world::{GRID, TOWNSHIP, World};

fn street(world: &World, houses: usize) {
    let rows: Vec<String> = (1..=houses)
        .map(|door| format!(r#"{{"door":"1-{door}","members":[{{"name":"万家{door}"}}]}}"#))
        .collect();
    let file = world.write("street.jsonl", rows.join("\n"));
    world.at("d", &["household", "add", "--from", &file]).ok();
}

#[test]
fn a_search_that_shows_a_part_does_not_call_it_all() {
    let world = World::new();
    world.home("d");
    street(&world, 30);
    let found = world.at("d", &["household", "find", "万家"]).ok().stdout;
    assert!(
        found.contains("前 20 户") && !found.contains("共"),
        "{found}"
    );
    let found = world
        .at("d", &["household", "find", "万家", "--limit", "30"])
        .ok()
        .stdout;
    assert!(found.contains("共 30 户"), "{found}");
    let found = world
        .at("d", &["household", "find", "万家", "--lang", "en"])
        .ok()
        .stdout;
    assert!(found.contains("there are more"), "{found}");
    let group = world.at("d", &["household", "find", "1组"]).ok().stdout;
    assert!(
        group.contains("共 30 户"),
        "a group is listed whole: {group}"
    );
    world.at("d", &["household", "find", "没有这家"]).ends(1);
}

#[test]
fn an_empty_page_of_a_list_says_how_many_there_are() {
    let world = World::new();
    world.home("d");
    let list = |args: &[&str]| world.at("d", &[&["household", "list"], args].concat());
    assert!(list(&[]).ok().stdout.contains("没有住户。"));
    street(&world, 3);
    for args in [&["--page", "99"][..], &["--limit", "0"], &["--offset", "3"]] {
        let page = list(args).ok().stdout;
        assert!(page.contains("一共有 3 户"), "{args:?} {page}");
    }
    assert!(list(&["--page", "0"]).ends(2).stderr.contains("--page"));
}
