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

#[test]
fn a_desk_reads_no_door_where_it_reads_who_is_due() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    let family =
        r#"{"door":"1-39","members":[{"name":"甲","birth":"1940-01","care":["独居老人"]}]}"#;
    let file = world.write("family.jsonl", family);
    world
        .at("李梅", &["household", "add", "--from", &file])
        .ok();
    world.at("李梅", &["sync"]).ok();
    world.at("周文", &["sync"]).ok();
    let due = world.at("李梅", &["visit", "due", "--json"]).ok().json();
    assert_eq!(due["rows"][0]["door"], "1-39", "{due}");
    for command in [&["visit", "due"][..], &["today"], &["today", "print"]] {
        for form in ["--json", "--lang=zh"] {
            let shown = world.at("周文", &[command, &[form]].concat()).ok().stdout;
            let says_group = shown.contains("1组") || shown.contains("\"group\": 1");
            assert!(says_group, "{command:?} {form} {shown}");
            for hidden in ["1-39", "甲"] {
                assert!(!shown.contains(hidden), "{hidden} {command:?} {shown}");
            }
        }
    }
}

#[test]
fn a_number_of_a_history_is_masked_and_the_area_is_read_by_the_desk() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    let add = ["household", "add", "万建国", "--door", "1-39", "--json"];
    let added = world.at("李梅", &add).ok().json();
    let id = added["id"].as_str().unwrap();
    let contact = ["household", "contact", "add", id, "13700002222"];
    world.at("李梅", &contact).ok();
    world.at("李梅", &["sync"]).ok();
    world.at("周文", &["sync"]).ok();
    let history = ["household", "show", id, "--history"];
    let own = world.at("李梅", &history).ok().stdout;
    assert!(own.contains("137****2222"), "{own}");
    let desk = world.at("周文", &history).ok().stdout;
    for shown in [own, desk] {
        assert!(!shown.contains("13700002222"), "{shown}");
        assert!(!shown.contains("********"), "{shown}");
    }
}

#[test]
fn a_restricted_report_is_marked_in_the_list() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let words = ["report", "邻居被老公打了", "--area", GRID];
    for text in ["邻居被老公打了", "老公打老婆", "孩子被打"] {
        let hint = world.at("李梅", &["report", text, "--area", GRID]).ends(4);
        assert!(hint.stderr.contains("--restricted"), "{}", hint.stderr);
    }
    world
        .at("李梅", &[&words[..], &["--restricted"]].concat())
        .ok();
    world.at("李梅", &["report", "水管爆", "--area", GRID]).ok();
    let list = world.at("李梅", &["report", "list"]).ok().stdout;
    let marked = list.lines().filter(|line| line.contains("限制知悉"));
    let marked: Vec<&str> = marked.collect();
    assert!(
        marked.len() == 1 && marked[0].contains("被老公打"),
        "{list}"
    );
}
