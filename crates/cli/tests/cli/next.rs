//! The next command that is told can be run as it is told: it records nothing that was not meant, in the
//! same home, of the household that was named.

use crate::world::{GRID, Out, World};

/// Returns the line of the next command.
#[track_caller]
fn next(out: &Out) -> String {
    let line = out.stderr.lines().find(|line| line.starts_with("下一步："));
    line.unwrap_or_else(|| panic!("{}", out.stderr)).to_owned()
}

#[test]
fn a_hint_after_a_slip_records_nothing_when_it_is_run() {
    let world = World::new();
    world.home_with_households("d");
    for (args, wanted) in [
        (&["走访", "zjg", "好", "@昨天"][..], "帮助 走访"),
        (&["走访", "zjg", "好", "@13-45"], "帮助 走访"),
        (&["走访", "zjg", "好", "@"], "帮助 走访"),
        (&["走访", "zjg", "好", "+不存在"], "帮助 走访"),
        (&["走访", "zjg", "好", "--on", "abc"], "帮助 走访"),
        (&["走访", "3-12"], "帮助 走访"),
        (&["上报"], "帮助 上报"),
        (&["上报", "zjg", "水管爆", "--on", "abc"], "帮助 上报"),
        (&["今天", "--on", "abc"], "帮助 今天"),
        (&["今天", "录入", "好"], "帮助 今天 录入"),
        (&["工单", "新建"], "帮助 工单 新建"),
        (&["巡查", "开始", "--on", "abc"], "帮助 巡查 开始"),
    ] {
        let out = world.at("d", args);
        if out.stderr.contains("下一步") {
            assert!(next(&out).ends_with(wanted), "{args:?}: {}", out.stderr);
        } else {
            assert!(!out.stdout.contains("wangge"), "{args:?}: {}", out.stdout);
        }
    }
    assert_eq!(
        world
            .at("d", &["visit", "list", "--json"])
            .ok()
            .stdout
            .trim(),
        "[]"
    );
}

#[test]
fn a_command_that_is_told_names_the_home_that_was_named() {
    let world = World::new();
    world.home_with_households("my home");
    let home = world.path("my home").display().to_string();
    let out = world
        .at("my home", &["household", "show", "nobody"])
        .ends(1);
    let wanted = format!("下一步：wangge --home '{home}' 住户 列表");
    assert_eq!(next(&out), wanted);
    let out = world.at("my home", &["visti"]).ends(2);
    assert_eq!(next(&out), format!("下一步：wangge --home '{home}' 帮助"));
    // Behind the command as well, and in what stands between words.
    let status = world.run(&["status", "--home", &home]).ok().stdout;
    assert!(
        status.contains(&format!("下一步：wangge --home '{home}' 登记")),
        "{status}"
    );
    // What a program reads stays as it was: it knows its home.
    let out = world.at("my home", &["household", "show", "nobody", "--json"]);
    assert_eq!(out.error()["hint"], "wangge household list");
    // A variable holds for the next command too.
    let mut command = world.command();
    command
        .env("WANGGE_HOME", &home)
        .args(["household", "show", "x"]);
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("下一步：wangge 住户 列表"), "{said}");
}

#[test]
fn a_hint_names_what_was_named_and_else_points_at_the_list() {
    let world = World::new();
    world.home_with_households("d");
    for (args, wanted) in [
        (
            &["member", "edit", "zjg", "nobody", "--sex", "女"][..],
            "住户 查看 zjg",
        ),
        (
            &["call", "3-13", "--reason", "上门服务"],
            "住户 修改 3-13 --phone 号码",
        ),
    ] {
        let out = world.at("d", args).ends(1);
        assert!(next(&out).ends_with(wanted), "{}", out.stderr);
    }
    let open = ["ticket", "open", "zjg", "修路灯", "--json"];
    let ticket = world.at("d", &open).ok().json();
    let code = ticket["code"].as_str().unwrap();
    let out = world.at("d", &["ticket", "retract", code, "abcdef"]);
    let wanted = format!("工单 查看 {code}");
    assert!(next(&out).ends_with(&wanted), "{}", out.stderr);
}

#[test]
fn a_mistyped_code_leaves_no_home_behind_and_the_right_one_works() {
    let world = World::new();
    let relay = world.relay();
    let wrong = ["enroll", "0123456789", "--relay", &relay.url()];
    world.at("d", &wrong).ends(4);
    assert!(!world.path("d").exists());
    // What stood in the folder stays.
    std::fs::create_dir(world.path("d")).unwrap();
    std::fs::write(world.path("d").join("notes.txt"), "x").unwrap();
    world.at("d", &wrong).ends(4);
    let left: Vec<_> = std::fs::read_dir(world.path("d")).unwrap().collect();
    assert_eq!(left.len(), 1);
    let code = world.invite("李梅", "worker", &[GRID]);
    world
        .at("d", &["enroll", &code, "--relay", &relay.url()])
        .ok();
    // A home that was there before is nobody's to take away.
    world.home("e");
    world.at("e", &wrong).ends(4);
    assert!(world.path("e").join("profile.json").exists());
}

#[test]
fn init_completes_a_home_that_a_cut_line_left_empty_and_keeps_its_key() {
    let world = World::new();
    let enroll = ["enroll", "0123456789", "--relay", "http://127.0.0.1:9"];
    world.at("d", &enroll).ends(5);
    let key = std::fs::read(world.path("d").join("secrets")).unwrap();
    world.home("d");
    assert_eq!(std::fs::read(world.path("d").join("secrets")).unwrap(), key);
    let status = world.at("d", &["status", "--json"]).ok().json();
    assert_eq!(status["name"], "李梅");
    let again = ["init", "--offline", "--name", "王芳", "--area", GRID];
    world.at("d", &again).ends(1);
}
