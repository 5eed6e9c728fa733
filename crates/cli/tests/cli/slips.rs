//! A slip of the hand is refused and nothing is saved: days to come, empty visits, words that contradict.

use crate::world::World;

#[test]
fn a_day_to_come_is_saved_nowhere() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &["report", "zjg", "水管爆", "--on", "2030-01-01"][..],
        &["round", "open", "--on", "2030-01-01"],
        &["visit", "zjg", "好", "--on", "2030-01-01"],
    ] {
        let out = world.at("d", args).ends(2);
        assert!(out.stderr.contains("最晚明天"), "{args:?}: {}", out.stderr);
    }
    let far = world
        .at("d", &["visit", "zjg", "好", "@2099-01-01"])
        .ends(2);
    assert!(far.stderr.contains("应为两年以内的日期"), "{}", far.stderr);
    for list in ["report", "round", "visit"] {
        let said = world.at("d", &[list, "list", "--json"]).ok().stdout;
        assert_eq!(said.trim(), "[]", "{list}");
    }
    world
        .at("d", &["report", "zjg", "水管爆", "--on", "昨天"])
        .ok();
    world.at("d", &["visit", "zjg", "头晕", "@明天"]).ok();
}

#[test]
fn a_visit_that_says_nothing_or_two_things_is_not_saved() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &["visit", "zjg", ""][..],
        &["visit", "zjg", " ", "--note", ""],
        &["visit", "zjg", "上门", "电话"],
        &["visit", "zjg", "家属", "无人"],
        &["visit", "zjg", "头晕", "@周五", "@周六"],
    ] {
        let out = world.at("d", args).ends(2);
        assert!(out.stderr.contains("没有记"), "{args:?}: {}", out.stderr);
    }
    let said = world
        .at("d", &["visit", "zjg", "好", "无人"])
        .ends(2)
        .stderr;
    assert!(said.contains("无人") && !said.contains("nobody"), "{said}");
    let list = world.at("d", &["visit", "list", "--json"]).ok().stdout;
    assert_eq!(list.trim(), "[]");
    // The same word twice says it once.
    world.at("d", &["visit", "zjg", "上门", "入户", "好"]).ok();
}

#[test]
fn a_tag_that_is_not_there_is_named_in_the_readers_language() {
    let world = World::new();
    world.home_with_households("d");
    let end = ["care", "end", "zjg", "1", "独居老人"];
    let said = world.at("d", &end).ends(2).stderr;
    assert!(
        said.contains("「独居老人」") && said.contains("没有这个关爱类别"),
        "{said}"
    );
    assert!(!said.contains("living_alone"), "{said}");
}
