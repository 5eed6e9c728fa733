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

#[test]
fn words_of_lists_and_slips_are_taken_as_they_are_printed() {
    let world = World::new();
    world.home_with_households("d");
    let open = ["ticket", "open", "zjg", "修路灯", "--json"];
    let ticket = world.at("d", &open).ok().json();
    let code = ticket["code"].as_str().unwrap();
    for word in ["已提交", "submitted"] {
        let said = world.at("d", &["工单", "列表", "--status", word]).ok();
        assert!(said.stdout.contains(code), "{}", said.stdout);
    }
    let said = world.at("d", &["工单", "列表", "--status", "x"]).ends(2);
    assert!(
        said.stderr.contains("已受理") && !said.stderr.contains("accepted"),
        "{}",
        said.stderr
    );
    for word in ["居民", "resident"] {
        let said = world.at("d", &["ticket", "slip", code, "--for", word]).ok();
        assert!(said.stdout.contains("居民回执"), "{}", said.stdout);
    }
    let said = world
        .at("d", &["ticket", "slip", code, "--for", "x"])
        .ends(2);
    assert!(said.stderr.contains("办理人、居民"), "{}", said.stderr);
}

#[test]
fn small_slips_are_answered_as_they_are() {
    let world = World::new();
    world.home_with_households("d");
    let said = world.at("d", &["household", "merge", "zjg", "3-12"]).ok();
    assert!(said.stdout.contains("同一户"), "{}", said.stdout);
    let many = ["report", "zjg", "停水", "--affected", "99999999999999"];
    world.at("d", &many).ends(2);
    let said = world.at("d", &["household", "edit", "zjg"]).ends(2).stderr;
    assert!(said.contains("没有改动"), "{said}");
    let photo = world.write("x.pdf", "%PDF-1.4\n%%EOF\n");
    let said = world.at("d", &["attach", &photo, "--to", "zzz"]).ends(1);
    assert!(!said.stderr.contains("住户 列表"), "{}", said.stderr);
    for args in [
        &["visit", "zjg", "好", "--for", "xx"][..],
        &["report", "zjg", "停水", "--category", "xx"],
    ] {
        let said = world.at("d", args).ends(2).stderr;
        assert!(!said.contains("fixtures"), "{said}");
    }
}

#[test]
fn an_undo_of_many_says_what_it_is_and_shows_a_few() {
    let world = World::new();
    world.home("d");
    let mut sheet = "户主姓名,门牌号\n".to_owned();
    for door in 1..=30 {
        sheet.push_str(&format!("周文{door},5-{door}\n"));
    }
    let file = world.write("roster.csv", sheet);
    world.at("d", &["household", "import", &file]).ok();
    let said = world.at("d", &["undo", "--dry-run"]).ends(10).stdout;
    assert!(said.lines().count() < 16, "{said}");
    assert!(said.contains("住户 30") && said.contains("还有"), "{said}");
    let all = world.at("d", &["undo", "--dry-run", "--json"]).ends(10);
    assert!(all.json()["taken_back"].as_array().unwrap().len() >= 30);
}
